package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// rowsAList is how many rows one list takes: a browser leaves out of its layout
// the lists that nobody sees.
const rowsAList = 200

// setView is a number of rows that have everything in common but their names: the
// filters decide for the set what can be decided for all.
type setView struct {
	Region, Namespace, Action, Guard string
	Rules                            string // their numbers, separated by blanks
	Ref                              string // what the rows belong to
	Sign                             string // goes, change, held
	Title                            string
	Why                              []whyView
	Width                            string // how much room the names need: s, m, l
	Lists                            [][]rowView
	Count                            int
}

// whyView is one rule with what it says.
type whyView struct{ Rule, Text, Place string }

// rowView is one thing that goes, is held, or violates a policy.
type rowView struct {
	Name   string
	Age    string
	Time   string
	Digest string
	Note   string
	Result string
}

func (s *setView) fill(rows []rowView) *setView {
	longest := 0
	for i := range rows {
		longest = max(longest, utf8.RuneCountInString(rows[i].Name))
		if rows[i].Note != "" {
			longest = max(longest, 100)
		}
	}
	switch {
	case longest <= 14:
		s.Width = "s"
	case longest <= 28:
		s.Width = "m"
	default:
		s.Width = "l"
	}
	s.Count = len(rows)
	s.Lists = slices.Collect(slices.Chunk(rows, rowsAList))
	return s
}

// filterView is what can be chosen in the filters.
type filterView struct {
	Regions, Namespaces, Rules []string
	Actions, Guards            []choiceView
	rules                      map[string]int
}

// choiceView is a value with its words.
type choiceView struct{ Value, Words string }

func newFilters(p *actions.Plan) *filterView {
	regions, namespaces, rules := map[string]bool{}, map[string]bool{}, map[string]bool{}
	acts, guards := map[actions.Action]bool{}, map[actions.Guard]bool{}
	refer := func(s string) {
		if ref, err := registry.ParseRef(s); err == nil {
			regions[clean(string(ref.Region))], namespaces[clean(ref.Namespace)] = true, true
		}
	}
	reasons := func(list []registry.Reason) {
		for _, r := range list {
			rules[clean(r.Rule)] = true
		}
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		regions[clean(string(s.Region))], namespaces[clean(s.Namespace)], acts[s.Action] = true, true, true
		reasons(s.Reasons)
	}
	for i := range p.Held {
		h := &p.Held[i]
		refer(h.Ref)
		acts[h.Action], guards[h.Guard] = true, true
		reasons(h.Reasons)
	}
	for i := range p.Violations {
		refer(p.Violations[i].Ref)
		rules[clean(p.Violations[i].Rule)] = true
	}
	for i := range p.Gaps {
		refer(p.Gaps[i].Subject)
	}
	f := &filterView{Regions: slices.Sorted(maps.Keys(regions)), Namespaces: slices.Sorted(maps.Keys(namespaces)), Rules: slices.Sorted(maps.Keys(rules)), rules: map[string]int{}}
	for i, r := range f.Rules {
		f.rules[r] = i
	}
	for _, a := range slices.Sorted(maps.Keys(acts)) {
		f.Actions = append(f.Actions, choiceView{clean(string(a)), actionInWords(a)})
	}
	for _, g := range slices.Sorted(maps.Keys(guards)) {
		f.Guards = append(f.Guards, choiceView{clean(string(g)), strings.ReplaceAll(clean(string(g)), "_", " ")})
	}
	return f
}

// numbers names the rules of reasons by their numbers.
func (f *filterView) numbers(rules ...string) string {
	var b []string
	for _, r := range rules {
		if n := strconv.Itoa(f.rules[clean(r)]); !slices.Contains(b, n) {
			b = append(b, n)
		}
	}
	return strings.Join(b, " ")
}

func ruleNames(reasons []registry.Reason) []string {
	out := make([]string, len(reasons))
	for i, r := range reasons {
		out[i] = r.Rule
	}
	return out
}

// setOf is a set of an object, without its rows.
func (f *filterView) setOf(ref registry.Ref, a actions.Action, g actions.Guard, reasons []registry.Reason) *setView {
	return &setView{
		Region: clean(string(ref.Region)), Namespace: clean(ref.Namespace), Action: clean(string(a)), Guard: clean(string(g)),
		Rules: f.numbers(ruleNames(reasons)...), Ref: clean(ref.String()),
	}
}

func whys(reasons []registry.Reason) []whyView {
	out := make([]whyView, len(reasons))
	for i, r := range reasons {
		out[i] = whyView{clean(r.Rule), clean(r.Text), clean(strings.TrimSpace(place(r.Source, r.CustomSeverity)))}
	}
	return out
}

// rulesOnly are reasons of which each row has its own words.
func rulesOnly(reasons []registry.Reason) []whyView {
	var out []whyView
	for _, w := range whys(reasons) {
		w.Text = ""
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

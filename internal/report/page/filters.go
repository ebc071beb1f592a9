package page

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// filters are what a reader can choose from.
type filters struct {
	Regions    []registry.Region
	Namespaces []string
	Rules      []string
	Actions    []actions.Action
	Guards     []actions.Guard
	numbers    map[string]int // of the rules
}

func newFilters(p *actions.Plan) *filters {
	regions, namespaces, rules := map[registry.Region]bool{}, map[string]bool{}, map[string]bool{}
	acts, guards := map[actions.Action]bool{}, map[actions.Guard]bool{}
	refer := func(home registry.Ref) {
		if home.Namespace != "" {
			regions[home.Region], namespaces[home.Namespace] = true, true
		}
	}
	change := func(a actions.Action, reasons []registry.Reason) {
		acts[a] = true
		for _, r := range reasons {
			rules[r.Rule] = true
		}
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		refer(s.Object().WithoutImage())
		change(s.Action, s.Reasons)
	}
	for i := range p.Held {
		h := &p.Held[i]
		refer(homeOf(h.Ref))
		change(h.Action, h.Reasons)
		guards[h.Guard] = true
	}
	for _, v := range p.Violations {
		refer(homeOf(v.Ref))
		rules[v.Rule] = true
	}
	for _, g := range p.Gaps {
		refer(homeOf(g.Subject))
	}
	f := &filters{
		Regions: sorted(regions), Namespaces: sorted(namespaces), Rules: sorted(rules),
		Actions: sorted(acts), Guards: sorted(guards), numbers: map[string]int{},
	}
	for i, r := range f.Rules {
		f.numbers[r] = i
	}
	return f
}

func sorted[T cmp.Ordered](of map[T]bool) []T { return slices.Sorted(maps.Keys(of)) }

// set is a number of rows that only differ in their names: the filters decide about
// the set as far as they can.
type set struct {
	Home   registry.Ref // the namespace
	Action actions.Action
	Guard  actions.Guard
	Rules  string // their numbers, separated by blanks
	Ref    string // the object of the rows
	Sign   string // goes, change, held
	Title  string
	Why    []registry.Reason // those without a text stand for several
	Width  string            // how much room the names need: s, m, l
	Lists  [][]row
}

// row is one thing that is deleted, changed or held, or that violates a policy.
type row struct{ Name, Age, Time, Digest, Note, Result string }

// setOf is a set of an object, without its rows.
func (f *filters) setOf(ref registry.Ref, a actions.Action, g actions.Guard, reasons []registry.Reason) *set {
	return &set{
		Home: ref.WithoutImage(), Action: a, Guard: g,
		Rules: f.rules(reasons), Ref: ref.String(), Why: reasons,
	}
}

// rules names the rules of reasons by their numbers.
func (f *filters) rules(reasons []registry.Reason) string {
	var b []string
	for _, r := range reasons {
		if n := strconv.Itoa(f.numbers[r.Rule]); !slices.Contains(b, n) {
			b = append(b, n)
		}
	}
	return strings.Join(b, " ")
}

// rulesOnly are the rules of reasons, of which each row has its own text.
func rulesOnly(reasons []registry.Reason) []registry.Reason {
	var out []registry.Reason
	for _, r := range reasons {
		if r.Text = ""; !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

func (s *set) fill(rows []row) *set {
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
	s.Lists = chunks(rows)
	return s
}

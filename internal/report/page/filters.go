package page

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// filters are what a reader can choose from: everything that the sets have.
type filters struct {
	Regions    map[registry.Region]bool
	Namespaces map[string]bool
	Rules      map[string]int // to their numbers
	Actions    map[actions.Action]bool
	Guards     map[actions.Guard]bool
}

func newFilters() *filters {
	return &filters{map[registry.Region]bool{}, map[string]bool{}, map[string]int{}, map[actions.Action]bool{}, map[actions.Guard]bool{}}
}

// add makes a namespace a choice; what is not a reference has none.
func (f *filters) add(home registry.Ref) {
	if home.Region != "" {
		f.Regions[home.Region], f.Namespaces[home.Namespace] = true, true
	}
}

// set is a number of rows that only differ in their names: the filters decide about
// the set as far as they can.
type set struct {
	Home   registry.Ref // the namespace
	Action actions.Action
	Guard  actions.Guard
	Rules  string // their numbers, separated by blanks
	Ref    string // the object of the rows
	Sign   string // delete, change, held
	Title  string
	Why    []registry.Reason // those without a text stand for several
	Width  string            // how much room the names need: s, m, l
	Lists  [][]row
}

// row is one thing that is deleted, changed or held, or that violates a policy.
type row struct{ Name, Age, Time, Digest, Note, Result string }

// setOf is a set of an object, without its rows.
func (f *filters) setOf(ref registry.Ref, a actions.Action, g actions.Guard, reasons []registry.Reason) *set {
	f.add(ref.WithoutImage())
	if a != "" {
		f.Actions[a] = true
	}
	if g != "" {
		f.Guards[g] = true
	}
	return &set{Home: ref.WithoutImage(), Action: a, Guard: g, Rules: f.numbers(reasons), Ref: ref.String(), Why: reasons}
}

// numbers names the rules of reasons by their numbers.
func (f *filters) numbers(reasons []registry.Reason) string {
	var out []string
	for _, r := range reasons {
		n, found := f.Rules[r.Rule]
		if !found {
			n = len(f.Rules)
			f.Rules[r.Rule] = n
		}
		if number := strconv.Itoa(n); !slices.Contains(out, number) {
			out = append(out, number)
		}
	}
	return strings.Join(out, " ")
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

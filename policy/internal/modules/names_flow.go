package modules

import (
	"slices"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"
)

// flow follows values through compiled modules, in which every call has an
// expression of its own, every reference is spelled out, and every variable has its
// value before it is used.
type flow struct {
	rules     []*ast.Rule    // else branches included
	functions map[string]int // how many arguments each has, by path
	values    map[place]value
	fake      map[*ast.Term]bool // the objects that replace an input, whose keys have to be known
	changed   bool

	// The findings of the last walk:
	defined []*ast.Term // the keys of other objects
	used    []use       // the keys that have to be known
}

// use is a key that a rule looks up.
type use struct {
	key  *ast.Term
	rule *ast.Rule
}

// value is what is known of a value.
type value struct {
	keys     openness
	literals []*ast.Term // the texts, lists, sets and objects that it can be
	loose    bool        // it may have other keys tomorrow, or hold open values
	word     bool        // it is a key of a closed value, or a list or set of such; only of variables
}

// place is where a value is: in a rule, a parameter, a field or a variable.
type place struct {
	scope any // of a variable; nil for the others
	name  string
}

func pathPlace(path ast.Ref) place           { return place{name: path.String()} }
func field(name string) place                { return place{name: "." + name} }
func parameter(function string, i int) place { return place{name: function + "/" + strconv.Itoa(i)} }

// openness is which keys a value may have.
type openness int

const (
	closed openness = iota // those that have a name in the policy set
	keyed                  // any key, as a set or an object with computed keys; their values are closed
	open                   // any key, at any depth, as a parsed text
)

// element is the openness of what a value contains.
func (o openness) element() openness {
	if o == open {
		return open
	}
	return closed
}

// around is the openness of a value whose own openness is o and that contains
// values of another.
func (o openness) around(content openness) openness {
	if content != closed {
		return open
	}
	return o
}

func newFlow() *flow {
	return &flow{functions: map[string]int{}, values: map[place]value{}, fake: map[*ast.Term]bool{}}
}

func (f *flow) add(m *ast.Module) {
	for _, rule := range m.Rules {
		f.put(pathPlace(rule.Ref().ConstantPrefix()), value{}) // it is no data file
		for r := rule; r != nil; r = r.Else {
			f.rules = append(f.rules, r)
		}
		if len(rule.Head.Args) > 0 {
			f.functions[rule.Ref().String()] = len(rule.Head.Args)
		}
	}
}

// walkRules walks the rules until nothing new is found.
func (f *flow) walkRules() {
	for f.changed = true; f.changed; {
		f.changed, f.defined, f.used = false, nil, nil
		for _, rule := range f.rules {
			w := &walker{flow: f, in: rule, scope: rule, bound: map[ast.Var]place{}, words: map[place]bool{}}
			w.rule()
		}
	}
}

// put adds to what is known of the value at a place.
func (f *flow) put(p place, more value) {
	v := f.values[p]
	if more.keys > v.keys {
		v.keys, f.changed = more.keys, true
	}
	if more.loose && !v.loose {
		v.loose, f.changed = true, true
	}
	for _, l := range more.literals {
		if !slices.Contains(v.literals, l) {
			v.literals, f.changed = append(v.literals, l), true
		}
	}
	f.values[p] = v
}

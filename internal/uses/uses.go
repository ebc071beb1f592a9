// Package uses finds out what is in use, so that it is kept. A Set reads its
// sources (references files, serverless containers and jobs, Kubernetes clusters)
// side by side, also those that a finder finds for each reading; a Reading is what they answered; a source that could not be read
// is a gap in it.
//
// It must never treat a source that could not be read as one without uses: its
// gap holds every deletion, unless the source is configured as not
// required.
package uses

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Source reports what it uses.
type Source interface {
	// Name is what gaps and reports call it: "serverless containers in nl-ams".
	Name() string
	// Uses returns every use, or fails; what it returns although it fails counts too.
	Uses(context.Context) ([]registry.Use, error)
}

// Set is the use sources of one configuration. The zero value has none. It is
// safe for concurrent use once all sources are added.
type Set struct {
	// Now is the time of Sources; nil is the wall clock.
	Now func() time.Time

	file     *member // the references file
	members  []member
	finders  []finder
	required map[string]bool // by key

	mu     sync.Mutex
	states map[string]runs.UseSource // what each source answered last, by name
	found  []member                  // by the finders, in the latest reading
}

// member is a source of a set.
type member struct {
	Source
	name     string // unique in the set
	key      string
	required bool // of the references file
	least    int  // how many uses the references file has to name
}

// finder finds sources anew for each reading.
type finder struct {
	key  string
	find func(context.Context) []Source
}

// SetFile sets the references file. If it is required and cannot be read, the run
// ends with an error. If it names fewer than least uses, the rest of them may be missing:
// that is a gap of the file.
func (s *Set) SetFile(file Source, required bool, least int) {
	s.file = &member{Source: file, name: file.Name(), required: required, least: least}
}

// IsFile reports whether a gap with that source is one of the references file.
func (s *Set) IsFile(source string) bool { return s.file != nil && source == s.file.name }

// Require declares the sources that share a key, whether or not they are read here, and whether they must answer. Inventories know sources by their keys.
func (s *Set) Require(key string, required bool) {
	if s.required == nil {
		s.required = map[string]bool{}
	}
	s.required[key] = required
}

// Add adds a source. Its name is made unique: two kubeconfigs may call different
// clusters the same.
func (s *Set) Add(key string, source Source) { s.members = add(s.members, key, source) }

func add(members []member, key string, source Source) []member {
	name := source.Name()
	for n := 2; slices.ContainsFunc(members, func(m member) bool { return m.name == name }); n++ {
		name = fmt.Sprintf("%s (%d)", source.Name(), n)
	}
	return append(members, member{Source: source, name: name, key: key})
}

// AddFinder adds the sources that exist at the time of each reading. In place of one
// that cannot be found, find returns a source that fails: see [Unread].
func (s *Set) AddFinder(key string, find func(context.Context) []Source) {
	s.finders = append(s.finders, finder{key, find})
}

// Empty reports whether the set has neither a source to read nor the gap of one to weigh.
func (s *Set) Empty() bool {
	return s.file == nil && len(s.members) == 0 && len(s.finders) == 0 && len(s.required) == 0
}

// Reading is what all sources of a set answered: the uses, sorted and each once,
// and a gap for each source that could not be read.
type Reading struct {
	Uses []registry.Use
	Gaps []registry.Gap
}

// Since returns what an earlier reading did not show.
func (r Reading) Since(earlier Reading) Reading {
	return Reading{
		Uses: slices.DeleteFunc(slices.Clone(r.Uses), func(u registry.Use) bool {
			_, found := slices.BinarySearchFunc(earlier.Uses, u, registry.CompareUses)
			return found
		}),
		Gaps: slices.DeleteFunc(slices.Clone(r.Gaps), func(g registry.Gap) bool {
			return slices.ContainsFunc(earlier.Gaps, func(e registry.Gap) bool { return e.Subject == g.Subject && e.Holds == g.Holds })
		}),
	}
}

// Read reads all sources. The error comes from the context, or from a references
// file that is required.
func (s *Set) Read(ctx context.Context) (Reading, error) {
	var r Reading
	if s.file != nil {
		uses, err := s.ask(ctx, *s.file)
		switch {
		case err != nil && s.file.required:
			return Reading{}, err
		case err != nil:
			r.Gaps = append(r.Gaps, registry.Gap{Subject: s.file.name, Error: err.Error(), Holds: registry.HoldsNothing})
		case len(uses) < s.file.least:
			r.Gaps = append(r.Gaps, s.file.tooShort(len(uses)))
		}
		r.Uses = uses
	}
	type answer struct {
		uses []registry.Use
		err  error
	}
	members := s.all(ctx)
	answers := make([]answer, len(members))
	var wg sync.WaitGroup
	for i, m := range members {
		wg.Go(func() { answers[i].uses, answers[i].err = s.ask(ctx, m) })
	}
	wg.Wait()
	for i, a := range answers {
		r.Uses = append(r.Uses, a.uses...)
		if a.err != nil {
			gap := registry.Gap{Subject: members[i].name, Error: a.err.Error(), Holds: registry.HoldsAll, Source: members[i].key}
			s.Weigh(&gap)
			r.Gaps = append(r.Gaps, gap)
		}
	}
	slices.SortFunc(r.Uses, registry.CompareUses)
	r.Uses = slices.Compact(r.Uses)
	return r, ctx.Err()
}

// all returns the sources, with those that the finders find now.
func (s *Set) all(ctx context.Context) []member {
	members := slices.Clone(s.members)
	for _, f := range s.finders {
		for _, source := range f.sources(ctx) {
			members = add(members, f.key, source)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = members[len(s.members):]
	return members
}

// sources calls find. A panic counts as its failure.
func (f finder) sources(ctx context.Context) (found []Source) {
	defer func() {
		if p := recover(); p != nil {
			found = []Source{Unread(f.key, fmt.Errorf("a bug in the program: panic: %v", p))}
		}
	}()
	return f.find(ctx)
}

// tooShort is the gap of a references file that names so few uses that it was most likely
// not written to its end.
func (m *member) tooShort(uses int) registry.Gap {
	gap := registry.Gap{
		Subject: m.name, Holds: registry.HoldsNothing, Source: m.name,
		Error: fmt.Sprintf("it names %s to this registry, and min_references asks for %d: find out what is missing, or lower min_references", text.Count(uses, "reference"), m.least),
	}
	if m.required {
		gap.Holds = registry.HoldsAll
	}
	return gap
}

// ask reads one source, and remembers its answer. A panic counts as its failure.
func (s *Set) ask(ctx context.Context, m member) (uses []registry.Use, err error) {
	defer func() {
		if p := recover(); p != nil {
			uses, err = nil, fmt.Errorf("a bug in the program: panic: %v", p)
		}
		s.remember(m.name, len(uses), err)
	}()
	uses, err = m.Uses(ctx)
	uses = slices.SortedFunc(slices.Values(uses), registry.CompareUses)
	return slices.Compact(uses), err
}

// Weigh sets what the gap of a source holds, by the configuration of
// that source. It leaves a gap of a source that the configuration does not have.
func (s *Set) Weigh(gap *registry.Gap) {
	required, found := s.required[gap.Source]
	switch {
	case !found:
	case required:
		gap.Holds = registry.HoldsAll
	default:
		gap.Holds = registry.HoldsNothing
	}
}

// remember keeps when the source answered last, also while it does not.
func (s *Set) remember(name string, uses int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := runs.UseSource{Name: name, Uses: uses, ReadAt: s.states[name].ReadAt}
	switch {
	case err != nil:
		state.Error = err.Error()
	case s.Now != nil:
		state.ReadAt = s.Now()
	default:
		state.ReadAt = clock.Now()
	}
	if s.states == nil {
		s.states = map[string]runs.UseSource{}
	}
	s.states[name] = state
}

// Sources returns what each source answered last, in the order of the
// configuration; nil before the first reading.
func (s *Set) Sources() []runs.UseSource {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []runs.UseSource
	members := slices.Concat(s.members, s.found)
	if s.file != nil {
		members = slices.Insert(members, 0, *s.file)
	}
	for _, m := range members {
		if state, read := s.states[m.name]; read {
			out = append(out, state)
		}
	}
	return out
}

package janitor

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

const narrowConfig = `
scope: {exclude: ["funcscw*/**", "*/tmp"]}
retention:
  - {name: pulls, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}
  - {name: builds, match: {tags: ["main-*"]}, keep: {last: 3}, delete: {older_than: 24h}}
empty: {images: {older_than: 1d}, namespaces: {older_than: 1d}}
visibility: [{name: private, subject: image, match: {namespaces: ["*"]}, require: private, fix: true}]
limits: {max_deletion_percent: 100, max_deletions: 100000}
`

// planOf plans what a narrowing leaves.
func (s *setting) planOf(t *testing.T, only scanner.Narrowing) *actions.Plan {
	t.Helper()
	s.planner.Only = only
	feed := scanner.Scan(context.Background(), s.reader, scanner.Options{Scope: s.planner.Scope(), Concurrency: 4})
	p, err := s.planner.Plan(t.Context(), feed)
	check(t, err)
	return p
}

// A narrowed plan is a part of the whole one: nothing is decided otherwise because
// something else was left out.
func TestANarrowedPlanIsAPartOfTheWhole(t *testing.T) {
	world := worlds.Demo(1)
	world.Faults = nil
	world.Namespaces = append(world.Namespaces, worlds.Namespace{Name: "bare", Region: "fr-par", Age: world.Namespaces[0].Age})
	s := newSetting(t, world, narrowConfig, 4)
	whole := s.planOf(t, scanner.Narrowing{})
	if whole.Summary.DeleteTags < 100 || whole.Summary.DeleteNamespaces == 0 {
		t.Fatalf("the whole plan has too little to show anything: %+v", whole.Summary)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	pick := func(from []string) []string {
		if random.IntN(2) == 0 {
			return nil
		}
		random.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
		return slices.Clone(from[:1+random.IntN(2)])
	}
	parts := 0
	for range 25 {
		only := scanner.Narrowing{
			Namespaces: pick([]string{"*", "p*", "[a-m]*", "bare", whole.Steps[random.IntN(len(whole.Steps))].Namespace, "none"}),
			Images:     pick([]string{"**", "*a*", whole.Steps[random.IntN(len(whole.Steps))].Image + "*", "none"}),
		}
		for _, region := range pick([]string{"fr-par", "nl-ams", "pl-waw"}) {
			only.Regions = append(only.Regions, registry.Region(region))
		}
		part := s.planOf(t, only)
		scope := s.planner.Scope()
		var want []actions.Step
		for _, step := range whole.Steps {
			if scope.Holds(step.Object()) {
				want = append(want, step)
			}
		}
		if len(want) > 0 && len(want) < len(whole.Steps) {
			parts++
		}
		if diff := cmp.Diff(want, slices.Clone(part.Steps), cmp.Transformer("", func(s []actions.Step) []actions.Step { return append([]actions.Step{}, s...) })); diff != "" {
			t.Errorf("%q: -want +got\n%s", only.Words(), diff)
		}
		if part.ConfigDigest != whole.ConfigDigest || len(part.Gaps) > 0 || !slices.Equal(part.Narrowed, only.Words()) {
			t.Errorf("%q: digest %s, narrowed %q, gaps %v", only.Words(), part.ConfigDigest, part.Narrowed, part.Gaps)
		}
	}
	if parts < 3 {
		t.Errorf("only %d of the plans were a part", parts)
	}
}

// What holds every deletion of the whole holds those of a part that leaves its cause
// out: credentials that one region refuses are certain in none.
func TestANarrowedPlanSeesRefusedCredentials(t *testing.T) {
	world, err := worlds.Parse("world.yaml", []byte(`
faults: [{region: nl-ams, status: 401}]
namespaces: [{name: prod, region: fr-par, age: 400d, images: [{name: api, tags: [{name: latest, age: 1h}, {name: pr-1, age: 40d}]}]}]
`))
	check(t, err)
	s := newSetting(t, world, narrowConfig, 4)
	for _, only := range []scanner.Narrowing{{}, {Regions: []registry.Region{"fr-par"}}, {Images: []string{"api"}}} {
		if p := s.planOf(t, only); len(p.Steps) > 0 || len(p.Held) != 1 || len(p.Gaps) != 1 {
			t.Errorf("%q: steps %v, held %v, gaps %v", only.Words(), p.Steps, p.Held, p.Gaps)
		}
	}
	world.Faults = nil
	for i := range world.Namespaces {
		world.Namespaces[i].Region = "fr-par"
	}
	s = newSetting(t, world, narrowConfig, 4)
	if p := s.planOf(t, scanner.Narrowing{Regions: []registry.Region{"fr-par"}}); len(p.Steps) != 1 {
		t.Errorf("without the fault: %v", p.Steps)
	}
}

package janitor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/recorder"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// ownedWorld is the demo's registry, whose namespaces belong to two projects.
func ownedWorld(seed uint64) (world worlds.World, projects []string) {
	world = worlds.Demo(seed)
	world.Faults = nil
	projects = []string{"11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"}
	for i := range world.Namespaces {
		world.Namespaces[i].ProjectID = projects[i%2]
	}
	return world, projects
}

// sharding is a configuration for each shard, all of them the whole except for their
// part of the registry and their share of limits.max_deletions.
func sharding(most, percent int, parts ...string) []string {
	var shards []string
	for i, part := range parts {
		share := most / len(parts)
		if i < most%len(parts) {
			share++
		}
		shards = append(shards, limited(share, percent)+"scaleway: {"+part+"}\n")
	}
	return shards
}

func limited(most, percent int) string {
	return fmt.Sprintf("%slimits: {max_deletions: %d, max_deletion_percent: %d}\n", rules, most, percent)
}

func byRegion() (parts []string) {
	for _, region := range registry.Regions() {
		parts = append(parts, fmt.Sprintf("regions: [%s]", region))
	}
	return parts
}

// Shards by region or by project plan together what one run plans, and what none of
// them refuses, one run would not refuse either.
func TestShardsPlanTogetherWhatOneRunPlans(t *testing.T) {
	world, projects := ownedWorld(7)
	byProject := []string{"project_ids: [" + projects[0] + "]", "project_ids: [" + projects[1] + "]"}
	for name, parts := range map[string][]string{"region": byRegion(), "project": byProject} {
		t.Run("by "+name, func(t *testing.T) {
			whole := planOf(t, world, limited(100_000, 100), 16)
			together := &actions.Plan{}
			for _, shard := range sharding(100_000, 100, parts...) {
				p := planOf(t, world, shard, 16)
				together.Steps = append(together.Steps, p.Steps...)
				together.Held = append(together.Held, p.Held...)
				together.Images = append(together.Images, p.Images...)
				together.Summary.Tags += p.Summary.Tags
			}
			slices.SortFunc(together.Steps, func(a, b actions.Step) int { return strings.Compare(a.Ref, b.Ref) })
			slices.SortFunc(together.Held, func(a, b actions.Held) int { return strings.Compare(a.Ref, b.Ref) })
			slices.SortFunc(together.Images, func(a, b actions.PlannedImage) int { return strings.Compare(a.Ref, b.Ref) })
			if diff := cmp.Diff(whole.Steps, together.Steps); diff != "" || len(whole.Steps) < 100 {
				t.Errorf("of %d steps (-one run +shards)\n%s", len(whole.Steps), diff)
			}
			if diff := cmp.Diff(whole.Held, together.Held); diff != "" || len(whole.Held) == 0 {
				t.Errorf("of %d held (-one run +shards)\n%s", len(whole.Held), diff)
			}
			if diff := cmp.Diff(whole.Images, together.Images); diff != "" {
				t.Errorf("what is kept (-one run +shards)\n%s", diff)
			}
			if together.Summary.Tags != whole.Summary.Tags {
				t.Errorf("the shards have %d tags, one run %d", together.Summary.Tags, whole.Summary.Tags)
			}
		})
	}
}

// What no shard refuses, one run does not refuse either: the shares of max_deletions add
// up, and a percentage that holds in each part holds in all of them.
func TestLimitsOfShardsHoldOverTheWhole(t *testing.T) {
	world, _ := ownedWorld(7)
	planned := planOf(t, world, limited(100_000, 100), 16).Summary
	deletions, share := planned.Deletions(), 100*planned.Deletions()/planned.Tags
	for _, tt := range []struct {
		name          string
		most, percent int
		refused       bool
	}{
		{"more than all shards may delete", deletions - 1, 100, true},
		{"a higher share than each shard may delete", 100_000, share - 1, true},
		{"neither", 100_000, 100, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refused, allowed := false, 0
			for _, shard := range sharding(tt.most, tt.percent, byRegion()...) {
				p := planOf(t, world, shard, 16)
				if p.Refused() {
					refused = true
				} else {
					allowed += p.Summary.Deletions()
				}
			}
			if one := planOf(t, world, limited(tt.most, tt.percent), 16); one.Refused() != tt.refused || refused != tt.refused {
				t.Errorf("one run is refused: %v, a shard is: %v, want %v", one.Refused(), refused, tt.refused)
			}
			if allowed > tt.most {
				t.Errorf("the shards may make %d deletions together, and the limit is %d", allowed, tt.most)
			}
		})
	}
}

// What one shard records in a ledger that all share leaves alone what the others have
// recorded: grace ends as with one run.
func TestShardsShareALedger(t *testing.T) {
	world, _ := ownedWorld(7)
	with := func(configuration, ledger string) string {
		return fmt.Sprintf("%sgrace: 3d\nledger: {dsn: %q}\n", configuration, filepath.ToSlash(ledger))
	}
	const most = 100_000
	folder := t.TempDir()
	one := newSetting(t, world, with(limited(most, 100), filepath.Join(folder, "one.db")), 16)
	var shards []*setting
	for _, shard := range sharding(most, 100, byRegion()...) {
		shards = append(shards, newSetting(t, world, with(shard, filepath.Join(folder, "shared.db")), 16))
	}
	for _, day := range []int{0, 1, 2, 4} {
		whole := one.recordAt(t, now.AddDate(0, 0, day))
		var steps []actions.Step
		for _, s := range shards {
			steps = append(steps, s.recordAt(t, now.AddDate(0, 0, day)).Steps...)
		}
		slices.SortFunc(steps, func(a, b actions.Step) int { return strings.Compare(a.Ref, b.Ref) })
		if diff := cmp.Diff(whole.Steps, append([]actions.Step{}, steps...)); diff != "" {
			t.Errorf("day %d (-one run +shards)\n%s", day, diff)
		}
		if deletes := slices.ContainsFunc(whole.Steps, func(s actions.Step) bool { return s.Action == actions.DeleteTag }); deletes != (day > 3) {
			t.Errorf("day %d: deletions %v, and grace is three days", day, deletes)
		}
	}
}

// recordAt plans at a time, and records the plan in the ledger of the configuration.
func (s *setting) recordAt(t *testing.T, at time.Time) *actions.Plan {
	t.Helper()
	clock := func() time.Time { return at }
	s.planner.TakenAt, s.planner.Clock = at, nil
	r, err := s.planner.startRecording(t.Context(), runs.KindPlan, recorder.Options{Trigger: "test", Now: clock})
	check(t, err)
	p, err := s.planner.Plan(t.Context(), s.scan(t, 16))
	check(t, err)
	check(t, s.planner.finish(t.Context(), r, ExitDone, nil, nil))
	return p
}

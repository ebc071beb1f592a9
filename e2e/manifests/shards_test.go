package manifests

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

// shards are the folders of the overlay with a configuration of their own.
func shards() []string { return []string{"fr-par", "nl-ams", "pl-waw"} }

// The shards are one configuration: together they have every region once, and as many
// deletions as the base, and they differ in nothing else but the ledger. A lower share of
// the tags than the limit in each shard is one in all of them.
func TestTheShardsAreOneConfiguration(t *testing.T) {
	base := document(t, "base")
	delete(base, "schedules") // those of the daemon
	whole, _ := base["limits"].(map[string]any)
	var regions []string
	deletions := 0.0
	for _, shard := range shards() {
		own := document(t, filepath.Join("overlays", "shards", shard))
		if own["ledger"].(map[string]any)["dsn"] != "postgres://" {
			t.Errorf("%s: the ledger is %v", shard, own["ledger"])
		}
		for _, region := range own["scaleway"].(map[string]any)["regions"].([]any) {
			regions = append(regions, region.(string))
		}
		limits := own["limits"].(map[string]any)
		deletions += limits["max_deletions"].(float64)
		limits["max_deletions"] = whole["max_deletions"]
		delete(own, "scaleway")
		own["ledger"] = base["ledger"]
		if diff := cmp.Diff(base, own); diff != "" {
			t.Errorf("%s differs in more (-base +shard):\n%s", shard, diff)
		}
	}
	var all []string
	for _, region := range registry.Regions() {
		all = append(all, string(region))
	}
	if !slices.Equal(slices.Sorted(slices.Values(regions)), slices.Sorted(slices.Values(all))) {
		t.Errorf("the shards have the regions %q", regions)
	}
	if deletions != whole["max_deletions"] {
		t.Errorf("the shards may delete %v tags together, the base %v", deletions, whole["max_deletions"])
	}
}

// Each shard has the configuration of its folder, and waits for the others.
func TestEachShardHasItsOwnConfiguration(t *testing.T) {
	b := build(t, "overlays/shards")
	seen := map[string]bool{}
	for _, p := range b.pods {
		var region string
		for _, v := range p.spec.Volumes {
			if v.ConfigMap == nil {
				continue
			}
			_, region, _ = strings.Cut(v.ConfigMap.Name, "registry-janitor-")
			if !strings.Contains(b.configs[v.ConfigMap.Name].Data["janitor.yaml"], "regions: ["+region+"]") {
				t.Errorf("%s has the configuration %s", p.owner, v.ConfigMap.Name)
			}
		}
		seen[region] = true
		if args := p.spec.Containers[0].Args; !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--lock-timeout=") }) {
			t.Errorf("%s does not wait for the others: %q", p.owner, args)
		}
	}
	if len(seen) != len(shards()) || len(b.configs) != len(shards()) {
		t.Errorf("%d pods, the configurations %v, and %d config maps", len(b.pods), seen, len(b.configs))
	}
}

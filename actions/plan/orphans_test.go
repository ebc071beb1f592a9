package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

func TestOrphanedAttachments(t *testing.T) {
	old := scanTime.Add(-48 * time.Hour)
	tag := func(name, digest string) registry.Tag {
		return registry.Tag{ID: "id-" + name, Name: name, Digest: digest, Status: registry.StatusReady, CreatedAt: old, UpdatedAt: old}
	}
	orphan := "sha256-" + strings.Repeat("a", 64) + ".sig"
	marked := registry.TagVerdict{Delete: []registry.Reason{{Rule: "attachments/orphans", Text: "no tag of the image has its subject"}}}
	for name, c := range map[string]struct {
		orphans Orphans
		change  func(v *registry.Verdict)
		want    map[string]decision
	}{
		"goes where the options let it": {DeleteOrphans, nil, map[string]decision{orphan: "step"}},
		"stays by default":              {"", nil, map[string]decision{orphan: "attachment"}},
		"stays where it is told to":     {KeepOrphans, nil, map[string]decision{orphan: "attachment"}},
		"stays where nothing marks it":  {DeleteOrphans, func(v *registry.Verdict) { v.Tags[0] = registry.TagVerdict{} }, map[string]decision{}},
		"stays where a rule keeps it": {DeleteOrphans, func(v *registry.Verdict) {
			v.Tags[0].Keep = []registry.Reason{{Rule: "retention/signatures", Text: "the rule keeps all it matches"}}
		}, map[string]decision{}},
		"is no orphan while its subject stays": {DeleteOrphans, func(v *registry.Verdict) {
			v.Image.Tags[1].Digest = digestOf("a")
		}, map[string]decision{orphan: "attachment"}},
		"goes with its subject as any attachment": {DeleteOrphans, func(v *registry.Verdict) {
			v.Image.Tags[1].Digest = digestOf("a")
			v.Tags[1] = marked
		}, map[string]decision{orphan: "step", "latest": "step"}},
		"stays beside a digest that is not known": {DeleteOrphans, func(v *registry.Verdict) {
			v.Image.Tags[1].Digest = ""
		}, map[string]decision{orphan: "attachment"}},
		"stays beside a tag that the listing does not show": {DeleteOrphans, func(v *registry.Verdict) {
			v.Image.TagNames = []string{"latest", "unlisted", orphan}
		}, map[string]decision{orphan: "attachment"}},
		"is kept while it is young": {DeleteOrphans, func(v *registry.Verdict) {
			v.Image.Tags[0].UpdatedAt = scanTime.Add(-time.Minute)
		}, map[string]decision{orphan: "min_age"}},
		"is kept while it is in use": {DeleteOrphans, func(v *registry.Verdict) { v.Tags[0].InUse = []string{"kubernetes prod"} }, map[string]decision{orphan: "in_use"}},
		"is kept while it is not ready": {DeleteOrphans, func(v *registry.Verdict) {
			v.Image.Tags[0].Status = "locked"
		}, map[string]decision{orphan: "not_ready"}},
		"stays with a tag of its own digest": {DeleteOrphans, func(v *registry.Verdict) {
			v.Image.Tags[1].Digest = digestOf("s")
		}, map[string]decision{orphan: "shared_digest"}},
		"takes what is attached to it along": {DeleteOrphans, func(v *registry.Verdict) {
			v.Image.Tags[1].Name = "sha256-" + strings.Repeat("5", 64) + ".att"
			v.Image.Tags[0].Digest = "sha256:" + strings.Repeat("5", 64)
		}, map[string]decision{orphan: "step", "sha256-" + strings.Repeat("5", 64) + ".att": "step"}},
	} {
		ns := &registry.Namespace{Name: "prod", Region: "fr-par", Status: registry.StatusReady}
		v := registry.Verdict{
			Namespace: ns,
			Image: &registry.Image{
				Namespace: ns, ID: "img", Name: "api", Status: registry.StatusReady, CreatedAt: old, UpdatedAt: old,
				Tags: []registry.Tag{tag(orphan, digestOf("s")), tag("latest", digestOf("b"))},
			},
			Tags: []registry.TagVerdict{marked, {}},
		}
		if c.change != nil {
			c.change(&v)
		}
		o := Options{TakenAt: scanTime, MinAge: time.Hour, Orphans: c.orphans, MaxDeletions: -1, MaxDeletionPercent: -1}
		got := map[string]decision{}
		for ref, f := range decisionsOf(planOf(o, []registry.Verdict{v}, nil)) {
			_, tag, _ := strings.Cut(ref, "/api:")
			got[tag] = f
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("an orphan %s (-want +got):\n%s", name, diff)
		}
	}
}

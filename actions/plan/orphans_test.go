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
		"is not an orphan while its subject is kept": {DeleteOrphans, func(v *registry.Verdict) {
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
			v.Image.Tags[1].Digest = digestOf("e")
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
				Tags: []registry.Tag{tag(orphan, digestOf("e")), tag("latest", digestOf("b"))},
			},
			Tags: []registry.TagVerdict{marked, {}},
		}
		if c.change != nil {
			c.change(&v)
		}
		v.Image.Contents = map[string]*registry.Content{}
		for i := range v.Image.Tags {
			v.Image.Contents[v.Image.Tags[i].Digest] = &registry.Content{Kind: registry.ContentImage}
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

// An attachment may name the beginning of a sha512 digest only.
func TestShortenedSubjects(t *testing.T) {
	long := func(first, second string) string {
		return "sha512:" + strings.Repeat(first, 64) + strings.Repeat(second, 64)
	}
	short := "sha512-" + strings.Repeat("a", 64)
	reason := []registry.Reason{{Rule: "retention/old", Text: "too old"}}
	for name, c := range map[string]struct {
		digests []string // of tags that are marked
		marked  bool     // the attachment too
		kept    string   // the digest of one more tag, which is kept
		want    decision
	}{
		"it follows its subject":                                {[]string{long("a", "1")}, false, "", "step"},
		"it stays with its subject":                             {nil, true, long("a", "1"), "attachment"},
		"it has no subject":                                     {[]string{long("b", "1")}, false, "", ""},
		"it never goes where it may belong to one of two":       {[]string{long("a", "1"), long("a", "2")}, true, "", "attachment"},
		"it follows none where it may belong to one of several": {[]string{long("a", "1"), long("a", "2")}, false, "", ""},
		"it stays with one of two":                              {[]string{long("a", "1")}, true, long("a", "2"), "attachment"},
	} {
		v := imageOf(t, short+" c 48h")
		if c.marked {
			v.Tags[0].Delete = reason
		}
		add := func(name, digest string, tv registry.TagVerdict) {
			tag, _ := tagOf(t, name+" a 48h")
			tag.Digest = digest
			v.Image.Tags, v.Tags = append(v.Image.Tags, tag), append(v.Tags, tv)
		}
		for i, digest := range c.digests {
			add("v"+string(rune('1'+i)), digest, registry.TagVerdict{Delete: reason})
		}
		if c.kept != "" {
			add("kept", c.kept, registry.TagVerdict{Keep: reason})
		}
		o := Options{TakenAt: scanTime, Orphans: DeleteOrphans, MaxDeletions: -1, MaxDeletionPercent: -1}
		got := decisionsOf(planOf(o, []registry.Verdict{v}, nil))["delete_tag "+v.Image.TagRef(short).String()]
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

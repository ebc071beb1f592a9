package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

// indexOf is the content of an index of digests.
func indexOf(letters ...string) *registry.Content {
	c := &registry.Content{Kind: registry.ContentIndex}
	for _, letter := range letters {
		c.Parts = append(c.Parts, digestOf(letter))
	}
	return c
}

func TestPartsOfAnIndex(t *testing.T) {
	family := []string{"1.6.0 a 48h", "1.6.0-amd64 b 48h marked", "1.6.0-arm64 c 48h marked"}
	index := map[string]*registry.Content{digestOf("a"): indexOf("b", "c")}
	image := &registry.Content{Kind: registry.ContentImage}
	about := func(subject string) map[string]*registry.Content { // e is about it
		return map[string]*registry.Content{digestOf("e"): {Kind: registry.ContentAttachment, Subject: digestOf(subject)}}
	}
	deleteOrphans := func(o *Options) { o.Orphans = DeleteOrphans }
	for _, tt := range []struct {
		name     string
		tags     []string
		contents map[string]*registry.Content
		unread   map[string]string
		edit     func(*Options)
		want     []string
	}{
		{"parts of a kept index are held", family, index, nil, nil, []string{
			"held delete_tag /api:1.6.0-amd64: part_of: part of the multi-platform image 1.6.0, which no rule marks",
			"held delete_tag /api:1.6.0-arm64: part_of: part of the multi-platform image 1.6.0, which no rule marks"}},
		{"whatever their names", []string{"latest a 48h kept", "one b 48h marked", "two e 48h marked"}, index, nil, nil, []string{
			"delete_tag /api:two: retention/old",
			"held delete_tag /api:one: part_of: part of the multi-platform image latest, which is kept"}},
		{"a held index keeps its parts", []string{"1.6.0 a 48h trial", "1.6.0-amd64 b 48h marked"}, index, nil, nil, []string{
			"held delete_tag /api:1.6.0: report_only: marked only by retention/trial, which is not enforced",
			"held delete_tag /api:1.6.0-amd64: part_of: part of the multi-platform image 1.6.0, which is held (report_only)"}},
		{"so does one that keep_at_least holds", []string{"1.6.0 a 48h marked", "1.6.0-amd64 b 49h marked", "1.5.0 d 50h marked"}, index, nil,
			func(o *Options) { o.KeepAtLeast = 1 }, []string{
				"delete_tag /api:1.5.0: retention/old",
				"held delete_tag /api:1.6.0: keep_at_least: held so that 1 tag of the image is kept",
				"held delete_tag /api:1.6.0-amd64: part_of: part of the multi-platform image 1.6.0, which is held (keep_at_least)"}},
		{"an index goes with its parts", []string{"1.6.0 a 48h marked", "1.6.0-amd64 b 48h marked"}, index, nil, nil, []string{
			"delete_tag /api:1.6.0: retention/old", "delete_tag /api:1.6.0-amd64: retention/old"}},
		{"an index in an index keeps its parts", []string{"1.6.0 a 48h", "inner b 48h marked", "leaf c 48h marked"},
			map[string]*registry.Content{digestOf("a"): indexOf("b"), digestOf("b"): indexOf("c")}, nil, nil, []string{
				"held delete_tag /api:inner: part_of: part of the multi-platform image 1.6.0, which no rule marks",
				"held delete_tag /api:leaf: part_of: part of the multi-platform image 1.6.0, which no rule marks"}},
		{"an index that is not known holds what its name says", family[:2], nil, nil, nil, []string{
			"held delete_tag /api:1.6.0-amd64: part_of: may be part of 1.6.0, which no rule marks, and whose content is not known"}},
		{"so does one that could not be read", family[:2], nil, map[string]string{digestOf("a"): "403"}, nil, []string{
			"held delete_tag /api:1.6.0-amd64: part_of: may be part of 1.6.0, which no rule marks, and whose content could not be read: 403"}},
		{"an image is not an index", family[:2], map[string]*registry.Content{digestOf("a"): image}, nil, nil, []string{
			"delete_tag /api:1.6.0-amd64: retention/old"}},
		{"what is never read holds nothing", family[:2], nil, nil, func(o *Options) { o.Content.Read = ReadNever }, []string{
			"delete_tag /api:1.6.0-amd64: retention/old"}},
		{"other names are not parts", []string{"1.6.0 a 48h", "pr-1 b 48h marked"}, nil, nil, nil, []string{"delete_tag /api:pr-1: retention/old"}},
		{"unless all may be", []string{"1.6.0 a 48h", "pr-1 b 48h marked"}, nil, nil, func(o *Options) { o.Content.MultiArch = MultiArchAll }, []string{
			"held delete_tag /api:pr-1: part_of: may be part of 1.6.0, which no rule marks, and whose content is not known"}},
		{"no tag is a part of itself", []string{"1.6.0 a 48h", "1.6.0-amd64 a 48h marked"}, nil, nil, func(o *Options) { o.Content.MultiArch = MultiArchAll }, []string{
			"held delete_tag /api:1.6.0-amd64: shared_digest: shares its digest with 1.6.0, which no rule marks"}},
		{"an attachment of a part is not an orphan", []string{"1.6.0 a 48h", sig("b") + " e 48h marked"}, index, nil, deleteOrphans, []string{
			"held delete_tag /api:sha256-B.sig: attachment: belongs to a part of the multi-platform image 1.6.0, which no rule marks"}},
		{"what may be is none either", []string{"pr-1 a 48h", sig("b") + " e 48h marked"}, nil, nil, deleteOrphans, []string{
			"held delete_tag /api:sha256-B.sig: attachment: may belong to a part of pr-1, which no rule marks, and whose content is not known"}},
		{"an orphan of an index that goes is one", []string{"1.6.0 a 48h marked", sig("b") + " e 48h marked"}, index, nil, deleteOrphans, []string{
			"delete_tag /api:1.6.0: retention/old", "delete_tag /api:sha256-B.sig: retention/old"}},
		{"but not before it", []string{"1.6.0 a 48h marked", sig("b") + " e 99h marked"}, index, nil, func(o *Options) { o.Orphans, o.AtMost = DeleteOrphans, 1 }, []string{
			"held delete_tag /api:1.6.0: at_most: belongs to 2 deletions that must be made together, more than --at-most 1",
			"held delete_tag /api:sha256-B.sig: at_most: belongs to 2 deletions that must be made together, more than --at-most 1"}},
		{"at_most holds the parts with their index", []string{"1.6.0 a 10h marked", "1.6.0-amd64 b 99h marked", "old d 20h marked"}, index, nil,
			func(o *Options) { o.AtMost = 2 }, []string{
				"delete_tag /api:old: retention/old",
				"held delete_tag /api:1.6.0: at_most: left for a later plan: --at-most 2 deletes what is oldest first",
				"held delete_tag /api:1.6.0-amd64: at_most: left for a later plan: --at-most 2 deletes what is oldest first"}},
		{"what its content attaches to a kept tag is held", []string{"1.6.0 a 48h", "sbom e 48h marked"}, about("a"), nil, nil, []string{
			"held delete_tag /api:sbom: attachment: belongs to 1.6.0, which no rule marks"}},
		{"what its content attaches to a tag goes with it", []string{"1.6.0 a 48h marked", "sbom e 48h"}, about("a"), nil, nil, []string{
			"delete_tag /api:1.6.0: retention/old", "delete_tag /api:sbom: attachments/follow their subject"}},
		{"unless a rule keeps it", []string{"1.6.0 a 48h marked", "sbom e 48h kept"}, about("a"), nil, nil, []string{
			"delete_tag /api:1.6.0: retention/old"}},
		{"with at_most too", []string{"1.6.0 a 48h marked", "sbom e 48h"}, about("a"), nil, func(o *Options) { o.AtMost = 1 }, []string{
			"held delete_tag /api:1.6.0: at_most: belongs to 2 deletions that must be made together, more than --at-most 1",
			"held delete_tag /api:sbom: at_most: belongs to 2 deletions that must be made together, more than --at-most 1"}},
		{"and does not count for keep_at_least", []string{"1.6.0 a 48h marked", "1.5.0 c 99h marked", "sbom e 48h kept"}, about("a"), nil, func(o *Options) { o.KeepAtLeast = 1 }, []string{
			"delete_tag /api:1.5.0: retention/old",
			"held delete_tag /api:1.6.0: keep_at_least: held so that 1 tag of the image is kept"}},
		{"what its content attaches to a part of a kept index is held", []string{"1.6.0 a 48h", "sbom e 48h marked"},
			map[string]*registry.Content{digestOf("a"): indexOf("b", "c"), digestOf("e"): about("b")[digestOf("e")]}, nil, deleteOrphans, []string{
				"held delete_tag /api:sbom: attachment: belongs to a part of the multi-platform image 1.6.0, which no rule marks"}},
		{"what its content attaches to something unseen is an ordinary tag", []string{"1.6.0 a 48h", "sbom e 48h marked"}, about("b"), nil, nil, []string{
			"delete_tag /api:sbom: retention/old"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := imageOf(t, tt.tags...)
			v.Image.Contents = tt.contents
			v.Image.Unread = tt.unread
			checkPlan(t, v, tt.edit, tt.want)
		})
	}
}

func TestABuildInTheFutureIsReported(t *testing.T) {
	v := imageOf(t, "v1 a 48h", "v2 b 24h")
	v.Image.Contents = map[string]*registry.Content{
		digestOf("a"): {Kind: registry.ContentImage, BuiltAt: scanTime.Add(10 * time.Minute)},
		digestOf("b"): {Kind: registry.ContentImage, BuiltAt: scanTime.Add(4 * time.Minute)},
	}
	checkPlan(t, v, nil, []string{"warn /api:v1: time/future: built_at is 2026-11-22T12:10:00Z, 10m after the scan: it counts as newest"})
}

func TestNeedsContent(t *testing.T) {
	all := func(o *Options) { o.Content.MultiArch = MultiArchAll }
	for _, tt := range []struct {
		name string
		tags []string
		edit func(*Options)
		want []string // letters of digests
	}{
		{"nothing where nothing is marked", []string{"1.6.0 a 48h", "1.6.0-amd64 b 48h"}, all, nil},
		{"nothing where no name has a platform", []string{"1.6.0 a 48h", "1.5.0 b 48h marked"}, nil, nil},
		{"the index of a part", []string{"1.6.0 a 48h", "1.6.0-amd64 b 48h marked", "1.5.0 c 48h", "1.5.0-amd64 d 48h"}, nil, []string{"a"}},
		{"no index that goes itself", []string{"1.6.0 a 48h marked", "1.6.0-amd64 b 48h marked"}, all, nil},
		{"nothing for what is kept anyway", []string{"1.6.0 a 48h", "1.6.0-amd64 b 48h marked used", "1.6.0-arm64 b 48h marked locked"}, all, nil},
		{"everything that stays if all may be parts", []string{"1.6.0 a 48h", "pr-1 b 48h marked", "pr-2 c 48h marked", "old d 48h kept"}, all, []string{"a", "d"}},
		{"everything to tell how much is freed", []string{"1.6.0 a 48h", "pr-1 b 48h marked", "pr-2 b 1h kept", "old d 48h marked"},
			func(o *Options) { o.Content.Read = ReadAlways }, []string{"a", "b", "d"}},
		{"nothing where nothing is freed", []string{"1.6.0 a 48h", "pr-1 b 48h marked used"}, func(o *Options) { o.Content.Read = ReadAlways }, nil},
		{"everything that stays where an orphan would be deleted", []string{"1.6.0 a 48h", "old b 48h marked", sig("f") + " e 48h marked"},
			func(o *Options) { o.Orphans = DeleteOrphans }, []string{"a"}},
		{"nothing where none would be", []string{"1.6.0 a 48h", sig("f") + " e 48h marked"}, nil, nil},
		{"nothing if nothing is read", []string{"1.6.0 a 48h", "1.6.0-amd64 b 48h marked"}, func(o *Options) { o.Content.Read = ReadNever }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, o := imageOf(t, tt.tags...), unlimited()
			if tt.edit != nil {
				tt.edit(&o)
			}
			var want []string
			for _, letter := range tt.want {
				want = append(want, digestOf(letter))
			}
			got := NeedsContent(v, o)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			v.Image.Contents = map[string]*registry.Content{}
			for _, digest := range got {
				v.Image.Contents[digest] = &registry.Content{Kind: registry.ContentImage}
			}
			if more := NeedsContent(v, o); len(more) > 0 {
				t.Errorf("then it needs %v", more)
			}
			v.Image.Contents, v.Image.Unread = nil, map[string]string{}
			for _, digest := range got {
				v.Image.Unread[digest] = "403"
			}
			if more := NeedsContent(v, o); len(more) > 0 && o.Content.MultiArch != MultiArchAll {
				t.Errorf("if that cannot be read, it needs %v", more)
			}
		})
	}
}

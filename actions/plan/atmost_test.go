package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestAtMost(t *testing.T) {
	const later = ": at_most: left for a later plan: --at-most "
	for _, tt := range []struct {
		name   string
		tags   []string
		atMost int
		want   []string
	}{
		{"the oldest are deleted", []string{"v1 a 48h marked", "v2 b 72h marked", "v3 c 24h marked"}, 2,
			[]string{"delete_tag /api:v1: retention/old", "delete_tag /api:v2: retention/old",
				"held delete_tag /api:v3" + later + "2 deletes what is oldest first"}},
		{"names break ties", []string{"v2 a 48h marked", "v1 b 48h marked"}, 1,
			[]string{"delete_tag /api:v1: retention/old", "held delete_tag /api:v2" + later + "1 deletes what is oldest first"}},
		{"a digest is as young as its youngest tag", []string{"v1 a 99h marked", "v2 a 24h marked", "v3 b 48h marked"}, 2,
			[]string{"delete_tag /api:v3: retention/old",
				"held delete_tag /api:v1" + later + "2 deletes what is oldest first", "held delete_tag /api:v2" + later + "2 deletes what is oldest first"}},
		{"what is newer than a digest that does not fit is not deleted before it", []string{"v1 a 99h marked", "v2 b 48h marked", "v3 b 48h marked", "v4 c 24h marked"}, 2,
			[]string{"delete_tag /api:v1: retention/old",
				"held delete_tag /api:v2" + later + "2 deletes what is oldest first", "held delete_tag /api:v3" + later + "2 deletes what is oldest first",
				"held delete_tag /api:v4" + later + "2 deletes what is oldest first"}},
		{"a digest that never fits does not stop the others", []string{"v1 a 99h marked", "v2 a 99h marked", "v3 b 24h marked"}, 1,
			[]string{"delete_tag /api:v3: retention/old",
				"held delete_tag /api:v1: at_most: belongs to 2 deletions that must be made together, more than --at-most 1",
				"held delete_tag /api:v2: at_most: belongs to 2 deletions that must be made together, more than --at-most 1"}},
		{"attachments go with their subject, whatever their age", []string{"v1 a 99h marked", sig("a") + " b 1h", "v2 c 48h marked"}, 2,
			[]string{"delete_tag /api:sha256-A.sig: attachments/follow their subject", "delete_tag /api:v1: retention/old",
				"held delete_tag /api:v2" + later + "2 deletes what is oldest first"}},
		{"attachments stay with their subject", []string{"v1 a 48h marked", sig("a") + " b 99h", "v2 c 72h marked"}, 1,
			[]string{"delete_tag /api:v2: retention/old",
				"held delete_tag /api:sha256-A.sig: at_most: belongs to 2 deletions that must be made together, more than --at-most 1",
				"held delete_tag /api:v1: at_most: belongs to 2 deletions that must be made together, more than --at-most 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkPlan(t, imageOf(t, tt.tags...), func(o *Options) { o.AtMost = tt.atMost }, tt.want)
		})
	}
}

func TestAtMostDeletesAnImageAfterItsTags(t *testing.T) {
	for _, tt := range []struct {
		name   string
		atMost int
		want   []string
	}{
		{"the tags", 2, []string{"delete_tag /api:v1: retention/old", "delete_tag /api:v2: retention/old",
			"held delete_image /api: at_most: left for a later plan: --at-most 2 deletes what is oldest first"}},
		{"some tags", 1, []string{"delete_tag /api:v1: retention/old",
			"held delete_image /api: at_most: left for a later plan: --at-most 1 deletes what is oldest first",
			"held delete_tag /api:v2: at_most: left for a later plan: --at-most 1 deletes what is oldest first"}},
		{"everything", 3, []string{"delete_image /api: empty/images", "delete_tag /api:v1: retention/old", "delete_tag /api:v2: retention/old"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := imageOf(t, "v1 a 48h marked", "v2 b 24h marked")
			v.Delete = marks("empty/images")
			checkPlan(t, v, func(o *Options) { o.AtMost = tt.atMost }, tt.want)
		})
	}
	v := imageOf(t, "v1 a 48h marked", "v2 a 24h marked")
	v.Delete = marks("empty/images")
	const together = ": at_most: belongs to 2 deletions that must be made together, more than --at-most 1"
	checkPlan(t, v, func(o *Options) { o.AtMost = 1 }, []string{
		"held delete_image /api: at_most: tags of it are held: v1 and v2", "held delete_tag /api:v1" + together, "held delete_tag /api:v2" + together})
}

func TestAtMostComesBeforeTheLimits(t *testing.T) {
	o := unlimited()
	o.MaxDeletions, o.MaxDeletionPercent, o.AtMost = 3, 30, 3
	checkRefusals(t, planOf(o, []registry.Verdict{manyTags("prod", 50, 100)}, nil), nil)
}

// What AtMost leaves is what would be deleted without it, the oldest of it, and what
// belongs together stays together.
func TestAtMostHoldsTheRest(t *testing.T) {
	forRandomWorlds(t, func(t *testing.T, w world) {
		o, vs, gaps := w.options(), w.registry(), w.gaps()
		p := planOf(o, vs, gaps)
		if o.AtMost > 0 && p.Summary.Deletions() > o.AtMost {
			t.Errorf("%d deletions, want at most %d", p.Summary.Deletions(), o.AtMost)
		}
		o.AtMost = 0
		all := planOf(o, vs, gaps)
		got, want := decisionsOf(p), decisionsOf(all)
		for change, d := range got {
			if d == decision(actions.GuardAtMost) {
				got[change] = "step"
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("steps and what at_most holds are not the steps without it (-without +with):\n%s", diff)
		}
		decisions := decisionsOf(p)
		for i := range all.Steps {
			for k := range all.Steps {
				a, b := &all.Steps[i], &all.Steps[k]
				together := a.Digest != "" && (a.Digest == b.Digest || registry.AttachmentSubject(b.Tag, b.Digest).Is(a.Digest))
				split := decisions[string(a.Action)+" "+a.Ref] != decisions[string(b.Action)+" "+b.Ref]
				if a.Object() == b.Object() && together && split {
					t.Errorf("%s and %s belong together", a.Ref, b.Ref)
				}
			}
		}
	})
}

func TestAtMostInSlicesDeletesEverything(t *testing.T) {
	o, v := unlimited(), imageOf(t, "v1 a 99h marked", "v2 a 98h marked", sig("a")+" b 97h", "v3 c 96h marked", "v4 d 1h marked", "v5 e 5h")
	o.AtMost = 3
	for slice := 1; ; slice++ {
		p := planOf(o, []registry.Verdict{v}, nil)
		if len(p.Steps) == 0 {
			if slice != 3 || len(v.Image.Tags) != 1 {
				t.Errorf("nothing is left to delete in slice %d, and %d tags stay", slice, len(v.Image.Tags))
			}
			return
		}
		deleted := decisionsOf(p)
		var tags []registry.Tag
		var verdicts []registry.TagVerdict
		for i, tag := range v.Image.Tags {
			if deleted["delete_tag "+v.Image.TagRef(tag.Name).String()] != "step" {
				tags, verdicts = append(tags, tag), append(verdicts, v.Tags[i])
			}
		}
		v.Image.Tags, v.Tags = tags, verdicts
		o.TakenAt = o.TakenAt.Add(time.Minute)
	}
}

package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// The tables below write an image as lines of
//
//	name digest age [what]...
//
// where what is one of: marked, kept, used, trial (marked by a rule that is not
// enforced), a status, or created=age.
func imageOf(t *testing.T, lines ...string) registry.Verdict {
	t.Helper()
	ns := &registry.Namespace{ID: "ns-id", Name: "prod", Region: "fr-par", Status: registry.StatusReady}
	img := &registry.Image{
		Namespace: ns, ID: "image-id", Name: "api", Status: registry.StatusReady, Visibility: registry.Inherit,
		CreatedAt: scanTime.Add(-1000 * time.Hour), UpdatedAt: scanTime.Add(-900 * time.Hour),
	}
	v := registry.Verdict{Namespace: ns, Image: img}
	for _, line := range lines {
		tag, tv := tagOf(t, line)
		img.Tags, v.Tags = append(img.Tags, tag), append(v.Tags, tv)
	}
	return v
}

func tagOf(t *testing.T, line string) (registry.Tag, registry.TagVerdict) {
	t.Helper()
	f := strings.Fields(line)
	tag := registry.Tag{ID: "id-" + f[0], Name: f[0], Digest: digestOf(f[1]), Status: registry.StatusReady, UpdatedAt: scanTime.Add(-hours(t, f[2]))}
	tag.CreatedAt = tag.UpdatedAt
	var tv registry.TagVerdict
	for _, what := range f[3:] {
		switch what {
		case "marked":
			tv.Delete = append(tv.Delete, registry.Reason{Rule: "retention/old", Text: "too old"})
		case "trial":
			tv.Delete = append(tv.Delete, registry.Reason{Rule: "retention/trial", Text: "too old", ReportOnly: true})
		case "kept":
			tv.Keep = append(tv.Keep, registry.Reason{Rule: "protect/tags", Text: "protected"})
		case "used":
			tv.InUse = append(tv.InUse, "kubernetes: Deployment shop/api")
		default:
			if created, ok := strings.CutPrefix(what, "created="); ok {
				tag.CreatedAt = scanTime.Add(-hours(t, created))
			} else {
				tag.Status = registry.Status(what)
			}
		}
	}
	slices.SortFunc(tv.Delete, registry.CompareReasons)
	return tag, tv
}

func hours(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sig is the name of an attachment to a digest.
func sig(letter string) string { return "sha256-" + strings.Repeat(letter, 64) + ".sig" }

// sentences are the entries of a plan.
func sentences(p *actions.Plan) []string {
	var out []string
	short := strings.NewReplacer("rg.fr-par.scw.cloud/prod", "", strings.Repeat("a", 64), "A", strings.Repeat("b", 64), "B")
	for _, s := range p.Steps {
		change := ""
		if s.To != "" {
			change = fmt.Sprintf(" from %s to %s", s.From, s.To)
		}
		out = append(out, short.Replace(fmt.Sprintf("%s %s%s: %s", s.Action, s.Ref, change, s.Reasons[0].Rule)))
	}
	for _, h := range p.Held {
		out = append(out, short.Replace(fmt.Sprintf("held %s %s: %s: %s", h.Action, h.Ref, h.Guard, h.Detail)))
	}
	for _, v := range p.Violations {
		if v.Rule == newestRule { // has a test of its own
			continue
		}
		out = append(out, short.Replace(fmt.Sprintf("%s %s: %s: %s", v.Severity, v.Ref, v.Rule, v.Text)))
	}
	for _, g := range p.Gaps {
		out = append(out, short.Replace(fmt.Sprintf("gap %s: %s", g.Subject, g.Error)))
	}
	return out
}

func unlimited() Options {
	return Options{TakenAt: scanTime, MaxDeletions: -1, MaxDeletionPercent: -1}
}

func TestTags(t *testing.T) {
	for _, tt := range []struct {
		name string
		tags []string
		with func(*Options)
		want []string
	}{
		{"a marked tag is deleted", []string{"v1 a 48h marked", "v2 b 24h"}, nil,
			[]string{"delete_tag /api:v1: retention/old"}},
		{"any keep beats any delete", []string{"v1 a 48h marked kept"}, nil, nil},
		{"a tag in use is held", []string{"v1 a 48h marked used"}, nil,
			[]string{"held delete_tag /api:v1: in_use: used by kubernetes: Deployment shop/api"}},
		{"a marked tag that is not ready is held, another one is reported", []string{"v1 a 48h marked locked", "v2 b 24h deleting"}, nil,
			[]string{"held delete_tag /api:v1: not_ready: status is locked",
				"warn /api:v2: status/tag: status is deleting: not a candidate for deletion, counts as kept"}},
		{"a tag younger than min_age is held", []string{"v1 a 59m marked", "v2 b 1h marked"}, minAge("1h"),
			[]string{"delete_tag /api:v2: retention/old", "held delete_tag /api:v1: min_age: 59m old, younger than the 1h of min_age"}},
		{"a tag created later than it was updated is as young as its creation", []string{"v1 a 48h marked created=5m"}, minAge("1h"),
			[]string{"held delete_tag /api:v1: min_age: 5m old, younger than the 1h of min_age",
				"warn /api:v1: time/order: updated_at is 2026-11-20T12:00:00Z, 47h before created_at: the later time counts"}},
		{"an order of times that cannot be is reported of a tag that no rule marks", []string{"v1 a 48h created=47h"}, nil,
			[]string{"warn /api:v1: time/order: updated_at is 2026-11-20T12:00:00Z, 60m before created_at: the later time counts"}},
		{"keep_at_least keeps the tag that was changed last, whatever its updated_at says", []string{"v1 a 48h marked created=5m", "v2 b 24h marked"},
			func(o *Options) { o.KeepAtLeast = 1 },
			[]string{"delete_tag /api:v2: retention/old", "held delete_tag /api:v1: keep_at_least: held so that 1 tag of the image is kept",
				"warn /api:v1: time/order: updated_at is 2026-11-20T12:00:00Z, 47h before created_at: the later time counts"}},
		{"a tag of the future is held and reported", []string{"v1 a -6m marked created=48h"}, nil,
			[]string{"held delete_tag /api:v1: min_age: dated 6m after the scan",
				"warn /api:v1: time/future: updated_at is 2026-11-22T12:06:00Z, 6m after the scan: it counts as newest"}},
		{"a digest in capitals or of another form is unknown, also beside a tag that has the same text",
			[]string{"v1 A 48h marked", "v2 A 47h marked", "v3 x 46h marked", "v4 a 45h marked"}, nil,
			[]string{"delete_tag /api:v4: retention/old",
				"held delete_tag /api:v1: shared_digest: its digest \"sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\" does not have the form algorithm:hex, so another tag may share it",
				"held delete_tag /api:v2: shared_digest: its digest \"sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\" does not have the form algorithm:hex, so another tag may share it",
				"held delete_tag /api:v3: shared_digest: its digest \"sha256:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" does not have the form algorithm:hex, so another tag may share it"}},
		{"clocks may differ by five minutes", []string{"v1 a -5m"}, nil, nil},
		{"a rule that is not enforced is only reported", []string{"v1 a 48h trial"}, nil,
			[]string{"held delete_tag /api:v1: report_only: marked only by retention/trial, which is not enforced"}},
		{"an enforced rule beside one that is not deletes", []string{"v1 a 48h trial marked"}, nil,
			[]string{"delete_tag /api:v1: retention/old"}},
		{"a digest shared with a kept tag is held", []string{"latest a 1h kept marked", "v1 a 48h marked"}, nil,
			[]string{"held delete_tag /api:v1: shared_digest: shares its digest with latest, which is kept"}},
		{"a digest shared with a tag no rule marks is held", []string{"latest a 1h", "v1 a 48h marked"}, nil,
			[]string{"held delete_tag /api:v1: shared_digest: shares its digest with latest, which no rule marks"}},
		{"a digest shared with a held tag is held", []string{"new a 1m marked", "v1 a 48h marked"}, minAge("1h"),
			[]string{"held delete_tag /api:new: min_age: 1m old, younger than the 1h of min_age",
				"held delete_tag /api:v1: shared_digest: shares its digest with new, which is held (min_age)"}},
		{"a kept sibling explains more than a newer one that no rule marks", []string{"latest a 1h", "v0 a 99h kept", "v1 a 48h marked"}, nil,
			[]string{"held delete_tag /api:v1: shared_digest: shares its digest with v0, which is kept"}},
		{"the newest sibling explains more than an older one", []string{"v2 a 2h", "latest a 1h", "v1 a 48h marked"}, nil,
			[]string{"held delete_tag /api:v1: shared_digest: shares its digest with latest, which no rule marks"}},
		{"tags of one digest are deleted together", []string{"v1 a 48h marked", "v2 a 48h marked"}, nil,
			[]string{"delete_tag /api:v1: retention/old", "delete_tag /api:v2: retention/old"}},
		{"a shared digest does not hold a tag where the API only untags", []string{"latest a 1h", "v1 a 48h marked"}, untag,
			[]string{"delete_tag /api:v1: retention/old"}},
	} {
		t.Run(tt.name, func(t *testing.T) { checkPlan(t, imageOf(t, tt.tags...), tt.with, tt.want) })
	}
}

func TestKeepAtLeast(t *testing.T) {
	const held = "keep_at_least: held so that 1 tag of the image is kept"
	for _, tt := range []struct {
		name string
		tags []string
		with func(*Options)
		want []string
	}{
		{"the newest marked tag is held", []string{"v1 a 48h marked", "v2 b 24h marked"}, keep(1),
			[]string{"delete_tag /api:v1: retention/old", "held delete_tag /api:v2: " + held}},
		{"names break ties", []string{"v2 a 48h marked", "v1 b 48h marked"}, keep(1),
			[]string{"delete_tag /api:v2: retention/old", "held delete_tag /api:v1: " + held}},
		{"a tag that is kept anyway counts", []string{"v1 a 48h marked", "v2 b 24h used"}, keep(1),
			[]string{"delete_tag /api:v1: retention/old"}},
		{"a held tag counts", []string{"v1 a 48h marked", "v2 b 24h marked used"}, keep(1),
			[]string{"delete_tag /api:v1: retention/old", "held delete_tag /api:v2: in_use: used by kubernetes: Deployment shop/api"}},
		{"a tag that is not ready does not count", []string{"v1 a 48h marked", "v2 b 24h locked"}, keep(1),
			[]string{"held delete_tag /api:v1: " + held,
				"warn /api:v2: status/tag: status is locked: not a candidate for deletion, counts as kept"}},
		{"an attachment does not count", []string{"v1 a 48h marked", sig("c") + " b 24h"}, keep(1),
			[]string{"held delete_tag /api:v1: " + held}},
		{"siblings of the held tag are kept because of it, and count", []string{"v1 a 48h marked", "v2 a 24h marked", "v0 b 72h marked"}, keep(2),
			[]string{"delete_tag /api:v0: retention/old",
				"held delete_tag /api:v1: shared_digest: shares its digest with v2, which is held (keep_at_least)",
				"held delete_tag /api:v2: keep_at_least: held so that 2 tags of the image are kept"}},
	} {
		t.Run(tt.name, func(t *testing.T) { checkPlan(t, imageOf(t, tt.tags...), tt.with, tt.want) })
	}
}

func TestOptionsDifferFromPlaceToPlace(t *testing.T) {
	o := unlimited()
	o.MinAge, o.KeepAtLeast = time.Hour, 1
	o.Local = func(ref registry.Ref) (time.Duration, int) {
		if ref.Namespace == "dev" {
			return 0, 0
		}
		return o.MinAge, o.KeepAtLeast
	}
	prod, dev := imageOf(t, "v1 a 48h marked", "v2 b 5m marked"), imageOf(t, "v1 a 48h marked", "v2 b 5m marked")
	dev.Namespace.Name = "dev"
	space := registry.Verdict{Namespace: &registry.Namespace{ID: "id", Name: "dev", Region: "fr-par", Status: registry.StatusReady, CreatedAt: scanTime, UpdatedAt: scanTime}, Empty: true, Delete: marks("empty/namespaces")}
	got := decisionsOf(planOf(o, []registry.Verdict{prod, dev, space}, nil))
	want := map[string]decision{
		"delete_tag rg.fr-par.scw.cloud/prod/api:v1": "step",
		"delete_tag rg.fr-par.scw.cloud/prod/api:v2": "min_age",
		"delete_tag rg.fr-par.scw.cloud/dev/api:v1":  "step",
		"delete_tag rg.fr-par.scw.cloud/dev/api:v2":  "step",
		"delete_namespace rg.fr-par.scw.cloud/dev":   "step",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The warning is about what is deleted, not about what a guard holds.
func TestTheNewestPushIsReported(t *testing.T) {
	for _, tt := range []struct {
		name string
		tags []string
		with func(*Options)
		want string
	}{
		{"it is deleted", []string{"v1 a 48h marked", "v2 b 24h marked"}, nil, "v2"},
		{"an older one is deleted", []string{"v1 a 48h marked", "v2 b 24h"}, nil, ""},
		{"names break ties", []string{"v1 a 48h marked", "v2 b 48h"}, nil, "v1"},
		{"an attachment is not a push", []string{"v1 a 48h marked", sig("c") + " b 1h"}, nil, "v1"},
		{"what is not ready is not a push yet", []string{"v1 a 48h marked", "v2 b 24h error"}, nil, "v1"},
		{"keep_at_least holds it", []string{"v1 a 48h marked", "v2 b 24h marked"}, keep(1), ""},
		{"min_age holds it", []string{"v1 a 48h marked", "v2 b 5m marked"}, minAge("1h"), ""},
		{"--at-most holds it", []string{"v1 a 48h marked", "v2 b 24h marked"}, func(o *Options) { o.AtMost = 1 }, ""},
		{"the rule is on trial", []string{"v1 a 48h trial"}, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := unlimited()
			if tt.with != nil {
				tt.with(&o)
			}
			got := ""
			for _, v := range planOf(o, []registry.Verdict{imageOf(t, tt.tags...)}, nil).Violations {
				if v.Rule == newestRule {
					got += strings.TrimPrefix(v.Ref, "rg.fr-par.scw.cloud/prod/api:")
				}
			}
			if got != tt.want {
				t.Errorf("reported %q, want %q", got, tt.want)
			}
		})
	}
	held := planOf(unlimited(), []registry.Verdict{imageOf(t, "v1 a 48h marked")}, []registry.Gap{{Subject: "clock", Error: "wrong", Holds: registry.HoldsAll}})
	if len(held.Violations) > 0 {
		t.Errorf("a gap holds it, and it is reported: %+v", held.Violations)
	}
}

func TestAttachments(t *testing.T) {
	for _, tt := range []struct {
		name string
		tags []string
		with func(*Options)
		want []string
	}{
		{"an attachment follows its subject", []string{"v1 a 48h marked", sig("a") + " b 48h"}, nil,
			[]string{"delete_tag /api:sha256-A.sig: attachments/follow their subject", "delete_tag /api:v1: retention/old"}},
		{"an attachment that a rule keeps is kept", []string{"v1 a 48h marked", sig("a") + " b 48h kept"}, nil,
			[]string{"delete_tag /api:v1: retention/old"}},
		{"an attachment is kept with any tag of its subject", []string{"v1 a 48h marked", "v2 a 48h kept", sig("a") + " b 48h"}, untag,
			[]string{"delete_tag /api:v1: retention/old"}},
		{"a marked attachment is held while its subject is kept", []string{"v2 a 48h kept", sig("a") + " b 48h marked"}, nil,
			[]string{"held delete_tag /api:sha256-A.sig: attachment: belongs to v2, which is kept"}},
		{"a marked attachment without a subject is never alone", []string{"v2 a 48h kept", sig("c") + " b 48h marked"}, nil,
			[]string{"held delete_tag /api:sha256-cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc.sig: attachment: no other tag of the image has the digest of its subject, and an attachment is never deleted alone"}},
		{"attachments of attachments follow", []string{"v1 a 48h marked", sig("a") + " b 48h", sig("b") + " c 48h"}, nil,
			[]string{"delete_tag /api:sha256-A.sig: attachments/follow their subject", "delete_tag /api:sha256-B.sig: attachments/follow their subject", "delete_tag /api:v1: retention/old"}},
		{"attachments of one digest go together, and what is attached to them after the last", []string{"v1 a 48h marked", sig("a") + " b 48h", strings.TrimSuffix(sig("a"), "sig") + "src b 48h", sig("b") + " c 48h"}, nil,
			[]string{"delete_tag /api:sha256-A.sig: attachments/follow their subject", "delete_tag /api:sha256-A.src: attachments/follow their subject",
				"delete_tag /api:sha256-B.sig: attachments/follow their subject", "delete_tag /api:v1: retention/old"}},
		{"an attachment of two attachments stays with the one that is kept", []string{"v1 a 48h marked", sig("a") + " b 48h", strings.TrimSuffix(sig("a"), "sig") + "src b 48h kept", sig("b") + " c 48h marked"}, untag,
			[]string{"delete_tag /api:sha256-A.sig: attachments/follow their subject", "delete_tag /api:v1: retention/old",
				"held delete_tag /api:sha256-B.sig: attachment: belongs to sha256-A.src, which is kept"}},
		{"a tag named after its own digest is an ordinary tag", []string{"v1 a 48h marked", sig("b") + " b 48h", strings.TrimSuffix(sig("a"), ".sig") + " a 48h"}, untag,
			[]string{"delete_tag /api:v1: retention/old"}},
		{"a marked tag named after its own digest needs no subject", []string{"v1 a 48h", sig("b") + " b 48h marked"}, nil,
			[]string{"delete_tag /api:sha256-B.sig: retention/old"}},
		{"a tag named after its own digest counts for keep_at_least", []string{"v1 a 48h marked", sig("b") + " b 48h"}, keep(1),
			[]string{"delete_tag /api:v1: retention/old"}},
		{"a following attachment passes the guards, and what follows it is silent", []string{"v1 a 48h marked", sig("a") + " b 5m", sig("b") + " c 48h"}, minAge("1h"),
			[]string{"delete_tag /api:v1: retention/old", "held delete_tag /api:sha256-A.sig: min_age: 5m old, younger than the 1h of min_age"}},
		{"an attachment of a held tag is silent", []string{"v1 a 48h marked used", sig("a") + " b 48h"}, nil,
			[]string{"held delete_tag /api:v1: in_use: used by kubernetes: Deployment shop/api"}},
		{"for a young marked attachment of a kept subject, the subject is the reason", []string{"v1 a 48h", sig("a") + " b 5m marked"}, minAge("1h"),
			[]string{"held delete_tag /api:sha256-A.sig: attachment: belongs to v1, which no rule marks"}},
	} {
		t.Run(tt.name, func(t *testing.T) { checkPlan(t, imageOf(t, tt.tags...), tt.with, tt.want) })
	}
}

func minAge(d string) func(*Options) {
	return func(o *Options) { o.MinAge, _ = time.ParseDuration(d) }
}
func keep(n int) func(*Options) { return func(o *Options) { o.KeepAtLeast = n } }
func untag(o *Options)          { o.SharedDigest = actions.Untag }

func checkPlan(t *testing.T, v registry.Verdict, with func(*Options), want []string) {
	t.Helper()
	o := unlimited()
	if with != nil {
		with(&o)
	}
	if diff := cmp.Diff(want, sentences(planOf(o, []registry.Verdict{v}, nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func marks(rule string) []registry.Reason {
	return []registry.Reason{{Rule: rule, Text: "because"}}
}

func TestImages(t *testing.T) {
	for _, tt := range []struct {
		name string
		tags []string
		edit func(*registry.Verdict)
		want []string
	}{
		{"an image without tags is deleted", nil, func(v *registry.Verdict) {}, []string{"delete_image /api: empty/images"}},
		{"an image that a rule keeps is kept", nil, func(v *registry.Verdict) { v.Keep = marks("x") }, nil},
		{"an image is deleted with all its tags", []string{"v1 a 48h marked"}, func(v *registry.Verdict) {},
			[]string{"delete_image /api: empty/images", "delete_tag /api:v1: retention/old"}},
		{"an image with kept tags is not empty", []string{"v1 a 48h marked", "v2 b 48h", "v3 c 48h"}, func(v *registry.Verdict) {},
			[]string{"delete_tag /api:v1: retention/old", "held delete_image /api: not_empty: 2 tags of it are kept: v2 and v3"}},
		{"an image that names unlisted tags is not empty", nil, func(v *registry.Verdict) { v.Image.TagNames = []string{"v9"} },
			[]string{"held delete_image /api: not_empty: it names tags that its listing does not show: v9"}},
		{"an image with a size is not empty", nil, func(v *registry.Verdict) { v.Image.SizeBytes = 7 },
			[]string{"held delete_image /api: not_empty: its listing shows no tag, but it has a size of 7 bytes"}},
		{"a young image is held", nil, func(v *registry.Verdict) { v.Image.UpdatedAt = scanTime.Add(-time.Minute) },
			[]string{"held delete_image /api: min_age: 1m old, younger than the 1h of min_age"}},
		{"an image marked by a rule that is not enforced is held", nil, func(v *registry.Verdict) { v.Delete[0].ReportOnly = true },
			[]string{"held delete_image /api: report_only: marked only by empty/images, which is not enforced"}},
		{"a failed policy holds everything marked", []string{"v1 a 48h marked", "v2 b 48h"}, func(v *registry.Verdict) { v.Err = errors.New("div by zero") },
			[]string{"held delete_image /api: policy_error: a policy failed: div by zero", "held delete_tag /api:v1: policy_error: a policy failed: div by zero"}},
		{"a failed policy that marked nothing is a gap", []string{"v1 a 48h"}, func(v *registry.Verdict) {
			v.Err, v.Delete = errors.Join(errors.New("div by zero"), errors.New("stopped")), nil
		},
			[]string{"gap rg.fr-par.scw.cloud/prod/api: div by zero; stopped"}},
		{"a verdict on other tags than the image has is a failed policy", []string{"v1 a 48h marked"}, func(v *registry.Verdict) { v.Tags, v.Delete = append(v.Tags, registry.TagVerdict{}), nil },
			[]string{"gap rg.fr-par.scw.cloud/prod/api: the verdict has 2 entries for 1 tag"}},
		{"nothing is deleted in an image that is not ready", []string{"v1 a 48h marked"}, func(v *registry.Verdict) { v.Image.Status = "locked" },
			[]string{"held delete_image /api: not_ready: status of the image is locked", "held delete_tag /api:v1: not_ready: status of the image is locked",
				"warn /api: status/image: status is locked: skipped, so nothing in it is deleted"}},
		{"an image that is not ready is reported although nothing is marked", []string{"v1 a 48h"}, func(v *registry.Verdict) { v.Image.Status, v.Delete = "locked", nil },
			[]string{"warn /api: status/image: status is locked: skipped, so nothing in it is deleted"}},
		{"nothing is deleted in a namespace that is not ready", []string{"v1 a 48h marked"}, func(v *registry.Verdict) { v.Namespace.Status = "deleting" },
			[]string{"held delete_image /api: not_ready: status of the namespace is deleting", "held delete_tag /api:v1: not_ready: status of the namespace is deleting"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := imageOf(t, tt.tags...)
			v.Delete = marks("empty/images")
			tt.edit(&v)
			want := tt.want
			for i := range want {
				want[i] = strings.ReplaceAll(want[i], "gap rg.fr-par.scw.cloud/prod", "gap ")
			}
			checkPlan(t, v, minAge("1h"), want)
		})
	}
}

func TestNamespaces(t *testing.T) {
	const ref = ""
	for _, tt := range []struct {
		name string
		edit func(*registry.Verdict)
		want []string
	}{
		{"a namespace proven empty is deleted", func(v *registry.Verdict) {}, []string{"delete_namespace : empty/namespaces"}},
		{"one that a rule keeps is kept", func(v *registry.Verdict) { v.Keep = marks("x") }, nil},
		{"one not proven empty is held", func(v *registry.Verdict) { v.Empty = false },
			[]string{"held delete_namespace : not_empty: it is not proven to be empty"}},
		{"one in which the API counts images is held", func(v *registry.Verdict) { v.Namespace.ImageCount = 2 },
			[]string{"held delete_namespace : not_empty: the API counts 2 images in it"}},
		{"one in which the API counts bytes is held, whatever a file says of its listing", func(v *registry.Verdict) { v.Namespace.SizeBytes = 5_000_000 },
			[]string{"held delete_namespace : not_empty: the API counts 5.0 MB in it"}},
		{"a young one is held", func(v *registry.Verdict) { v.Namespace.CreatedAt, v.Namespace.UpdatedAt = scanTime, scanTime },
			[]string{"held delete_namespace : min_age: 0s old, younger than the 1h of min_age"}},
		{"one that is not ready is held and reported", func(v *registry.Verdict) { v.Namespace.Status = "error" },
			[]string{"held delete_namespace : not_ready: status is error",
				"warn : status/namespace: status is error: skipped, so nothing in it is deleted"}},
		{"a failed policy holds it", func(v *registry.Verdict) { v.Err = errors.New("boom") },
			[]string{"held delete_namespace : policy_error: a policy failed: boom"}},
		{"a failed policy that marked nothing is a gap", func(v *registry.Verdict) { v.Err, v.Delete = errors.New("boom"), nil },
			[]string{"gap " + ref + ": boom"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ns := &registry.Namespace{Name: "prod", Region: "fr-par", ID: "ns-id", Status: registry.StatusReady}
			v := registry.Verdict{Namespace: ns, Empty: true, Delete: marks("empty/namespaces")}
			tt.edit(&v)
			checkPlan(t, v, minAge("1h"), tt.want)
		})
	}
}

func TestVisibility(t *testing.T) {
	vote := func(to registry.Visibility, reportOnly bool) *registry.VisibilityVerdict {
		return &registry.VisibilityVerdict{To: to, Reasons: []registry.Reason{{Rule: "visibility/x", Text: "must be", ReportOnly: reportOnly}}}
	}
	for _, tt := range []struct {
		name string
		edit func(v *registry.Verdict)
		want []string
	}{
		{"an image becomes private", func(v *registry.Verdict) { v.Visibility = vote(registry.Private, false) },
			[]string{"set_image_visibility /api from inherit to private: visibility/x"}},
		{"an image keeps its visibility", func(v *registry.Verdict) { v.Visibility = vote(registry.Inherit, false) }, nil},
		{"a namespace becomes private", func(v *registry.Verdict) {
			v.Image, v.Namespace.IsPublic, v.Visibility = nil, true, vote(registry.Private, false)
		},
			[]string{"set_namespace_visibility  from public to private: visibility/x"}},
		{"a namespace cannot inherit", func(v *registry.Verdict) { v.Image, v.Visibility = nil, vote(registry.Inherit, false) },
			[]string{`gap : a policy asks for the visibility "inherit", which it cannot have`}},
		{"a rule that is not enforced is only reported", func(v *registry.Verdict) { v.Visibility = vote(registry.Public, true) },
			[]string{"held set_image_visibility /api: report_only: required only by visibility/x, which is not enforced"}},
		{"a visibility that is not known is reported, and not changed", func(v *registry.Verdict) {
			v.Visibility, v.Image.Visibility = vote(registry.Private, false), "visibility_unknown"
		},
			[]string{`warn /api: visibility/unknown: its visibility is "visibility_unknown", which says nothing, so it is not changed to "private": set it in the console`}},
		{"a visibility of a later version of the API is not changed", func(v *registry.Verdict) {
			v.Visibility, v.Image.Visibility = vote(registry.Public, true), "team"
		},
			[]string{`warn /api: visibility/unknown: its visibility is "team", which says nothing, so it is not changed to "public": set it in the console`}},
		{"a visibility that is not known does not matter where no rule asks for one", func(v *registry.Verdict) { v.Image.Visibility = "visibility_unknown" }, nil},
		{"nothing changes where a policy failed", func(v *registry.Verdict) { v.Visibility, v.Err = vote(registry.Private, false), errors.New("boom") },
			[]string{"gap /api: boom"}},
		{"nothing changes in an image that is not ready", func(v *registry.Verdict) { v.Visibility, v.Image.Status = vote(registry.Private, false), "locked" },
			[]string{"warn /api: status/image: status is locked: skipped, so nothing in it is deleted"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := imageOf(t)
			tt.edit(&v)
			checkPlan(t, v, minAge("1000h"), tt.want)
		})
	}
}

func TestGaps(t *testing.T) {
	const clock = "gap: what could not be read might prevent it: clock: 7m off"
	vs := func(t *testing.T) []registry.Verdict {
		v := imageOf(t, "v1 a 48h marked", "v2 b 48h marked used", sig("a")+" c 48h")
		v.Visibility = &registry.VisibilityVerdict{To: registry.Private, Reasons: marks("visibility/x")}
		ns := *v.Namespace
		return []registry.Verdict{v, {Namespace: &ns, Empty: true, Delete: marks("empty/namespaces")}}
	}
	const change = "set_image_visibility /api from inherit to private: visibility/x"
	unheld := []string{"delete_namespace : empty/namespaces", change, "delete_tag /api:sha256-A.sig: attachments/follow their subject",
		"delete_tag /api:v1: retention/old", "held delete_tag /api:v2: in_use: used by kubernetes: Deployment shop/api"}
	for _, tt := range []struct {
		name string
		gap  registry.Gap
		want []string
	}{
		{"one that holds everything holds every deletion, and no change of visibility", registry.Gap{Holds: registry.HoldsAll},
			[]string{change, "held delete_namespace : " + clock, "held delete_tag /api:v1: " + clock, "held delete_tag /api:v2: " + clock}},
		{"one of an unknown kind holds everything", registry.Gap{},
			[]string{change, "held delete_namespace : " + clock, "held delete_tag /api:v1: " + clock, "held delete_tag /api:v2: " + clock}},
		{"one that holds namespaces holds only those", registry.Gap{Holds: registry.HoldsNamespaces, Region: "fr-par"},
			append(append([]string{}, unheld[1:4]...), "held delete_namespace : "+clock, unheld[4])},
		{"one of another region holds nothing", registry.Gap{Holds: registry.HoldsAll, Region: "fr"}, unheld},
		{"one that holds itself holds nothing else", registry.Gap{Holds: registry.HoldsItself}, unheld},
		{"an image that is a gap has no deletions", registry.Gap{Subject: "rg.fr-par.scw.cloud/prod/api", Holds: registry.HoldsItself},
			[]string{unheld[0], change, "held delete_tag /api:v1: gap: what could not be read might prevent it: /api: 7m off", "held delete_tag /api:v2: gap: what could not be read might prevent it: /api: 7m off"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.gap.Subject == "" {
				tt.gap.Subject = "clock"
			}
			tt.gap.Error = "7m off"
			p := planOf(unlimited(), vs(t), []registry.Gap{tt.gap})
			want := append(tt.want, strings.ReplaceAll("gap "+tt.gap.Subject+": 7m off", "rg.fr-par.scw.cloud/prod", ""))
			if diff := cmp.Diff(want, sentences(p)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !p.Incomplete() || p.Summary.Gaps != 1 {
				t.Errorf("incomplete %v, summary %+v", p.Incomplete(), p.Summary)
			}
		})
	}
}

func TestGapThatHoldsNothingIsAWarning(t *testing.T) {
	b := NewBuilder(unlimited())
	b.AddGap(registry.Gap{Subject: "kubernetes prod", Error: "no answer", Holds: registry.HoldsNothing, Source: "kubernetes prod"})
	p := b.Plan()
	want := []string{"warn kubernetes prod: protect/required: could not be read, and the configuration does not require it: no answer"}
	if diff := cmp.Diff(want, sentences(p)); diff != "" || p.Incomplete() || p.Summary.Gaps != 0 || p.Summary.Warn != 1 {
		t.Errorf("incomplete %v, summary %+v, (-want +got):\n%s", p.Incomplete(), p.Summary, diff)
	}
}

func TestSkippedObjectsAreReported(t *testing.T) {
	b := NewBuilder(unlimited())
	b.AddSkipped(registry.Ref{Region: "fr-par", Namespace: "prod"}, "locked")
	b.AddSkipped(registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api"}, "")
	p := b.Plan()
	want := []string{
		"warn : status/namespace: status is locked: skipped, so nothing in it is deleted",
		"warn /api: status/image: status is missing: skipped, so nothing in it is deleted",
	}
	if diff := cmp.Diff(want, sentences(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if p.Summary.Warn != 2 || p.Summary.Namespaces != 0 {
		t.Errorf("%+v %+v", p.Violations[0], p.Summary)
	}
}

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name          string
		marked, total int
		deletions     int
		percent       float64
		want          []string
	}{
		{"at the limit is allowed", 10, 100, 10, 10, nil},
		{"one deletion over is not", 11, 100, 10, -1, []string{"max_deletions: 11 deletions planned, 1 over the limit of 10: narrow the rules, or raise limits.max_deletions, or delete the oldest first with --at-most 10"}},
		{"none allowed and none made", 0, 100, 0, 0, nil},
		{"none allowed and one made", 1, 10, 0, 0, []string{
			"max_deletions: 1 deletion planned, 1 over the limit of 0: narrow the rules, or raise limits.max_deletions",
			"max_deletion_percent: 1 of 10 tags would be deleted in all namespaces together, 1 over the limit of 0 %: narrow the rules, or raise limits.max_deletion_percent"}},
		{"no limit", 100, 100, -1, -1, nil},
		{"three in a thousand is 0.3 percent, whatever floats say", 3, 1000, -1, 0.3, nil},
		{"four in a thousand is more", 4, 1000, -1, 0.3, []string{
			"max_deletion_percent: 4 of 1,000 tags would be deleted in all namespaces together, 1 over the limit of 0.3 %: narrow the rules, or raise limits.max_deletion_percent, or delete the oldest first with --at-most 3",
			"max_deletion_percent: 4 of 1,000 tags would be deleted in rg.fr-par.scw.cloud/prod, 1 over the limit of 0.3 %: narrow the rules, or raise limits.max_deletion_percent, or delete the oldest first with --at-most 3"}},
		{"29 percent of a hundred", 29, 100, -1, 29, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := unlimited()
			o.MaxDeletions, o.MaxDeletionPercent = tt.deletions, tt.percent
			checkRefusals(t, planOf(o, []registry.Verdict{manyTags("prod", tt.marked, tt.total)}, nil), tt.want)
		})
	}
}

func TestANamespaceOfTwentyTagsHasItsOwnPercentage(t *testing.T) {
	o := unlimited()
	o.MaxDeletionPercent = 50
	vs := []registry.Verdict{manyTags("big", 0, 1000), manyTags("small", 19, 19), manyTags("twenty", 11, 20)}
	checkRefusals(t, planOf(o, vs, nil), []string{
		"max_deletion_percent: 11 of 20 tags would be deleted in rg.fr-par.scw.cloud/twenty, 1 over the limit of 50 %: narrow the rules, or raise limits.max_deletion_percent, or delete the oldest first with --at-most 10"})
}

func checkRefusals(t *testing.T, p *actions.Plan, want []string) {
	t.Helper()
	var got []string
	for _, r := range p.Refusals {
		got = append(got, r.Limit+": "+r.Detail)
	}
	if diff := cmp.Diff(want, got); diff != "" || p.Refused() != (len(want) > 0) {
		t.Errorf("refused %v (-want +got):\n%s", p.Refused(), diff)
	}
}

// manyTags is an image of which some tags are marked.
func manyTags(namespace string, marked, total int) registry.Verdict {
	ns := &registry.Namespace{ID: "ns-id", Name: namespace, Region: "fr-par", Status: registry.StatusReady}
	img := &registry.Image{Namespace: ns, ID: "image-id", Name: "api", Status: registry.StatusReady, SizeBytes: 1 << 30, Tags: make([]registry.Tag, total)}
	v := registry.Verdict{Namespace: ns, Image: img, Tags: make([]registry.TagVerdict, total)}
	old := []registry.Reason{{Rule: "retention/pull request builds", Text: "older than 14d"}}
	for i := range total {
		img.Tags[i] = registry.Tag{
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Name: fmt.Sprintf("pr-%d", i), Digest: fmt.Sprintf("sha256:%064x", i),
			Status: registry.StatusReady, CreatedAt: scanTime.Add(-time.Duration(i) * time.Hour), UpdatedAt: scanTime.Add(-time.Duration(i) * time.Hour),
		}
		if i >= total-marked {
			v.Tags[i].Delete = old
		}
	}
	return v
}

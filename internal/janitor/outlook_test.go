package janitor

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/lookup"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

const day = 24 * time.Hour

// An outlook is what plan --as-of shows, at its dates, a moment before and after them,
// and at any time between.
func TestOutlookIsWhatForecastsShow(t *testing.T) {
	changes, stays := 0, 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		p := randomPlanner(t, r)
		img := randomImage(r)
		restoreSome(r, p, img)
		for _, i := range r.Perm(len(img.Tags))[:2] {
			ref := img.TagRef(img.Tags[i].Name)
			a, err := p.Explain(t.Context(), items{{Image: img}}, mustName(t, p, ref.String()))
			check(t, err)
			o := a.Explanations[0].Outlook
			changes += len(o.Stages) - 1
			stays += staysThatEnd(o)
			for _, at := range interestingTimes(r, p.TakenAt, o) {
				want, got := forecastOf(t, p, img, ref, at), stageAt(o, at)
				if want != got {
					t.Fatalf("seed %d: %s is %s at %s by plan --as-of, and %s by explain: %+v\n%s", seed, ref, want, at, got, o, p.Config.File)
				}
			}
		}
	}
	if changes < 40 {
		t.Errorf("there are only %d predictions", changes)
	}
	if stays < 5 {
		t.Errorf("there are only %d predictions of what was restored", stays)
	}
}

// The dates are those of every tag too if an image has too many to look at all times.
func TestOutlookOfALargeImage(t *testing.T) {
	p := &Planner{Config: mustParse(t, `retention: [{name: all, match: {tags: ["*"]}, keep: {within: 30d, last: 2}, delete: {older_than: 1d}}]`), TakenAt: now}
	var err error
	p.Policies, err = Policies(t.Context(), p.Config, policy.Options{})
	check(t, err)
	img := &registry.Image{Name: "api", Namespace: namespace(), Status: registry.StatusReady}
	for i := range 1500 {
		at := now.Add(-time.Duration(i) * time.Hour)
		img.Tags = append(img.Tags, registry.Tag{
			Name: fmt.Sprintf("main-%04d", i), ID: fmt.Sprint(i), Digest: fmt.Sprintf("sha256:%064x", i), Status: registry.StatusReady, CreatedAt: at, UpdatedAt: at,
		})
	}
	a, err := p.Explain(t.Context(), items{{Image: img}}, mustName(t, p, "rg.fr-par.scw.cloud/prod/api:main-0100"))
	check(t, err)
	stages := a.Explanations[0].Outlook.Stages
	if want := now.Add(30*day - 100*time.Hour); len(stages) != 2 || stages[1].Decision != runs.Deleted || !stages[1].From.Equal(want) {
		t.Errorf("want it deleted at %s: %+v", want, stages)
	}
}

// Each row is a tag, and what ends its last stage.
func TestWhatEndsAnOutlook(t *testing.T) {
	const digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	s := newSetting(t, parse(t, `{namespaces: [{name: prod, age: 400d, images: [{name: api, tags: [
		{name: latest, age: 1d}, {name: main-1, age: 40d, digest: "`+digest+`"}, {name: sha256-`+digest[7:]+`.sig, age: 40d},
		{name: pr-1, age: 40d, digest: A}, {name: 1.0.0, age: 40d, digest: A}, {name: exp-1, age: 40d}, {name: other, age: 40d}]}]}]}`), `
retention:
  - {name: builds, match: {tags: ["main-*"]}, keep: {last: 1}, delete: {older_than: 1d}}
  - {name: prs, match: {tags: ["pr-*"]}, delete: {older_than: 1d}}
  - {name: releases, match: {semver: "*"}, keep: {all: true}}
  - {name: trial, match: {tags: ["exp-*"]}, delete: {older_than: 1d}, enforce: false}
protect: {tags: [latest]}
`, 4)
	for tag, want := range map[string]runs.End{
		"main-1": runs.EndPushes, "pr-1": runs.EndOthers, "1.0.0": runs.EndRules, "exp-1": runs.EndRules, "other": runs.EndRules, "latest": runs.EndRules,
		"sha256-" + digest[7:] + ".sig": runs.EndOthers,
	} {
		a, err := s.planner.Explain(t.Context(), s.scan(t, 4), mustName(t, s.planner, "rg.fr-par.scw.cloud/prod/api:"+tag))
		check(t, err)
		stages := a.Explanations[0].Outlook.Stages
		if got := stages[len(stages)-1].Ends; len(stages) != 1 || got != want {
			t.Errorf("%s ends with %q: %+v", tag, got, stages)
		}
	}
}

func mustName(t *testing.T, p *Planner, text string) lookup.Named {
	t.Helper()
	n, err := lookup.Parse(text, p.Config.Scaleway.Regions)
	check(t, err)
	return n
}

func mustParse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("janitor.yaml", []byte(text))
	check(t, err)
	return c
}

// interestingTimes are the dates of an outlook, the moments around them, and others.
func interestingTimes(r *rand.Rand, from time.Time, o *runs.Outlook) []time.Time {
	times := []time.Time{from}
	for _, s := range o.Stages[1:] {
		times = append(times, s.From.Add(-time.Microsecond), s.From, s.From.Add(time.Microsecond))
	}
	for range 6 {
		times = append(times, from.Add(time.Duration(r.Int64N(int64(90*day)))))
	}
	if last := o.Stages[len(o.Stages)-1]; last.Decision == runs.Deleted { // what is deleted has no later time
		times = slices.DeleteFunc(times, func(at time.Time) bool { return at.After(last.From.Add(time.Microsecond)) })
	}
	return times
}

// stageAt words what an outlook says of a time.
func stageAt(o *runs.Outlook, at time.Time) string {
	for _, s := range slices.Backward(o.Stages) {
		if !s.From.After(at) {
			return strings.TrimSpace(fmt.Sprint(s.Decision, " ", s.Guard))
		}
	}
	return "before the present"
}

// forecastOf words what plan --as-of says of a tag.
func forecastOf(t *testing.T, p *Planner, img *registry.Image, ref registry.Ref, at time.Time) string {
	t.Helper()
	then := *p
	then.TakenAt, then.ScannedAt, then.Forecast = at, p.TakenAt, true
	made, err := then.Plan(t.Context(), items{{Namespace: img.Namespace}, {Image: img}, {Listed: &scanner.Listed{Namespace: img.Namespace}}})
	check(t, err)
	is := func(r string) bool { return r == ref.String() }
	if slices.ContainsFunc(made.Steps, func(s actions.Step) bool { return is(s.Ref) }) {
		return "deleted"
	}
	if i := slices.IndexFunc(made.Held, func(h actions.Held) bool { return is(h.Ref) }); i >= 0 {
		return "held " + string(made.Held[i].Guard)
	}
	v, err := p.Policies.At(at, policy.Everything).WithRestored(then.restored).Image(t.Context(), img)
	check(t, err)
	i := slices.IndexFunc(img.Tags, func(x registry.Tag) bool { return x.Name == ref.Tag })
	if len(v.Tags) > 0 && len(v.Tags[i].Keep) > 0 {
		return "kept"
	}
	return "unmarked"
}

// restoreSome restores some tags from an archive, if the planner has one: with their digest
// or another one, and some of them so long ago that their stay is over.
func restoreSome(r *rand.Rand, p *Planner, img *registry.Image) {
	p.history = &history{since: new(ledger.Marked)}
	for i := range img.Tags {
		t := &img.Tags[i]
		digest := t.Digest
		if r.IntN(4) == 0 {
			digest = fmt.Sprintf("sha256:%064x", r.IntN(6))
		}
		if r.IntN(3) == 0 {
			at := now.Add(-time.Duration(r.Int64N(int64(14 * day))))
			p.history.restored = append(p.history.restored, ledger.Event{Ref: img.TagRef(t.Name).String(), Digest: digest, At: at})
		}
	}
}

// staysThatEnd counts the stages that end with the stay of what was restored.
func staysThatEnd(o *runs.Outlook) int {
	n := 0
	for _, s := range o.Stages[:len(o.Stages)-1] {
		if slices.ContainsFunc(s.Reasons, func(r registry.Reason) bool { return r.Rule == "archive/restored" }) {
			n++
		}
	}
	return n
}

func namespace() *registry.Namespace {
	return &registry.Namespace{Region: "fr-par", Name: "prod", ID: "n", Status: registry.StatusReady, CreatedAt: now.Add(-400 * day), UpdatedAt: now.Add(-400 * day)}
}

// randomImage has tags that share digests, attachments, and times in the future.
func randomImage(r *rand.Rand) *registry.Image {
	img := &registry.Image{Name: "api", ID: "i", Namespace: namespace(), Status: registry.StatusReady, CreatedAt: now.Add(-400 * day), UpdatedAt: now}
	digest := func() string { return fmt.Sprintf("sha256:%064x", r.IntN(6)) }
	names := []string{"latest", "pr-1", "pr-2", "pr-3", "main-1", "main-2", "main-3", "main-4", "1.0.0", "1.1.0", "1.1.1", "2.0.0-rc.1"}
	for _, name := range names[:2+r.IntN(len(names)-1)] {
		img.Tags = append(img.Tags, randomTag(r, name, digest()))
	}
	if r.IntN(2) == 0 {
		img.Tags = append(img.Tags, randomTag(r, strings.Replace(digest(), ":", "-", 1)+".sig", "sha256:"+strings.Repeat("f", 64)))
	}
	slices.SortFunc(img.Tags, registry.CompareAge)
	return img
}

func randomTag(r *rand.Rand, name, digest string) registry.Tag {
	updated := now.Add(-time.Duration(r.Int64N(int64(60 * day))))
	if r.IntN(12) == 0 {
		updated = now.Add(time.Duration(r.Int64N(int64(10 * day))))
	}
	t := registry.Tag{Name: name, ID: name, Digest: digest, Status: registry.StatusReady, UpdatedAt: updated.Truncate(time.Microsecond)}
	t.CreatedAt = t.UpdatedAt.Add(-time.Duration(r.Int64N(int64(20 * day)))).Truncate(time.Microsecond)
	return t
}

// randomPlanner has a few random rules and limits.
func randomPlanner(t *testing.T, r *rand.Rand) *Planner {
	t.Helper()
	matches := []string{`{tags: ["pr-*"]}`, `{tags: ["*"]}`, `{tags: ["main-*", latest]}`, `{semver: "*"}`, `{tags: ["*"], older_than: 10d}`, `{tags: ["main-*"], younger_than: 25d}`}
	extras := []string{"", "", ", by: created_at", `, except: {tags: [pr-1], older_than: 5d}`, ", enforce: false"}
	keeps := []string{"", "keep: {last: 2}, ", "keep: {within: 30d, weekly: 3}, ", "keep: {within_newest: 12d}, ", "keep: {last: 1, daily: 4}, ", "keep: {within: 1500ms, last: 1}, ", "keep: {semver: {minors: 1, patches: 1}}, "}
	deletes := []string{"delete: {older_than: 24h}", "delete: {older_than: 14d}", "delete: {older_than: 20d12h}"}
	pick := func(of []string) string { return of[r.IntN(len(of))] }
	var b strings.Builder
	b.WriteString("timezone: Europe/Paris\nretention:\n")
	for i := range 1 + r.IntN(3) {
		fmt.Fprintf(&b, "  - {name: r%d, match: %s, %s%s%s}\n", i, pick(matches), pick(keeps), pick(deletes), pick(extras))
	}
	if r.IntN(3) == 0 {
		b.WriteString("  - {name: keeps, match: {tags: [\"main-*\"]}, keep: {within: 20d}}\n")
	}
	fmt.Fprintf(&b, "limits: {min_age: %s, keep_at_least: %d, max_deletion_percent: 100}\nshared_digest: %s\nattachments: {orphans: %s}\n",
		pick([]string{"1h", "16d", "0s"}), r.IntN(3), pick([]string{"protect", "untag"}), pick([]string{"keep", "delete"}))
	if r.IntN(2) == 0 {
		fmt.Fprintf(&b, "archive: {to: %q, restored_stay: 12d}\n", t.TempDir())
	}
	c := mustParse(t, b.String())
	c.File = b.String()
	policies, err := Policies(t.Context(), c, policy.Options{})
	check(t, err)
	return &Planner{Config: c, Policies: policies, TakenAt: now}
}

package policy

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

var randomConfigs = flag.Int("configs", 40, "random configurations, with sixty images each")

// criteria are words of every kind of reason there is.
var criteria = []string{
	"older than", "younger than", "newest digest", "newest tag", "hourly", "daily", "weekly", "monthly", "yearly", "release", "patch", "minor", "major",
	"highest version", "older than the newest tag", "follows", "higher than every release", "no release is kept",
	"as its label ttl says", "and than", "is not an age limit", "protected by its label",
	"in no group", "keeps all", "kept by no criterion", "protected by", "has its subject",
}

// The Rego library and the reference decide the same about every tag, in the same words:
// with all that is explained, and with only what counts.
func TestTheLibraryAgreesWithTheReference(t *testing.T) {
	base := rand.Uint64()
	said := map[string]int{}
	for i := range *randomConfigs {
		seed := base + uint64(i)
		w := world{rand.New(rand.NewPCG(seed, 11))}
		config := w.config()
		e, err := New(context.Background(), Options{Config: config.document()})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for range 60 {
			at := w.now()
			img := w.image(at)
			want := config.judge(at, img)
			if diff := cmp.Diff(spoken(want), spokenBy(t, e, at, img, said)); diff != "" {
				t.Fatalf("seed %d: at %s (-reference +library):\n%s\n%s", seed, at.Format(time.RFC3339), diff, shown(config, img))
			}
			if diff := cmp.Diff(marked(want), markedBy(t, e, at, img)); diff != "" {
				t.Fatalf("seed %d: at %s, what counts (-reference +library):\n%s\n%s", seed, at.Format(time.RFC3339), diff, shown(config, img))
			}
		}
	}
	for _, criterion := range criteria {
		if said[criterion] < max(1, *randomConfigs/40) { // some are rare, and the worlds are random
			t.Errorf("%q came up %d times only", criterion, said[criterion])
		}
	}
}

// The order of rules and of keys in a file means nothing.
func TestTheOrderOfRulesDoesNotMatter(t *testing.T) {
	base := rand.Uint64()
	for i := range *randomConfigs / 4 {
		seed := base + uint64(i)
		w := world{rand.New(rand.NewPCG(seed, 12))}
		config := w.config()
		shuffled := config
		shuffled.rules = slices.Clone(config.rules)
		slices.Reverse(shuffled.rules)
		one, err := New(context.Background(), Options{Config: config.document()})
		other, err2 := New(context.Background(), Options{Config: shuffled.document()})
		if err != nil || err2 != nil {
			t.Fatalf("seed %d: %v, %v", seed, err, err2)
		}
		for range 20 {
			at := w.now()
			img := w.image(at)
			said := map[string]int{}
			if diff := cmp.Diff(spokenBy(t, one, at, img, said), spokenBy(t, other, at, img, said)); diff != "" {
				t.Fatalf("seed %d (-as written +reversed):\n%s\n%s", seed, diff, shown(config, img))
			}
		}
	}
}

// spoken lists all decisions, one a line.
func spoken(v refVotes) []string {
	lines := []string{}
	for what, votes := range map[string]map[string][]string{"delete ": v.del, "keep ": v.keep, "warn ": v.warn} {
		for tag, reasons := range votes {
			for _, r := range slices.Compact(slices.Clone(reasons)) {
				lines = append(lines, what+tag+": "+r)
			}
		}
	}
	sort.Strings(lines)
	return lines
}

func spokenBy(t *testing.T, e *Engine, at time.Time, img *registry.Image, said map[string]int) []string {
	t.Helper()
	v, err := e.At(at, Everything).Image(context.Background(), img)
	if err != nil || v.Err != nil {
		t.Fatal(err, v.Err)
	}
	lines := []string{}
	for _, w := range v.Violations {
		_, tag, _ := strings.Cut(w.Ref, ":")
		lines = append(lines, string(w.Severity)+" "+tag+": "+w.Reason.Rule+": "+w.Reason.Text)
		said["is not an age limit"] += strings.Count(w.Reason.Text, "is not an age limit")
	}
	for i, tv := range v.Tags {
		for what, reasons := range map[string][]registry.Reason{"delete ": tv.Delete, "keep ": tv.Keep} {
			for _, r := range reasons {
				line := what + img.Tags[i].Name + ": " + r.Rule + ": " + r.Text
				lines = append(lines, line)
				for _, criterion := range criteria {
					if strings.Contains(line, criterion) {
						said[criterion]++
					}
				}
			}
		}
	}
	sort.Strings(lines)
	return lines
}

// marked are the tags that something marks and nothing keeps.
func marked(v refVotes) []string {
	names := []string{}
	for tag := range v.del {
		if len(v.keep[tag]) == 0 {
			names = append(names, tag)
		}
	}
	sort.Strings(names)
	return names
}

func markedBy(t *testing.T, e *Engine, at time.Time, img *registry.Image) []string {
	t.Helper()
	v, err := e.At(at, WhatCounts).Image(context.Background(), img)
	if err != nil || v.Err != nil {
		t.Fatal(err, v.Err)
	}
	names := []string{}
	for i, tv := range v.Tags {
		if len(tv.Delete) > 0 && len(tv.Keep) == 0 {
			names = append(names, img.Tags[i].Name)
		}
	}
	sort.Strings(names)
	return names
}

func shown(c refConfig, img *registry.Image) string {
	raw, _ := json.MarshalIndent(c.document(), "", " ")
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", raw)
	for digest, c := range img.Contents {
		fmt.Fprintf(&b, "content %s: %+v\n", digest, *c)
	}
	for _, t := range img.Tags {
		fmt.Fprintf(&b, "%s %s %s created %s updated %s\n", t.Name, t.Digest, t.Status, t.CreatedAt.Format(time.RFC3339Nano), t.UpdatedAt.Format(time.RFC3339Nano))
	}
	return b.String()
}

// world makes random configurations and images that are far more tangled than any
// real ones.
type world struct{ r *rand.Rand }

func (w world) chance(percent int) bool { return w.r.IntN(100) < percent }

func pick[T any](w world, list ...T) T { return list[w.r.IntN(len(list))] }

func (w world) config() refConfig {
	c := refConfig{
		zone:    pick(w, "Europe/Paris", "Europe/Paris", "Europe/Paris", "UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"),
		orphans: w.chance(40),
	}
	for i := range 1 + w.r.IntN(4) {
		c.rules = append(c.rules, w.rule(fmt.Sprintf("rule %d", i)))
	}
	if w.chance(30) {
		c.protectTags = []string{pick(w, "latest", "pr-1*", "*.0.0")}
	}
	if w.chance(30) {
		c.protectDigests = []string{w.digest()}
	}
	if w.chance(20) {
		c.protectLabels = pick(w, map[string]string{"keep": "true"}, map[string]string{"keep": "t*", "team": "search"})
	}
	return c
}

func (w world) rule(name string) refRule {
	r := refRule{name: name, match: w.match(), byCreated: w.chance(25), countTags: w.chance(40)}
	if w.chance(30) {
		r.except = w.match()
	}
	if w.chance(30) {
		r.groupBy = pick(w, `env-(?P<group>[a-z]+)-.*`, `([a-z]+)-?.*`, `v?(\d+)\..*`, `(?:env-(dev|prod)-)?.*`, `(e)nv-(?P<group>.).*`, `env-([a-z]+)`)
	}
	if w.chance(80) {
		r.all = w.chance(15)
		r.last = pick(w, 0, 0, 1, 2, 5)
		r.within = pick(w, 0, 0, time.Hour, 24*time.Hour, 10*24*time.Hour)
		if w.chance(25) {
			r.withinNewest = pick(w, time.Hour, 24*time.Hour, 10*24*time.Hour)
		}
		count := func() int { return pick(w, 0, 0, 0, 1, 2, 7) }
		r.hourly, r.daily, r.weekly, r.monthly, r.yearly = count(), count(), count(), count(), count()
		if w.chance(40) {
			limit := func() int { return pick(w, 0, 1, 2, 3) }
			r.semver = &refSemver{limit(), limit(), limit(), limit(), pick(w, "follow", "true", "false", "follow")}
		}
	}
	if w.chance(15) {
		r = refRule{name: name, match: r.match, except: r.except, groupBy: r.groupBy, semver: &refSemver{versions: 2, patches: pick(w, 0, 1), prereleases: "follow"}}
	}
	if w.chance(25) {
		r.version = pick(w, `(?:.*-)?v?(?P<version>[0-9].*)`, `api-(.+)`, `(e)nv-[a-z]+-(?P<version>.*)`)
	}
	if w.chance(25) {
		r.byCreated, r.byBuilt = false, true
	}
	if w.chance(25) {
		r.label = "ttl"
	}
	if w.chance(85) {
		r.deletes, r.olderThan = true, pick(w, 0, 90*time.Minute, 24*time.Hour, 14*24*time.Hour)
	}
	return r
}

func (w world) match() *refMatch {
	m := &refMatch{}
	some := func(to *[]string, percent int, options ...string) {
		if w.chance(percent) {
			*to = []string{pick(w, options...)}
			if second := pick(w, options...); w.chance(30) && second != (*to)[0] {
				*to = append(*to, second)
			}
		}
	}
	some(&m.tags, 50, "*", "pr-*", "env-*", "v*", "[0-9]*", "main-??", "sha256-*")
	some(&m.namespaces, 15, "prod", "p*", "dev")
	some(&m.images, 15, "api", "team/*", "**", "*")
	some(&m.projects, 10, "p1", "p2")
	if w.chance(15) {
		m.regex = pick(w, "pr-[0-9]+", "(env|main)-.*", "v?1.*", "pr|env", ".*[02468]")
	}
	if w.chance(20) {
		m.semver = pick(w, "*", ">=1.2.0 <2.0.0", "~1.2", "^2.0.0 || 0.x", ">=1.2.0-0")
	}
	if w.chance(15) {
		m.olderThan = pick(w, time.Second, 2*time.Hour, 3*24*time.Hour)
	}
	if w.chance(15) {
		m.youngerThan = pick(w, time.Hour, 24*time.Hour, 30*24*time.Hour)
	}
	m.refContentMatch = w.contentMatch()
	return m
}

// now is often about the hour that Europe/Paris has twice, or not at all.
func (w world) now() time.Time {
	at := pick(w,
		time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC), // clocks went back at 01:00 UTC
		time.Date(2026, 10, 25, 12, 0, 0, 0, time.UTC),
		time.Date(2026, 3, 29, 1, 15, 0, 0, time.UTC), // clocks went forward at 01:00 UTC
		time.Date(2027, 1, 3, 23, 30, 0, 0, time.UTC), // the last evening of ISO year 2026
		time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	)
	return at.Add(time.Duration(w.r.IntN(7200)) * time.Second)
}

func (w world) digest() string {
	return "sha256:" + strings.Repeat(pick(w, "a", "b", "c", "d", "e", "0", "1", "2"), 64)
}

func (w world) image(at time.Time) *registry.Image {
	img := &registry.Image{
		Namespace: &registry.Namespace{Name: pick(w, "prod", "dev"), Region: "fr-par", Status: registry.StatusReady, ProjectID: pick(w, "p1", "p2")},
		Name:      pick(w, "api", "team/web"), Status: registry.StatusReady, Visibility: registry.Inherit,
	}
	step := pick(w, time.Minute, 20*time.Minute, time.Hour, 24*time.Hour, 10*24*time.Hour, 100*24*time.Hour)
	taken := map[string]bool{}
	for range w.r.IntN(30) {
		t := registry.Tag{Name: w.tagName(), Digest: w.digest(), Status: registry.StatusReady, UpdatedAt: w.time(at, step), CreatedAt: w.time(at, step)}
		if taken[t.Name] {
			continue
		}
		taken[t.Name] = true
		if w.chance(50) {
			t.Digest = fmt.Sprintf("sha256:%064x", w.r.IntN(1000))
		}
		if w.chance(10) {
			t.Digest = pick(w, "", "sha256:ABC", "sha512:"+strings.Repeat(pick(w, "a", "b", "c"), 128))
		}
		if w.chance(60) {
			t.CreatedAt = t.UpdatedAt
		}
		if w.chance(5) {
			t.Status = pick[registry.Status](w, "locked", "deleting", "error", "")
		}
		img.Tags = append(img.Tags, t)
	}
	slices.SortFunc(img.Tags, func(a, b registry.Tag) int {
		if c := refChanged(b).Compare(refChanged(a)); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	img.Contents = map[string]*registry.Content{}
	for _, t := range img.Tags {
		if img.Contents[t.Digest] == nil {
			img.Contents[t.Digest] = w.content(at, step)
		}
	}
	return img
}

// time is often that of another tag, and sometimes in the future.
func (w world) time(at time.Time, step time.Duration) time.Time {
	t := at.Add(-time.Duration(w.r.IntN(24)) * step)
	switch {
	case w.chance(30):
		t = t.Add(-time.Duration(w.r.IntN(3600)) * time.Second)
	case w.chance(5):
		t = at.Add(time.Duration(w.r.IntN(40)) * time.Hour)
	case w.chance(10):
		t = t.Add(-time.Duration(w.r.Int64N(1e9)))
	}
	return t
}

func (w world) tagName() string {
	switch w.r.IntN(7) {
	case 0:
		return fmt.Sprintf("pr-%d", w.r.IntN(20))
	case 1:
		return fmt.Sprintf("env-%s-%d", pick(w, "dev", "prod", "x"), w.r.IntN(9))
	case 2:
		return fmt.Sprintf("main-%02d", w.r.IntN(20))
	case 3:
		if w.chance(30) {
			return "sha512-" + strings.Repeat(pick(w, "a", "b", "f"), pick(w, 64, 80)) + pick(w, "", ".sig")
		}
		return "sha256-" + strings.Repeat(pick(w, "a", "b", "c", "d", "f"), 64) + pick(w, "", ".sig", ".att", ".src")
	case 4:
		return pick(w, "latest", "20261122", "1.2", "v1.2.3.4", "api-1.2.3.4", "api-v1.2.3.05", "api-v2.0.0-rc.1", "01.2.3", "2.00.010", "1.2.3-01", "env-", "1.2.3-", "v", "1.2.3_a_b")
	}
	return fmt.Sprintf("%s%d.%d.%d%s", pick(w, "", "v"), w.r.IntN(3), w.r.IntN(4), pick(w, 0, 1, 2, 9, 10),
		pick(w, "", "", "", "-rc.1", "-rc.2", "-rc.02", "-rc.10", "-alpha", "-1", "-rc", "_build.7", "-rc.1_x"))
}

// document is the configuration as policies see it.
func (c refConfig) document() map[string]any {
	rules := []any{}
	for _, r := range c.rules {
		rules = append(rules, r.document())
	}
	orphans := "keep"
	if c.orphans {
		orphans = "delete"
	}
	return map[string]any{
		"timezone": c.zone, "retention": rules,
		"protect":     map[string]any{"tags": c.protectTags, "digests": c.protectDigests, "labels": c.protectLabels},
		"attachments": map[string]any{"orphans": orphans},
	}
}

func (r refRule) document() map[string]any {
	d := map[string]any{"name": r.name, "match": r.match.document(), "by": "updated_at", "count": "digests", "enforce": true}
	if r.except != nil {
		d["except"] = r.except.document()
	}
	if r.byCreated {
		d["by"] = "created_at"
	}
	if r.byBuilt {
		d["by"] = "built_at"
	}
	if r.countTags {
		d["count"] = "tags"
	}
	if r.groupBy != "" {
		d["group_by"] = r.groupBy
	}
	if r.version != "" {
		d["version"] = r.version
	}
	keep := map[string]any{"all": r.all, "hourly": r.hourly, "daily": r.daily, "weekly": r.weekly, "monthly": r.monthly, "yearly": r.yearly}
	if r.last > 0 {
		keep["last"] = r.last
	}
	if r.within > 0 {
		keep["within"], keep["within_seconds"] = refDuration(r.within), int(r.within/time.Second)
	}
	if r.withinNewest > 0 {
		keep["within_newest"], keep["within_newest_seconds"] = refDuration(r.withinNewest), int(r.withinNewest/time.Second)
	}
	if r.semver != nil {
		limits := map[string]any{"prereleases": r.semver.prereleases}
		if r.semver.prereleases != "follow" {
			limits["prereleases"] = r.semver.prereleases == "true"
		}
		for key, n := range map[string]int{"majors": r.semver.majors, "minors": r.semver.minors, "patches": r.semver.patches, "versions": r.semver.versions} {
			if n > 0 {
				limits[key] = n
			}
		}
		keep["semver"] = limits
	}
	d["keep"] = keep
	if r.deletes {
		d["delete"] = map[string]any{"older_than": refDuration(r.olderThan), "older_than_seconds": int(r.olderThan / time.Second)}
		if r.label != "" {
			d["delete"].(map[string]any)["older_than_label"] = r.label
		}
	}
	return d
}

func (m *refMatch) document() map[string]any {
	d := map[string]any{}
	for key, list := range map[string][]string{"namespaces": m.namespaces, "images": m.images, "tags": m.tags, "project_ids": m.projects} {
		if list != nil {
			d[key] = list
		}
	}
	for key, list := range map[string][]string{"platforms": m.platforms, "kind": m.kinds} {
		if list != nil {
			d[key] = list
		}
	}
	if m.labels != nil {
		d["labels"] = m.labels
	}
	for key, text := range map[string]string{"tags_regex": m.regex, "semver": m.semver} {
		if text != "" {
			d[key] = text
		}
	}
	for key, length := range map[string]time.Duration{"older_than": m.olderThan, "younger_than": m.youngerThan} {
		if length > 0 {
			d[key], d[key+"_seconds"] = refDuration(length), int(length/time.Second)
		}
	}
	return d
}

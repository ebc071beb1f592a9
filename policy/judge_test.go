package policy

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/registry-janitor/registry-janitor/registry"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const days = 24 * time.Hour

// aTag is a ready tag of an age, with a digest of its own unless named.
func aTag(name string, age time.Duration, digest ...string) registry.Tag {
	d := name
	if len(digest) > 0 {
		d = digest[0]
	}
	return registry.Tag{
		ID: "id-" + name, Name: name, Digest: "sha256:" + d, Status: registry.StatusReady,
		CreatedAt: now.Add(-age), UpdatedAt: now.Add(-age),
	}
}

func anImage(tags ...registry.Tag) *registry.Image {
	slices.SortFunc(tags, func(a, b registry.Tag) int {
		if c := b.UpdatedAt.Compare(a.UpdatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return &registry.Image{
		Namespace: &registry.Namespace{ID: "ns", Name: "prod", Region: "fr-par", Status: registry.StatusReady, ImageCount: 1, ProjectID: "p1"},
		ID:        "img", Name: "api", Status: registry.StatusReady, Visibility: registry.Inherit,
		CreatedAt: now.Add(-400 * days), UpdatedAt: now.Add(-10 * days), Tags: tags,
	}
}

// newEngine compiles a policy set of a configuration in YAML and own modules.
func newEngine(t testing.TB, config string, modules ...string) *Engine {
	t.Helper()
	e, err := tryEngine(t, config, modules...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func tryEngine(t testing.TB, config string, modules ...string) (*Engine, error) {
	t.Helper()
	var document map[string]any
	if err := yaml.Unmarshal([]byte(config), &document); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := Options{Config: document, Dir: dir}
	for i, m := range modules {
		path := filepath.Join(dir, fmt.Sprintf("p%d.rego", i))
		if err := os.WriteFile(path, []byte(m), 0o644); err != nil {
			t.Fatal(err)
		}
		o.Paths = append(o.Paths, path)
	}
	return New(context.Background(), o)
}

func judge(t testing.TB, e *Engine, img *registry.Image) registry.Verdict {
	t.Helper()
	v, err := e.At(now, Everything).Image(context.Background(), img)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// words lists the decisions of a verdict, one a line.
func words(v registry.Verdict) []string {
	var out []string
	add := func(what, subject string, reasons []registry.Reason) {
		for _, r := range reasons {
			line := fmt.Sprintf("%s %s: %s: %s", what, subject, r.Rule, r.Text)
			if r.ReportOnly {
				line += " (report only)"
			}
			out = append(out, line)
		}
	}
	self := v.Namespace.Name
	if v.Image != nil {
		self += "/" + v.Image.Name
	}
	add("delete", self, v.Delete)
	add("keep", self, v.Keep)
	for i, tv := range v.Tags {
		add("delete", v.Image.Tags[i].Name, tv.Delete)
		add("keep", v.Image.Tags[i].Name, tv.Keep)
	}
	if v.Visibility != nil {
		add("visibility "+string(v.Visibility.To), self, v.Visibility.Reasons)
	}
	for _, x := range v.Violations {
		add(string(x.Severity), x.Ref, []registry.Reason{x.Reason})
	}
	if v.Err != nil {
		out = append(out, "error: "+v.Err.Error())
	}
	return out
}

const builds = `
retention:
  - name: pull requests
    match: {tags: ["pr-*"]}
    delete: {older_than: 14d, older_than_seconds: 1209600}
  - name: branches
    match: {tags: ["main-*"]}
    count: digests
    keep: {last: 2, within: 3d, within_seconds: 259200}
    delete: {older_than: 24h, older_than_seconds: 86400}
  - name: releases
    match: {semver: "*"}
    keep: {all: true}
protect: {tags: [latest], digests: ["sha256:pinned"]}
`

func TestRetention(t *testing.T) {
	v := judge(t, newEngine(t, builds), anImage(
		aTag("pr-1", 15*days), aTag("pr-2", 13*days), aTag("pr-3", 20*days, "pinned"),
		aTag("main-1", 10*days, "a"), aTag("main-2", 9*days, "b"), aTag("main-3", 8*days, "b"), aTag("main-4", 7*days, "c"),
		aTag("main-5", 2*days, "c"), aTag("v1.0.0", 99*days), aTag("latest", 0),
	))
	want := []string{
		"keep latest: protect/tags: protected by latest",
		"delete main-5: retention/branches: older than 24h",
		"keep main-5: retention/branches: one of the 2 newest digests",
		"keep main-5: retention/branches: younger than 3d",
		"delete main-4: retention/branches: older than 24h",
		"keep main-4: retention/branches: one of the 2 newest digests",
		"delete main-3: retention/branches: older than 24h",
		"keep main-3: retention/branches: one of the 2 newest digests",
		"delete main-2: retention/branches: older than 24h",
		"keep main-2: retention/branches: one of the 2 newest digests",
		"delete main-1: retention/branches: older than 24h",
		"delete pr-1: retention/pull requests: older than 14d",
		"delete pr-3: retention/pull requests: older than 14d",
		"keep pr-3: protect/digests: its digest is protected",
		"keep v1.0.0: retention/releases: the rule keeps all it matches",
	}
	if diff := cmp.Diff(want, words(v)); diff != "" {
		t.Error(diff)
	}
}

func TestOwnPolicy(t *testing.T) {
	e := newEngine(t, builds, `# METADATA
# title: Preview builds live two weeks
# custom:
#   severity: high
package janitor.image.previews

delete contains tag.name if {
	some tag in input.tags
	startswith(tag.name, "ex-")
	tag.age_days > 14
}

keep contains {"tag": tag.name, "reason": "one of the newest"} if {
	some tag in array.slice(input.tags, 0, 1)
}

visibility := "private" if input.image.effective_visibility == "private"

deny contains {"tag": tag.name, "reason": "no"} if {
	some tag in input.tags
	tag.semver.major == 1
	tag.bucket.week == "2026-W45"
}

warn contains "just so"
`)
	v := judge(t, e, anImage(aTag("ex-1", 15*days), aTag("v1.2.3-rc.1", 20*days), aTag("ex-2", 14*days)))
	want := []string{
		"keep ex-2: previews/Preview builds live two weeks: one of the newest",
		"delete ex-1: previews/Preview builds live two weeks: Preview builds live two weeks",
		"keep v1.2.3-rc.1: retention/releases: the rule keeps all it matches",
		"visibility private prod/api: previews/Preview builds live two weeks: Preview builds live two weeks",
		"warn rg.fr-par.scw.cloud/prod/api: previews/Preview builds live two weeks: just so",
		"deny rg.fr-par.scw.cloud/prod/api:v1.2.3-rc.1: previews/Preview builds live two weeks: no",
	}
	if diff := cmp.Diff(want, words(v)); diff != "" {
		t.Error(diff)
	}
	if r := v.Tags[1].Delete[0]; r.Source != "p0.rego:7" || r.CustomSeverity != "high" {
		t.Errorf("the reason is %+v", r)
	}
}

// Plans rely on it. Of rules that give the same reason, the first one counts.
func TestReasonsAreSortedDistinctAndShared(t *testing.T) {
	const rule = `delete contains {"tag": tag.name, "reason": "old"} if some tag in input.tags` + "\n"
	e := newEngine(t, builds, "package janitor.image.twice\n\n# METADATA\n# scope: document\n# title: One title\n\n\n\n"+rule+rule, "package janitor.image.alone\n"+rule)
	v := judge(t, e, anImage(aTag("ex-1", 15*days), aTag("ex-2", 14*days)))
	want := []registry.Reason{{Rule: "alone/delete", Text: "old", Source: "p1.rego:2"}, {Rule: "twice/One title", Text: "old", Source: "p0.rego:9"}}
	for i := range v.Tags {
		if diff := cmp.Diff(want, v.Tags[i].Delete); diff != "" {
			t.Error(diff)
		}
	}
	if &v.Tags[0].Delete[0] != &v.Tags[1].Delete[0] {
		t.Error("the tags do not share their reasons")
	}
}

package janitor

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions/diff"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/policy"
)

// rival is another configuration for the same scan.
func (s *setting) rival(t testing.TB, configuration string) *Planner {
	t.Helper()
	c, err := config.Parse("other.yaml", []byte(configuration))
	check(t, err)
	policies, err := Policies(t.Context(), c, policy.Options{})
	check(t, err)
	return &Planner{Config: c, Policies: policies, TakenAt: s.planner.TakenAt}
}

func written(t testing.TB, c *diff.Comparison) string {
	t.Helper()
	var b bytes.Buffer
	check(t, c.Encode(&b))
	return b.String()
}

// A comparison is the same whatever the concurrency, and each of its sides is the plan
// that its configuration makes on its own.
func TestComparisonIsThatOfTwoPlans(t *testing.T) {
	other := strings.Replace(rules, "older_than: 14d", "older_than: 7d", 1)
	var first string
	for _, concurrency := range []int{1, 16} {
		s := newSetting(t, withoutFaults(), rules, concurrency)
		out, err := s.planner.Compare(t.Context(), s.scan(t, concurrency), s.rival(t, other))
		check(t, err)
		if out.After.ID != planOf(t, withoutFaults(), rules, 4).ID {
			t.Error("after is not the plan of the configuration")
		}
		if out.Before.ID != planOf(t, withoutFaults(), other, 4).ID {
			t.Error("before is not the plan of the other configuration")
		}
		if out.Summary.OnlyBefore.DeleteTags == 0 || out.Summary.Same == 0 {
			t.Errorf("nothing was compared: %+v", out.Summary)
		}
		for _, change := range out.Changes {
			for _, position := range []diff.Position{change.Before, change.After} {
				if position.State == diff.StateUnknown || position.State == diff.StateAbsent {
					t.Errorf("%s: the reason is missing: %+v", change.Ref, change)
				}
			}
		}
		got := written(t, out)
		if first == "" {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("with concurrency %d it differs: %s", concurrency, diff)
		}
	}
}

// If one scope is narrower, what both hold is compared, whichever side that is.
func TestOnlyWhatBothScopesHoldIsCompared(t *testing.T) {
	narrow := "scope: {include: [\"prod/**\"]}\n" + strings.Replace(rules, "older_than: 14d", "older_than: 7d", 1)
	for _, pair := range [][2]string{{rules, narrow}, {narrow, rules}} {
		s := newSetting(t, withoutFaults(), pair[0], 4)
		out, err := s.planner.Compare(t.Context(), s.scan(t, 4), s.rival(t, pair[1]))
		check(t, err)
		c := out
		if len(c.Notes) == 0 || !strings.Contains(c.Notes[0], "scopes differ") {
			t.Errorf("no note says so: %q", c.Notes)
		}
		if len(c.Changes) == 0 {
			t.Error("nothing is compared")
		}
		for _, change := range c.Changes {
			if !strings.Contains(change.Ref, "/prod/") {
				t.Errorf("%s is compared, but only one scope holds it", change.Ref)
			}
		}
	}
}

func TestComparisonWithASavedPlan(t *testing.T) {
	saved := planOf(t, withoutFaults(), strings.Replace(rules, "older_than: 14d", "older_than: 7d", 1), 4)
	s := newSetting(t, withoutFaults(), rules, 4)
	out, err := s.planner.CompareWith(t.Context(), s.scan(t, 4), "old.json", saved)
	check(t, err)
	for _, change := range out.Changes {
		if change.Only == diff.Before && change.After.State != diff.StateUnmarked && change.After.State != diff.StateHeld {
			t.Errorf("%+v", change)
		}
	}
	if out.Summary.OnlyBefore.DeleteTags == 0 {
		t.Errorf("%+v", out.Summary)
	}
}

// A forecast computes ages at another time, and still does not trust a wrong clock.
func TestForecast(t *testing.T) { synctest.Test(t, forecast) }

func forecast(t *testing.T) {
	for skew, trusted := range map[string]bool{"0s": true, "6m": false} {
		s := newSetting(t, parse(t, `{settings: {clock_skew: `+skew+`}, namespaces: [
			{name: prod, age: 400d, images: [{name: api, tags: [{name: pr-1, age: 5m}, {name: latest, age: 1d}]}]}]}`), rules+"limits: {max_deletion_percent: 100}", 4)
		s.planner.TakenAt, s.planner.ScannedAt, s.planner.Forecast = now.Add(30*24*time.Hour), now, true
		p, err := s.planner.Plan(t.Context(), s.scan(t, 4))
		check(t, err)
		if !p.Forecast || !p.TakenAt.Equal(s.planner.TakenAt) {
			t.Errorf("a skew of %s: it is not a forecast: %+v", skew, p)
		}
		if got := len(p.Steps) == 1 && len(p.Gaps) == 0; got != trusted {
			t.Errorf("a skew of %s: steps %+v, gaps %+v", skew, p.Steps, p.Gaps)
		}
	}
}

func TestLintDoesNotDependOnConcurrency(t *testing.T) {
	const extra = `
  - {name: typo, match: {tags: ["por-*"]}, delete: {older_than: 14d}}
  - {name: slower, match: {tags: ["pr-*"]}, delete: {older_than: 30d}}
  - {name: numbers, match: {tags_regex: '.*[0-9]'}, delete: {older_than: 300d}}
`
	configuration := strings.Replace(rules, "\nempty:", extra+"empty:", 1)
	var first string
	for _, concurrency := range []int{1, 16} {
		s := newSetting(t, withoutFaults(), configuration, concurrency)
		lint, err := s.planner.Lint(t.Context(), s.scan(t, concurrency))
		check(t, err)
		found := map[runs.LintKind]string{}
		for _, f := range lint.Findings {
			found[f.Kind] += f.Rule + "; "
		}
		for kind, rule := range map[runs.LintKind]string{
			runs.LintMatchesNothing: "retention/typo; ", runs.LintShadowed: "retention/slower; ", runs.LintHitsReleases: "retention/numbers; ",
		} {
			if !strings.Contains(found[kind], rule) {
				t.Errorf("%s is not found for %s: %v", kind, rule, found)
			}
		}
		if strings.Contains(found[runs.LintMatchesNothing]+found[runs.LintShadowed], "retention/pull request builds") {
			t.Errorf("a rule that works is found: %v", found)
		}
		raw, err := json.Marshal(lint)
		check(t, err)
		if first == "" {
			first = string(raw)
		}
		if diff := cmp.Diff(first, string(raw)); diff != "" {
			t.Errorf("with concurrency %d it differs: %s", concurrency, diff)
		}
	}
}

// Each row is a set of rules over the same image, and the findings.
func TestLint(t *testing.T) {
	const world = `{namespaces: [{name: prod, age: 400d, images: [{name: api, tags: [
		{name: pr-1, age: 40d}, {name: pr-2, age: 3d}, {name: 1.0.0, age: 40d}, {name: latest, age: 1d}]}]}]}`
	for name, row := range map[string]struct {
		rules string
		want  []string
	}{
		"a rule that works": {
			`retention: [{name: a, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]`, nil},
		"a rule that matches but marks nothing yet is fine": {
			`retention: [{name: a, match: {tags: ["pr-*"]}, delete: {older_than: 1y}}]`, nil},
		"of two equal rules one is enough": {
			`retention: [{name: a, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}, {name: b, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]`,
			[]string{"shadowed retention/b"}},
		"a rule that is not enforced shadows nothing": {
			`retention: [{name: a, match: {tags: ["pr-*"]}, delete: {older_than: 7d}, enforce: false}, {name: b, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}]`, nil},
		"a tag that is kept today because it is young is not shadowed forever": {
			`retention: [{name: a, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}, {name: b, match: {tags: ["*"]}, keep: {within: 7d}}]`, nil},
		"everything is protected": {
			"retention: [{name: a, match: {tags: [\"pr-*\"]}, delete: {older_than: 14d}}]\nprotect: {tags: [\"*\"]}",
			[]string{"shadowed retention/a"}},
		"a keep that another one makes unnecessary": {
			`retention: [{name: a, match: {semver: "*"}, keep: {all: true}}, {name: b, match: {tags: ["1.*"]}, keep: {last: 1}}]`,
			[]string{"shadowed retention/b"}},
		"a keep that counts does not make another one unnecessary": {
			`retention: [{name: a, match: {semver: "*"}, keep: {all: true}}, {name: b, match: {tags: ["*"]}, keep: {last: 9}}]`, nil},
		"a rule that keeps by version leaves alone, and so does not shadow, what is not a version": {
			`retention: [{name: a, match: {tags: ["pr-*"]}, delete: {older_than: 14d}}, {name: b, match: {tags: ["*"]}, keep: {semver: {versions: 9}}, delete: {}}]`, nil},
		"the newest push is deleted": {
			"retention: [{name: a, match: {tags: [\"*\"]}, except: {tags: [pr-2]}, delete: {older_than: 12h}}]", []string{"deletes_newest retention/a"}},
		"the newest push is marked, and a guard holds it": {
			"retention: [{name: a, match: {tags: [\"*\"]}, except: {tags: [pr-2]}, delete: {older_than: 12h}}]\nlimits: {min_age: 2d}", nil},
		"a regular expression that matches releases": {
			`retention: [{name: a, match: {tags_regex: ".*[0-9]"}, delete: {older_than: 1y}}]`, []string{"hits_releases retention/a"}},
		"one that excludes them": {
			`retention: [{name: a, match: {tags_regex: ".*[0-9]"}, except: {semver: "*"}, delete: {older_than: 1y}}]`, nil},
		"one that only keeps": {
			`retention: [{name: a, match: {tags_regex: ".*[0-9]"}, keep: {all: true}}]`, nil},
		"a rule that empties the image": {
			`retention: [{name: a, match: {tags: ["*"]}, delete: {older_than: 12h}}]`, []string{"empties_image retention/a"}},
		"no rule keeps all tags, but one keeps one": {
			"retention: [{name: a, match: {tags: [\"*\"]}, delete: {older_than: 12h}}]\nprotect: {tags: [latest]}", nil},
		"patterns and names that match nothing": {
			"protect: {tags: [lastest]}\nnaming: [{name: n, subject: namespace, match: {namespaces: [x]}, pattern: x}]\nvisibility: [{name: v, subject: image, match: {images: [x]}, require: private}]",
			[]string{"matches_nothing naming/n", "matches_nothing protect/tags", "matches_nothing visibility/v"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSetting(t, parse(t, world), row.rules, 4)
			lint, err := s.planner.Lint(t.Context(), s.scan(t, 4))
			check(t, err)
			var got []string
			for _, f := range lint.Findings {
				got = append(got, string(f.Kind)+" "+f.Rule)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Build caches that take places of keep.last are found, with the except that fixes it.
func TestLintFindsCachesThatTakePlaces(t *testing.T) {
	const world = `{namespaces: [{name: prod, age: 400d, images: [{name: api, tags: [
		{name: buildcache, age: 1d}, {name: main-cache, age: 2d}, {name: main-1, age: 3d}, {name: main-2, age: 40d}]}]}]}`
	for name, row := range map[string]struct{ rule, remedy string }{
		"without except":                   {`{name: a, match: {tags: ["*"]}, keep: {last: 2}, delete: {}}`, `add except: {tags: ["*-cache", "buildcache*"]} to the rule`},
		"with tags in its except":          {`{name: a, match: {tags: ["*"]}, except: {tags: [x]}, keep: {last: 2}, delete: {}}`, `add "*-cache", "buildcache*" to the tags of its except`},
		"with another key in its except":   {`{name: a, match: {tags: ["*"]}, except: {namespaces: [x]}, keep: {last: 2}, delete: {}}`, `narrow its match so that it leaves "*-cache", "buildcache*" out`},
		"with the except that it asks for": {`{name: a, match: {tags: ["*"]}, except: {tags: ["*-cache", "buildcache*"]}, keep: {last: 2}, delete: {}}`, ""},
		"kept by another criterion":        {`{name: a, match: {tags: ["*"]}, keep: {within: 30d}, delete: {}}`, ""},
	} {
		s := newSetting(t, parse(t, world), "retention: ["+row.rule+"]", 4)
		lint, err := s.planner.Lint(t.Context(), s.scan(t, 4))
		check(t, err)
		got := ""
		for _, f := range lint.Findings {
			if f.Kind == runs.LintCachesTakePlaces {
				got = f.Remedy
			}
		}
		if got != row.remedy {
			t.Errorf("%s: %q, want %q", name, got, row.remedy)
		}
	}
}

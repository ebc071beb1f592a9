package policy

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/registry"
)

// waiverNow is noon in Paris of a Tuesday in winter.
var waiverNow = time.Date(2027, 3, 16, 11, 0, 0, 0, time.UTC)

func waiver(owner, until string, match map[string]any) map[string]any {
	return map[string]any{"match": match, "owner": owner, "reason": "audit", "until": until}
}

// judgeWaivers judges the image legacy/api, which is public, with the tags v1.0.0 and
// pr-1, of which a rule marks every tag.
func judgeWaivers(t *testing.T, now time.Time, waivers ...any) registry.Verdict {
	t.Helper()
	e, err := New(t.Context(), Options{Config: map[string]any{
		"timezone":   "Europe/Paris",
		"retention":  []any{map[string]any{"name": "all", "match": map[string]any{"tags": []any{"*"}}, "delete": map[string]any{}, "enforce": true}},
		"visibility": []any{map[string]any{"name": "private", "subject": "image", "match": map[string]any{"images": []any{"*"}}, "require": "private", "fix": true}},
		"naming":     []any{map[string]any{"name": "no versions", "subject": "tag", "pattern": "pr-.*", "severity": "warn"}},
		"waivers":    waivers,
	}})
	if err != nil {
		t.Fatal(err)
	}
	ns := &registry.Namespace{Region: "fr-par", Name: "legacy"}
	img := &registry.Image{Namespace: ns, Name: "api", Visibility: registry.Public, Status: registry.StatusReady}
	for _, name := range []string{"pr-1", "v1.0.0"} {
		img.Tags = append(img.Tags, registry.Tag{Name: name, Status: registry.StatusReady, Digest: "sha256:" + name, UpdatedAt: now.AddDate(0, 0, -40)})
	}
	v, err := e.At(now, WhatCounts).Image(t.Context(), img)
	if err != nil || v.Err != nil {
		t.Fatal(err, v.Err)
	}
	return v
}

func TestWaiversKeepWhatTheyMatch(t *testing.T) {
	of := func(key, glob string) map[string]any { return map[string]any{key: []any{glob}} }
	for _, c := range []struct {
		name       string
		waiver     map[string]any
		kept       []string
		violations []registry.Severity
		fixed      bool
	}{
		{"a namespace covers everything in it", waiver("a", "2027-03-31", of("namespaces", "legacy")), []string{"pr-1", "v1.0.0"}, []registry.Severity{"waived", "waived"}, false},
		{"another namespace covers nothing", waiver("a", "2027-03-31", of("namespaces", "other")), nil, []registry.Severity{"warn"}, true},
		{"an image covers its tags", waiver("a", "2027-03-31", of("images", "api")), []string{"pr-1", "v1.0.0"}, []registry.Severity{"waived", "waived"}, false},
		{"tags cover themselves, not their image", waiver("a", "2027-03-31", of("tags", "v*")), []string{"v1.0.0"}, []registry.Severity{"waived"}, true},
		{"a range of versions", waiver("a", "2027-03-31", map[string]any{"semver": ">=1.0.0"}), []string{"v1.0.0"}, []registry.Severity{"waived"}, true},
		{"the last day counts whole", waiver("a", "2027-03-16", of("images", "api")), []string{"pr-1", "v1.0.0"}, []registry.Severity{"waived", "waived"}, false},
		{"the day after does not", waiver("a", "2027-03-15", of("images", "api")), nil, []registry.Severity{"warn"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judgeWaivers(t, waiverNow, c.waiver)
			var kept []string
			for i := range v.Tags {
				if len(v.Tags[i].Keep) > 0 {
					kept = append(kept, v.Image.Tags[i].Name)
				}
			}
			var severities []registry.Severity
			for _, x := range v.Violations {
				severities = append(severities, x.Severity)
			}
			if diff := cmp.Diff(c.kept, kept); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.violations, severities); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
			if fixed := v.Visibility != nil; fixed != c.fixed {
				t.Errorf("the visibility is changed: %t", fixed)
			}
		})
	}
}

// The day ends at midnight of the configuration's time zone, also when that day has 23
// hours.
func TestAWaiverEndsAtMidnightInItsTimeZone(t *testing.T) {
	end := time.Date(2027, 3, 28, 22, 0, 0, 0, time.UTC) // midnight in Paris, where it is summer since that morning
	all := waiver("a", "2027-03-28", map[string]any{"images": []any{"api"}})
	for now, kept := range map[time.Time]bool{end.Add(-time.Microsecond): true, end: false} {
		v := judgeWaivers(t, now, all)
		if got := slices.ContainsFunc(v.Tags, func(t registry.TagVerdict) bool { return len(t.Keep) > 0 }); got != kept {
			t.Errorf("at %s the tags are kept: %t", now, got)
		}
	}
}

// Of several waivers the one that holds the longest covers a violation, whatever their
// order.
func TestTheLongestWaiverCovers(t *testing.T) {
	all := map[string]any{"images": []any{"api"}}
	short, long := waiver("a", "2027-03-17", all), waiver("b", "2027-03-18", all)
	for _, order := range [][]any{{short, long}, {long, short}} {
		v := judgeWaivers(t, waiverNow, order...)
		for _, x := range v.Violations {
			if x.Owner != "b" {
				t.Errorf("%s is waived for %q", x.Rule, x.Owner)
			}
		}
		if rules := len(v.Tags[0].Keep); rules != 2 {
			t.Errorf("%d waivers keep a tag", rules)
		}
	}
}

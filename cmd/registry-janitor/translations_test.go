package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/policy"
	"github.com/registry-janitor/registry-janitor/registry"
)

// worked is an example of another tool: what it removes, by its documentation, from an
// image with these tags.
type worked struct {
	image   string
	ages    map[string]int // of the tags, in days
	removes []string
}

// numbered are tags PREFIX-01, PREFIX-02 and so on, the last of which is the youngest.
func numbered(prefix string, count, youngest int) map[string]int {
	ages := map[string]int{}
	for i := range count {
		ages[fmt.Sprintf("%s-%02d", prefix, i+1)] = youngest + count - 1 - i
	}
	return ages
}

func with(ages, more map[string]int) map[string]int {
	for name, age := range more {
		ages[name] = age
	}
	return ages
}

var translations = map[string][]worked{
	"from-ecr-and-artifact-registry.yaml": {
		{ // ECR: expire pr-* after 14 days; of main-*, expire all but the ten newest
			"api", with(numbered("main", 12, 3), map[string]int{"pr-1": 15, "pr-2": 13, "latest": 90}),
			[]string{"main-01", "main-02", "pr-1"},
		},
		{ // Artifact Registry: delete tmp* after 30 days, but keep release*
			"tmp/build", map[string]int{"a": 31, "b": 29, "release-1": 400, "v2": 400}, []string{"a"},
		},
		{"tmpfiles", map[string]int{"a": 31}, []string{"a"}},
		{"other", map[string]int{"a": 31}, nil},
	},
	"from-gitlab.yaml": {
		{ // keep ten; latest and what name_regex_keep matches take no place
			"api", with(numbered("build", 12, 100), map[string]int{"latest": 91, "main": 92, "production": 93, "staging": 94}),
			[]string{"build-01", "build-02"},
		},
		{ // remove tags older than 90 days: the others stay, however many there are
			"web", with(numbered("build", 12, 85), map[string]int{"v1.0": 400}), []string{"build-01", "build-02"},
		},
		{"young", numbered("build", 30, 50), nil},
	},
	"from-harbor.yaml": {
		{ // the ten most recently pushed of main-*, or pushed within 30 days, or release-*; discard the rest
			"api", with(numbered("main", 12, 31), map[string]int{"feature-a": 29, "feature-b": 31, "release-1.0": 400, "latest": 400}),
			[]string{"feature-b", "main-01", "main-02"},
		},
		{"base/alpine", map[string]int{"3.20": 400}, nil}, // the policy does not apply to it
	},
	"from-restic.yaml": {
		{ // nothing new for 100 days: --keep-within counts back from the latest snapshot
			"api", with(numbered("main", 46, 100), map[string]int{"main-2025": 500, "main-2025b": 501, "main-2024": 900}),
			[]string{ // main-01 is the only one of its month, and main-16 exactly 30 days older than the latest
				"main-02", "main-03", "main-04", "main-05", "main-06", "main-07", "main-08", "main-09", "main-10", "main-11", "main-12",
				"main-13", "main-14", "main-15", "main-16", "main-2025b",
			},
		},
		{ // --group-by tags: each environment has its own ten
			"web", with(numbered("env-dev", 12, 1), map[string]int{"env-prod-1": 700, "env-prod-2": 701}),
			[]string{"env-dev-01", "env-dev-02"},
		},
	},
}

// Each translation of a policy of another tool removes what that tool does.
func TestTranslationsFromOtherTools(t *testing.T) {
	files, err := filepath.Glob("../../examples/configs/from-*.yaml")
	if err != nil || len(files) != len(translations) {
		t.Fatalf("%d files, %d with worked examples, %v", len(files), len(translations), err)
	}
	for _, file := range files {
		c, err := config.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		engine, err := janitor.Policies(t.Context(), c, policy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range translations[filepath.Base(file)] {
			v, err := engine.At(demoDay, policy.Everything).Image(t.Context(), w.registryImage())
			if err != nil || v.Err != nil {
				t.Fatal(err, v.Err)
			}
			var removed []string
			for _, step := range plan.Decide(v, plan.Options{TakenAt: demoDay}).Steps() {
				removed = append(removed, step.Tag)
			}
			slices.Sort(removed)
			if d := diff.Diff(w.removes, removed); d != "" {
				t.Errorf("%s, %s (-the other tool +this one):\n%s", filepath.Base(file), w.image, d)
			}
		}
	}
}

func (w worked) registryImage() *registry.Image {
	img := &registry.Image{
		Name: w.image, Status: registry.StatusReady, Visibility: registry.Inherit,
		Namespace: &registry.Namespace{Name: "prod", Region: "fr-par", Status: registry.StatusReady},
	}
	for name, days := range w.ages {
		at := demoDay.Add(-time.Duration(days) * 24 * time.Hour)
		img.Tags = append(img.Tags, registry.Tag{
			ID: name, Name: name, Digest: fmt.Sprintf("sha256:%064x", name), Status: registry.StatusReady, CreatedAt: at, UpdatedAt: at,
		})
	}
	slices.SortFunc(img.Tags, func(a, b registry.Tag) int {
		return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(a.Name, b.Name))
	})
	return img
}

package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// manyImages is a plan that deletes as many tags in every one of some images.
func manyImages(namespaces, images, tags int) *actions.Plan {
	d := newDraft(plan.Options{MinAge: time.Hour, MaxDeletions: 10, MaxDeletionPercent: -1})
	for i := range namespaces {
		for j := range images {
			v := d.image("fr-par", fmt.Sprintf("team-%02d", i), fmt.Sprintf("api-%03d", j))
			tag(v, "latest", "new", 2*time.Hour)
			for k := range tags {
				rule := pulls
				if k%3 == 0 {
					rule = branches
				}
				tag(v, fmt.Sprintf("pr-%d", k), fmt.Sprint(k), time.Duration(15+k)*day, rule)
			}
			tag(v, "fresh", "fresh", time.Minute, pulls)
			v.Violations = []registry.Violation{{Ref: v.Image.Ref().String(), Severity: registry.Deny, Reason: registry.Reason{Rule: "naming/short", Text: "it is too long"}}}
		}
	}
	return d.plan()
}

func TestTenThousandDeletionsFitOnOneScreen(t *testing.T) {
	run := runs.Run{Plan: manyImages(4, 25, 100)}
	if n := run.Plan.Summary.Deletions(); n != 10_000 {
		t.Fatalf("the plan has %d deletions", n)
	}
	golden(t, "large.txt", textOf(t, run, TextOptions{}))
	all := textOf(t, run, TextOptions{Details: DetailsAll})
	if n := strings.Count(all, "pr-99 "); n != 100 {
		t.Errorf("--details all names a tag in %d images, want 100", n)
	}
	none := textOf(t, run, TextOptions{Details: DetailsNone})
	if n := strings.Count(none, "\n"); n > 20 || strings.Contains(none, "api-001") {
		t.Errorf("--details none takes %d lines:\n%s", n, none)
	}
}

// Of more images than fit, the others are counted.
func TestManyImagesAreCounted(t *testing.T) {
	text := textOf(t, runs.Run{Plan: manyImages(5, 100, 3)}, TextOptions{})
	if n := strings.Count(text, "\n"); n > 330 {
		t.Errorf("it has %d lines", n)
	}
	shown := strings.Count(text, "\n  api-")
	if want := fmt.Sprintf("… and %d more images", 500-shown); !strings.Contains(text, want) {
		t.Errorf("%d images are shown, and %q is missing", shown, want)
	}
	if !strings.Contains(text, "deny naming/short: 500\n") {
		t.Error("the violations are not counted")
	}
}

// Every part of the text is whole, or is counted and announced.
func TestShortenedTextSaysSo(t *testing.T) {
	for _, p := range []*actions.Plan{manyImages(1, 1, 3), manyImages(4, 25, 100), manyImages(1, 400, 2)} {
		text := textOf(t, runs.Run{Plan: p}, TextOptions{})
		named := 0
		for _, s := range p.Steps {
			if strings.Contains(text, s.Tag+" ") {
				named++
			}
		}
		if whole := named == len(p.Steps); whole == strings.Contains(text, "--details all") {
			t.Errorf("%d of %d tags are named, and the text announces the opposite", named, len(p.Steps))
		}
	}
}

func TestLongListsOfGapsAreBounded(t *testing.T) {
	p := manyImages(1, 1, 1)
	for i := range 100 {
		p.Gaps = append(p.Gaps, registry.Gap{Subject: fmt.Sprint("image ", i), Error: "503"})
	}
	if text := textOf(t, runs.Run{Plan: p}, TextOptions{}); strings.Count(text, "\n  image ") != listMax || !strings.Contains(text, "… and 80 more gaps: --details all lists them") {
		t.Error(text)
	}
	if text := textOf(t, runs.Run{Plan: p}, TextOptions{Details: DetailsAll}); strings.Count(text, "\n  image ") != 100 {
		t.Error("--details all leaves out a gap")
	}
}

func TestByRule(t *testing.T) {
	p := world(plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1})
	got := outline.ByRule(p.Steps, p.Held, p.Stats)[0]
	want := outline.RuleTotal{
		Rule: "retention/pull request builds", Steps: 41, Tags: 41, Images: 1, Held: 1, Bytes: 1234567890,
		Oldest: scanTime.Add(-100 * day), Newest: scanTime.Add(-15 * day),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestExplain(t *testing.T) {
	d := newDraft(plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1, MinAge: time.Hour})
	v := d.image("fr-par", "prod", "api")
	tag(v, "latest", "new", 2*time.Hour, branches)
	v.Tags[0].Keep = []registry.Reason{{Rule: "protect/tags", Text: "protected by latest"}}
	tag(v, "v1.4.0", "new", 2*time.Hour, branches)
	tag(v, "pr-12", "p", 40*day, preview("merged\nlong ago"), pulls)
	plan := d.plan()
	var b bytes.Buffer
	for _, name := range []string{"latest", "v1.4.0", "pr-12", ""} {
		if err := Explain(&b, runs.Explanation{Ref: v.Image.TagRef(name), Verdict: v, Plan: plan}, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
	}
	if err := Explain(&b, runs.Explanation{Ref: v.Image.Ref(), Note: "out of scope"}, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "explain.txt", b.String())
}

// An attachment without a rule of its own is explained by its subject.
func TestExplainAttachments(t *testing.T) {
	hex := func(letter string) string { return strings.Repeat(letter, 64) }
	d := newDraft(plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1, MinAge: time.Hour})
	v := d.image("fr-par", "prod", "api")
	tag(v, "v1", hex("a"), 2*day)
	tag(v, "pr-1", hex("b"), 2*day, branches)
	for _, subject := range []string{"a", "b", "c"} {
		tag(v, "sha256-"+hex(subject)+".sig", "s"+subject, 2*day)
	}
	tag(v, "sha256-"+hex("d"), hex("d"), 2*day)
	for name, want := range map[string][]string{
		"sha256-" + hex("a") + ".sig": {
			"  attached to sha256:" + hex("a") + " (v1)",
			"Decision: kept. It is an attachment and follows its subject: it stays while v1 does.",
		},
		"sha256-" + hex("b") + ".sig": {
			"  attached to sha256:" + hex("b") + " (pr-1)",
			"Decision: deleted, because it follows its subject pr-1. No rule keeps it, and no guard holds it.",
		},
		"sha256-" + hex("c") + ".sig": {
			"  attached to sha256:" + hex("c") + " (no tag of the image)",
			"Decision: kept. No rule marks it for deletion.",
		},
		"sha256-" + hex("d"): {"Decision: kept. No rule marks it for deletion."},
	} {
		var b bytes.Buffer
		if err := Explain(&b, runs.Explanation{Ref: v.Image.TagRef(name), Verdict: v, Plan: d.plan()}, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		for _, line := range want {
			if !strings.Contains(b.String(), line+"\n") {
				t.Errorf("%s: no line %q in\n%s", name, line, b.String())
			}
		}
		if len(want) == 1 && strings.Contains(b.String(), "attached to") {
			t.Errorf("a tag named after its own digest is shown as an attachment:\n%s", b.String())
		}
	}
}

func TestExplainShowsNoSharersOfAnUnknownDigest(t *testing.T) {
	img := &registry.Image{Name: "api", Namespace: &registry.Namespace{Name: "prod"}, Tags: []registry.Tag{{Name: "a"}, {Name: "b"}}}
	x := newExplained(runs.Explanation{Ref: img.TagRef("a"), Verdict: &registry.Verdict{Image: img}})
	if got := x.Sharers(); got != nil {
		t.Errorf("a shares its digest with %q", got)
	}
}

package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
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

// What is inside decides too, so it is shown where it is known.
func TestExplainShowsTheContent(t *testing.T) {
	d := newDraft(plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1})
	v := d.image("fr-par", "prod", "api")
	tag(v, "v1", "a", 2*day, branches)
	v.Image.Contents = map[string]*registry.Content{v.Image.Tags[0].Digest: {
		Kind: registry.ContentIndex, MediaType: "application/vnd.oci.image.index.v1+json", Platforms: []string{"linux/amd64", "linux/arm64"},
		Labels: map[string]string{"team": "da\x1bta", "keep": "true"}, BuiltAt: scanTime.Add(-400 * day), SizeBytes: 7,
		Blobs: []registry.Blob{{Digest: "sha256:b", Size: 7}}, PartLabels: []map[string]string{{"part": "label"}},
	}}
	e := runs.Explanation{Ref: v.Image.TagRef("v1"), Verdict: v, Plan: d.plan()}
	var b bytes.Buffer
	if err := Explain(&b, e, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n  content     index for linux/amd64, linux/arm64\n  built       400d, ", "\n  label       keep=true\n  label       team=da", "\n  updated     2d, "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Errorf("a label reaches the terminal: %q", b.String())
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"content":{"kind":"index","media_type":"application/vnd.oci.image.index.v1+json","platforms":["linux/amd64","linux/arm64"],"labels":{"keep":"true","team":"da\u001bta"},"built_at":"2025-`) ||
		strings.Contains(string(text), "part_labels") || strings.Contains(string(text), "blobs") {
		t.Errorf("the JSON is %s", text)
	}
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

// Each row is how an outlook ends, and its last line.
func TestExplainWordsTheEndOfAnOutlook(t *testing.T) {
	v := newDraft(plan.Options{}).image("fr-par", "prod", "api")
	tag(v, "v1", "a", 2*day)
	at := time.Date(2026, 12, 22, 12, 0, 0, 1000, time.UTC)
	for _, row := range []struct {
		outlook runs.Outlook
		want    string
	}{
		{runs.Outlook{Stages: []runs.Stage{{Decision: runs.Kept, Ends: runs.EndPushes}}}, "It has no date: it ends when newer pushes take its place."},
		{runs.Outlook{Stages: []runs.Stage{{Decision: runs.Kept, Ends: runs.EndRules}}}, "It has no date: it stays for as long as the configuration keeps it."},
		{runs.Outlook{Stages: []runs.Stage{{Decision: runs.Unmarked, Ends: runs.EndRules}}}, "No rule of the configuration marks it, however old it becomes."},
		{runs.Outlook{Stages: []runs.Stage{{Decision: runs.Held, Guard: actions.GuardReportOnly, Ends: runs.EndRules}}}, "It has no date: it ends when a rule that marks it is enforced."},
		{runs.Outlook{Stages: []runs.Stage{{Decision: runs.Held, Ends: runs.EndUses}}}, "It has no date: it ends when nothing uses it any more."},
		{runs.Outlook{Stages: []runs.Stage{{Decision: runs.Held, Ends: runs.EndOthers}}}, "It has no date: it ends with the other tags that keep it."},
		{runs.Outlook{Stages: []runs.Stage{{Decision: runs.Held, Ends: runs.EndRuns}}}, "It has no date: the grace begins with the first run that marks it."},
		{runs.Outlook{Stages: []runs.Stage{{Decision: runs.Held, Ends: runs.EndStatus}}}, "It has no date: it ends when that is read, judged or ready."},
		{runs.Outlook{Stages: []runs.Stage{{Decision: runs.Kept, Ends: runs.EndOwn}}, Limit: runs.LimitOwn}, "It has no date: your own policies keep it, and when that ends is not known."},
		{runs.Outlook{Stages: []runs.Stage{{Decision: runs.Unmarked, Ends: runs.EndRules}}, Limit: runs.LimitOwn}, "Your own policies can mark it or keep it at other times, which are not known."},
		{runs.Outlook{Stages: []runs.Stage{{Decision: runs.Kept, Ends: runs.EndPushes}}, Limit: runs.LimitSize}, "The image has too many tags to look at every time: other tags may change this."},
		{runs.Outlook{Stages: []runs.Stage{{Decision: runs.Unmarked, Until: at}, {Decision: runs.Deleted, From: at, Reasons: []registry.Reason{branches}}}}, "  then                           deleted by " + branches.Rule + ": " + branches.Text},
	} {
		var b bytes.Buffer
		if err := Explain(&b, runs.Explanation{Ref: v.Image.TagRef("v1"), Verdict: v, Plan: &actions.Plan{}, Outlook: &row.outlook}, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(b.String()), "\n")
		if got := lines[len(lines)-1]; got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
	// A moment after the second is the next one: what begins then has begun.
	var b bytes.Buffer
	o := runs.Outlook{Stages: []runs.Stage{{Decision: runs.Unmarked, Until: at}, {Decision: runs.Unmarked, Until: at.Add(1)}, {Decision: runs.Deleted, From: at}}}
	if err := Explain(&b, runs.Explanation{Ref: v.Image.TagRef("v1"), Verdict: v, Plan: &actions.Plan{}, Outlook: &o}, TextOptions{Color: true}); err != nil ||
		strings.Count(b.String(), "until 2026-12-22 12:00:01 UTC  ") != 1 || !strings.Contains(b.String(), "\x1b[31mdeleted\x1b[0m") {
		t.Errorf("%v %s", err, b.String())
	}
}

package report

import (
	"bytes"
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
		if err := Explain(&b, runs.Explanation{Ref: v.Image.TagRef(name), Verdict: v, Plan: plan}); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
	}
	if err := Explain(&b, runs.Explanation{Ref: v.Image.Ref(), Note: "out of scope"}); err != nil {
		t.Fatal(err)
	}
	golden(t, "explain.txt", b.String())
}

package plan

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// story is a plan with one of everything.
func story(t *testing.T) *actions.Plan {
	v := imageOf(t, "latest a 2h", "v1.4.0 a 2h marked", "pr-12 b 960h marked", sig("b")+" c 960h", "pr-13 d 30m marked", "v0 e 99h locked")
	v.Tags[2].Delete = []registry.Reason{
		{Rule: "previews/Preview builds live two weeks", Text: "zwölf Wochen alt", Source: "policies/previews.rego:5"},
		{Rule: "retention/pull request builds", Text: "older than 14d <&>"},
	}
	v.Visibility = &registry.VisibilityVerdict{To: registry.Private, Reasons: marks("visibility/only oss is public")}
	v.Violations = []registry.Violation{{Ref: v.Image.Ref().String(), Severity: registry.Deny,
		Reason: registry.Reason{Rule: "naming/kebab case", Text: "bad name", Source: "a.rego:7"}}}
	v.Image.UpdatedAt = time.Date(2026, 10, 1, 14, 0, 0, 123456000, time.FixedZone("CEST", 7200))
	v.Image.CreatedAt = v.Image.UpdatedAt
	o := Options{
		TakenAt: scanTime.Add(5 * time.Nanosecond), ConfigDigest: "sha256:c0", PolicyDigest: "sha256:b0", MinAge: time.Hour, KeepAtLeast: 1,
		MaxDeletions: 1, MaxDeletionPercent: 50, Forecast: true,
	}
	return planOf(o, []registry.Verdict{v}, []registry.Gap{{Subject: "rg.nl-ams.scw.cloud/prod/api", Error: "page 2: 500", Holds: registry.HoldsItself}})
}

func TestPlanJSON(t *testing.T) {
	golden(t, "story.json", encoded(t, story(t)))
	golden(t, "empty.json", encoded(t, NewBuilder(Options{TakenAt: scanTime}).Plan()))
}

func TestATimeThatJSONCannotHoldLeavesNoID(t *testing.T) {
	p := NewBuilder(Options{TakenAt: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)}).Plan()
	if err := p.Encode(io.Discard); err == nil || p.ID != "" {
		t.Errorf("id %q, error %v", p.ID, err)
	}
}

func encoded(t testing.TB, p *actions.Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

package report

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var scanTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

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

func textOf(t *testing.T, run runs.Run, o TextOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, FormatText, run, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// draft gathers verdicts on images.
type draft struct {
	o  plan.Options
	vs []registry.Verdict
	b  *plan.Builder
}

func newDraft(o plan.Options) *draft {
	o.TakenAt = scanTime
	return &draft{o: o, b: plan.NewBuilder(o)}
}

func (d *draft) image(region registry.Region, namespace, name string) *registry.Verdict {
	ns := &registry.Namespace{ID: "id-" + namespace, Name: namespace, Region: region, Status: registry.StatusReady}
	d.vs = append(d.vs, registry.Verdict{Namespace: ns, Image: &registry.Image{
		Namespace: ns, ID: "id-" + name, Name: name, Status: registry.StatusReady, Visibility: registry.Inherit,
		SizeBytes: 1234567890, CreatedAt: scanTime.Add(-400 * day), UpdatedAt: scanTime.Add(-90 * day),
	}})
	return &d.vs[len(d.vs)-1]
}

// tag adds a tag with the digest that a word stands for; hexadecimal digits stand for
// themselves.
func tag(v *registry.Verdict, name, word string, age time.Duration, markedBy ...registry.Reason) {
	digest := word
	if strings.Trim(word, "0123456789abcdef") != "" {
		digest = fmt.Sprintf("%x", word)
	}
	v.Image.Tags = append(v.Image.Tags, registry.Tag{
		ID: "id-" + name, Name: name, Digest: "sha256:" + digest, Status: registry.StatusReady,
		CreatedAt: scanTime.Add(-age), UpdatedAt: scanTime.Add(-age),
	})
	v.Tags = append(v.Tags, registry.TagVerdict{Delete: markedBy})
}

func (d *draft) plan() *actions.Plan {
	for _, v := range d.vs {
		d.b.Add(plan.Decide(v, d.o))
	}
	return d.b.Plan()
}

var (
	pulls    = registry.Reason{Rule: "retention/pull request builds", Text: "older than 14d"}
	branches = registry.Reason{Rule: "retention/branch builds", Text: "older than 24h"}
	trial    = registry.Reason{Rule: "retention/trial", Text: "older than 7d", ReportOnly: true}
)

func preview(why string) registry.Reason {
	return registry.Reason{Rule: "previews/Preview builds live two weeks", Text: why, Source: "policies/previews.rego:5"}
}

// world is a plan with everything that a report can show.
func world(o plan.Options) *actions.Plan {
	o.MinAge, o.KeepAtLeast = time.Hour, 1
	d := newDraft(o)
	api := d.image("fr-par", "prod", "api")
	tag(api, "latest", "new", 2*time.Hour)
	tag(api, "v1.4.0", "new", 2*time.Hour, branches)
	for i := range 40 {
		tag(api, fmt.Sprintf("pr-%d", 140-i), fmt.Sprint("p", i), time.Duration(15+i)*day, pulls)
	}
	tag(api, "pr-7", "both", 100*day, branches, pulls)
	tag(api, "main-fresh", "fresh", 20*time.Minute, branches)
	tag(api, "exp-1", "e1", 20*day, trial)
	tag(api, "exp-2", "e2", 21*day, trial)
	tag(api, "preview-login", "l1", 30*day, preview("merged by ada 16 days ago"))
	tag(api, "preview-search-box", "l2", 33*day, preview("abandoned"))
	api.Violations = []registry.Violation{
		{Ref: api.Image.TagRef("PR_9").String(), Severity: registry.Warn, Reason: registry.Reason{Rule: "naming/tags", Text: `the tag name "PR_9" does not match [a-z]+`}},
		{Ref: api.Image.Ref().String(), Severity: registry.Deny, Reason: preview("too many previews")},
	}
	web := d.image("fr-par", "prod", "api-web/front")
	web.Visibility = &registry.VisibilityVerdict{To: registry.Private, Reasons: []registry.Reason{{Rule: "visibility/only oss is public", Text: "the image is public, and must be private"}}}
	tag(web, "only", "o", 400*day, pulls)
	old := d.image("nl-ams", "attic", "old")
	old.Image.SizeBytes = 0
	old.Delete = []registry.Reason{{Rule: "empty/images", Text: "empty, and unchanged for 7d"}}
	ns := &registry.Namespace{ID: "id-void", Name: "void", Region: "nl-ams", Status: registry.StatusReady, UpdatedAt: scanTime.Add(-31 * day), ImageCount: 0}
	empty := []registry.Reason{{Rule: "empty/namespaces", Text: "empty, and unchanged for 30d"}}
	d.vs = append(d.vs, registry.Verdict{Namespace: ns, Empty: true, Delete: empty})
	full := *ns
	full.Name, full.IsPublic = "full", true
	d.vs = append(d.vs, registry.Verdict{Namespace: &full, Delete: empty,
		Visibility: &registry.VisibilityVerdict{To: registry.Private, Reasons: []registry.Reason{{Rule: "visibility/ns", Text: "must be private"}}}})
	d.b.AddSkipped(registry.Ref{Region: "pl-waw", Namespace: "moving"}, "locked")
	return d.plan()
}

func TestText(t *testing.T) {
	noLimit := plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1}
	run := runs.Run{Plan: world(noLimit), Duration: 3214 * time.Millisecond, Calls: 1234}
	golden(t, "world.txt", textOf(t, run, TextOptions{}))
	golden(t, "world-narrow.txt", textOf(t, run, TextOptions{Width: 40}))
	golden(t, "world-color.txt", textOf(t, run, TextOptions{Color: true, Width: 120}))

	forecast := noLimit
	forecast.Forecast = true
	golden(t, "forecast.txt", textOf(t, runs.Run{Plan: world(forecast)}, TextOptions{}))
	golden(t, "refused.txt", textOf(t, runs.Run{Plan: world(plan.Options{MaxDeletions: 10, MaxDeletionPercent: 33.3})}, TextOptions{}))
	golden(t, "empty.txt", textOf(t, runs.Run{Plan: newDraft(noLimit).plan()}, TextOptions{}))
	golden(t, "gaps.txt", textOf(t, runs.Run{Plan: withGaps(noLimit)}, TextOptions{}))
	golden(t, "unicode.txt", textOf(t, runs.Run{Plan: hostile(noLimit)}, TextOptions{}))
}

// withGaps is a plan of which two gaps hold everything.
func withGaps(o plan.Options) *actions.Plan {
	d := newDraft(o)
	v := d.image("fr-par", "prod", "api")
	for i := range 12 {
		tag(v, fmt.Sprintf("pr-%d", i), fmt.Sprint(i), time.Duration(15+i)*day, pulls)
	}
	d.b.AddGap(registry.Gap{Subject: "rg.nl-ams.scw.cloud/prod/api", Error: "page 3 of its tags: 500 Internal Server Error", Holds: registry.HoldsItself})
	d.b.AddGap(registry.Gap{Subject: "kubernetes prod", Error: "connection refused", Holds: registry.HoldsAll})
	return d.plan()
}

// hostile is a plan whose names and reasons try to take over the terminal.
func hostile(o plan.Options) *actions.Plan {
	d := newDraft(o)
	v := d.image("fr-par", "prod", "bücher\x1b[2J")
	tag(v, "größe-1", "1", 20*day, pulls)
	tag(v, "x\r\nPlan: 0 to delete", "2", 21*day, pulls)
	tag(v, "a\u202egnp.exe", "3", 22*day, preview("wegen \x1b]0;title\x07 und \xff"))
	v.Violations = []registry.Violation{{Ref: v.Image.Ref().String(), Severity: "deny\x1b", Reason: registry.Reason{Rule: "rule\n", Text: "日本語 is fine\x00"}}}
	d.b.AddGap(registry.Gap{Subject: "sub\tject", Error: "line\nline", Holds: registry.HoldsItself})
	return d.plan()
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestColorAddsNothing(t *testing.T) {
	run := runs.Run{Plan: world(plan.Options{MaxDeletions: 1}), Duration: time.Second}
	colored := textOf(t, run, TextOptions{Color: true})
	if stripped := escapes.ReplaceAllString(colored, ""); stripped == colored || stripped != textOf(t, run, TextOptions{}) {
		t.Errorf("without its colors the text differs")
	}
}

func TestNoControlCharacterReachesTheTerminal(t *testing.T) {
	for _, r := range textOf(t, runs.Run{Plan: hostile(plan.Options{})}, TextOptions{}) {
		if r < ' ' && r != '\n' || r == 0x7f || r == '\u202e' || r == '\ufffd' {
			t.Errorf("%q is in the text", r)
		}
	}
}

func TestEveryDeletionAndEveryHeldEntryIsNamed(t *testing.T) {
	for _, width := range []int{1, 40, 200} {
		text := textOf(t, runs.Run{Plan: world(plan.Options{})}, TextOptions{Width: width})
		words := strings.Fields(text)
		seen := make(map[string]int)
		for _, w := range words {
			seen[w]++
		}
		p := world(plan.Options{})
		for _, s := range p.Steps {
			if s.Action == actions.DeleteTag && seen[s.Tag] != 1 {
				t.Errorf("at width %d, %s is there %d times", width, s.Tag, seen[s.Tag])
			}
		}
		for _, h := range p.Held {
			if ref, _ := registry.ParseRef(h.Ref); ref.Tag != "" && seen[ref.Tag] == 0 {
				t.Errorf("at width %d, %s is missing", width, ref.Tag)
			}
		}
	}
}

// Beside the sizes, a plan from a file reads like the one that was just made.
func TestAPlanFromAFileReadsTheSame(t *testing.T) {
	p := world(plan.Options{})
	var b bytes.Buffer
	if err := Write(&b, FormatJSON, runs.Run{Plan: p}, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	again, err := actions.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	p.Stats = nil
	if diff := cmp.Diff(textOf(t, runs.Run{Plan: p}, TextOptions{}), textOf(t, runs.Run{Plan: again}, TextOptions{})); diff != "" {
		t.Error(diff)
	}
}

func TestWrite(t *testing.T) {
	run := runs.Run{Plan: world(plan.Options{})}
	var b bytes.Buffer
	if err := Write(&b, FormatText, run, TextOptions{}); err != nil || b.String() != textOf(t, run, TextOptions{}) {
		t.Errorf("error %v", err)
	}
	if err := Write(&b, "pdf", run, TextOptions{}); err == nil || !strings.Contains(err.Error(), `["text" "json"`) {
		t.Errorf("error %v", err)
	}
	full := errors.New("disk full")
	if err := Write(failing{full}, FormatText, run, TextOptions{}); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

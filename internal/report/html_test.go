package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/report/page"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

func htmlOf(t testing.TB, run runs.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, FormatHTML, run, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func daemonOf(t testing.TB, d runs.Daemon, latest *runs.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Daemon(&b, runs.Overview{Daemon: d, Run: latest}, "/assets/"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// noLimits is for plans that may delete what they like.
var noLimits = plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1}

// carriedOut gives the steps of a plan one result after the other.
func carriedOut(p *actions.Plan) *actions.Plan {
	o := &actions.Outcome{Stopped: "the lock was lost", Lost: []string{"rg.fr-par.scw.cloud/prod/api:latest"}}
	results := actions.Results()
	for i := range p.Steps {
		r := actions.StepResult{Ref: p.Steps[i].Ref, Action: p.Steps[i].Action, Result: results[i%len(results)]}
		if r.Result != actions.ResultDone {
			r.Detail = "why it is " + string(r.Result)
		}
		o.Results = append(o.Results, r)
	}
	o.Done, o.Gone, o.Changed = counted(o, actions.ResultDone), counted(o, actions.ResultGone), counted(o, actions.ResultChanged)
	o.Blocked, o.Failed, o.Skipped = counted(o, actions.ResultBlocked), counted(o, actions.ResultFailed), counted(o, actions.ResultSkipped)
	p.Outcome = o
	return p
}

func counted(o *actions.Outcome, r actions.Result) int {
	n := 0
	for _, s := range o.Results {
		if s.Result == r {
			n++
		}
	}
	return n
}

// leader is a daemon with everything that its page can show.
func leader() runs.Daemon {
	d := runs.Daemon{
		Version: "v1.2.3", Started: scanTime.Add(-50 * time.Hour), Now: scanTime, Leads: true, Leader: "janitor-0",
		Running: &runs.Running{
			Kind: "apply", Trigger: "http", Started: scanTime.Add(-time.Minute), Images: 12, Tags: 345,
			Applying: scanTime.Add(-40 * time.Second), Steps: 120, Finished: 30, Failed: 1,
		},
		Reload: runs.Reload{At: scanTime.Add(-time.Hour), Error: "janitor.yaml:3: unknown key"},
		Schedules: []runs.Schedule{
			{Name: "nightly", Cron: "0 3 * * *", Timezone: "Europe/Paris", Do: "apply", Jitter: runs.Seconds(10 * time.Minute), Next: scanTime.Add(15 * time.Hour), Last: scanTime.Add(-9 * time.Hour), LastRun: "1", Skipped: 1},
			{Name: "often", Cron: "@hourly", Do: "plan"},
		},
		MayPlan: true, MayApply: true,
	}
	for i := range 5 {
		d.Runs = append(d.Runs, runs.Summary{
			ID: fmt.Sprint(i), Kind: "plan", Trigger: "nightly", Started: scanTime.Add(-time.Duration(i) * time.Hour), Duration: runs.Seconds(time.Duration(i) * time.Minute),
			Exit: i % 4, Tags: 2000, Steps: 100 * i, Done: 50 * i, Held: i, Violations: 2, Bytes: 1e9, Error: strings.Repeat("broken", i%2),
		})
	}
	return d
}

// pages are pages of every kind, by what they are of.
func pages(t testing.TB) map[string]string {
	t.Helper()
	forecast := noLimits
	forecast.Forecast = true
	full := runs.Run{
		Plan: world(noLimits), Kind: "plan", Trigger: "nightly", Started: scanTime, Duration: time.Minute, Judging: time.Second, Calls: 77, Exit: 1,
		Sources: []runs.UseSource{{Name: "kubernetes prod", Uses: 3, ReadAt: scanTime}, {Name: "serverless", Error: "403 Forbidden"}},
	}
	fromFile := world(noLimits)
	fromFile.Stats = nil
	failed := runs.Run{Kind: "apply", Trigger: "command", Started: scanTime, Exit: 1, Error: "listing namespaces: 401 Unauthorized"}
	latest := runs.Run{Plan: carriedOut(world(noLimits)), Kind: "apply", Exit: 1}
	standby := runs.Daemon{Now: scanTime}
	return map[string]string{
		"a full plan":          htmlOf(t, full),
		"a plan from a file":   htmlOf(t, runs.Run{Plan: fromFile}),
		"a forecast":           htmlOf(t, runs.Run{Plan: world(forecast)}),
		"a refused plan":       htmlOf(t, runs.Run{Plan: world(plan.Options{MaxDeletions: 10, MaxDeletionPercent: 33}), Exit: 3}),
		"an empty plan":        htmlOf(t, runs.Run{Plan: newDraft(noLimits).plan()}),
		"gaps":                 htmlOf(t, runs.Run{Plan: withGaps(noLimits), Exit: 1}),
		"hostile names":        htmlOf(t, runs.Run{Plan: hostile(noLimits)}),
		"an outcome":           htmlOf(t, latest),
		"a run without a plan": htmlOf(t, failed),
		"a daemon":             daemonOf(t, leader(), &full),
		"a daemon that failed": daemonOf(t, leader(), &failed),
		"a daemon after apply": daemonOf(t, leader(), &latest),
		"a standby":            daemonOf(t, standby, nil),
	}
}

// elements reads a page as far as tests need it: every start tag with its
// attributes. It takes HTML for XML that is not strict.
func elements(t testing.TB, page string) []xml.StartElement {
	t.Helper()
	for _, name := range []string{"style", "script"} { // not for a reader of XML
		page = regexp.MustCompile("(?s)<"+name+">.*?</"+name+">").ReplaceAllString(page, "<"+name+"></"+name+">")
	}
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var out []xml.StartElement
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("reading the page: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok {
			out = append(out, e.Copy())
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func TestPagesAreWellFormed(t *testing.T) {
	for name, page := range pages(t) {
		t.Run(name, func(t *testing.T) {
			ids, level := map[string]bool{}, 0
			all := elements(t, page)
			for _, e := range all {
				if id := attribute(e, "id"); id != "" {
					if ids[id] {
						t.Errorf("the id %q is a duplicate", id)
					}
					ids[id] = true
				}
			}
			headlines := 0
			for _, e := range all {
				if h := e.Name.Local; len(h) == 2 && h[0] == 'h' && h[1] >= '1' && h[1] <= '6' {
					n := int(h[1] - '0')
					if n > level+1 {
						t.Errorf("h%d follows h%d", n, level)
					}
					if level = n; n == 1 {
						headlines++
					}
				}
				for _, refers := range []string{"aria-labelledby", "for"} {
					for _, id := range strings.Fields(attribute(e, refers)) {
						if !ids[id] {
							t.Errorf("%s names %q, which is not there", refers, id)
						}
					}
				}
				if href := attribute(e, "href"); strings.HasPrefix(href, "#") && !ids[href[1:]] {
					t.Errorf("a link leads to %s, which is not there", href)
				}
				if e.Name.Local == "svg" && attribute(e, "role") != "img" && attribute(e, "aria-hidden") != "true" && attribute(e, "overflow") == "" {
					t.Errorf("a picture has neither a role nor is it hidden: %v", e)
				}
			}
			if headlines != 1 {
				t.Errorf("it has %d headlines", headlines)
			}
		})
	}
}

func TestPagesLoadNothingFromElsewhere(t *testing.T) {
	for name, page := range pages(t) {
		for _, e := range elements(t, page) {
			for _, a := range e.Attr {
				loads := slices.Contains([]string{"src", "href", "action", "srcset", "data", "poster", "xlink:href"}, a.Name.Local)
				if loads && !strings.HasPrefix(a.Value, "#") && !strings.HasPrefix(a.Value, "data:") && !strings.HasPrefix(a.Value, "/") {
					t.Errorf("%s: %s asks for %q", name, e.Name.Local, a.Value)
				}
			}
		}
		for _, word := range []string{"@import", "url(http", "//cdn", "fetch(", "XMLHttpRequest", "innerHTML", "eval("} {
			if strings.Contains(page, word) {
				t.Errorf("%s has %q", name, word)
			}
		}
	}
}

// The page of a daemon is served under a policy that forbids all of this.
func TestThePageOfADaemonHasNothingInline(t *testing.T) {
	for name, page := range pages(t) {
		if !strings.HasPrefix(name, "a daemon") && name != "a standby" {
			continue
		}
		for _, e := range elements(t, page) {
			if e.Name.Local == "style" || e.Name.Local == "script" && attribute(e, "src") == "" {
				t.Errorf("%s has an inline %s", name, e.Name.Local)
			}
			for _, a := range e.Attr {
				if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("%s: %s has the attribute %s", name, e.Name.Local, a.Name.Local)
				}
			}
		}
	}
}

func TestAssets(t *testing.T) {
	for _, name := range []string{"report.css", "report.js", "daemon.js"} {
		if text, err := fs.ReadFile(page.Assets(), name); err != nil || len(text) == 0 || strings.Contains(strings.ToLower(string(text)), "</s") {
			t.Errorf("%s: %d bytes, error %v, or it would end its element", name, len(text), err)
		}
	}
	for _, name := range []string{"page.html", "lists.html", ".", "../html.go"} {
		if f, err := page.Assets().Open(name); err == nil {
			t.Errorf("%s is published: %v", name, f)
		}
	}
}

func TestPagesAreDeterministic(t *testing.T) {
	first, again := pages(t), pages(t)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
}

// names are what a list of the page shows, by the section that it is in.
func sectionOf(t *testing.T, page, id string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `<section id="`+id+`"`)
	if !found {
		t.Fatalf("the page has no section %s", id)
	}
	if end := strings.Index(rest, "\n<section id="); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

func TestThePageNamesEverything(t *testing.T) {
	p := carriedOut(world(noLimits))
	page := htmlOf(t, runs.Run{Plan: p})
	steps, held := sectionOf(t, page, "steps"), sectionOf(t, page, "held")
	for _, s := range p.Steps {
		if s.Action == actions.DeleteTag && strings.Count(steps, "<li>"+s.Tag+" ") != 1 {
			t.Errorf("%s is there %d times", s.Tag, strings.Count(steps, "<li>"+s.Tag+" "))
		}
		if s.Digest != "" && !strings.Contains(steps, s.Digest) {
			t.Errorf("the digest of %s is missing", s.Ref)
		}
	}
	if rows := strings.Count(steps, "<li>"); rows != len(p.Steps) {
		t.Errorf("%d rows for %d steps", rows, len(p.Steps))
	}
	if rows := strings.Count(held, "<li>"); rows != len(p.Held) {
		t.Errorf("%d rows for %d held entries", rows, len(p.Held))
	}
	for _, h := range p.Held {
		if !regexp.MustCompile("(?s)<code>" + string(h.Guard) + `</code>[^\n]*\n<p class="words">[A-Z]`).MatchString(held) {
			t.Errorf("the guard %s is not explained", h.Guard)
		}
	}
	if rows := strings.Count(sectionOf(t, page, "violations"), "<li>"); rows != len(p.Violations) {
		t.Errorf("%d rows for %d violations", rows, len(p.Violations))
	}
	outcome := sectionOf(t, page, "outcome")
	for _, r := range p.Outcome.Results {
		if r.Result != actions.ResultDone && (!strings.Contains(outcome, r.Ref) || !strings.Contains(outcome, r.Detail)) {
			t.Errorf("the outcome does not say that %s is %s", r.Ref, r.Result)
		}
	}
	for _, want := range []string{"the lock was lost", "should have been kept is gone", "rg.fr-par.scw.cloud/prod/api:latest"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestPagesShowWhatMatters(t *testing.T) {
	all := pages(t)
	for name, want := range map[string][]string{
		"a full plan":          {"49 tags", "2.5 GB", "€0.07 a month", "€0.027", "403 Forbidden", "1, an error, or the run was incomplete", "<dt>API calls</dt><dd>77</dd>"},
		"a plan from a file":   {"This plan has no sizes: neither a plan file nor the ledger keeps them."},
		"a forecast":           {"<strong>Forecast</strong>", "is never applied"},
		"a refused plan":       {"<strong>Refused</strong>", "<b>max_deletions</b>", "<b>max_deletion_percent</b>", "3, a limit refuses the plan"},
		"an empty plan":        {"Nothing to do", "no rule marks anything"},
		"gaps":                 {"<strong>Incomplete</strong>", "connection refused", "kubernetes prod"},
		"a run without a plan": {"The run failed", "401 Unauthorized"},
		"a daemon":             {"Applying now", "30 of 120 steps (25 %), 1 failed, about 2 min left", "A run is in progress", "unknown key", "still in force", "in 15 h", "9 h ago", "Europe/Paris", "skipped 1 time"},
		"a standby":            {"Standby", "No run yet."},
	} {
		for _, w := range want {
			if !strings.Contains(all[name], w) {
				t.Errorf("%s does not say %q", name, w)
			}
		}
	}
}

func TestADaemonOnlyOffersWhatIsAllowed(t *testing.T) {
	for _, may := range []runs.Daemon{{}, {MayPlan: true}, {MayApply: true}, {MayPlan: true, MayApply: true}} {
		page := daemonOf(t, may, nil)
		if strings.Contains(page, `action="/api/v1/plan"`) != may.MayPlan || strings.Contains(page, `action="/api/v1/apply"`) != may.MayApply {
			t.Errorf("may plan %v, may apply %v: %s", may.MayPlan, may.MayApply, page)
		}
		if may.MayApply && !strings.Contains(page, `name="confirm" required pattern="apply"`) {
			t.Errorf("applying needs no confirmation")
		}
	}
}

// A plan that the operator declined is not an error on the page.
func TestADeclinedRunIsNoErrorOnThePage(t *testing.T) {
	for declined, words := range map[bool]string{true: ">declined<", false: "an error, or the run was incomplete"} {
		page := daemonOf(t, runs.Daemon{Runs: []runs.Summary{{ID: "1", Kind: runs.KindApply, Exit: 1, Declined: declined}}}, nil)
		if got := strings.Contains(page, words); !got || declined && strings.Contains(page, "an error, or") {
			t.Errorf("declined %v: %s", declined, page)
		}
	}
}

// attack is everything that a name, a reason or an error may try.
const attack = `</script></style><script>alert(1)</script><img src=x onerror=alert(1)>" onmouseover="alert(1)' ]]>--> {{.}} ` +
	"\u202e\u2066\x00\x1b[31m\r\n\u2028`${alert(1)}` javascript:alert(1)"

// poison writes the attack into every text of a value.
func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				poison(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			v.SetMapIndex(reflect.ValueOf(attack+k.String()), v.MapIndex(k))
		}
	case reflect.String:
		v.SetString(v.String() + attack)
	}
}

func TestNoNameBecomesMarkup(t *testing.T) {
	run := runs.Run{Plan: carriedOut(world(noLimits)), Kind: "plan", Trigger: "x", Error: "x", Sources: []runs.UseSource{{Name: "a", Error: "b"}}, Price: runs.Price{PerGB: 1, Currency: "X"}}
	run.Plan.Gaps = []registry.Gap{{Subject: "a", Error: "b"}}
	run.Plan.Refusals = []actions.Refusal{{Limit: "a", Detail: "b"}}
	d := leader()
	plain := map[string]string{"the report": htmlOf(t, run), "the daemon": daemonOf(t, d, &run)}
	poison(reflect.ValueOf(&run))
	poison(reflect.ValueOf(&d))
	for name, page := range map[string]string{"the report": htmlOf(t, run), "the daemon": daemonOf(t, d, &run)} {
		if strings.Count(page, "alert(1)") < 100 {
			t.Errorf("%s: the attack is hardly there, which proves nothing", name)
		}
		for _, r := range page {
			if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == '\u2066' || r == '\u2028' || r == '\ufffd' {
				t.Errorf("%s has %q", name, r)
				break
			}
		}
		kinds, scripts := map[string]bool{}, 0
		for _, e := range elements(t, plain[name]) {
			kinds[e.Name.Local] = true
			if e.Name.Local == "script" {
				scripts--
			}
		}
		for _, e := range elements(t, page) {
			if !kinds[e.Name.Local] {
				t.Errorf("%s has the element %s, which is not of the page", name, e.Name.Local)
			}
			if e.Name.Local == "script" {
				scripts++
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") && a.Name.Local != "on" || a.Name.Local == "style" {
					t.Errorf("%s: %s has the attribute %s", name, e.Name.Local, a.Name.Local)
				}
				if a.Name.Local == "href" && strings.Contains(a.Value, "javascript") {
					t.Errorf("%s has a link to %s", name, a.Value)
				}
			}
		}
		if scripts != 0 {
			t.Errorf("%s has %d scripts more than without the attack", name, scripts)
		}
	}
}

func FuzzHTML(f *testing.F) {
	f.Add("api", "pr-1", "older than 14d")
	f.Add(attack, attack, attack)
	f.Add("a\"b", "<!--", "&amp;\xff")
	f.Fuzz(func(t *testing.T, image, name, why string) {
		d := newDraft(noLimits)
		v := d.image("fr-par", "prod", image)
		tag(v, name, "a", 20*day, registry.Reason{Rule: "retention/" + why, Text: why})
		page := htmlOf(t, runs.Run{Plan: d.plan(), Error: why})
		if scripts := strings.Count(strings.ToLower(page), "<script"); scripts != 1 {
			t.Errorf("it has %d scripts", scripts)
		}
		if len(elements(t, page)) == 0 {
			t.Error("it has no elements")
		}
	})
}

func TestALargePage(t *testing.T) {
	d := newDraft(noLimits)
	for i := range 40 {
		v := d.image("fr-par", fmt.Sprintf("team-%d", i%5), fmt.Sprintf("service-%d", i))
		tag(v, "latest", "l", time.Hour)
		for j := range 500 {
			tag(v, fmt.Sprintf("pr-%d", j), fmt.Sprintf("%064x", i*1000+j), time.Duration(15+j)*day, pulls)
		}
	}
	p := carriedOut(d.plan())
	if len(p.Steps) != 20_000 {
		t.Fatalf("%d steps", len(p.Steps))
	}
	if n := len(htmlOf(t, runs.Run{Plan: p})); n > 8e6 {
		t.Errorf("20,000 steps take %s", text.Size(uint64(n)))
	} else {
		t.Logf("20,000 steps take %s", text.Size(uint64(n)))
	}
}

func TestFailedWriteOfAPageIsAnError(t *testing.T) {
	full := errors.New("disk full")
	if err := Write(failing{full}, FormatHTML, runs.Run{Plan: world(noLimits)}, TextOptions{}); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	if err := page.Daemon(failing{full}, runs.Overview{Daemon: leader()}, "/"); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

func junitOf(t *testing.T, run runs.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, FormatJUnit, run, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJUnit(t *testing.T) {
	noLimit := plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1}
	for name, run := range map[string]runs.Run{
		"world.xml":   {Plan: world(noLimit), Kind: "plan", Duration: 3214 * time.Millisecond},
		"applied.xml": {Plan: applied(noLimit), Kind: "apply", Started: scanTime.Add(time.Minute)},
		"refused.xml": {Plan: world(plan.Options{MaxDeletions: 10, MaxDeletionPercent: 33.3}), Kind: "plan"},
		"gaps.xml":    {Plan: withGaps(noLimit), Kind: "plan"},
		"empty.xml":   {Plan: newDraft(noLimit).plan(), Kind: "plan"},
		"hostile.xml": {Plan: hostile(noLimit), Kind: "plan"},
		"failed.xml":  {Kind: "plan", Error: "listing namespaces: 401 Unauthorized"},
	} {
		text := junitOf(t, run)
		golden(t, name, text)
		checkSuites(t, text)
	}
}

// What turns a job red is what the exit codes 1, 2 (for violations) and 3 are for.
func TestAReportIsRedIfThereIsSomethingToLookAt(t *testing.T) {
	noLimit := plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1}
	deletions := newDraft(noLimit)
	v := deletions.image("fr-par", "prod", "api")
	tag(v, "latest", "new", 2*time.Hour)
	tag(v, "pr-1", "one", 40*day, pulls)
	tag(v, "exp-1", "two", 40*day, trial)
	broken := newDraft(noLimit)
	v = broken.image("fr-par", "prod", "api")
	tag(v, "latest", "new", 2*time.Hour)
	tag(v, "pr-1", "one", 40*day, pulls)
	v.Err = errors.New("eval_conflict_error")
	for name, c := range map[string]struct {
		run runs.Run
		red int
	}{
		"nothing to do":             {runs.Run{Plan: newDraft(noLimit).plan()}, 0},
		"steps and held entries":    {runs.Run{Plan: deletions.plan()}, 0},
		"a policy that failed":      {runs.Run{Plan: broken.plan()}, 1},
		"one deny and two warnings": {runs.Run{Plan: world(noLimit)}, 1},
		"two gaps":                  {runs.Run{Plan: withGaps(noLimit)}, 2},
		"no plan":                   {runs.Run{Error: "401"}, 1},
		"an error beside a plan":    {runs.Run{Plan: deletions.plan(), Error: "recording the run: disk full"}, 1},
		// A deny, a failed and a skipped step, a lost tag, and that it was stopped.
		"an outcome": {runs.Run{Plan: applied(noLimit)}, 5},
	} {
		var root parsedSuites
		if err := xml.Unmarshal([]byte(junitOf(t, c.run)), &root); err != nil {
			t.Fatal(err)
		}
		if got := root.Failures + root.Errors; got != c.red {
			t.Errorf("%s: %d failures and errors, want %d", name, got, c.red)
		}
	}
}

func TestJUnitReportsAFailedWrite(t *testing.T) {
	full := errors.New("disk full")
	if err := Write(failing{full}, FormatJUnit, runs.Run{Plan: world(plan.Options{})}, TextOptions{}); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

type parsedSuites struct {
	XMLName                          xml.Name      `xml:"testsuites"`
	Tests, Failures, Errors, Skipped int           `xml:",attr"`
	Suites                           []parsedSuite `xml:"testsuite"`
}

func (p *parsedSuites) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	for _, a := range start.Attr {
		n, _ := strconv.Atoi(a.Value)
		switch a.Name.Local {
		case "tests":
			p.Tests = n
		case "failures":
			p.Failures = n
		case "errors":
			p.Errors = n
		case "skipped":
			p.Skipped = n
		}
	}
	var inner struct {
		Suites []parsedSuite `xml:"testsuite"`
	}
	if err := d.DecodeElement(&inner, &start); err != nil {
		return err
	}
	p.Suites = inner.Suites
	return nil
}

type parsedSuite struct {
	Name     string `xml:"name,attr"`
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Cases    []struct {
		Name    string     `xml:"name,attr"`
		Class   string     `xml:"classname,attr"`
		Failure []struct{} `xml:"failure"`
		Error   []struct{} `xml:"error"`
		Skipped []struct{} `xml:"skipped"`
	} `xml:"testcase"`
}

// schema is the common schema as far as it matters here: which elements are in
// which, and which attributes they may and must have.
var schema = map[string]struct {
	in    []string
	attrs []string
	must  []string
	text  bool
}{
	"testsuites": {in: []string{""}, attrs: []string{"name", "tests", "failures", "errors", "skipped", "time"}, must: []string{"tests", "failures", "errors"}},
	"testsuite":  {in: []string{"testsuites"}, attrs: []string{"name", "tests", "failures", "errors", "skipped", "time", "timestamp"}, must: []string{"name", "tests", "failures", "errors"}},
	"testcase":   {in: []string{"testsuite"}, attrs: []string{"name", "classname", "file", "line", "time"}, must: []string{"name", "classname"}},
	"failure":    {in: []string{"testcase"}, attrs: []string{"message", "type"}, must: []string{"message", "type"}, text: true},
	"error":      {in: []string{"testcase"}, attrs: []string{"message", "type"}, must: []string{"message", "type"}, text: true},
	"skipped":    {in: []string{"testcase"}, attrs: []string{"message"}, must: []string{"message"}},
	"system-out": {in: []string{"testcase"}, text: true},
}

var stamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`)

// checkSuites reports what is wrong with a report: its shape, its counts, and tests
// that a reader would take for one.
func checkSuites(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = true
	var open []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("no XML: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			checkElement(t, token, slices.Concat([]string{""}, open))
			open = append(open, token.Name.Local)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			inside := ""
			if len(open) > 0 {
				inside = open[len(open)-1]
			}
			if len(bytes.TrimSpace(token)) > 0 && !schema[inside].text {
				t.Errorf("text in <%s>: %q", inside, token)
			}
		}
	}
	checkCounts(t, text)
}

func checkElement(t *testing.T, e xml.StartElement, open []string) {
	t.Helper()
	rule, ok := schema[e.Name.Local]
	if !ok || !slices.Contains(rule.in, open[len(open)-1]) {
		t.Errorf("<%s> in <%s>", e.Name.Local, open[len(open)-1])
	}
	given := map[string]string{}
	for _, a := range e.Attr {
		given[a.Name.Local] = a.Value
		if !slices.Contains(rule.attrs, a.Name.Local) {
			t.Errorf("<%s> has the attribute %s", e.Name.Local, a.Name.Local)
		}
	}
	for _, must := range rule.must {
		if _, ok := given[must]; !ok {
			t.Errorf("<%s> lacks the attribute %s", e.Name.Local, must)
		}
	}
	if at, ok := given["timestamp"]; ok && !stamp.MatchString(at) {
		t.Errorf("timestamp %q", at)
	}
	for _, number := range []string{"time", "line"} {
		if s, ok := given[number]; ok {
			if _, err := strconv.ParseFloat(s, 64); err != nil {
				t.Errorf("%s %q", number, s)
			}
		}
	}
}

func checkCounts(t *testing.T, text string) {
	t.Helper()
	var root parsedSuites
	if err := xml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatal(err)
	}
	var tests, failures, failed, skipped int
	seen := map[string]bool{}
	for _, s := range root.Suites {
		var f, e, k int
		for _, c := range s.Cases {
			f, e, k = f+len(c.Failure), e+len(c.Error), k+len(c.Skipped)
			if len(c.Failure)+len(c.Error)+len(c.Skipped) > 1 {
				t.Errorf("%s has more than one result", c.Name)
			}
			key := c.Class + "\x00" + c.Name
			if seen[key] {
				t.Errorf("two tests of %s are named %s", c.Class, c.Name)
			}
			seen[key] = true
		}
		if s.Tests != len(s.Cases) || s.Failures != f || s.Errors != e || s.Skipped != k {
			t.Errorf("%s counts %d tests, %d failures, %d errors, %d skipped; it has %d, %d, %d, %d", s.Name, s.Tests, s.Failures, s.Errors, s.Skipped, len(s.Cases), f, e, k)
		}
		tests, failures, failed, skipped = tests+s.Tests, failures+f, failed+e, skipped+k
	}
	if root.Tests != tests || root.Failures != failures || root.Errors != failed || root.Skipped != skipped || tests == 0 {
		t.Errorf("the root counts %d, %d, %d, %d; the suites %d, %d, %d, %d", root.Tests, root.Failures, root.Errors, root.Skipped, tests, failures, failed, skipped)
	}
}

func TestEveryStepHeldEntryViolationAndGapIsATest(t *testing.T) {
	p := world(plan.Options{MaxDeletions: -1, MaxDeletionPercent: -1})
	text := junitOf(t, runs.Run{Plan: p})
	// And three for the run itself: it finished, is within its limits, and complete.
	want := len(p.Steps) + len(p.Held) + len(p.Violations) + len(p.Gaps) + 3
	if got := strings.Count(text, "<testcase "); got != want {
		t.Errorf("%d tests, want %d", got, want)
	}
}

func FuzzJUnit(f *testing.F) {
	f.Add(int64(1), "plain", "a\x00b")
	f.Add(int64(2), "]]>", "<!-- \" ' -->")
	f.Add(int64(3), "\x1b[2J\xff\ufffe", "policies/a.rego:12")
	f.Fuzz(func(t *testing.T, seed int64, a, b string) {
		random := rand.New(rand.NewSource(seed))
		text := func() string { return []string{a, b, a + b, ""}[random.Intn(4)] }
		checkSuites(t, junitOf(t, runs.Run{Plan: anyPlan(random, text, 30), Error: text(), Kind: runs.Kind(text())}))
	})
}

package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// JUnit writes the run as the JUnit XML that GitLab, Jenkins and others show as
// test results. It is red exactly where the run has something to look at:
//
//   - a step is a test that passes; in a plan that was applied it is an error if it
//     failed, a failure if it was not tried, and skipped if it was not needed or not
//     safe any more
//   - a held entry is skipped, with its guard as the message; one that is held
//     because a policy failed is a failure
//   - a violation is a failure if its severity is deny, and skipped if it is warn:
//     a warning turns no job red, and a test that passes is not looked at
//   - gaps, exceeded limits and the end of a run that did not get through are
//     failures and errors
//
// The tests of a namespace are one suite. The class of a test is
// "region.namespace.image", which GitLab shows as its suite and Jenkins as package
// and class; its name has the whole reference, since GitLab takes tests of the same
// class and name for one.
func JUnit(w io.Writer, run runs.Run) error {
	root := newJUnit(run).root()
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(root); err != nil {
		return fmt.Errorf("encoding JUnit XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// The elements, in the order and with the attributes that the common schema
// (junit-10.xsd of Jenkins' xUnit plugin) has.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Time   string        `xml:"time,attr,omitempty"`
		Suites []*junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Time      string      `xml:"time,attr,omitempty"`
		Timestamp string      `xml:"timestamp,attr,omitempty"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCounts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		Class     string        `xml:"classname,attr"`
		File      string        `xml:"file,attr,omitempty"`
		Line      string        `xml:"line,attr,omitempty"`
		Time      string        `xml:"time,attr,omitempty"`
		Skipped   *junitSkipped `xml:"skipped"`
		Error     *junitProblem `xml:"error"`
		Failure   *junitProblem `xml:"failure"`
		SystemOut string        `xml:"system-out,omitempty"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit gathers the tests of a run.
type junit struct {
	run    runs.Run
	plan   *actions.Plan
	suites map[string]*junitSuite
	names  map[[2]string]int // how often a class has a name
}

func newJUnit(run runs.Run) *junit {
	return &junit{run: run, plan: run.Plan, suites: map[string]*junitSuite{}, names: map[[2]string]int{}}
}

// ownSuite has the tests of the run as a whole; it comes first.
const ownSuite = "run"

func (j *junit) root() *junitSuites {
	j.pass()
	if j.plan != nil {
		j.limits()
		j.gaps()
		j.steps()
		j.held()
		j.violations()
	}
	root := &junitSuites{Name: strings.TrimSpace("registry-janitor " + clean(string(j.run.Kind))), Time: j.seconds()}
	for _, key := range slices.SortedFunc(maps.Keys(j.suites), func(a, b string) int {
		return cmp.Or(compareBools(b == ownSuite, a == ownSuite), cmp.Compare(a, b))
	}) {
		suite := j.suites[key]
		root.Tests += suite.Tests
		root.Failures += suite.Failures
		root.Errors += suite.Errors
		root.Skipped += suite.Skipped
		root.Suites = append(root.Suites, suite)
	}
	return root
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// seconds is how long the run took; "" where nobody measured it.
func (j *junit) seconds() string {
	if j.run.Duration <= 0 {
		return ""
	}
	return strconv.FormatFloat(j.run.Duration.Seconds(), 'f', 3, 64)
}

// timestamp is when the run began, without a zone, as the schema has it.
func (j *junit) timestamp() string {
	at := j.run.Started
	if at.IsZero() && j.plan != nil {
		at = j.plan.TakenAt
	}
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05")
}

// add puts a test into a suite. Two of the same class and name are numbered.
func (j *junit) add(suite string, c junitCase) {
	c.Name, c.Class = clean(c.Name), clean(c.Class)
	key := [2]string{c.Class, c.Name}
	j.names[key]++
	for n := j.names[key]; n > 1; n = j.names[key] {
		key[1] = c.Name + " (" + strconv.Itoa(n) + ")"
		j.names[key]++
	}
	c.Name = key[1]
	s := j.suites[suite]
	if s == nil {
		s = &junitSuite{Name: clean(suite), Timestamp: j.timestamp()}
		if suite == ownSuite {
			s.Time = j.seconds()
		}
		j.suites[suite] = s
	}
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// problem words a failure; what is said in full stands in the text too, which is
// what GitLab shows.
func problem(kind, message string, more ...string) *junitProblem {
	lines := []string{clean(message)}
	for _, m := range more {
		lines = append(lines, clean(m))
	}
	return &junitProblem{Message: clean(message), Type: clean(kind), Text: strings.Join(lines, "\n")}
}

// pass says whether the run got through, so that a run without a finding is a
// test too: an empty report is an error to Jenkins.
func (j *junit) pass() {
	c := junitCase{Name: "the run got through", Class: "registry-janitor.run"}
	switch {
	case j.run.Error != "":
		c.Error = problem("error", j.run.Error)
	case j.plan == nil:
		c.Error = problem("error", "the run ended before there was a plan")
	case j.plan.Outcome != nil && j.plan.Outcome.Stopped != "":
		c.Error = problem("stopped", j.plan.Outcome.Stopped)
	}
	j.add(ownSuite, c)
	if j.plan == nil || j.plan.Outcome == nil {
		return
	}
	for _, ref := range j.plan.Outcome.Lost {
		j.add(ownSuite, junitCase{Name: "kept " + ref, Class: classOf(ref),
			Error: problem("lost", "a tag that should have stayed is gone: the API deletes more than it is asked to", "set shared_digest: protect")})
	}
}

func (j *junit) limits() {
	const class = "registry-janitor.limits"
	if !j.plan.Refused() {
		j.add(ownSuite, junitCase{Name: "the plan is within its limits", Class: class})
	}
	for _, r := range j.plan.Refusals {
		j.add(ownSuite, junitCase{Name: "limits." + r.Limit, Class: class, Failure: problem("refused", r.Detail, "nothing of the plan may be applied")})
	}
}

func (j *junit) gaps() {
	const class = "registry-janitor.gaps"
	if len(j.plan.Gaps) == 0 {
		j.add(ownSuite, junitCase{Name: "everything could be read and judged", Class: class})
	}
	for _, g := range j.plan.Gaps {
		j.add(ownSuite, junitCase{Name: "read " + g.Subject, Class: class, Failure: problem("gap", g.Error, "what it could have vetoed is held")})
	}
}

func (j *junit) steps() {
	outcome := j.plan.Outcome
	for i, s := range j.plan.Steps {
		c := junitCase{Name: string(s.Action) + " " + s.Ref, Class: classOf(s.Ref), SystemOut: reasonText(s.Reasons)}
		c.File, c.Line = sourceOf(s.Reasons)
		if outcome != nil && i < len(outcome.Results) {
			c.result(outcome.Results[i])
		}
		j.add(suiteOf(s.Ref), c)
	}
}

// result makes a test of what became of a step.
func (c *junitCase) result(r actions.StepResult) {
	message := cmp.Or(r.Detail, string(r.Result))
	switch r.Result {
	case actions.ResultDone:
	case actions.ResultGone, actions.ResultChanged, actions.ResultBlocked:
		c.Skipped = &junitSkipped{clean(string(r.Result) + ": " + message)}
	case actions.ResultSkipped:
		c.Failure = problem(string(r.Result), message)
	default:
		c.Error = problem(string(r.Result), message)
	}
}

func (j *junit) held() {
	for _, h := range j.plan.Held {
		c := junitCase{Name: "held: " + string(h.Action) + " " + h.Ref, Class: classOf(h.Ref), SystemOut: reasonText(h.Reasons)}
		c.File, c.Line = sourceOf(h.Reasons)
		if h.Guard == actions.GuardPolicyError {
			c.Failure = problem(string(h.Guard), h.Detail)
		} else {
			c.Skipped = &junitSkipped{clean("held by " + string(h.Guard) + ": " + h.Detail)}
		}
		j.add(suiteOf(h.Ref), c)
	}
}

func (j *junit) violations() {
	for _, v := range j.plan.Violations {
		c := junitCase{Name: v.Rule + " " + v.Ref, Class: classOf(v.Ref)}
		reason := actions.Reason{Rule: v.Rule, Text: v.Text, Source: v.Source, CustomSeverity: v.CustomSeverity}
		c.File, c.Line = sourceOf([]actions.Reason{reason})
		if v.Severity == registry.Warn {
			c.Skipped = &junitSkipped{clean("warn: " + v.Text)}
			c.SystemOut = reasonText([]actions.Reason{reason})
		} else {
			c.Failure = problem(string(v.Severity), v.Text, v.Rule+place(v.Source, v.CustomSeverity))
		}
		j.add(suiteOf(v.Ref), c)
	}
}

func reasonText(reasons []actions.Reason) string {
	lines := make([]string, len(reasons))
	for i, r := range reasons {
		lines[i] = clean(r.Rule + ": " + r.Text + place(r.Source, r.CustomSeverity))
	}
	return strings.Join(lines, "\n")
}

// sourceOf is the file and the line of the first rule of the operator's own.
func sourceOf(reasons []actions.Reason) (file, line string) {
	for _, r := range reasons {
		if r.Source == "" {
			continue
		}
		at := strings.LastIndexByte(r.Source, ':')
		if at < 0 {
			return clean(r.Source), ""
		}
		if n, err := strconv.Atoi(r.Source[at+1:]); err == nil && n > 0 {
			return clean(r.Source[:at]), strconv.Itoa(n)
		}
		return clean(r.Source), ""
	}
	return "", ""
}

// suiteOf is the namespace of a reference; what is no reference is its own.
func suiteOf(ref string) string {
	r, err := registry.ParseRef(ref)
	if err != nil {
		return ref
	}
	return registry.Ref{Region: r.Region, Namespace: r.Namespace}.String()
}

// classOf is the class of the tests about a reference. Dots part a class, so that
// those of a name become underscores.
func classOf(ref string) string {
	r, err := registry.ParseRef(ref)
	if err != nil {
		return "registry-janitor." + strings.ReplaceAll(ref, ".", "_")
	}
	class := string(r.Region) + "." + strings.ReplaceAll(r.Namespace, ".", "_")
	if r.Image != "" {
		class += "." + strings.ReplaceAll(r.Image, ".", "_")
	}
	return class
}

package machine

import (
	"cmp"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/junit"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// JUnit writes the run as the JUnit XML that GitLab, Jenkins and others show
// as test results. It fails exactly if the run needs attention:
//
//   - a step is a test that passes; in a plan that was applied it is an error if it
//     failed, a failure if it was not tried, and skipped if it was no longer needed
//     or no longer safe
//   - a held entry is skipped, with its guard as the message; one that is held
//     because a policy failed is a failure
//   - a violation is a failure if its severity is deny, and skipped if it is warn: a
//     warning must not turn a job red, but would not be seen in a test that passes
//   - gaps, exceeded limits and a run that did not finish are failures and errors
//
// The tests of a namespace are one suite. The class of a test is
// "region.namespace.image", which GitLab shows as its suite and Jenkins as package
// and class; its name has the whole reference, since GitLab takes tests of the same
// class and name for one.
func JUnit(w io.Writer, run runs.Run) error {
	j := &junitRun{run: run, plan: run.Plan, suites: map[string]*junit.Suite{}, names: map[[2]string]int{}}
	return j.report().Write(w)
}

// junitRun gathers the tests of a run.
type junitRun struct {
	run    runs.Run
	plan   *actions.Plan
	suites map[string]*junit.Suite
	names  map[[2]string]int // how often a class has a name
}

// ownSuite has the tests of the run as a whole; it comes first.
const ownSuite = "run"

func (j *junitRun) report() *junit.Suites {
	j.itself()
	if j.plan != nil {
		j.limits()
		j.gaps()
		j.steps()
		j.held()
		j.violations()
	}
	root := &junit.Suites{Name: strings.TrimSpace("registry-janitor " + string(j.run.Kind)), Time: j.seconds()}
	for _, name := range slices.Sorted(maps.Keys(j.suites)) {
		if name != ownSuite {
			root.Suites = append(root.Suites, j.suites[name])
		}
	}
	root.Suites = slices.Insert(root.Suites, 0, j.suites[ownSuite])
	return root
}

// seconds is how long the run took; "" if it was not measured.
func (j *junitRun) seconds() string {
	if j.run.Duration <= 0 {
		return ""
	}
	return strconv.FormatFloat(j.run.Duration.Seconds(), 'f', 3, 64)
}

// timestamp is when the run began, without a zone, as the schema has it.
func (j *junitRun) timestamp() string {
	at := j.run.Began()
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05")
}

// add puts a test into a suite. Two of the same class and name are numbered.
func (j *junitRun) add(suite string, c junit.Case) {
	key := [2]string{c.Class, c.Name}
	j.names[key]++
	for n := j.names[key]; n > 1; n = j.names[key] {
		key[1] = c.Name + " (" + strconv.Itoa(n) + ")"
		j.names[key]++
	}
	c.Name = key[1]
	s := j.suites[suite]
	if s == nil {
		s = &junit.Suite{Name: suite, Timestamp: j.timestamp()}
		if suite == ownSuite {
			s.Time = j.seconds()
		}
		j.suites[suite] = s
	}
	s.Add(c)
}

// problem is a failure. Its text has the message too: GitLab shows only the text.
func problem(kind, message string, more ...string) *junit.Problem {
	return &junit.Problem{Message: message, Type: cmp.Or(kind, "unknown"), Text: strings.Join(append([]string{message}, more...), "\n")}
}

// itself is the run as a test, so that a run without a finding has one: an empty
// report is an error to Jenkins.
func (j *junitRun) itself() {
	c := junit.Case{Name: "the run finished", Class: "registry-janitor.run"}
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
		j.add(ownSuite, junit.Case{Name: "kept " + ref, Class: classOf(ref),
			Error: problem("lost", "a tag that should have been kept is gone: the API deletes more than the request names", "set shared_digest: protect")})
	}
}

func (j *junitRun) limits() {
	const class = "registry-janitor.limits"
	if !j.plan.Refused() {
		j.add(ownSuite, junit.Case{Name: "the plan is within its limits", Class: class})
	}
	for _, r := range j.plan.Refusals {
		j.add(ownSuite, junit.Case{Name: "limits." + r.Limit, Class: class, Failure: problem("refused", r.Detail, "no step of the plan may be applied")})
	}
}

func (j *junitRun) gaps() {
	const class = "registry-janitor.gaps"
	if len(j.plan.Gaps) == 0 {
		j.add(ownSuite, junit.Case{Name: "everything could be read and judged", Class: class})
	}
	for _, g := range j.plan.Gaps {
		j.add(ownSuite, junit.Case{Name: "read " + g.Subject, Class: class, Failure: problem("gap", g.Error, "deletions that it might have prevented are on hold")})
	}
}

func (j *junitRun) steps() {
	outcome := j.plan.Outcome
	for i, s := range j.plan.Steps {
		c := junit.Case{Name: string(s.Action) + " " + s.Ref, Class: classOf(s.Ref), SystemOut: outline.Each(s.Reasons, "\n", outline.Line)}
		c.File, c.Line = sourceOf(s.Reasons)
		if outcome != nil && i < len(outcome.Results) {
			setResult(&c, outcome.Results[i])
		}
		j.add(suiteOf(s.Ref), c)
	}
}

// setResult makes the result of a step the result of its test.
func setResult(c *junit.Case, r actions.StepResult) {
	message := cmp.Or(r.Detail, string(r.Result))
	switch r.Result {
	case actions.ResultDone:
	case actions.ResultGone, actions.ResultChanged, actions.ResultBlocked:
		c.Skipped = &junit.Skipped{Message: string(r.Result) + ": " + message}
	case actions.ResultSkipped:
		c.Failure = problem(string(r.Result), message)
	default:
		c.Error = problem(string(r.Result), message)
	}
}

func (j *junitRun) held() {
	for _, h := range j.plan.Held {
		c := junit.Case{Name: "held: " + string(h.Action) + " " + h.Ref, Class: classOf(h.Ref), SystemOut: outline.Each(h.Reasons, "\n", outline.Line)}
		c.File, c.Line = sourceOf(h.Reasons)
		if h.Guard == actions.GuardPolicyError {
			c.Failure = problem(string(h.Guard), h.Detail)
		} else {
			c.Skipped = &junit.Skipped{Message: "held by " + string(h.Guard) + ": " + h.Detail}
		}
		j.add(suiteOf(h.Ref), c)
	}
}

func (j *junitRun) violations() {
	for _, v := range j.plan.Violations {
		c := junit.Case{Name: v.Rule + " " + v.Ref, Class: classOf(v.Ref)}
		c.File, c.Line = sourceOf([]registry.Reason{v.Reason})
		if v.Severity == registry.Warn || v.Severity == registry.Waived {
			c.Skipped = &junit.Skipped{Message: string(v.Severity) + ": " + v.Text}
			c.SystemOut = outline.Line(v.Reason)
		} else {
			c.Failure = problem(string(v.Severity), v.Text, outline.Rule(v.Reason))
		}
		j.add(suiteOf(v.Ref), c)
	}
}

// sourceOf is the file and the line of the first rule of the operator's own.
func sourceOf(reasons []registry.Reason) (file, line string) {
	for _, r := range reasons {
		if r.Source == "" {
			continue
		}
		at := strings.LastIndexByte(r.Source, ':')
		if n, err := strconv.Atoi(r.Source[at+1:]); at >= 0 && err == nil && n > 0 {
			return r.Source[:at], strconv.Itoa(n)
		}
		return r.Source, ""
	}
	return "", ""
}

// suiteOf is the namespace of a reference; what is not a reference is its own.
func suiteOf(ref string) string {
	r, err := registry.ParseRef(ref)
	if err != nil {
		return ref
	}
	return r.WithoutImage().String()
}

// classOf is the class of the tests about a reference. Dots separate the parts of a
// class, so that those of a name become underscores.
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

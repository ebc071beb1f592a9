package report

import (
	"fmt"
	"io"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
)

// Run is one finished pass, and what was applied of its plan.
type Run struct {
	// ID names it among those of its ledger, or of its daemon; "" where neither is.
	ID string
	// Plan is nil where the run failed before there was one; Error says why.
	Plan *actions.Plan
	// Kind is what the run was for: "plan" or "apply".
	Kind string
	// Trigger is what started it: the name of a schedule, "start", "http", or
	// "command" for a run that somebody started by hand.
	Trigger string
	// Started is when it began; zero where nobody looked.
	Started time.Time
	// Duration is how long the pass took; 0 where nobody measured it.
	Duration time.Duration
	// Judging is the time that policies took, summed over all that judged at once; 0
	// where nobody measured it.
	Judging time.Duration
	// Calls is how many API calls the pass made; 0 where nobody counted them.
	Calls int64
	// Exit is the exit code that a command would have ended with.
	Exit int
	// Error is why the run ended before it was done; "" if it did not.
	Error string
	// Sources are those that were asked what is in use.
	Sources []UseSource
	// Price is what storage costs.
	Price Price
}

// Succeeded says whether the run was complete: without an error, gaps, policy
// errors, refusals, failed and skipped steps.
func (r *Run) Succeeded() bool {
	p := r.Plan
	return r.Error == "" && p != nil && !p.Incomplete() && !p.Refused() && (p.Outcome == nil || !p.Outcome.Incomplete())
}

// Forecast says whether the run was for another time than now.
func (r *Run) Forecast() bool { return r.Plan != nil && r.Plan.Forecast }

// Summary is what the history shows of it.
func (r *Run) Summary() RunSummary {
	s := RunSummary{ID: r.ID, Kind: r.Kind, Trigger: r.Trigger, Started: r.Started, Duration: r.Duration, Exit: r.Exit, Error: r.Error}
	p := r.Plan
	if p == nil {
		return s
	}
	s.Tags, s.Steps, s.Held, s.Violations, s.Gaps = p.Summary.Tags, len(p.Steps), len(p.Held), len(p.Violations), len(p.Gaps)
	if p.Stats != nil {
		s.Bytes = p.Stats.Bytes
	}
	if p.Outcome != nil {
		s.Done, s.Failed, s.Skipped = p.Outcome.Done, p.Outcome.Failed, p.Outcome.Skipped
	}
	return s
}

// UseSource is one source that was asked what is in use.
type UseSource struct {
	Name   string    // as reasons name it: "kubernetes prod-eu"
	Uses   int       // that it named
	ReadAt time.Time // when it answered last; zero if it did not
	Error  string    // why it could not be asked; "" if it could
}

// Price is what a month of storage costs.
type Price struct {
	// PerGB is for 10⁹ bytes of private images and a month; public ones are free.
	PerGB float64
	// Currency is its ISO 4217 code.
	Currency string
}

// Format is a way to render a run.
type Format string

// The formats.
const (
	FormatText Format = "text"
	FormatJSON Format = "json"
	// FormatMarkdown is GitHub's and GitLab's Markdown.
	FormatMarkdown Format = "markdown"
	// FormatJUnit is JUnit's XML, as GitLab and Jenkins read it.
	FormatJUnit Format = "junit"
	// FormatHTML is one self-contained page for a browser.
	FormatHTML Format = "html"
)

// Formats lists the formats that Write knows.
func Formats() []Format {
	return []Format{FormatText, FormatJSON, FormatMarkdown, FormatJUnit, FormatHTML}
}

// Write renders the run in a format. The options matter to the text alone.
func Write(w io.Writer, f Format, run Run, o TextOptions) error {
	switch f {
	case FormatText:
		return Text(w, run, o)
	case FormatJSON:
		return JSON(w, run)
	case FormatMarkdown:
		return Markdown(w, run)
	case FormatJUnit:
		return JUnit(w, run)
	case FormatHTML:
		return HTML(w, run)
	default:
		return fmt.Errorf("unknown format %q: want one of %q", f, Formats())
	}
}

// JSON writes the plan as actions.Plan.Encode does.
func JSON(w io.Writer, run Run) error { return run.Plan.Encode(w) }

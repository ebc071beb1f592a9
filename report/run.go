package report

import (
	"fmt"
	"io"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
)

// Run is one finished pass.
type Run struct {
	Plan *actions.Plan
	// Duration is how long the pass took; 0 where nobody measured it.
	Duration time.Duration
	// Calls is how many API calls the pass made; 0 where nobody counted them.
	Calls int64
}

// Format is a way to render a run.
type Format string

// The formats.
const (
	FormatText Format = "text"
	FormatJSON Format = "json"
)

// Formats lists the formats that Write knows.
func Formats() []Format { return []Format{FormatText, FormatJSON} }

// Write renders the run in a format. The options matter to the text alone.
func Write(w io.Writer, f Format, run Run, o TextOptions) error {
	switch f {
	case FormatText:
		return Text(w, run, o)
	case FormatJSON:
		return JSON(w, run)
	default:
		return fmt.Errorf("unknown format %q: want one of %q", f, Formats())
	}
}

// JSON writes the plan as actions.Plan.Encode does.
func JSON(w io.Writer, run Run) error { return run.Plan.Encode(w) }

package report

import (
	"fmt"
	"io"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

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

// ContentType is what HTTP calls the format.
func (f Format) ContentType() string {
	switch f {
	case FormatJSON:
		return "application/json"
	case FormatMarkdown:
		return "text/markdown; charset=utf-8"
	case FormatJUnit:
		return "application/xml"
	case FormatHTML:
		return "text/html; charset=utf-8"
	default:
		return "text/plain; charset=utf-8"
	}
}

// Write renders the run in a format. The options matter to the text alone.
func Write(w io.Writer, f Format, run runs.Run, o TextOptions) error {
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
func JSON(w io.Writer, run runs.Run) error { return run.Plan.Encode(w) }

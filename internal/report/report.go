package report

import (
	"cmp"
	"fmt"
	"io"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/report/page"
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
	// FormatCSV has a row for each step and each held entry, for spreadsheets.
	FormatCSV Format = "csv"
	// FormatGitHub is workflow commands, which GitHub Actions shows as annotations.
	FormatGitHub Format = "github"
	// FormatSARIF is SARIF 2.1.0 of the violations, for code scanning.
	FormatSARIF Format = "sarif"
)

// Formats lists the formats of Write.
func Formats() []Format {
	return []Format{FormatText, FormatJSON, FormatMarkdown, FormatJUnit, FormatHTML, FormatCSV, FormatGitHub, FormatSARIF}
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
	case FormatCSV:
		return "text/csv; charset=utf-8"
	case FormatSARIF:
		return "application/sarif+json"
	default:
		return "text/plain; charset=utf-8"
	}
}

// planOf is the plan of a run; one of a run that failed before it had one is empty.
func planOf(run runs.Run) *actions.Plan { return cmp.Or(run.Plan, &actions.Plan{}) }

// Write renders the run in a format. The options only matter to the text. JSON is
// the plan itself, as actions.Plan.Encode writes it.
func Write(w io.Writer, f Format, run runs.Run, o TextOptions) error {
	switch f {
	case FormatText:
		return writeText(w, outline.Clean(run), o)
	case FormatJSON:
		return run.Plan.Encode(w)
	case FormatMarkdown:
		return writeMarkdown(w, outline.Clean(run))
	case FormatJUnit:
		return writeJUnit(w, outline.Clean(run))
	case FormatHTML:
		return page.Run(w, run)
	case FormatCSV:
		return writeCSV(w, planOf(outline.Clean(run)))
	case FormatGitHub:
		return writeGitHub(w, outline.Clean(run))
	case FormatSARIF:
		return writeSARIF(w, outline.Clean(run))
	default:
		return fmt.Errorf("unknown format %q: want one of %q", f, Formats())
	}
}

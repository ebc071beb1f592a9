package report

import (
	"cmp"
	"fmt"
	"io"

	"github.com/registry-janitor/registry-janitor/internal/report/machine"
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
	return cmp.Or(map[Format]string{
		FormatJSON:     "application/json",
		FormatMarkdown: "text/markdown; charset=utf-8",
		FormatJUnit:    "application/xml",
		FormatHTML:     "text/html; charset=utf-8",
		FormatCSV:      "text/csv; charset=utf-8",
		FormatSARIF:    "application/sarif+json",
	}[f], "text/plain; charset=utf-8")
}

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
		return machine.JUnit(w, outline.Clean(run))
	case FormatHTML:
		return page.Run(w, run, o.Again)
	case FormatCSV:
		return machine.CSV(w, outline.Clean(run))
	case FormatGitHub:
		run = outline.Clean(run)
		return machine.GitHub(w, run, describeTotals(run))
	case FormatSARIF:
		return machine.SARIF(w, outline.Clean(run))
	default:
		return fmt.Errorf("unknown format %q: want one of %q", f, Formats())
	}
}

// describeTotals are the totals of a run in words: what it planned, and did.
func describeTotals(run runs.Run) string {
	switch p := run.Plan; {
	case p == nil:
		return ""
	case p.Outcome == nil || len(p.Outcome.Results) == 0:
		return summaryOf(p)
	default:
		return summaryOf(p) + ". " + appliedOf(p.Outcome, run.Zone)
	}
}

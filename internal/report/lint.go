package report

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// WriteLint renders the findings as text or JSON.
func WriteLint(w io.Writer, f Format, l *runs.Lint, o TextOptions) error {
	switch f {
	case FormatText:
		return lintText(w, outline.Clean(l), o)
	case FormatJSON:
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Version int `json:"version"`
			*runs.Lint
		}{1, l})
	default:
		return fmt.Errorf("unknown format %q: want one of %q", f, []Format{FormatText, FormatJSON})
	}
}

func lintText(w io.Writer, l *runs.Lint, o TextOptions) error {
	p := newPrinter(w, o)
	for _, f := range l.Findings {
		p.line(0, p.in(bold, f.Rule), ": ", p.in(yellow, string(f.Kind)))
		p.line(2, f.Message)
		for _, ref := range f.Examples {
			p.line(4, ref)
		}
		p.line(2, p.in(dim, "→ "+f.Remedy))
		p.line(0)
	}
	if len(l.Gaps) > 0 {
		p.line(0, p.in(loud, "INCOMPLETE"), ": ", text.Count(len(l.Gaps), "thing"), " could not be read or judged, and the rules may match what is there")
		for _, g := range l.Gaps {
			p.line(2, p.in(red, g.Subject), ": ", g.Error)
		}
		p.line(0)
	}
	what := "No findings"
	if n := len(l.Findings); n > 0 {
		what = text.Count(n, "finding")
	}
	p.line(0, p.in(bold, what), " for ", text.Count(l.Rules, "rule"), " on ", text.Count(l.Images, "image"), " with ", text.Count(l.Tags, "tag"), ", ", outline.Moment(l.TakenAt))
	return p.w.Flush()
}

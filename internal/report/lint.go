package report

import (
	"encoding/json"
	"fmt"
	"io"
	"text/template"

	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
)

// WriteLint renders the findings as text or JSON.
func WriteLint(w io.Writer, f Format, l *runs.Lint, o TextOptions) error {
	switch f {
	case FormatText:
		return o.write(w, "lint.txt", outline.Clean(l), template.FuncMap{"findings": findingsOf, "moment": momentIn(l.Zone)})
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

func findingsOf(l *runs.Lint) string {
	if len(l.Findings) == 0 {
		return "No findings"
	}
	return text.Count(len(l.Findings), "finding")
}

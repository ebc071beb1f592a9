package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
)

// Lint is what looks wrong with a policy set, held against what there is.
type Lint struct {
	TakenAt  time.Time     `json:"taken_at"`
	Images   int           `json:"images"`
	Tags     int           `json:"tags"`
	Rules    int           `json:"rules"`    // of the configuration
	Findings []LintFinding `json:"findings"` // sorted by rule, then kind
	Gaps     []actions.Gap `json:"gaps"`     // with one, a rule may match what was not seen
}

// LintFinding is one of them.
type LintFinding struct {
	Kind LintKind `json:"kind"`
	// Rule is the rule as reasons name it, or several of them, joined by " + ",
	// that do it together.
	Rule     string   `json:"rule"`
	Message  string   `json:"message"`
	Remedy   string   `json:"remedy"`
	Tags     int      `json:"tags"`
	Images   int      `json:"images"`
	Examples []string `json:"examples"` // references, a few
}

// LintKind says what is wrong.
type LintKind string

// The kinds.
const (
	LintMatchesNothing LintKind = "matches_nothing"
	LintShadowed       LintKind = "shadowed"
	LintEmptiesImage   LintKind = "empties_image"
	LintHitsReleases   LintKind = "hits_releases"
)

// WriteLint renders the findings as text or JSON.
func WriteLint(w io.Writer, f Format, l *Lint, o TextOptions) error {
	switch f {
	case FormatText:
		return lintText(w, l, o)
	case FormatJSON:
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Version int `json:"version"`
			*Lint
		}{1, l})
	default:
		return fmt.Errorf("unknown format %q: want one of %q", f, []Format{FormatText, FormatJSON})
	}
}

func lintText(w io.Writer, l *Lint, o TextOptions) error {
	p := newPrinter(w, o)
	for _, f := range l.Findings {
		p.line(0, p.in(bold, clean(f.Rule)), ": ", p.in(yellow, string(f.Kind)))
		p.line(2, clean(f.Message))
		for _, ref := range f.Examples {
			p.line(4, clean(ref))
		}
		p.line(2, p.in(dim, "→ "+clean(f.Remedy)))
		p.line(0)
	}
	if len(l.Gaps) > 0 {
		p.line(0, p.in(loud, "INCOMPLETE"), ": ", actions.Count(len(l.Gaps), "thing"), " could not be read or judged; a rule may match what was not seen")
		for _, g := range l.Gaps {
			p.line(2, p.in(red, clean(g.Subject)), ": ", clean(g.Error))
		}
		p.line(0)
	}
	seen := " on " + actions.Count(l.Images, "image") + " with " + actions.Count(l.Tags, "tag") + ", " + moment(l.TakenAt)
	if len(l.Findings) == 0 {
		p.line(0, p.in(bold, "No finding"), " about ", actions.Count(l.Rules, "rule"), seen)
	} else {
		p.line(0, p.in(bold, actions.Count(len(l.Findings), "finding")), " about ", actions.Count(l.Rules, "rule"), seen)
	}
	return p.w.Flush()
}

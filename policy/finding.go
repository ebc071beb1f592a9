package policy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// FindingSeverity says whether a finding keeps a policy set from being used.
type FindingSeverity string

const (
	// Problem is a finding with which no plan is made.
	Problem FindingSeverity = "error"
	// Doubt is a finding worth a look.
	Doubt FindingSeverity = "warning"
)

// Finding is something wrong or doubtful in a policy, in the form that editors
// read. It is an error too.
type Finding struct {
	File     string          `json:"file"` // "" where a finding has no place
	Line     int             `json:"line"` // from 1
	Col      int             `json:"col"`  // from 1
	Severity FindingSeverity `json:"severity"`
	// Code names the kind of finding, such as "unknown-field".
	Code    string `json:"code"`
	Package string `json:"package"` // as written: janitor.image.previews
	Rule    string `json:"rule"`    // "" outside of rules
	Message string `json:"message"` // may have several lines
	Hint    string `json:"hint"`    // the remedy; "" where the message says it
}

// Error implements error: file, line, package, rule, message and remedy.
func (f *Finding) Error() string {
	if f.File == "" {
		return f.text()
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.text())
}

// String is the finding as compilers write it, with column, severity and code.
func (f *Finding) String() string {
	text := fmt.Sprintf("%s: %s [%s]", f.Severity, f.text(), f.Code)
	if f.File == "" {
		return text
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Col, text)
}

func (f *Finding) text() string {
	var b strings.Builder
	if f.Package != "" {
		b.WriteString("package " + f.Package)
		if f.Rule != "" {
			b.WriteString(", rule " + f.Rule)
		}
		b.WriteString(": ")
	}
	b.WriteString(f.Message)
	switch {
	case f.Hint != "" && strings.Contains(f.Message, "\n"):
		b.WriteString("\n\thint: " + f.Hint)
	case f.Hint != "":
		b.WriteString(" (" + f.Hint + ")")
	}
	return b.String()
}

// found words a finding in a rule of a module.
func found(m module, at *ast.Location, rule string, severity FindingSeverity, code, format string, args ...any) *Finding {
	f := &Finding{File: m.file, Severity: severity, Code: code, Rule: rule, Message: fmt.Sprintf(format, args...)}
	if m.parsed != nil {
		f.Package = strings.TrimPrefix(m.parsed.Package.Path.String(), "data.")
	}
	if at != nil {
		f.Line, f.Col = at.Row, at.Col
	}
	return f
}

// but adds the remedy.
func (f *Finding) but(format string, args ...any) *Finding {
	f.Hint = fmt.Sprintf(format, args...)
	return f
}

// tidyFindings sorts findings by place and drops repetitions: a module may be
// compiled for both subjects.
func tidyFindings(findings []*Finding) []*Finding {
	slices.SortStableFunc(findings, func(a, b *Finding) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(findings, func(a, b *Finding) bool { return *a == *b })
}

// problemsOf are the findings with which no plan is made, as one error.
func problemsOf(findings []*Finding) error {
	var errs []error
	for _, f := range findings {
		if f.Severity == Problem {
			errs = append(errs, f)
		}
	}
	return errors.Join(errs...)
}

// nearest finds among names the one that a misspelt word most likely means, and
// "" if none is near.
func nearest(word string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if strings.EqualFold(word, name) {
			return name
		}
		if d := distance(strings.ToLower(word), name); d < least && d*3 <= len(name)+1 {
			best, least = name, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that make one word of another.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

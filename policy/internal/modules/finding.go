package modules

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// FindingSeverity is whether a policy set with the finding can be used.
type FindingSeverity string

const (
	// Problem is a finding that prevents every plan.
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

// Error implements error: file, line, column, package, rule, message and remedy.
func (f *Finding) Error() string {
	if f.File == "" {
		return f.words()
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Col, f.words())
}

// String is the finding as compilers write it, with column, severity and code.
func (f *Finding) String() string {
	text := fmt.Sprintf("%s: %s [%s]", f.Severity, f.words(), f.Code)
	if f.File == "" {
		return text
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Col, text)
}

func (f *Finding) words() string {
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

// Finding words a finding in a rule of the module.
func (m *Module) Finding(at *ast.Location, rule string, severity FindingSeverity, code, format string, args ...any) *Finding {
	f := &Finding{File: m.File, Severity: severity, Code: code, Rule: rule, Message: fmt.Sprintf(format, args...)}
	if m.Parsed != nil {
		f.Package = strings.TrimPrefix(m.Parsed.Package.Path.String(), "data.")
	}
	if at != nil {
		f.Line, f.Col = at.Row, at.Col
	}
	return f
}

// WithHint adds the remedy.
func (f *Finding) WithHint(format string, args ...any) *Finding {
	f.Hint = fmt.Sprintf(format, args...)
	return f
}

// Tidy sorts findings by place and drops repetitions: a module may be
// compiled for both subjects.
func Tidy(findings []*Finding) []*Finding {
	slices.SortStableFunc(findings, func(a, b *Finding) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(findings, func(a, b *Finding) bool { return *a == *b })
}

// Problems are the findings with which no plan is made, as one error.
func Problems(findings []*Finding) error {
	var errs []error
	for _, f := range findings {
		if f.Severity == Problem {
			errs = append(errs, f)
		}
	}
	return errors.Join(errs...)
}

// Brief is a value in a message, cut where it is long.
func Brief(value *ast.Term) string { return text.Clip(value.String(), 200) }

// Quoted lists words for a message.
func Quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strconv.Quote(w)
	}
	return strings.Join(out, ", ")
}

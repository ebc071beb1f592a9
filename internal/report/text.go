package report

import (
	"bufio"
	"embed"
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/tabwriter"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// TextOptions set how the text looks, never its content.
type TextOptions struct {
	// Color paints with ANSI escapes. The caller finds out whether it is wanted.
	Color text.Color
	// Width is that of the terminal in columns; 0 means 100.
	Width int
}

// templates are the texts for a terminal, each with one document. In each of them,
// what is on one line of the template is on one line of the text.
//
//go:embed templates
var templates embed.FS

// write fills one of the templates with a document. It has the functions that all
// templates share, and those of its own document.
func (o TextOptions) write(w io.Writer, name string, document any, own template.FuncMap) error {
	b := bufio.NewWriter(w)
	if err := o.execute(b, name, document, own); err != nil {
		return err
	}
	return b.Flush()
}

// execute is write without a buffer.
func (o TextOptions) execute(w io.Writer, name string, document any, own template.FuncMap) error {
	t, err := template.New(name).Funcs(o.functions()).Funcs(own).ParseFS(templates, "templates/"+name)
	if err != nil {
		return err
	}
	return t.Execute(w, document)
}

func (o TextOptions) functions() template.FuncMap {
	return template.FuncMap{
		"bold":   o.Color.Bold,
		"dim":    o.Color.Dim,
		"red":    o.Color.Red,
		"green":  o.Color.Green,
		"yellow": o.Color.Yellow,
		"cyan":   o.Color.Cyan,
		"loud":   o.Color.Loud,
		"severity": func(s registry.Severity) string {
			if s == registry.Deny {
				return o.Color.Red(string(s))
			}
			return o.Color.Yellow(string(s))
		},
		"count":  text.Count,
		"rule":   outline.Rule,
		"rules":  outline.RulesOf,
		"reason": reasonLine,
	}
}

// momentIn words the times of a document in its time zone.
func momentIn(zone *time.Location) func(time.Time) string {
	return func(at time.Time) string { return text.Moment(at, zone) }
}

func reasonLine(r registry.Reason) string {
	return r.Rule + ": " + r.Text + outline.Place(r)
}

// cell is a name and a word about it.
type cell struct{ name, note string }

// columns lays cells out in as many columns as fit, row by row.
func columns[T any](o TextOptions, indent string, entries []T, cellOf func(T) cell) string {
	const gap = 3
	cells := make([]cell, len(entries))
	names, notes := 0, 0
	for i, e := range entries {
		cells[i] = cellOf(e)
		names, notes = max(names, utf8.RuneCountInString(cells[i].name)), max(notes, utf8.RuneCountInString(cells[i].note))
	}
	width := names
	if notes > 0 {
		width += 1 + notes
	}
	screen := o.Width
	if screen <= 0 {
		screen = 100
	}
	perRow := max(1, (screen-len(indent)+gap)/(width+gap))
	var b strings.Builder
	for i, c := range cells {
		switch {
		case i == 0:
			b.WriteString(indent)
		case i%perRow == 0:
			b.WriteString("\n" + indent)
		default:
			b.WriteString(strings.Repeat(" ", gap))
		}
		b.WriteString(c.name)
		pad := names - utf8.RuneCountInString(c.name)
		last := i == len(cells)-1 || i%perRow == perRow-1
		if notes > 0 {
			b.WriteString(strings.Repeat(" ", pad+1+notes-utf8.RuneCountInString(c.note)) + o.Color.Dim(c.note))
		} else if !last {
			b.WriteString(strings.Repeat(" ", pad))
		}
	}
	return b.String()
}

// rows writes one line for each entry, with all columns but the last aligned.
func rows[T any](indent string, entries []T, rowOf func(T) []string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, e := range entries {
		fmt.Fprintln(w, indent+strings.Join(rowOf(e), "\t"))
	}
	_ = w.Flush() // a Builder never fails
	return trailing.ReplaceAllString(strings.TrimRight(b.String(), " \n"), "")
}

// trailing are the blanks after a row whose last column is empty.
var trailing = regexp.MustCompile(`(?m) +$`)

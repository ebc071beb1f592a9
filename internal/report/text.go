package report

import (
	"bufio"
	"embed"
	"io"
	"text/template"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/report/outline"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// TextOptions set how the text looks, and how long it may be.
type TextOptions struct {
	// Color paints with ANSI escapes. The caller finds out whether it is wanted.
	Color text.Color
	// Width is the width of the terminal in columns; 0 means 100.
	Width int
	// Details is how much the text of a plan shows.
	Details Details
	// Price is what storage costs, in a comparison; zero is that of the provider.
	Price runs.Price
	// Again returns a command with the same configuration, for the page; nil names none.
	Again func(args ...string) string
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
		"bold":     o.Color.Bold,
		"dim":      o.Color.Dim,
		"red":      o.Color.Red,
		"green":    o.Color.Green,
		"yellow":   o.Color.Yellow,
		"cyan":     o.Color.Cyan,
		"loud":     o.Color.Loud,
		"severity": o.severity,
		"count":    text.Count,
		"rule":     outline.Rule,
		"rules":    outline.RulesOf,
		"reason":   outline.Line,
		"wrap":     o.wrap,
	}
}

func (o TextOptions) severity(s registry.Severity) string {
	switch s {
	case registry.Deny:
		return o.Color.Red(string(s))
	case registry.Waived:
		return o.Color.Dim(string(s))
	}
	return o.Color.Yellow(string(s))
}

// momentIn words the times of a document in its time zone.
func momentIn(zone *time.Location) func(time.Time) string {
	return func(at time.Time) string { return text.Moment(at, zone) }
}

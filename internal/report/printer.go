package report

import (
	"bufio"
	"io"
	"strings"
	"unicode/utf8"
)

// TextOptions say how the text looks, never what it says.
type TextOptions struct {
	// Color paints with ANSI escapes. The caller knows whether the output is a
	// terminal, and whether NO_COLOR is set.
	Color bool
	// Width is that of the terminal in columns; 0 means 100.
	Width int
}

// paint is an ANSI style.
type paint string

const (
	bold   paint = "1"
	dim    paint = "2"
	red    paint = "31"
	yellow paint = "33"
	cyan   paint = "36"
	loud   paint = "1;31"
)

// printer writes text; its writer remembers the first error.
type printer struct {
	w     *bufio.Writer
	color bool
	width int
}

func newPrinter(w io.Writer, o TextOptions) *printer {
	p := &printer{w: bufio.NewWriter(w), color: o.Color, width: o.Width}
	if p.width <= 0 {
		p.width = 100
	}
	return p
}

// line writes one line from pieces.
func (p *printer) line(indent int, pieces ...string) {
	p.pad(indent)
	for _, s := range pieces {
		_, _ = p.w.WriteString(s)
	}
	_ = p.w.WriteByte('\n')
}

func (p *printer) pad(n int) {
	for range n {
		_ = p.w.WriteByte(' ')
	}
}

// in paints text.
func (p *printer) in(style paint, s string) string {
	if !p.color || s == "" {
		return s
	}
	return "\x1b[" + string(style) + "m" + s + "\x1b[0m"
}

// cell is a name and a word about it.
type cell struct{ name, note string }

// columns lays cells out in as many columns as fit, row by row.
func (p *printer) columns(indent int, cells []cell) {
	const gap = 3
	names, notes := 0, 0
	for _, c := range cells {
		names, notes = max(names, utf8.RuneCountInString(c.name)), max(notes, utf8.RuneCountInString(c.note))
	}
	width := names
	if notes > 0 {
		width += 1 + notes
	}
	perRow := max(1, (p.width-indent+gap)/(width+gap))
	for start := 0; start < len(cells); start += perRow {
		row := cells[start:min(start+perRow, len(cells))]
		p.pad(indent)
		for i, c := range row {
			_, _ = p.w.WriteString(c.name)
			last := i == len(row)-1
			if notes > 0 {
				p.pad(names - utf8.RuneCountInString(c.name) + 1 + notes - utf8.RuneCountInString(c.note))
				_, _ = p.w.WriteString(p.in(dim, c.note))
			} else if !last {
				p.pad(names - utf8.RuneCountInString(c.name))
			}
			if !last {
				p.pad(gap)
			}
		}
		_ = p.w.WriteByte('\n')
	}
}

// rows writes one line for each row, with all columns but the last aligned.
func (p *printer) rows(indent int, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, s := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(s))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, s := range row {
			b.WriteString(s)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(s)+2))
			}
		}
		p.line(indent, strings.TrimRight(b.String(), " "))
	}
}

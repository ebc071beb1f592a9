package report

import (
	"slices"
	"strings"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// screen is the width of a line.
func (o TextOptions) screen() int {
	if o.Width <= 0 {
		return 100
	}
	return o.Width
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
		names, notes = max(names, text.Width(cells[i].name)), max(notes, text.Width(cells[i].note))
	}
	width := names
	if notes > 0 {
		width += 1 + notes
	}
	perRow := max(1, (o.screen()-len(indent)+gap)/(width+gap))
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
		pad := names - text.Width(c.name)
		last := i == len(cells)-1 || i%perRow == perRow-1
		if notes > 0 {
			b.WriteString(strings.Repeat(" ", pad+1+notes-text.Width(c.note)) + o.Color.Dim(c.note))
		} else if !last {
			b.WriteString(strings.Repeat(" ", pad))
		}
	}
	return b.String()
}

// listed writes an entry a line: its first words in aligned columns, and then a text
// that is wrapped beside them.
func listed[T any](o TextOptions, indent string, entries []T, entryOf func(T) (first []string, words string)) string {
	first, words := make([][]string, len(entries)), make([]string, len(entries))
	for i, e := range entries {
		first[i], words[i] = entryOf(e)
	}
	var lines []string
	for i, head := range aligned(first, func(int) bool { return false }) {
		head = indent + head + "  "
		hang := text.Width(head)
		if hang > o.screen()/2 {
			hang = len(indent) + 4
		}
		lines = append(lines, o.hanging(head, hang, words[i]))
	}
	return strings.Join(lines, "\n")
}

// wrap breaks a text between words, and indents the lines after the first one more.
func (o TextOptions) wrap(indent, more int, s string) string {
	return o.hanging(strings.Repeat(" ", indent), indent+more, s)
}

// hanging writes a text after its head, and its other lines below a column.
func (o TextOptions) hanging(head string, column int, s string) string {
	lines := text.Wrap(s, o.screen()-text.Width(head), o.screen()-column)
	return strings.TrimRight(head+strings.Join(lines, "\n"+strings.Repeat(" ", column)), " ")
}

// table writes rows below a head. Columns that are empty in every row are left out,
// and all but the first, which has names, are aligned at their end.
func (o TextOptions) table(indent string, head []string, rows [][]string) string {
	var columns []int
	for i := range head {
		if slices.ContainsFunc(rows, func(r []string) bool { return r[i] != "" }) {
			columns = append(columns, i)
		}
	}
	all := make([][]string, 0, 1+len(rows))
	for _, r := range append([][]string{head}, rows...) {
		row := make([]string, len(columns))
		for i, column := range columns {
			row[i] = r[column]
		}
		all = append(all, row)
	}
	lines := aligned(all, func(column int) bool { return column > 0 })
	for i, line := range lines {
		lines[i] = indent + strings.TrimRight(line, " ")
	}
	lines[0] = o.Color.Dim(lines[0])
	return strings.Join(lines, "\n")
}

// short writes a line for each object of a section, below its title.
func (o TextOptions) short(title string, rows [][]string) string {
	out := "\n\n" + o.Color.Bold(title)
	for _, line := range aligned(rows, func(int) bool { return false }) {
		out += "\n  " + strings.TrimRight(line, " ")
	}
	return out
}

// moreImages counts those that did not fit; "" if all did.
func moreImages(left int) string {
	if left == 0 {
		return ""
	}
	return "\n\n… and " + text.Count(left, "more image")
}

// aligned puts the cells of rows below each other, two blanks apart.
func aligned(rows [][]string, atEnd func(column int) bool) []string {
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], text.Width(c))
		}
	}
	lines := make([]string, len(rows))
	for n, r := range rows {
		cells := make([]string, len(r))
		for i, c := range r {
			blanks := strings.Repeat(" ", widths[i]-text.Width(c))
			if atEnd(i) {
				cells[i] = blanks + c
			} else {
				cells[i] = c + blanks
			}
		}
		lines[n] = strings.Join(cells, "  ")
	}
	return lines
}

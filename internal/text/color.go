package text

// Color paints words with ANSI escapes. False, the zero value, leaves them as they
// are, so that a paint must never be all that carries a meaning.
type Color bool

// Bold is for headings and names.
func (c Color) Bold(s string) string { return c.paint("1", s) }

// Dim is for what few readers need.
func (c Color) Dim(s string) string { return c.paint("2", s) }

// Red is for deletions and failures.
func (c Color) Red(s string) string { return c.paint("31", s) }

// Green is for what is in order.
func (c Color) Green(s string) string { return c.paint("32", s) }

// Yellow is for warnings, and for what is held.
func (c Color) Yellow(s string) string { return c.paint("33", s) }

// Cyan is for changes that delete nothing.
func (c Color) Cyan(s string) string { return c.paint("36", s) }

// Loud is for what must not be missed.
func (c Color) Loud(s string) string { return c.paint("1;31", s) }

func (c Color) paint(style, s string) string {
	if !c || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

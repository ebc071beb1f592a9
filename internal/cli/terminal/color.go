package terminal

import (
	"errors"
	"os"
	"regexp"

	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/policy/author"
)

// colors are the words of --color.
type colors string

const (
	colorAuto   colors = "auto"
	colorAlways colors = "always"
	colorNever  colors = "never"
)

// ColorOn is how to paint on a stream. In the order of precedence: --color, NO_COLOR,
// FORCE_COLOR and CLICOLOR_FORCE, CLICOLOR=0, and whether the stream is a terminal.
func (t *Terminal) ColorOn(stream any) text.Color {
	switch t.color {
	case colorAlways:
		return true
	case colorNever:
		return false
	}
	switch force := os.Getenv("FORCE_COLOR"); {
	case os.Getenv("NO_COLOR") != "", off(force):
		return false
	case force != "", os.Getenv("CLICOLOR_FORCE") != "" && !off(os.Getenv("CLICOLOR_FORCE")):
		return true
	}
	return text.Color(IsTerminal(stream) && os.Getenv("TERM") != "dumb" && !off(os.Getenv("CLICOLOR")))
}

func off(value string) bool { return value == "0" || value == "false" }

// BoldPlaces marks the places in files.
func BoldPlaces(lines string, c text.Color) string {
	return place.ReplaceAllStringFunc(lines, c.Bold)
}

// place is a file with its line at the beginning of a line.
var place = regexp.MustCompile(`(?m)^[^\s:][^:\n]*:\d+(:\d+)?:`)

// Failed is an error as the program prints it, with the places in files marked. One that
// begins with its place begins with nothing else, so that editors and CI find the place.
func (t *Terminal) Failed(err error) string {
	c := t.ColorOn(t.Stderr)
	words := BoldPlaces(err.Error(), c)
	if hasPlace(err) {
		return words
	}
	return c.Loud("registry-janitor:") + " " + words
}

// hasPlace reports whether the text of an error begins with file, line and column.
func hasPlace(err error) bool {
	var problems config.Problems
	var finding *author.Finding
	return errors.As(err, &problems) || errors.As(err, &finding) && finding.File != ""
}

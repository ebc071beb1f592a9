package main

import (
	"os"
	"regexp"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// colors are the words of --color.
type colors string

const (
	colorAuto   colors = "auto"
	colorAlways colors = "always"
	colorNever  colors = "never"
)

// colorOn is how to paint on a stream. In the order of precedence: --color, NO_COLOR,
// FORCE_COLOR and CLICOLOR_FORCE, CLICOLOR=0, and whether the stream is a terminal.
func (a *app) colorOn(stream any) text.Color {
	switch a.color {
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
	return text.Color(isTerminal(stream) && os.Getenv("TERM") != "dumb" && !off(os.Getenv("CLICOLOR")))
}

func off(value string) bool { return value == "0" || value == "false" }

// failed is an error as the program prints it, with the places in files marked. One that
// begins with its place begins with nothing else, so that editors and CI find the place.
func (a *app) failed(err error) string {
	c := a.colorOn(a.stderr)
	text := place.ReplaceAllStringFunc(err.Error(), c.Bold)
	if hasPlace(err) {
		return text
	}
	return c.Loud("registry-janitor:") + " " + text
}

// place is a file with its line at the beginning of a line.
var place = regexp.MustCompile(`(?m)^[^\s:][^:\n]*:\d+(:\d+)?:`)

package main

import (
	"encoding/json"
	"log/slog"
	"os"

	"golang.org/x/term"

	"github.com/registry-janitor/registry-janitor/internal/report"
)

// openLog makes the log that the flags ask for, on standard error.
func (a *app) openLog() error {
	var o slog.HandlerOptions
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.logLevel)); err != nil {
		return err
	}
	o.Level = level
	if a.logFormat == "json" {
		a.log = slog.New(slog.NewJSONHandler(a.stderr, &o))
	} else {
		a.log = slog.New(slog.NewTextHandler(a.stderr, &o))
	}
	return nil
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// textOptions fit text to standard output.
func (a *app) textOptions() report.TextOptions {
	o := report.TextOptions{Color: a.colorOn(a.stdout)}
	if f, ok := a.stdout.(*os.File); ok && isTerminal(f) {
		o.Width, _, _ = term.GetSize(int(f.Fd())) // 0 if it is not known
	}
	return o
}

// printJSON writes indented JSON to standard output.
func (a *app) printJSON(v any) error {
	encoder := json.NewEncoder(a.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

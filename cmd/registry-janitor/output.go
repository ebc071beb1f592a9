package main

import (
	"encoding/json"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/registry-janitor/registry-janitor/internal/report"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// openLog makes the log that the flags ask for, on standard error.
func (a *app) openLog() error {
	var o slog.HandlerOptions
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.logLevel)); err != nil {
		return err
	}
	o.Level = level
	w := a.stderr
	if a.line = lineOf(a.stderr); a.line != nil {
		w = a.line
	}
	if a.logFormat == "json" {
		a.log = slog.New(slog.NewJSONHandler(w, &o))
	} else {
		a.log = slog.New(slog.NewTextHandler(w, &o))
	}
	return nil
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// textOptions fit text to where reports go.
func (a *app) textOptions() report.TextOptions {
	o := report.TextOptions{Color: a.colorOn(a.reports())}
	if f, ok := a.reports().(*os.File); ok && isTerminal(f) {
		o.Width, _, _ = term.GetSize(int(f.Fd())) // 0 if it is not known
	}
	return o
}

// reportFlags are how a run is printed.
type reportFlags struct {
	format  report.Format
	details report.Details
}

func (f *reportFlags) add(cmd *cobra.Command, usage string) {
	enumFlag(cmd, cmd.Flags(), &f.format, "format", report.FormatText, usage, report.Formats()...)
	enumFlag(cmd, cmd.Flags(), &f.details, "details", report.DetailsAuto, "how much the text shows; auto shortens what is longer than about 300 lines",
		report.DetailsAuto, report.DetailsAll, report.DetailsNone)
}

// render prints a run to standard output.
func (a *app) render(run runs.Run, f reportFlags) error {
	return a.printReport(f, func(w io.Writer, o report.TextOptions) error { return report.Write(w, f.format, run, o) })
}

// printReport writes to where reports go; a text that is longer than a terminal is
// paged.
func (a *app) printReport(f reportFlags, write func(io.Writer, report.TextOptions) error) error {
	o := a.textOptions()
	o.Details = f.details
	if f.format != report.FormatText || a.stdoutOf != "" {
		return write(a.reports(), o)
	}
	return a.paged(func(w io.Writer) error { return write(w, o) })
}

// printJSON writes indented JSON to standard output.
func (a *app) printJSON(v any) error {
	encoder := json.NewEncoder(a.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

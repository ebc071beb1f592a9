// Package terminal is what a command reads from, prints to and ends with: the standard
// streams, "-" as the name of a file, the log, colors, the pager, the progress of long
// work, and the exit code. It must never choose what a command prints, or ask twice.
package terminal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/registry-janitor/registry-janitor/internal/cli/syntax"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/progress"
	"github.com/registry-janitor/registry-janitor/internal/report"
)

// Terminal is the streams of a command, whether or not they are a terminal.
type Terminal struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Log            *slog.Logger // set by OpenLog

	logFormat, logLevel string
	color               colors
	line                *progress.Line // of standard error; nil if that is not a terminal
	// stdinOf and stdoutOf are what has taken standard input and output; "" for nothing.
	stdinOf, stdoutOf string
}

// AddFlags adds the flags of all commands.
func (t *Terminal) AddFlags(root *cobra.Command) {
	flags := root.PersistentFlags()
	syntax.Enum(root, flags, &t.logFormat, "log-format", "text", "format of the log on standard error", "text", "json")
	syntax.Enum(root, flags, &t.logLevel, "log-level", "info", "log this level and above", "debug", "info", "warn", "error")
	syntax.Enum(root, flags, &t.color, "color", colorAuto, "paint text for people", colorAuto, colorAlways, colorNever)
}

// OpenLog makes the log that the flags ask for, on standard error.
func (t *Terminal) OpenLog() error {
	var o slog.HandlerOptions
	var level slog.Level
	if err := level.UnmarshalText([]byte(t.logLevel)); err != nil {
		return err
	}
	o.Level = level
	w := t.Stderr
	if t.line = lineOf(t.Stderr); t.line != nil {
		w = t.line
	}
	if t.logFormat == "json" {
		t.Log = slog.New(slog.NewJSONHandler(w, &o))
	} else {
		t.Log = slog.New(slog.NewTextHandler(w, &o))
	}
	return nil
}

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Confirmed asks a person to type yes.
func (t *Terminal) Confirmed(question string) bool {
	fmt.Fprintf(t.Stderr, "%s Type yes to continue: ", question)
	answer, err := bufio.NewReader(t.Stdin).ReadString('\n')
	return err == nil && strings.TrimSpace(answer) == "yes"
}

// TextOptions fit text to where reports go.
func (t *Terminal) TextOptions() report.TextOptions {
	o := report.TextOptions{Color: t.ColorOn(t.Reports())}
	if f, ok := t.Reports().(*os.File); ok && IsTerminal(f) {
		o.Width, _, _ = term.GetSize(int(f.Fd())) // 0 if it is not known
	}
	return o
}

// PrintText writes text to where reports go; one that is longer than a terminal is paged.
func (t *Terminal) PrintText(write func(io.Writer) error) error {
	if t.stdoutOf != "" {
		return write(t.Stderr)
	}
	return t.paged(write)
}

// PrintJSON writes indented JSON to standard output.
func (t *Terminal) PrintJSON(v any) error {
	encoder := json.NewEncoder(t.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// Next says on standard error what to do next. It belongs to the text for people, so
// the other formats do without it.
func (t *Terminal) Next(format report.Format, lines ...string) {
	if format != report.FormatText {
		return
	}
	for i, line := range lines {
		if i == 0 {
			fmt.Fprintln(t.Stderr)
		}
		fmt.Fprintln(t.Stderr, line)
	}
}

// Exit ends the program with an exit code. It has no message where the output has
// already said why.
type Exit struct {
	Code int
	Err  error
}

func (e *Exit) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap returns the message.
func (e *Exit) Unwrap() error { return e.Err }

// ExitCode prints why a command failed, and returns what the program exits with.
func (t *Terminal) ExitCode(err error) int {
	code := janitor.ExitIncomplete
	var status *Exit
	switch {
	case err == nil:
		return janitor.ExitDone
	case errors.As(err, &status):
		code, err = status.Code, status.Err
	}
	if err != nil {
		fmt.Fprintln(t.Stderr, t.Failed(err))
	}
	return code
}

// ShowProgress shows how far a run or a restoration is until stop is called: on the terminal, or else
// in the log.
func (t *Terminal) ShowProgress(p progress.Source) (stop func()) {
	r := &progress.Reporter{Figures: p.Now, Now: clock.Now}
	if t.line == nil {
		return r.Log(t.Log)
	}
	return r.Show(t.line)
}

// lineOf is the last line of a terminal; nil if the stream is not a terminal, or can only print.
func lineOf(stream any) *progress.Line {
	f, ok := stream.(*os.File)
	if !ok || !IsTerminal(f) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return progress.NewLine(f, func() int {
		columns, _, _ := term.GetSize(int(f.Fd()))
		return columns
	})
}

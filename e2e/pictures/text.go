package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/creack/pty"
)

// The picture shows this many lines of the beginning of the report, and its end from
// the violations on.
const firstLines = 24

// textPage is the beginning and the end of the demo's text report, as a terminal
// shows it.
func textPage(ctx context.Context, program, dir string) (string, error) {
	text, err := onTerminal(exec.CommandContext(ctx, program, "demo"))
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	end := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, "Violations") })
	if end > firstLines {
		lines = slices.Concat(lines[:firstLines], []string{"    …", ""}, lines[end:])
	}
	body := painted("\x1b[2m$\x1b[0m \x1b[1mregistry-janitor demo\x1b[0m\n" + strings.Join(lines, "\n"))
	file := filepath.Join(dir, "text.html")
	return file, os.WriteFile(file, []byte(terminal+body+"</pre>"), 0o644)
}

// onTerminal runs a command with a terminal as its standard output.
func onTerminal(cmd *exec.Cmd) (string, error) {
	terminal, stdout, err := pty.Open()
	if err != nil {
		return "", fmt.Errorf("opening a terminal: %w", err)
	}
	defer terminal.Close()
	if err := pty.Setsize(terminal, &pty.Winsize{Rows: 60, Cols: 140}); err != nil {
		return "", fmt.Errorf("sizing the terminal: %w", err)
	}
	cmd.Stdout = stdout
	if err := cmd.Start(); err != nil {
		return "", err
	}
	_ = stdout.Close() // the command has its own copy
	var text bytes.Buffer
	// Linux reports the end of a terminal's output as an error.
	if _, err := io.Copy(&text, terminal); err != nil && !errors.Is(err, syscall.EIO) {
		return "", fmt.Errorf("reading the terminal: %w", err)
	}
	if err := cmd.Wait(); err != nil {
		return "", fmt.Errorf("running the demo: %w", err)
	}
	return strings.ReplaceAll(text.String(), "\r\n", "\n"), nil
}

var escape = regexp.MustCompile("\x1b\\[([0-9;]*)m")

// painted turns the escape sequences of colors into spans.
func painted(text string) string {
	return escape.ReplaceAllStringFunc(html.EscapeString(text), func(s string) string {
		codes := escape.FindStringSubmatch(s)[1]
		if codes == "0" || codes == "" {
			return "</span>"
		}
		return `<span class="c` + strings.ReplaceAll(codes, ";", " c") + `">`
	})
}

const terminal = `<!doctype html><meta charset="utf-8"><title>registry-janitor demo</title><style>
html { background: #15171a; }
body { margin: 0; padding: 28px 34px; }
pre { margin: 0; width: 140ch; white-space: pre-wrap; word-break: break-all; font: 14.5px/1.5 "JetBrains Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; color: #d9d6cf; font-variant-ligatures: none; }
.c1 { font-weight: 700; color: #f4f1ea; } .c2 { color: #8d9097; } .c31 { color: #ff8675; } .c33 { color: #e6b75b; } .c36 { color: #7cc4d8; }
</style><pre>`

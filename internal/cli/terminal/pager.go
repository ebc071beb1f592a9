package terminal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// paged prints text for people. If standard output is a terminal with fewer lines than
// the text has, the text goes through the pager, as in git.
func (t *Terminal) paged(write func(io.Writer) error) error {
	pager := pagerOf(os.LookupEnv)
	terminal, ok := t.Stdout.(*os.File)
	if !ok || !IsTerminal(terminal) || pager == "" {
		return write(t.Stdout)
	}
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return err
	}
	_, height, err := term.GetSize(int(terminal.Fd()))
	if err != nil || height <= 0 {
		height = 24
	}
	if bytes.Count(text.Bytes(), []byte("\n")) < height {
		_, err := text.WriteTo(terminal)
		return err
	}
	return t.runPager(pager, terminal, text.Bytes())
}

// pagerOf is the command of the pager; "" for none.
func pagerOf(lookUp func(string) (string, bool)) string {
	if kind, _ := lookUp("TERM"); kind == "dumb" {
		return ""
	}
	pager, set := lookUp("PAGER")
	switch pager = strings.TrimSpace(pager); {
	case pager == "cat", set && pager == "":
		return ""
	case pager != "":
		return pager
	}
	if _, err := exec.LookPath("less"); err != nil {
		return ""
	}
	return "less"
}

// runPager shows the text in a pager and waits for its end. A pager that cannot be
// started is reported, and the text is printed without it.
func (t *Terminal) runPager(pager string, terminal *os.File, text []byte) error {
	// Ctrl-C belongs to the pager, which ends a search with it.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	cmd := exec.CommandContext(context.Background(), "sh", "-c", pager) //nolint:gosec // G204: the user's own command, as in git; the user ends it
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), terminal, t.Stderr
	cmd.Env = os.Environ()
	for _, option := range []string{"LESS=FRX", "LV=-c"} { // those of git: colors, and no page for a short text
		if name, _, _ := strings.Cut(option, "="); os.Getenv(name) == "" {
			cmd.Env = append(cmd.Env, option)
		}
	}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == notFound, err != nil && cmd.Process == nil:
		t.Log.Warn("the pager could not be started: set PAGER, or PAGER= for none", "pager", pager)
		_, err = terminal.Write(text)
		return err
	case errors.Is(err, syscall.EPIPE), errors.As(err, &exit):
		return nil // it was left before the end
	}
	return err
}

// notFound is what a shell exits with if there is no such command.
const notFound = 127

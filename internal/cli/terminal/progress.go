package terminal

import (
	"os"

	"golang.org/x/term"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/janitor"
	"github.com/registry-janitor/registry-janitor/internal/progress"
)

// ShowProgress shows how far a run is until stop is called: on the terminal, or else
// in the log.
func (t *Terminal) ShowProgress(p *janitor.Progress) (stop func()) {
	r := &progress.Reporter{Figures: p.Now, Now: clock.Now}
	if t.line == nil {
		return r.Log(t.Log)
	}
	return r.Show(t.line)
}

// lineOf is the last line of a terminal; nil if the stream is none, or can only print.
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

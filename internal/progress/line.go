package progress

import (
	"io"
	"sync"

	"github.com/registry-janitor/registry-janitor/internal/text"
)

// Line is the last line of a terminal. Text that is written through it appears above.
type Line struct {
	w     io.Writer
	width func() int

	mu    sync.Mutex
	shown string
}

// NewLine returns the last line of the terminal w. width returns its columns now.
func NewLine(w io.Writer, width func() int) *Line { return &Line{w: w, width: width} }

const clear = "\r\x1b[K"

// Write writes above the line.
func (l *Line) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shown != "" {
		if _, err := io.WriteString(l.w, clear); err != nil {
			return 0, err
		}
	}
	n, err := l.w.Write(p)
	if err == nil && l.shown != "" && len(p) > 0 && p[len(p)-1] == '\n' {
		_, err = io.WriteString(l.w, l.shown)
	}
	return n, err
}

// set replaces the line; "" removes it.
func (l *Line) set(words string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if words == "" && l.shown == "" {
		return
	}
	l.shown = text.Clip(words, max(20, l.width()-1)) // a line that wraps could not be replaced
	_, _ = io.WriteString(l.w, clear+l.shown)        // progress that cannot be shown stops nothing
}

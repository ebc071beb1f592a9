package main

import (
	"fmt"
	"io"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/janitor"
)

// showProgress keeps one line on a terminal up to date until stop is called.
func showProgress(w io.Writer, p *janitor.Progress) (stop func()) {
	if !isTerminal(w) {
		return func() {}
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticker := time.NewTicker(200 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				fmt.Fprint(w, "\r\x1b[K")
				return
			case <-ticker.C:
				fmt.Fprintf(w, "\r\x1b[Kscanning: %d images, %d tags, %d marked for deletion", p.Images.Load(), p.Tags.Load(), p.Marked.Load())
			}
		}
	}()
	return func() {
		close(done)
		<-gone
	}
}

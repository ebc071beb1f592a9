package progress

import (
	"log/slog"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/runs"
)

const (
	lineEvery = 200 * time.Millisecond
	logEvery  = 30 * time.Second
)

// Source tells how far something is: a run, or a restoration.
type Source interface {
	Now() runs.Progress
}

// Reporter shows the progress of one run.
type Reporter struct {
	// Figures returns how far the run is; required.
	Figures func() runs.Progress
	// Now is the clock; required.
	Now func() time.Time

	mu    sync.Mutex
	meter meter
}

// Progress returns how far the run is, with the time left.
func (r *Reporter) Progress() runs.Progress {
	p := r.Figures()
	r.mu.Lock()
	defer r.mu.Unlock()
	p.Left = runs.Seconds(r.meter.left(r.Now(), p.Doing, p.Done, p.Total))
	return p
}

// Log writes a line into the log every 30 seconds until stop is called. A run that
// takes less time leaves none.
func (r *Reporter) Log(log *slog.Logger) (stop func()) {
	return every(logEvery, func() {
		p := r.Progress()
		log.Info(p.Doing, Attributes(p)...)
	}, func() {})
}

// Show keeps the line of a terminal up to date until stop is called, which clears it.
func (r *Reporter) Show(line *Line) (stop func()) {
	return every(lineEvery, func() { line.set(Words(r.Progress())) }, func() { line.set("") })
}

// every calls do at intervals until stop is called, and then last.
func every(interval time.Duration, do, last func()) (stop func()) {
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				last()
				return
			case <-ticker.C:
				do()
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(done)
		<-gone
	})
}

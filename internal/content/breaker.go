package content

import (
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
)

// breaker stops the requests to a registry that does not answer, so that a run does not
// wait for the pauses between the tries of every single digest. The zero value is ready.
type breaker struct {
	mu     sync.Mutex
	failed int       // in a row
	last   error     // of those
	until  time.Time // nothing is sent before
}

const (
	maxFailed = 5
	rest      = 30 * time.Second
)

// open returns the error of the last request while nothing may be sent, so that the
// reason does not depend on which request came first.
func (b *breaker) open() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed < maxFailed || !clock.Now().Before(b.until) {
		return nil
	}
	return b.last
}

// note learns from what became of a request. Only a fault that may pass counts: any other
// answer shows that the registry answers.
func (b *breaker) note(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil || !passing(err) {
		b.failed = 0
		return
	}
	b.failed++
	b.last, b.until = err, clock.Now().Add(rest)
}

package scaleway

import (
	"net/http"
	"sync"
	"time"
)

// monotonic is the time by which requests are paced. It is not Options.Now:
// that one may be pinned, and a pinned clock would never let a pause end.
func monotonic() time.Time { return time.Now() }

// clockSkew remembers how far the local clock and the API's have been seen
// apart. The ages that condemn a tag are computed with the local clock, so a
// wrong one must be noticed.
type clockSkew struct {
	now func() time.Time

	mu      sync.Mutex
	largest time.Duration
	known   bool
}

// note compares the Date header of an answer, just arrived, with the local
// clock. The header has whole seconds, so the local time is cut to them too.
func (c *clockSkew) note(header http.Header) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	apart := c.now().Truncate(time.Second).Sub(date).Abs()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = true
	c.largest = max(c.largest, apart)
}

// seen returns the largest difference, and whether any answer had a date.
func (c *clockSkew) seen() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.largest, c.known
}

package scaleway

import (
	"net/http"
	"sync"
	"time"
)

// clockSkew remembers how far the local clock and the clock of the API were seen
// apart. The local clock decides how old a tag is, so a wrong one must be noticed.
type clockSkew struct {
	now func() time.Time

	mu      sync.Mutex
	largest time.Duration
	known   bool
	undated bool
}

// note compares the Date header of an answer that has just arrived with the local
// clock. The header has whole seconds, so the local time is cut to seconds too.
func (c *clockSkew) note(header http.Header) {
	date, err := http.ParseTime(header.Get("Date"))
	apart := c.now().Truncate(time.Second).Sub(date).Abs()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.undated = true
		return
	}
	c.known = true
	c.largest = max(c.largest, apart)
}

// hasUndated reports whether any answer had no date.
func (c *clockSkew) hasUndated() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.undated
}

// seen returns the largest difference, and reports whether any answer had a date.
func (c *clockSkew) seen() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.largest, c.known
}

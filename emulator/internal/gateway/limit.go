package gateway

import (
	"sync"
	"time"
)

// Limiter allows a number of requests in each second, which begins with its first
// request.
type Limiter struct {
	PerSecond int // 0 means no limit

	mu     sync.Mutex
	opened time.Time
	passed int
}

// Allow reports whether one more request may pass now.
func (l *Limiter) Allow(now time.Time) bool {
	if l.PerSecond == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if since := now.Sub(l.opened); since >= time.Second || since < 0 {
		l.opened, l.passed = now, 0
	}
	if l.passed == l.PerSecond {
		return false
	}
	l.passed++
	return true
}

package notify

import (
	"sync"
	"time"
)

// memory is when a message was last sent about each case of an occasion. It holds
// only the cases that persist.
type memory struct {
	mu   sync.Mutex
	sent map[Occasion]map[string]time.Time
}

// isNews reports whether no message was sent about one of the cases, or the last one
// is at least repeat ago.
func (m *memory) isNews(found []occurrence, now time.Time, repeat time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range found {
		if len(o.cases) == 0 {
			return true
		}
		for _, c := range o.cases {
			if at, sent := m.sent[o.occasion][c]; !sent || now.Sub(at) >= repeat || now.Before(at) {
				return true
			}
		}
	}
	return false
}

// forget forgets the cases that have ended, so that they are news when they return.
func (m *memory) forget(found []occurrence) {
	m.mu.Lock()
	defer m.mu.Unlock()
	persisting := map[Occasion]map[string]time.Time{}
	for _, o := range found {
		persisting[o.occasion] = map[string]time.Time{}
		for _, c := range o.cases {
			if at, sent := m.sent[o.occasion][c]; sent {
				persisting[o.occasion][c] = at
			}
		}
	}
	m.sent = persisting
}

// remember notes that a message about these cases was sent. They replace the earlier
// cases of their occasions.
func (m *memory) remember(found []occurrence, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range found {
		m.sent[o.occasion] = map[string]time.Time{}
		for _, c := range o.cases {
			m.sent[o.occasion][c] = now
		}
	}
}

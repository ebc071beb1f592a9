package notify

import (
	"crypto/sha256"
	"maps"
	"sync"
	"time"
)

// memory is when a message was last sent about each case. It holds only the cases
// that persist.
type memory struct {
	mu   sync.Mutex
	sent map[memoryKey]time.Time
}

// memoryKey is an occasion and the hash of a case.
type memoryKey struct {
	occasion Occasion
	hash     [sha256.Size]byte
}

func newMemory() *memory { return &memory{sent: map[memoryKey]time.Time{}} }

func keys(found []occurrence) []memoryKey {
	var out []memoryKey
	for _, o := range found {
		for _, c := range o.cases {
			out = append(out, memoryKey{o.occasion, sha256.Sum256([]byte(c))})
		}
	}
	return out
}

// isNews reports whether no message was sent about one of the cases, or the last one
// is at least repeat ago.
func (m *memory) isNews(found []occurrence, now time.Time, repeat time.Duration) bool {
	for _, o := range found {
		if len(o.cases) == 0 {
			return true
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys(found) {
		if at, sent := m.sent[key]; !sent || now.Sub(at) >= repeat || now.Before(at) {
			return true
		}
	}
	return false
}

// forget forgets the cases that have ended, so that they are news when they return.
func (m *memory) forget(found []occurrence) {
	m.mu.Lock()
	defer m.mu.Unlock()
	persisting := map[memoryKey]time.Time{}
	for _, key := range keys(found) {
		if at, sent := m.sent[key]; sent {
			persisting[key] = at
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
		maps.DeleteFunc(m.sent, func(key memoryKey, _ time.Time) bool { return key.occasion == o.occasion })
	}
	for _, key := range keys(found) {
		m.sent[key] = now
	}
}

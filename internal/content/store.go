package content

import (
	"context"
	"sync"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Memory is a Store in memory. The zero value is ready.
type Memory struct {
	mu       sync.Mutex
	contents map[string]*registry.Content
}

// Find implements Store.
func (m *Memory) Find(_ context.Context, digests []string) map[string]*registry.Content {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]*registry.Content{}
	for _, digest := range digests {
		if c := m.contents[digest]; c != nil {
			found[digest] = c
		}
	}
	return found
}

// Keep implements Store.
func (m *Memory) Keep(_ context.Context, digest string, c *registry.Content) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.contents == nil {
		m.contents = map[string]*registry.Content{}
	}
	m.contents[digest] = c
}

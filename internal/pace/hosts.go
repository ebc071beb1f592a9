package pace

import (
	"context"
	"sync"
)

// Hosts are the hosts that a client sends to. The zero value allows no request.
type Hosts struct {
	// Concurrency is how many requests may be in flight to one host.
	Concurrency int

	mu    sync.Mutex
	hosts map[string]*Host
}

// Host is one host: its rate, and the requests in flight.
type Host struct {
	Limiter

	slots chan struct{}
}

// Host returns the state of a host.
func (h *Hosts) Host(name string) *Host {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hosts == nil {
		h.hosts = map[string]*Host{}
	}
	if h.hosts[name] == nil {
		h.hosts[name] = &Host{slots: make(chan struct{}, h.Concurrency)}
	}
	return h.hosts[name]
}

// Enter waits for a free slot, which Leave frees. Call Wait after it: then few requests
// hold a reservation of a rate that may be cut while they wait, one for each slot.
func (h *Host) Enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Leave frees the slot.
func (h *Host) Leave() { <-h.slots }

package emulator

import (
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// replica is the registry as it was some time ago, for stale answers. It repeats
// every change when that time has passed.
type replica struct {
	lag time.Duration

	mu      sync.Mutex // guards all below; it is locked after Server.mu
	behind  *Server
	at      time.Time // the clock of behind
	changes []change  // in the order in which they happened
}

type change struct {
	at     time.Time
	repeat func(behind *Server)
}

// replicate makes the replicas that the faults of a world need.
func (s *Server) replicate(w worlds.World, start time.Time) error {
	made := map[time.Duration]bool{}
	faults := w.Faults
	w.Faults = nil
	for _, f := range faults {
		if f.Stale == 0 || made[f.Stale] {
			continue
		}
		made[f.Stale] = true
		r := &replica{lag: f.Stale, at: start}
		var err error
		if r.behind, err = New(Options{World: w, Now: func() time.Time { return r.at }}); err != nil {
			return err
		}
		s.replicas = append(s.replicas, r)
	}
	return nil
}

// record notes a change for all replicas. The caller holds s.mu.
func (s *Server) record(at time.Time, repeat func(behind *Server)) {
	for _, r := range s.replicas {
		r.mu.Lock()
		r.changes = append(r.changes, change{at, repeat})
		r.follow(at)
		r.mu.Unlock()
	}
}

// follow repeats the changes that are due at a moment. The caller holds r.mu.
func (r *replica) follow(now time.Time) {
	then := now.Add(-r.lag)
	for len(r.changes) > 0 && !r.changes[0].at.After(then) {
		r.at = r.changes[0].at
		r.changes[0].repeat(r.behind)
		r.changes = r.changes[1:]
	}
	if then.After(r.at) {
		r.at = then
	}
}

// past answers a call as the registry was when a stale answer was true, or else as it is.
func (s *Server) past(c *call) *wire.Answer {
	for _, r := range s.replicas {
		if r.lag == c.fault.Stale {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.follow(s.now())
			plain := *c
			plain.fault = nil
			return r.behind.act(&plain)
		}
	}
	return s.act(c)
}

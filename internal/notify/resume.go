package notify

import (
	"maps"
	"time"
)

// Sent is when messages were last sent about lasting problems: by notification, occasion and
// case.
type Sent map[string]map[Occasion]map[string]time.Time

// Sent is what the notifier remembers, for one that takes over from it. A nil Notifier has
// sent nothing.
func (n *Notifier) Sent() Sent {
	sent := Sent{}
	if n == nil {
		return sent
	}
	for _, t := range n.targets {
		t.sent.mu.Lock()
		of := map[Occasion]map[string]time.Time{}
		for occasion, cases := range t.sent.sent {
			of[occasion] = maps.Clone(cases)
		}
		t.sent.mu.Unlock()
		sent[t.Name] = of
	}
	return sent
}

// Resume makes the notifier remember what another one has sent under the same names.
func (n *Notifier) Resume(sent Sent) {
	if n == nil {
		return
	}
	for _, t := range n.targets {
		of, known := sent[t.Name]
		if !known {
			continue
		}
		t.sent.mu.Lock()
		t.sent.sent = map[Occasion]map[string]time.Time{}
		for occasion, cases := range of {
			t.sent.sent[occasion] = maps.Clone(cases)
		}
		t.sent.mu.Unlock()
	}
}

package notify

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Occasion is something that can happen in a run.
type Occasion string

// The occasions.
const (
	// OnFailure: the run ended with an error, was stopped, failed at a step or left
	// one out, or lost a tag.
	OnFailure Occasion = "failure"
	// OnRefused: a limit refuses the plan.
	OnRefused Occasion = "refused"
	// OnGap: something could not be read or judged.
	OnGap Occasion = "gap"
	// OnViolation: something violates a policy whose severity is deny.
	OnViolation Occasion = "violation"
	// OnDeleted: something was deleted.
	OnDeleted Occasion = "deleted"
	// OnVisibility: a visibility was changed.
	OnVisibility Occasion = "visibility"
	// OnPlanned: a run that only plans has steps.
	OnPlanned Occasion = "planned"
)

// Occasions lists all of them.
func Occasions() []Occasion {
	return []Occasion{OnFailure, OnRefused, OnGap, OnViolation, OnDeleted, OnVisibility, OnPlanned}
}

// DefaultOn is what is told unless a notification says otherwise: everything but
// what is only planned.
func DefaultOn() []Occasion {
	return []Occasion{OnFailure, OnRefused, OnGap, OnViolation, OnDeleted, OnVisibility}
}

// happening is an occasion that there was, and what it was about.
type happening struct {
	what Occasion
	// about tells one case from another: the same gap, the same violation. nil is
	// what is news whenever it happens.
	about []string
}

// happened says what there was in a run.
func happened(run runs.Run) []happening {
	var out []happening
	add := func(what Occasion, about []string) {
		if len(about) > 0 {
			out = append(out, happening{what, about})
		}
	}
	add(OnFailure, failuresOf(run))
	p := run.Plan
	if p == nil {
		return out
	}
	add(OnRefused, refusedBy(p))
	add(OnGap, gapsOf(p))
	add(OnViolation, denied(p))
	if p.Outcome == nil {
		if run.Kind != runs.KindApply { // one that is refused has not only planned
			add(OnPlanned, planned(p))
		}
		return out
	}
	var deleted, changed bool
	for _, r := range p.Outcome.Results {
		if r.Result == actions.ResultDone {
			deleted = deleted || r.Action.Deletes()
			changed = changed || !r.Action.Deletes()
		}
	}
	if deleted {
		out = append(out, happening{what: OnDeleted})
	}
	if changed {
		out = append(out, happening{what: OnVisibility})
	}
	return out
}

func failuresOf(run runs.Run) []string {
	var about []string
	if run.Error != "" || run.Plan == nil {
		about = append(about, "error "+run.Error)
	}
	if run.Plan == nil || run.Plan.Outcome == nil {
		return about
	}
	o := run.Plan.Outcome
	if o.Stopped != "" {
		about = append(about, "stopped "+o.Stopped)
	}
	for _, ref := range o.Lost {
		about = append(about, "lost "+ref)
	}
	for _, r := range o.Results {
		if r.Result == actions.ResultFailed || r.Result == actions.ResultSkipped {
			about = append(about, string(r.Result)+" "+string(r.Action)+" "+r.Ref)
		}
	}
	return about
}

// refusedBy names the limits, not by how much they are exceeded, which is another
// number at every run.
func refusedBy(p *actions.Plan) []string {
	var about []string
	for _, r := range p.Refusals {
		about = append(about, r.Limit)
	}
	return about
}

func gapsOf(p *actions.Plan) []string {
	var about []string
	for _, g := range p.Gaps {
		about = append(about, "gap "+g.Subject)
	}
	for _, h := range p.Held {
		if h.Guard == actions.GuardPolicyError {
			about = append(about, "policy error "+h.Ref)
		}
	}
	return about
}

func denied(p *actions.Plan) []string {
	var about []string
	for _, v := range p.Violations {
		if v.Severity == registry.Deny {
			about = append(about, strings.Join([]string{v.Rule, v.Ref, v.Text}, "\x00"))
		}
	}
	return about
}

func planned(p *actions.Plan) []string {
	var about []string
	for _, s := range p.Steps {
		about = append(about, string(s.Action)+" "+s.Ref)
	}
	return about
}

// memory is what was told, and when. It holds no more than what lasts.
type memory struct {
	mu   sync.Mutex
	told map[Occasion]map[[sha256.Size]byte]time.Time
}

func newMemory() *memory {
	return &memory{told: map[Occasion]map[[sha256.Size]byte]time.Time{}}
}

// news says whether something of what happened was not told, or so long ago that it
// is to be told again.
func (m *memory) news(found []happening, now time.Time, repeat time.Duration) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range found {
		if len(h.about) == 0 {
			return true
		}
		for _, about := range h.about {
			at, told := m.told[h.what][sha256.Sum256([]byte(about))]
			if !told || now.Sub(at) >= repeat || now.Before(at) {
				return true
			}
		}
	}
	return false
}

// forget forgets what ended, so that it is news when it is back.
func (m *memory) forget(found []happening) {
	m.mu.Lock()
	defer m.mu.Unlock()
	current := map[Occasion]map[[sha256.Size]byte]bool{}
	for _, h := range found {
		current[h.what] = map[[sha256.Size]byte]bool{}
		for _, about := range h.about {
			current[h.what][sha256.Sum256([]byte(about))] = true
		}
	}
	for what, told := range m.told {
		for key := range told {
			if !current[what][key] {
				delete(told, key)
			}
		}
	}
}

// remember notes that all of it was told.
func (m *memory) remember(found []happening, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, h := range found {
		told := make(map[[sha256.Size]byte]time.Time, len(h.about))
		for _, about := range h.about {
			told[sha256.Sum256([]byte(about))] = now
		}
		m.told[h.what] = told
	}
}

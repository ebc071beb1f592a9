package apply

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/registry"
)

// MaxReadingAge is how old a reading may be when a deletion that relies on it is
// sent.
const MaxReadingAge = 2 * time.Second

// The reasons for which Apply stops.
var (
	// ErrStopped: the run ended before every step had been tried.
	ErrStopped = errors.New("the run was stopped")
	// ErrLost: something is gone that no step was to delete, and the run was stopped.
	ErrLost = errors.New("a tag was lost")
)

// Environment is what a plan is applied to and recorded in.
type Environment struct {
	Registry Registry
	Journal  Journal
	// Judge makes the plan of one image with its tags, or of one namespace when the
	// image is nil, by the policies, protections, guards and uses in force. An
	// error means that nothing may be deleted any more, such as a use source that
	// cannot be reached: it stops the run. A policy that fails is not an error; the
	// steps are then held.
	Judge func(ctx context.Context, s Subject) (actions.Decision, error)
	// Archive, if set, copies what a tag holds before its deletion is sent.
	Archive Archive
}

// Subject is what is judged: an image with its tags, or a namespace.
type Subject struct {
	Namespace *registry.Namespace
	Image     *registry.Image // nil for the namespace itself
	Empty     bool            // the namespace is proven to be empty
}

// Options say how careful and how fast to be. The zero value is careful.
type Options struct {
	// Concurrency is how many requests are made at once; 16 when it is not positive.
	Concurrency int
	// SharedDigest says what the API does to a digest of which one tag is deleted.
	SharedDigest actions.SharedDigest
	// SharedDigestIn, if set, returns what replaces SharedDigest in a region.
	SharedDigestIn func(registry.Region) actions.SharedDigest
	// Canary is how many deletions of tags are sent and confirmed one at a time
	// before several are sent together: 5 when it is 0, none when negative.
	Canary int
	// Breaker is how many steps may fail in a row before the rest is skipped; 10
	// when it is not positive.
	Breaker int
	// MaxPlanAge refuses a plan whose scan is older; 24 h when it is not positive.
	MaxPlanAge time.Duration
	// ConfirmTimeout is how long a deletion that was sent may take before it is
	// reported as failed; 2 min when it is not positive.
	ConfirmTimeout time.Duration
	// Grace is how long what was sent may take to be confirmed once the context of
	// Apply is done; 8 s when it is not positive.
	Grace time.Duration
	// Now is the wall clock; nil is the system's.
	Now func() time.Time
	// Logger takes every result at the debug level, and at the info level why a run
	// stops; nil discards them.
	Logger *slog.Logger
	// Progress, if set, counts while the plan is applied.
	Progress *Progress
}

// Progress counts the steps of a plan while it is applied. It is safe for
// concurrent use.
type Progress struct {
	Steps    atomic.Int64 // in total
	Finished atomic.Int64 // with any result
	Done     atomic.Int64
	Failed   atomic.Int64
	Watched  atomic.Int64 // sent, and not confirmed yet
}

// Apply carries out a plan and reports what became of every step. It refuses the
// plan, with a nil outcome, before anything is sent or recorded; see
// actions.Plan.Applicable.
//
// The outcome is complete whatever the error: ErrStopped and ErrLost mean that
// the rest was skipped. A failed step alone is not an error of Apply; see
// Outcome.Incomplete.
//
// When ctx is done, nothing more is sent; what was sent is confirmed within
// o.Grace, and the rest is skipped.
func Apply(ctx context.Context, p *actions.Plan, e Environment, o Options) (*actions.Outcome, error) {
	o = o.withDefaults()
	if err := p.Applicable(o.Now(), o.MaxPlanAge); err != nil {
		return nil, err
	}
	r := newRun(ctx, p.Steps, e, o)
	defer r.close()
	work := arrange(p)
	r.objects(work.closing)
	r.images(work.images)
	r.objects(work.deletedImages)
	r.objects(work.deletedNamespaces)
	r.objects(work.opening)
	return r.outcome()
}

func (o Options) withDefaults() Options {
	o.Concurrency = orDefault(o.Concurrency, 16)
	o.Breaker = orDefault(o.Breaker, 10)
	o.ConfirmTimeout = orDefault(o.ConfirmTimeout, 2*time.Minute)
	o.Grace = orDefault(o.Grace, 8*time.Second)
	o.Canary = cmp.Or(o.Canary, 5)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	o.Progress = cmp.Or(o.Progress, new(Progress))
	if o.SharedDigestIn == nil {
		o.SharedDigestIn = func(registry.Region) actions.SharedDigest { return o.SharedDigest }
	}
	if o.Now == nil {
		o.Now = clock.Now
	}
	return o
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

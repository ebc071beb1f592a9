package apply

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Editor is what applying needs of a registry. Every method may be called from
// several goroutines at once. Reads are fresh, and may be repeated behind the
// scenes; a change is sent exactly once by each call.
//
// Errors wrap registry.ErrNotFound, registry.ErrDenied, registry.ErrConflict,
// registry.ErrThrottled and registry.ErrUnknownOutcome. A change that failed with
// none of them was refused for good, or never sent.
type Editor interface {
	ObjectReader
	Lister
	Deleter
	Opener
}

// ObjectReader reads one object by its ID.
type ObjectReader interface {
	GetTag(ctx context.Context, region registry.Region, id string) (registry.Tag, error)
	// GetImage leaves Namespace and Tags empty.
	GetImage(ctx context.Context, region registry.Region, id string) (registry.Image, error)
	GetNamespace(ctx context.Context, region registry.Region, id string) (registry.Namespace, error)
}

// Lister lists what is in an object: all of it, or an error.
type Lister interface {
	ListTags(ctx context.Context, region registry.Region, imageID string) ([]registry.Tag, error)
	ListImages(ctx context.Context, region registry.Region, namespaceID string) ([]registry.Image, error)
}

// Deleter asks for a deletion. A nil error says that the API has accepted it, not
// that the object is gone.
type Deleter interface {
	DeleteTag(ctx context.Context, region registry.Region, id string) error
	DeleteImage(ctx context.Context, region registry.Region, id string) error
	DeleteNamespace(ctx context.Context, region registry.Region, id string) error
}

// Opener opens and closes objects to the public.
type Opener interface {
	SetImageVisibility(ctx context.Context, region registry.Region, id string, to registry.Visibility) error
	SetNamespaceVisibility(ctx context.Context, region registry.Region, id string, to registry.Visibility) error
}

// Options say how careful and how fast to be. The zero value is careful.
type Options struct {
	// Concurrency is how many steps are worked on at once; 16 when it is not
	// positive. Steps that only wait, to be confirmed or tried again, do not count.
	Concurrency int
	// KeepAtLeast is how many ready tags have to stay in every image that a tag is
	// deleted from, attachments not counted.
	KeepAtLeast int
	// SharedDigest says what the API does to a digest of which one tag is deleted.
	SharedDigest actions.SharedDigest
	// InUse, if set, says who uses a tag with a digest now, sorted, or anything in an
	// image where the reference has no tag. An image of which a step would delete
	// what is in use is left alone as a whole: its steps are changed.
	InUse func(ref registry.Ref, digest string) []string
	// Canary is how many steps of each kind are done and confirmed one at a time
	// before several are worked on at once: 5 when it is 0, none when negative.
	Canary int
	// Breaker is how many steps may fail in a row before the rest is skipped; 10
	// when it is not positive.
	Breaker int
	// MaxPlanAge refuses a plan whose scan is older; 24 h when it is not positive.
	MaxPlanAge time.Duration
	// ConfirmTimeout is how long something that is being deleted is watched before
	// it is given up as failed; 2 min when it is not positive.
	ConfirmTimeout time.Duration
	// Grace is how long steps in flight may take to finish once the context of
	// Apply is done; 8 s when it is not positive.
	Grace time.Duration
	// Kill, when it is closed, ends the steps in flight at once. Their outcome is
	// then not known. May be nil.
	Kill <-chan struct{}
	// Now is the local clock; nil is the system's.
	Now func() time.Time
	// Logger takes every result at the debug level, and at the info level why a run
	// stops, as soon as it does; nil discards them.
	Logger *slog.Logger
	// Progress, if set, counts while the plan is applied.
	Progress *Progress
}

// Progress counts the steps of a plan while it is applied. It is safe for
// concurrent use.
type Progress struct {
	Steps    atomic.Int64 // in all
	Finished atomic.Int64 // with any result
	Done     atomic.Int64
	Failed   atomic.Int64
	Watched  atomic.Int64 // being deleted right now
}

// The reasons for which Apply changes nothing, or stops.
var (
	// ErrLimit: a limit refuses the plan, and nothing was changed.
	ErrLimit = errors.New("a limit refuses the plan")
	// ErrNotApplicable: the plan must not be applied, and nothing was changed.
	ErrNotApplicable = errors.New("the plan cannot be applied")
	// ErrStopped: the run ended before every step had been tried.
	ErrStopped = errors.New("the run was stopped")
	// ErrLost: a tag that should have stayed is gone, and the run was stopped.
	ErrLost = errors.New("a tag that stays was lost")
)

// Apply carries out a plan and says what became of every step. It refuses the
// plan, with a nil outcome, before anything is sent or recorded (see
// CheckApplicable).
//
// The outcome is complete whatever the error: ErrStopped and ErrLost say that
// the rest was skipped. A failed step alone is no error of Apply; see
// Outcome.Incomplete.
//
// When ctx is done, the steps in flight are finished within o.Grace, and the
// rest is skipped.
func Apply(ctx context.Context, p *actions.Plan, e Editor, j Journal, o Options) (*actions.Outcome, error) {
	o = o.withDefaults()
	if err := CheckApplicable(p, o.Now(), o.MaxPlanAge); err != nil {
		return nil, err
	}
	r := newRun(ctx, p.Steps, e, o)
	defer r.close()
	r.journal = j
	for _, units := range arrange(p, o.SharedDigest) {
		r.phase(units)
	}
	return r.outcome()
}

// Resolve finds out by reading what became of steps that an interrupted run had
// recorded before it sent them, and of which it recorded no result. It sends
// nothing but reads. A step that was carried out is done; one whose object is
// still as it was judged is skipped: the next plan decides about it.
func Resolve(ctx context.Context, interrupted []actions.Step, e Editor, o Options) []actions.StepResult {
	r := newRun(ctx, interrupted, e, o.withDefaults())
	defer r.close()
	var all sync.WaitGroup
	for i := range interrupted {
		all.Go(func() { r.resolve(i) })
	}
	all.Wait()
	return r.results
}

func (o Options) withDefaults() Options {
	o.Concurrency = orDefault(o.Concurrency, 16)
	o.Breaker = orDefault(o.Breaker, 10)
	o.ConfirmTimeout = orDefault(o.ConfirmTimeout, 2*time.Minute)
	o.Grace = orDefault(o.Grace, 8*time.Second)
	if o.Canary == 0 {
		o.Canary = 5
	}
	if o.Now == nil {
		o.Now = clock.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = new(Progress)
	}
	return o
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

package recorder

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/resolve"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
	"github.com/registry-janitor/registry-janitor/scanner"
)

// Recorder writes one run into the ledger. A nil Recorder notes nothing.
type Recorder struct {
	Ledger *ledger.Ledger
	Run    *ledger.Run // in it: its plan, and the journal of its steps

	lock  *ledger.Lock // nil for a run that applies nothing
	place Place
	old   time.Time // runs from before it that only planned are forgotten
	// journals are the files of earlier versions that Resolve imports.
	journals []string

	mu        sync.Mutex
	marked    []ledger.MarkedTag
	judged    map[registry.Ref]bool // images and namespaces
	uncertain bool                  // no age is certain
}

// Start opens the ledger, takes its lock if the run applies a plan, and begins to
// record. Without a ledger in the configuration, a run that applies is recorded in the
// state directory, and the Recorder of any other run is nil.
func Start(ctx context.Context, c *config.Config, run ledger.RunInfo, o Options) (*Recorder, error) {
	l, err := open(ctx, c, run.Kind, o)
	if l == nil || err != nil {
		return nil, err
	}
	r := &Recorder{Ledger: l, judged: map[registry.Ref]bool{}, old: o.Time().Add(-c.Ledger.Keep.Runs.Duration()), place: Place{Ledger: c.LedgerDSN()}}
	switch {
	case r.place.Ledger == "":
		r.place.Ledger, r.place.InStateDir, r.journals = o.State.Ledger(), true, o.State.Journals
	case strings.Contains(r.place.Ledger, "://"):
		r.place.Ledger = "the ledger of the configuration"
	}
	if run.Kind == runs.KindApply {
		r.lock, err = lockFor(ctx, l, c, o)
	}
	if err == nil {
		r.Run, err = l.Begin(ctx, run)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	r.place.Run = strconv.FormatInt(r.Run.ID(), 10)
	return r, nil
}

// Place is where a run is recorded.
type Place struct {
	Run string // its name in the ledger; "" if it is not recorded
	// Ledger is the file, or words for a database, whose address may have a password.
	Ledger     string
	InStateDir bool // and not in the ledger of the configuration
}

// Place returns where the run is recorded.
func (r *Recorder) Place() Place {
	if r == nil {
		return Place{}
	}
	return r.place
}

// WhileLocked returns a context that ends when another process may apply a plan too.
func (r *Recorder) WhileLocked(ctx context.Context, lost func()) (context.Context, context.CancelFunc) {
	return whileLocked(ctx, r.lock, lost)
}

func whileLocked(ctx context.Context, lock *ledger.Lock, lost func()) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-lock.Lost():
			lost()
			cancel(errors.New("the lock of the ledger is lost"))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// Add notes a decision: that something was judged, and which of its tags are marked. The
// verdict is nil where there is none; it does not count if a content could not be read.
func (r *Recorder) Add(item scanner.Item, v *registry.Verdict, unread *registry.Gap) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if gap := item.Gap; gap != nil && gap.Subject == actions.ClockSubject && gap.Holds == registry.HoldsAll {
		r.uncertain = true
	}
	if item.Quiet != nil {
		r.judged[item.Quiet.Image.Ref()] = true // and nothing is marked
	}
	switch {
	case v == nil || v.Err != nil || unread != nil:
		return
	case v.Image == nil:
		r.judged[v.Namespace.Ref()] = true
	default:
		r.judged[v.Image.Ref()] = true
	}
	for i, t := range v.Tags {
		if len(t.Keep) == 0 && isEnforced(t.Delete) {
			tag := &v.Image.Tags[i]
			r.marked = append(r.marked, ledger.MarkedTag{
				ID: tag.ID, Digest: tag.Digest, Ref: v.Image.TagRef(tag.Name).String(), Reasons: t.Delete,
			})
		}
	}
}

// Forget forgets the decisions, because everything is judged again.
func (r *Recorder) Forget() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marked, r.judged, r.uncertain = nil, map[registry.Ref]bool{}, false
}

// isEnforced reports whether a rule marks that is not only shown: grace begins when a
// rule is enforced.
func isEnforced(reasons []registry.Reason) bool {
	return slices.ContainsFunc(reasons, func(r registry.Reason) bool { return !r.ReportOnly })
}

// covers reports whether the run judged what the reference names.
func (r *Recorder) covers(ref registry.Ref) bool { return r.judged[ref.WithoutTag()] }

// Planned writes the plan that the run made, and since when tags have been marked.
func (r *Recorder) Planned(ctx context.Context, plan *actions.Plan) error {
	if r == nil {
		return nil
	}
	if !r.uncertain {
		if err := r.Run.Mark(ctx, ledger.Observation{At: plan.TakenAt, Tags: r.marked, Covered: r.covers}); err != nil {
			return err
		}
	}
	return r.Run.Plan(ctx, plan, r.covers)
}

// Resolve reads what became of steps that earlier runs sent and whose results
// are not known. It returns how many there are.
func (r *Recorder) Resolve(ctx context.Context, g resolve.Reader) (int, error) {
	for _, path := range r.journals {
		if _, err := r.Ledger.ImportJournal(ctx, path); err != nil {
			return 0, err
		}
	}
	interrupted, err := r.Ledger.Interrupted(ctx)
	if err != nil {
		return 0, err
	}
	resolved := 0
	for _, run := range interrupted {
		for _, result := range resolve.Interrupted(ctx, run.Steps, g) {
			if err := r.Ledger.Resolve(ctx, run.Run, result); err != nil {
				return resolved, err
			}
			resolved++
		}
	}
	return resolved, nil
}

// Finish writes how the run ended, even if the context has ended, and closes the ledger,
// which gives the lock back.
func (r *Recorder) Finish(ctx context.Context, e ledger.Ending) error {
	ctx = context.WithoutCancel(ctx)
	return errors.Join(r.Run.Finish(ctx, e), r.Ledger.Forget(ctx, r.old), r.Ledger.Close())
}

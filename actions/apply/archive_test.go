package apply

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/registry"
)

// shelf is an archive that takes so long for each copy, or fails.
type shelf struct {
	takes func(ref string) time.Duration
	fail  func(ref string) error // may be nil

	mu   sync.Mutex
	open int
	most int // copies at one time
}

func (s *shelf) Copy(ctx context.Context, step *actions.Step) (*actions.Archived, error) {
	s.count(1)
	defer s.count(-1)
	if err := clock.Sleep(ctx, s.takes(step.Ref)); err != nil {
		return nil, err
	}
	if s.fail != nil && s.fail(step.Ref) != nil {
		return nil, s.fail(step.Ref)
	}
	return &actions.Archived{To: "shelf", Until: scanTime}, nil
}

func (s *shelf) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open += n
	s.most = max(s.most, s.open)
}

func (s *site) applyWith(p *actions.Plan, archive Archive, o Options) (*actions.Outcome, error) {
	e := s.environment(newMemoryJournal(s.t))
	e.Archive = archive
	return Apply(s.t.Context(), p, e, o)
}

// Copies are made while other deletions are sent: what copying small images adds.
func TestWhatArchivingCosts(t *testing.T) {
	for name, tt := range map[string]struct {
		world string
		calls float64 // for each deletion, at most
	}{
		"90 of 100 tags in each of 20 images": {images(20, 90, 10, "latency: 20ms"), 1.25},
		"2,700 of 3,000 tags in one image":    {images(1, 2700, 300, "latency: 20ms"), 1.35},
		"one tag in each of 200 images":       {images(200, 1, 10, "latency: 20ms"), 5},
		"600 tags of one digest":              {shared(`{name: "pr-{n}", count: 600, digest: A, age: 20d}`), 1.35},
		"3 tags of each of 200 digests": {shared(each(200, func(i int) string {
			return fmt.Sprintf("{name: pr-a%[1]d, digest: D%[1]d, age: 20d}, {name: pr-b%[1]d, digest: D%[1]d, age: 20d}, {name: pr-c%[1]d, digest: D%[1]d, age: 20d}", i)
		})), 1.35},
		"300 tags and their signatures": {shared(each(300, func(i int) string {
			return fmt.Sprintf(`{name: pr-%[1]d, digest: D%[1]d, age: 20d}, {name: "sha256-{digest:D%[1]d}.sig", age: 20d}`, i)
		})), 1.35},
	} {
		t.Run(name, func(t *testing.T) {
			var took [2]time.Duration
			for i, archive := range []*shelf{nil, {takes: func(string) time.Duration { return 60 * time.Millisecond }}} {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, tt.world)
					p := s.markTags(plan.Options{SharedDigest: actions.Untag})
					time.Sleep(time.Minute)
					before, began := len(s.server.Requests()), time.Now()
					e := s.environment(newMemoryJournal(t))
					if archive != nil {
						e.Archive = archive
					}
					o, err := Apply(t.Context(), p, e, Options{SharedDigest: actions.Untag})
					if err != nil || o.Done != len(p.Steps) || (o.Results[0].Archived == nil) != (archive == nil) {
						t.Fatal(err, o.Done)
					}
					took[i] = time.Since(began)
					calls := float64(len(s.server.Requests())-before) / float64(o.Done)
					t.Logf("%.3f calls for each deletion, %s", calls, took[i])
					if calls > tt.calls {
						t.Errorf("%.3f calls for each deletion, at most %.2f are allowed", calls, tt.calls)
					}
				})
			}
			t.Logf("%.2f times as long with an archive", float64(took[1])/float64(took[0]))
			if took[1] > 2*took[0] {
				t.Errorf("%s with an archive, %s without", took[1], took[0])
			}
		})
	}
}

// shared is an image with such tags, of whose digests the API deletes one tag at a time.
func shared(tags string) string {
	return `{settings: {latency: 20ms, shared_digest: untag}, namespaces: [{name: prod, age: 400d, images: [{name: api, tags: [{name: v1, age: 1d}, ` + tags + `]}]}]}`
}

// each joins the tags of so many digests.
func each(digests int, tags func(i int) string) string {
	all := make([]string, digests)
	for i := range all {
		all[i] = tags(i)
	}
	return strings.Join(all, ", ")
}

// A copy that takes long holds up neither the other tags of its image nor other images,
// and its own deletion is sent on a new reading.
func TestACopyThatTakesLongHoldsUpNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, images(3, 5, 2, "latency: 20ms"))
		p := s.markTags(plan.Options{})
		long := p.Steps[0].Ref
		archive := &shelf{takes: func(ref string) time.Duration {
			if ref == long {
				return time.Hour
			}
			return time.Second
		}}
		since, began := len(s.server.Requests()), time.Now()
		o, err := s.applyWith(p, archive, Options{})
		if err != nil || o.Done != len(p.Steps) {
			t.Fatalf("%v: %+v", err, o)
		}
		for i, r := range o.Results {
			if took := r.At.Sub(began); i > 0 && took > time.Minute || i == 0 && took < time.Hour {
				t.Errorf("%s is done after %s", r.Ref, took)
			}
		}
		s.checkRequests(p, since)
	})
}

func TestATagThatCannotBeCopiedStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, `{settings: {latency: 20ms, shared_digest: untag}, namespaces: [{name: prod, age: 400d, images: [{name: api, tags: [
			{name: pr-1, age: 20d}, {name: pr-2, digest: A, age: 20d}, {name: pr-3, digest: A, age: 20d}, {name: v1, age: 20d}]}]}]}`)
		p := s.markTags(plan.Options{})
		full := func(ref string) error {
			if strings.HasSuffix(ref, "pr-3") {
				return errors.New("it cannot be archived: the disk is full")
			}
			return nil
		}
		o, err := s.applyWith(p, &shelf{takes: func(string) time.Duration { return 0 }, fail: full}, Options{})
		if err != nil || o.Done != 1 || o.Blocked != 1 || o.Failed != 1 || o.Results[2].Detail != "it cannot be archived: the disk is full" || o.Results[2].Archived != nil {
			t.Errorf("%v: %+v", err, o)
		}
		if o.Results[1].Result != actions.ResultBlocked || o.Results[1].Archived == nil {
			t.Errorf("what was copied, and stays: %+v", o.Results[1])
		}
		if !o.Incomplete() {
			t.Error("the run is complete")
		}
	})
}

func TestTooManyFailedCopiesStopTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, images(1, 20, 2, "latency: 20ms"))
		p := s.markTags(plan.Options{})
		full := func(string) error { return errors.New("the disk is full") }
		o, err := s.applyWith(p, &shelf{takes: func(string) time.Duration { return time.Second }, fail: full}, Options{Breaker: 3})
		if !errors.Is(err, ErrStopped) || o.Failed < 3 || o.Done > 0 {
			t.Errorf("%v: %+v", err, o)
		}
	})
}

func TestATagThatNeedsNoCopyGoesWithoutAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, images(1, 1, 2, "latency: 20ms"))
		p := s.markTags(plan.Options{})
		full := func(string) error { return &actions.UncopiedError{Err: errors.New("the disk is full")} }
		o, err := s.applyWith(p, &shelf{takes: func(string) time.Duration { return 0 }, fail: full}, Options{})
		if err != nil || o.Done != 1 || o.Results[0].Uncopied != "the disk is full" || o.Results[0].Detail != "no copy was made: the disk is full" || o.Results[0].Archived != nil {
			t.Errorf("%v: %+v", err, o)
		}
	})
}

// Where a copy is required, nothing is deleted without one: another client deleted the tag.
func TestATagThatOthersDeleteMeanwhileIsNotDeletedWithoutACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, images(1, 1, 2, "latency: 20ms"))
		p := s.markTags(plan.Options{})
		others := sync.OnceFunc(func() { s.deleteTag(strings.TrimPrefix(p.Steps[0].Ref, "rg.fr-par.scw.cloud/")) })
		gone := func(string) error {
			others()
			return errors.New("it cannot be archived: it is not there")
		}
		o, err := s.applyWith(p, &shelf{takes: func(string) time.Duration { return 0 }, fail: gone}, Options{})
		if err != nil || o.Results[0].Result == actions.ResultDone || o.Results[0].Uncopied != "" || strings.Contains(o.Results[0].Detail, actions.WithoutCopy) {
			t.Errorf("%v: %+v", err, o.Results)
		}
	})
}

// What is in use may change while a copy is made.
func TestThePoliciesAreAskedAgainAfterALongCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, images(1, 2, 2, "latency: 20ms"))
		p := s.markTags(plan.Options{})
		e := s.environment(newMemoryJournal(t))
		e.Archive = &shelf{takes: func(string) time.Duration { return 2 * time.Minute }}
		began, judge := time.Now(), e.Judge
		e.Judge = func(ctx context.Context, subject Subject) (actions.Decision, error) {
			if time.Since(began) > time.Minute {
				s.uses = registry.NewUseIndex([]registry.Use{{By: "a cluster", Ref: registry.Ref{Region: "fr-par", Namespace: "prod", Image: "api-1", Tag: "pr-1"}}})
			}
			return judge(ctx, subject)
		}
		o, err := Apply(t.Context(), p, e, Options{})
		if err != nil || o.Done != 1 || o.Changed != 1 {
			t.Errorf("%v: %+v", err, o)
		}
	})
}

// stubborn is an archive that copies one tag at once, and does not notice for an hour
// that the others are not wanted any more.
type stubborn struct{ quick string }

func (s stubborn) Copy(_ context.Context, step *actions.Step) (*actions.Archived, error) {
	if step.Ref != s.quick {
		time.Sleep(time.Hour)
	}
	return &actions.Archived{To: "shelf", Until: scanTime}, nil
}

// Once the run is stopped, no copy is waited for: what was sent is confirmed with pauses.
func TestAStoppedRunDoesNotWaitForCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, images(1, 5, 2, "latency: 20ms, delete_delay: 2h"))
		p := s.markTags(plan.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		e := s.environment(newMemoryJournal(t))
		e.Archive = stubborn{p.Steps[0].Ref}
		since := len(s.server.Requests())
		o, err := Apply(ctx, p, e, Options{})
		if !errors.Is(err, ErrStopped) || o.Skipped != 4 {
			t.Errorf("%v: %d skipped", err, o.Skipped)
		}
		if calls := len(s.server.Requests()) - since; calls > 60 {
			t.Errorf("%d calls for one deletion", calls)
		}
	})
}

func TestAnInterruptedRunLeavesItsCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, images(2, 100, 2, "latency: 20ms"))
		p := s.markTags(plan.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		archive := &shelf{takes: func(string) time.Duration { return time.Hour }}
		e := s.environment(newMemoryJournal(t))
		e.Archive = archive
		began := time.Now()
		o, err := Apply(ctx, p, e, Options{})
		if !errors.Is(err, ErrStopped) || o.Skipped != 200 || time.Since(began) > 2*time.Minute {
			t.Errorf("%v after %s: %+v", err, time.Since(began), o)
		}
		if archive.most != copiesAhead*16 {
			t.Errorf("%d copies at one time", archive.most)
		}
	})
}

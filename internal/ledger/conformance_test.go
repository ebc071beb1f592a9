package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/registry"
)

func TestARunIsRecordedCompletely(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		made := begin(t, l, runs.KindPlan)
		p := planOf(t, start, []string{"a", "b", "c"})
		must(t, made.Plan(t.Context(), p, everything))
		must(t, made.Finish(t.Context(), Ending{Status: StatusFinished, Exit: 2}))

		r := begin(t, l, runs.KindApply)
		must(t, r.Plan(t.Context(), p, nil))
		outcome := &actions.Outcome{Done: 1, Failed: 1, Skipped: 1, Results: []actions.StepResult{
			result("a", actions.ResultDone), result("b", actions.ResultFailed), result("c", actions.ResultSkipped),
		}}
		for _, res := range outcome.Results[:2] {
			must(t, r.Intend(t.Context(), step(strings.TrimPrefix(res.Ref, ref("")))))
			must(t, r.Done(t.Context(), res))
		}
		must(t, r.Finish(t.Context(), Ending{Status: StatusFinished, Exit: 1, Message: "1 step failed", Outcome: outcome}))

		got, err := l.Run(t.Context(), r.ID())
		must(t, err)
		want := RunRecord{
			ID: r.ID(), Kind: runs.KindApply, Status: StatusFinished, Started: got.Started, Ended: got.Ended,
			Who: "ada@build-7", Program: "registry-janitor 1.2.0", ConfigDigest: "sha256:c", PolicyDigest: "sha256:p",
			PlanID: p.ID, Summary: &p.Summary, Exit: 1, Message: "1 step failed",
			Counts: map[actions.Result]int{actions.ResultDone: 1, actions.ResultFailed: 1, actions.ResultSkipped: 1},
		}
		if diff := cmp.Diff(want, got.RunRecord); diff != "" {
			t.Error(diff)
		}
		if !got.Started.After(start) || !got.Ended.After(got.Started) {
			t.Errorf("it started %s and ended %s", got.Started, got.Ended)
		}
		if diff := cmp.Diff(outcome, got.Outcome); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]int64{made.ID()}, got.SamePlan); diff != "" {
			t.Error(diff)
		}
		if len(got.Steps) != 3 || got.Steps[0].Tries != 1 || got.Steps[2].Tries != 0 || got.Steps[2].Result != actions.ResultSkipped {
			t.Errorf("the journal is %+v", got.Steps)
		}
		if diff := cmp.Diff(step("a"), *got.Steps[0].Step); diff != "" {
			t.Error(diff)
		}
		read, err := l.Plan(t.Context(), p.ID)
		must(t, err)
		p.Stats = nil
		if diff := cmp.Diff(p, read); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRunsComeNewestFirstAndOutliveTheProgram(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		first, err := Open(t.Context(), dsn, Options{})
		must(t, err)
		for range 3 {
			must(t, begin(t, first, runs.KindPlan).Finish(t.Context(), Ending{Status: StatusFinished}))
		}
		must(t, first.Close())
		l := open(t, dsn)
		runs, err := l.Runs(t.Context(), 2)
		must(t, err)
		if len(runs) != 2 || runs[0].ID != 3 || runs[1].ID != 2 {
			t.Errorf("the runs are %+v", runs)
		}
		all, err := l.Runs(t.Context(), 0)
		must(t, err)
		if len(all) != 3 {
			t.Errorf("there are %d runs", len(all))
		}
		if _, err := l.Run(t.Context(), 4); !errors.Is(err, ErrUnknownRun) {
			t.Errorf("a run that does not exist gives %v", err)
		}
		if _, err := l.Plan(t.Context(), "sha256:none"); err == nil {
			t.Error("a plan that does not exist is read")
		}
	})
}

func TestOnlyTheHolderOfTheLockMayApply(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l, other := open(t, dsn), openWith(t, dsn, Options{Who: "bob@laptop"})
		if _, err := l.Begin(t.Context(), RunInfo{Kind: runs.KindApply}); !errors.Is(err, ErrNotLocked) {
			t.Errorf("a run without the lock gives %v", err)
		}
		if _, err := l.Interrupted(t.Context()); !errors.Is(err, ErrNotLocked) {
			t.Errorf("looking for interrupted runs without the lock gives %v", err)
		}
		if err := l.Resolve(t.Context(), 1, result("a", actions.ResultDone)); !errors.Is(err, ErrNotLocked) {
			t.Errorf("resolving without the lock gives %v", err)
		}
		if err := begin(t, l, runs.KindPlan).Intend(t.Context(), step("a")); !errors.Is(err, ErrNotLocked) {
			t.Errorf("an intent of a run that only plans gives %v", err)
		}
		lock := mustLock(t, l)
		_, err := other.Lock(t.Context(), 0)
		var locked *LockedError
		if !errors.As(err, &locked) || !errors.Is(err, ErrLocked) || locked.Who != "ada@build-7" || !locked.Since.After(start) {
			t.Fatalf("a second lock gives %v", err)
		}
		if _, err := l.Lock(t.Context(), 0); !errors.Is(err, ErrLocked) {
			t.Errorf("its own second lock gives %v", err)
		}
		must(t, lock.Unlock())
		must(t, lock.Unlock())
		if _, err := l.Begin(t.Context(), RunInfo{Kind: runs.KindApply}); !errors.Is(err, ErrNotLocked) {
			t.Errorf("a run after the lock was released gives %v", err)
		}
		mustLock(t, other)
		select {
		case <-lock.Lost():
			t.Error("a released lock was lost")
		default:
		}
	})
}

func TestLockWaitsForAnotherRun(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l, other := open(t, dsn), open(t, dsn)
		lock := mustLock(t, l)
		var waited sync.WaitGroup
		waited.Go(func() {
			if _, err := other.Lock(t.Context(), time.Minute); err != nil {
				t.Error(err)
			}
		})
		canceled, cancel := context.WithCancel(t.Context())
		waited.Go(func() {
			if _, err := l.Lock(canceled, time.Minute); !errors.Is(err, context.Canceled) {
				t.Errorf("waiting until the context ends gives %v", err)
			}
		})
		cancel()
		must(t, lock.Unlock())
		waited.Wait()
	})
}

// A process that lost the lock without noticing must not continue.
func TestNoIntentAfterAnotherProcessTookTheLock(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		r := begin(t, l, runs.KindApply)
		must(t, r.Intend(t.Context(), step("sent")))
		execute(t, l, `UPDATE janitor_lock SET epoch = epoch + 1, who = 'bob'`)
		if err := r.Intend(t.Context(), step("next")); !errors.Is(err, ErrNotLocked) {
			t.Errorf("an intent gives %v", err)
		}
		if _, err := l.Begin(t.Context(), RunInfo{Kind: runs.KindApply}); !errors.Is(err, ErrNotLocked) {
			t.Errorf("a new run gives %v", err)
		}
		must(t, r.Done(t.Context(), result("sent", actions.ResultDone))) // it was sent, and what became of it is true
		d, err := l.Run(t.Context(), r.ID())
		must(t, err)
		if len(d.Steps) != 1 || d.Steps[0].Result != actions.ResultDone {
			t.Errorf("the journal is %+v", d.Steps)
		}
	})
}

// When the lock file is removed under a run, the next one takes it for dead, and reads
// its objects. Whichever of the two saw the deletion is right.
func TestADoneBeatsASkippedOfAnInterruptedRun(t *testing.T) {
	done, skipped := result("a", actions.ResultDone), result("a", actions.ResultSkipped)
	for _, tt := range []struct {
		name        string
		own, others actions.StepResult
		ownLast     bool
		want        actions.Result
	}{
		{"the run records done, then the other skipped", done, skipped, false, actions.ResultDone},
		{"the other records skipped, then the run done", done, skipped, true, actions.ResultDone},
		{"the run records skipped, then the other done", skipped, done, false, actions.ResultDone},
		{"the other records done, then the run skipped", skipped, done, true, actions.ResultDone},
		{"the other records failed, then the run skipped", skipped, result("a", actions.ResultFailed), true, actions.ResultFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, dsn string) {
				first := open(t, dsn)
				lock := mustLock(t, first)
				r := begin(t, first, runs.KindApply)
				must(t, r.Intend(t.Context(), step("a")))
				must(t, lock.Unlock()) // as the removal of the lock file does
				second := open(t, dsn)
				mustLock(t, second)
				if _, err := second.Interrupted(t.Context()); err != nil {
					t.Fatal(err)
				}
				resolve := func() { must(t, second.Resolve(t.Context(), r.ID(), tt.others)) }
				if tt.ownLast {
					resolve()
				}
				must(t, r.Done(t.Context(), tt.own))
				must(t, r.Finish(t.Context(), Ending{Status: StatusInterrupted, Exit: 1, Outcome: &actions.Outcome{Results: []actions.StepResult{tt.own}}}))
				if !tt.ownLast {
					resolve()
				}
				d, err := second.Run(t.Context(), r.ID())
				must(t, err)
				if len(d.Steps) != 1 || d.Steps[0].Result != tt.want {
					t.Errorf("the ledger has %+v, want %s", d.Steps, tt.want)
				}
				if err := r.Intend(t.Context(), step("b")); !errors.Is(err, ErrNotLocked) {
					t.Errorf("a run that has lost the lock may send another step: %v", err)
				}
			})
		})
	}
}

func TestInterruptedRunIsFoundAndResolved(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		dead := open(t, dsn)
		lock := mustLock(t, dead)
		r := begin(t, dead, runs.KindApply)
		for _, tag := range []string{"b", "a", "done"} {
			must(t, r.Intend(t.Context(), step(tag)))
		}
		must(t, r.Done(t.Context(), result("done", actions.ResultDone)))
		if runs, err := open(t, dsn).Runs(t.Context(), 1); err != nil || runs[0].Status != StatusRunning || runs[0].Unresolved != 2 {
			t.Errorf("while it runs, it is %+v (%v)", runs, err)
		}
		must(t, lock.Unlock()) // as the end of the process does

		l := open(t, dsn)
		records, err := l.Runs(t.Context(), 1)
		must(t, err)
		if records[0].Status != StatusInterrupted || records[0].Unresolved != 2 || records[0].Counts[actions.ResultDone] != 1 {
			t.Errorf("after its process ended, it is %+v", records[0])
		}
		mustLock(t, l)
		alive := begin(t, l, runs.KindApply)
		must(t, alive.Intend(t.Context(), step("alive")))
		for range 2 { // asking does not change the answer
			found, err := l.Interrupted(t.Context())
			must(t, err)
			if len(found) != 1 || found[0].Run != r.ID() {
				t.Fatalf("interrupted are %+v", found)
			}
			if diff := cmp.Diff([]actions.Step{step("a"), step("b")}, found[0].Steps); diff != "" {
				t.Error(diff)
			}
		}
		must(t, l.Resolve(t.Context(), r.ID(), result("a", actions.ResultDone)))
		must(t, l.Resolve(t.Context(), r.ID(), result("b", actions.ResultFailed)))
		must(t, l.Resolve(t.Context(), r.ID(), result("b", actions.ResultSkipped))) // the first result counts
		if err := l.Resolve(t.Context(), r.ID(), result("never sent", actions.ResultDone)); err == nil {
			t.Error("a step that was never sent was resolved")
		}
		if found, err := l.Interrupted(t.Context()); err != nil || len(found) != 0 {
			t.Errorf("still interrupted are %+v (%v)", found, err)
		}
		d, err := l.Run(t.Context(), r.ID())
		must(t, err)
		want := map[actions.Result]int{actions.ResultDone: 2, actions.ResultFailed: 1}
		if diff := cmp.Diff(want, d.Counts); diff != "" || d.Unresolved != 0 || d.Status != StatusInterrupted {
			t.Errorf("at the end it is %+v", d.RunRecord)
		}
	})
}

func TestTheFirstResultCounts(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		r := begin(t, l, runs.KindApply)
		must(t, r.Intend(t.Context(), step("a")))
		must(t, r.Done(t.Context(), result("a", actions.ResultDone)))
		must(t, r.Done(t.Context(), result("a", actions.ResultFailed)))
		must(t, r.Intend(t.Context(), step("b")))
		must(t, r.Intend(t.Context(), step("b"))) // sent once more
		d, err := l.Run(t.Context(), r.ID())
		must(t, err)
		if d.Steps[0].Result != actions.ResultDone || d.Steps[1].Tries != 2 || d.Steps[1].Result != "" {
			t.Errorf("the journal is %+v", d.Steps)
		}
	})
}

func TestTheHistoryHasEveryEventOfATag(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := openWith(t, dsn, Options{Who: "ada", Now: func() time.Time { return start.Add(5 * time.Hour) }})
		tags := func(names ...string) (tags []MarkedTag) {
			for _, n := range names {
				tags = append(tags, MarkedTag{ID: "id-" + n, Digest: "sha256:" + n, Ref: ref(n), Reasons: reasons()})
			}
			return tags
		}
		held := func(g actions.Guard) actions.Held {
			return actions.Held{Action: actions.DeleteTag, Ref: ref("x"), Guard: g, Detail: "because of " + string(g), Reasons: reasons()}
		}
		pass := func(hour int, tags []MarkedTag, held ...actions.Held) *Run {
			r := begin(t, l, runs.KindPlan)
			at := start.Add(time.Duration(hour) * time.Hour)
			err := r.Mark(t.Context(), Observation{At: at, Tags: tags, Covered: everything})
			must(t, err)
			must(t, r.Plan(t.Context(), planOf(t, at, nil, held...), everything))
			must(t, r.Finish(t.Context(), Ending{Status: StatusFinished}))
			return r
		}
		pass(0, nil)
		pass(1, tags("x", "y"), held(actions.GuardMinAge))
		pass(2, tags("x", "y"), held(actions.GuardMinAge))
		pass(3, tags("x", "y"), held(actions.GuardGrace))
		pass(4, tags("x", "y"))
		r := begin(t, l, runs.KindApply)
		must(t, r.Intend(t.Context(), step("x")))
		must(t, r.Done(t.Context(), result("x", actions.ResultDone)))
		must(t, r.Finish(t.Context(), Ending{Status: StatusFinished}))

		events, err := l.History(t.Context(), ref("x"))
		must(t, err)
		var got []string
		for _, e := range events {
			got = append(got, fmt.Sprintf("%s %s by run %d of %s: %s%s %s%s, %d reasons, %s",
				e.At.Format("15:04"), e.Kind, e.Run, e.Who, e.Action, e.Guard, e.Result, e.Detail, len(e.Reasons), e.PolicyDigest))
		}
		want := []string{
			"13:00 marked by run 2 of ada:  , 1 reasons, sha256:p",
			"13:00 held by run 2 of ada: delete_tagmin_age because of min_age, 1 reasons, sha256:p",
			"15:00 released by run 4 of ada: delete_tagmin_age , 0 reasons, sha256:p",
			"15:00 held by run 4 of ada: delete_taggrace because of grace, 1 reasons, sha256:p",
			"16:00 released by run 5 of ada: delete_taggrace , 0 reasons, sha256:p",
			"17:00 unmarked by run 6 of ada:  , 0 reasons, sha256:p",
			"17:00 intended by run 6 of ada: delete_tag , 1 reasons, sha256:p",
			"17:00 result by run 6 of ada: delete_tag donedetail of x, 1 reasons, sha256:p",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if events, err := l.History(t.Context(), ref("nothing")); err != nil || len(events) != 0 {
			t.Errorf("of an unknown tag: %v (%v)", events, err)
		}
		c, err := l.Marked(t.Context())
		must(t, err)
		if since, ok := c.Since("id-y", "sha256:y", ref("y")); !ok || !since.Equal(start.Add(time.Hour)) || len(c.open) != 1 {
			t.Errorf("the other tag is marked since %s (%t), of %d", since, ok, len(c.open))
		}
	})
}

func TestMedianDeletionsCountsConfirmedDeletionsOfFinishedRuns(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		if median, runs, err := l.MedianDeletions(t.Context(), 5); err != nil || median != 0 || runs != 0 {
			t.Errorf("of nothing: %v of %d (%v)", median, runs, err)
		}
		run := func(deletions int, kind runs.Kind, s Status) {
			r := begin(t, l, kind)
			o := &actions.Outcome{Results: []actions.StepResult{result("gone", actions.ResultGone), {Ref: "rg.fr-par.scw.cloud/prod", Action: actions.SetNamespaceVisibility, Result: actions.ResultDone}}}
			for _, n := range names(deletions) {
				o.Results = append(o.Results, result(n, actions.ResultDone))
			}
			must(t, r.Finish(t.Context(), Ending{Status: s, Outcome: o}))
		}
		run(100, runs.KindApply, StatusFinished) // too long ago
		run(1, runs.KindApply, StatusFinished)
		run(4, runs.KindApply, StatusFinished)
		run(90, runs.KindApply, StatusFailed)
		run(90, runs.KindApply, StatusInterrupted)
		run(90, runs.KindPlan, StatusFinished)
		run(2, runs.KindApply, StatusFinished)
		if median, runs, err := l.MedianDeletions(t.Context(), 3); err != nil || median != 2 || runs != 3 {
			t.Errorf("of three: %v of %d (%v)", median, runs, err)
		}
		run(7, runs.KindApply, StatusFinished)
		if median, runs, err := l.MedianDeletions(t.Context(), 4); err != nil || median != 3 || runs != 4 {
			t.Errorf("of four: %v of %d (%v)", median, runs, err)
		}
	})
}

// A result is recorded whatever text the API answers.
func TestAnyTextIsRecorded(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		r := begin(t, l, runs.KindApply)
		s := step("a\x00b\xff")
		s.Reasons = []registry.Reason{{Rule: "r\x00", Text: "\xff\xfe ' \" \\ $1 ? \u0000"}}
		must(t, r.Intend(t.Context(), s))
		must(t, r.Done(t.Context(), actions.StepResult{Ref: s.Ref, Action: s.Action, Result: actions.ResultFailed, Detail: "<html>\x00\xc3\x28" + strings.Repeat("é", 1<<16)}))
		must(t, r.Finish(t.Context(), Ending{Status: StatusFailed, Message: "\x00\xff"}))
		d, err := l.Run(t.Context(), r.ID())
		must(t, err)
		if len(d.Steps) != 1 || d.Steps[0].Result != actions.ResultFailed || !strings.HasPrefix(d.Steps[0].Detail, "<html>�") {
			t.Errorf("the journal is %+v", d.Steps)
		}
		if events, err := l.History(t.Context(), s.Ref); err != nil || len(events) != 2 {
			t.Errorf("the history is %+v (%v)", events, err)
		}
	})
}

// Writers share transactions, and each of them gets its own result.
func TestManyWritersShareTheJournal(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		r := begin(t, l, runs.KindApply)
		const writers, each = 16, 25
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				for i := range each {
					tag := fmt.Sprintf("w%02d-%02d", w, i)
					if err := r.Intend(t.Context(), step(tag)); err != nil {
						t.Error(err)
						return
					}
					if i%5 == 4 {
						continue // never known
					}
					if err := r.Done(t.Context(), result(tag, actions.Results()[i%5])); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Go(func() { // others read, and plan, meanwhile
			for range 10 {
				if _, err := l.Runs(t.Context(), 0); err != nil {
					t.Error(err)
				}
				p, err := l.Begin(t.Context(), RunInfo{Kind: runs.KindPlan})
				if err != nil {
					t.Error(err)
					return
				}
				if err := p.Mark(t.Context(), Observation{At: start, Tags: []MarkedTag{{ID: "x", Digest: "d", Ref: ref("x")}}, Covered: everything}); err != nil {
					t.Error(err)
				}
			}
		})
		group.Wait()
		d, err := l.Run(t.Context(), r.ID())
		must(t, err)
		if len(d.Steps) != writers*each || d.Unresolved != writers*each/5 {
			t.Errorf("there are %d steps, %d of them unresolved", len(d.Steps), d.Unresolved)
		}
		for _, s := range d.Steps {
			i := int(s.Ref[len(s.Ref)-2]-'0')*10 + int(s.Ref[len(s.Ref)-1]-'0')
			want := append(slices.Clone(actions.Results()[:4]), "")[i%5]
			if s.Result != want || s.Step == nil || s.Step.Ref != s.Ref {
				t.Errorf("%s has the result %q, want %q", s.Ref, s.Result, want)
			}
		}
	})
}

// A result is written even if its context has ended.
func TestAResultOutlivesItsContext(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		r := begin(t, l, runs.KindApply)
		must(t, r.Intend(t.Context(), step("a")))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Done(ended, result("a", actions.ResultDone)); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("it gives %v", err)
		}
		must(t, r.Finish(ended, Ending{Status: StatusInterrupted}))
		d, err := l.Run(t.Context(), r.ID())
		must(t, err)
		if d.Status != StatusInterrupted || d.Counts[actions.ResultDone] != 1 {
			t.Errorf("it is %+v", d.RunRecord)
		}
	})
}

func TestForgetKeepsWhatWasApplied(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		record := func(kind runs.Kind, p *actions.Plan) {
			r := begin(t, l, kind)
			must(t, r.Plan(t.Context(), p, nil))
			must(t, r.Finish(t.Context(), Ending{Status: StatusFinished}))
		}
		old, applied, fresh := planOf(t, start, []string{"old"}), planOf(t, start, []string{"applied"}), planOf(t, start, []string{"new"})
		record(runs.KindPlan, old)
		record(runs.KindPlan, applied)
		record(runs.KindApply, applied)
		before := l.now()
		record(runs.KindPlan, fresh)
		must(t, l.Forget(t.Context(), before))
		for _, p := range []*actions.Plan{applied, fresh} {
			if _, err := l.Plan(t.Context(), p.ID); err != nil {
				t.Error(err)
			}
		}
		if _, err := l.Plan(t.Context(), old.ID); err == nil {
			t.Error("the old plan is still there")
		}
		runs, err := l.Runs(t.Context(), 0)
		must(t, err)
		if oldest := runs[len(runs)-1]; len(runs) != 2 || oldest.PlanID != applied.ID || oldest.Summary.DeleteTags != 1 {
			t.Errorf("the runs are %+v", runs)
		}
	})
}

// A run that only plans has no lock that shows whether it is going on.
func TestAPlanThatNeverEndsIsInterrupted(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		c := &calendar{now: start}
		l := openWith(t, dsn, Options{Now: c.Now})
		begin(t, l, runs.KindPlan)
		for _, want := range []Status{StatusRunning, StatusInterrupted} {
			runs, err := l.Runs(t.Context(), 1)
			must(t, err)
			if runs[0].Status != want {
				t.Errorf("at %s it is %s, want %s", c.now, runs[0].Status, want)
			}
			c.now = c.now.Add(planMax)
		}
	})
}

// Steps that were never tried are only in the outcome, and there may be
// many of them.
func TestOutcomeCompletesTheJournal(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		r := begin(t, l, runs.KindApply)
		tags := names(2*chunk + 1)
		o := new(actions.Outcome)
		for i, tag := range tags {
			res := result(tag, actions.ResultSkipped)
			if i < 3 {
				res.Result = actions.ResultDone
				must(t, r.Intend(t.Context(), step(tag)))
			}
			if i < 2 { // the third result could not be written
				must(t, r.Done(t.Context(), res))
			}
			o.Results = append(o.Results, res)
		}
		must(t, r.Finish(t.Context(), Ending{Status: StatusFailed, Outcome: o}))
		d, err := l.Run(t.Context(), r.ID())
		must(t, err)
		want := map[actions.Result]int{actions.ResultDone: 3, actions.ResultSkipped: len(tags) - 3}
		if diff := cmp.Diff(want, d.Counts); diff != "" || d.Unresolved != 0 {
			t.Errorf("%d are unresolved; %s", d.Unresolved, diff)
		}
		for i, s := range d.Steps {
			if s.Ref != ref(tags[i]) || (s.Step != nil) != (i < 3) || s.Detail != "detail of "+tags[i] {
				t.Errorf("step %d is %+v", i, s)
			}
		}
	})
}

// A schedule that plans the same again and again hardly makes the ledger grow.
func TestPlansOfTheSameContentsAreStoredOnce(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		var names []string
		for i := range 1000 {
			names = append(names, fmt.Sprintf("pr-%04d", i))
		}
		var ids []string
		for i := range 10 {
			p := planOf(t, start, names)
			p.TakenAt = start.Add(time.Duration(i) * 30 * time.Minute)
			p.Held = append(p.Held, actions.Held{Action: actions.DeleteTag, Ref: ref("young"), Guard: actions.GuardMinAge, Detail: fmt.Sprint(i, "m old")})
			p.Summary.Held++
			p.Seal()
			r := begin(t, l, runs.KindPlan)
			must(t, r.Plan(t.Context(), p, nil))
			must(t, r.Finish(t.Context(), Ending{Status: StatusFinished}))
			ids = append(ids, p.ID)
			read, err := l.Plan(t.Context(), p.ID)
			must(t, err)
			if diff := cmp.Diff(encode(t, p), encode(t, read)); diff != "" {
				t.Fatal(diff)
			}
		}
		var bytes int
		must(t, l.db.QueryRowContext(t.Context(), `SELECT COALESCE(SUM(length(body)), 0) FROM (SELECT body FROM janitor_contents UNION ALL SELECT body FROM janitor_plans) AS bodies`).Scan(&bytes))
		if perRun := bytes / len(ids); perRun > 2500 {
			t.Errorf("%d bytes are stored for each of %d runs", perRun, len(ids))
		}
	})
}

func encode(t *testing.T, p *actions.Plan) string {
	t.Helper()
	var b strings.Builder
	must(t, p.Encode(&b))
	return b.String()
}

package ledger

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/runs"
)

// BenchmarkJournal measures the journal for each step: one intent and one result,
// with 16 steps in flight.
func BenchmarkJournal(b *testing.B) {
	for _, d := range databases {
		for _, writers := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/writers=%d", d.name, writers), func(b *testing.B) {
				l := openWith(b, d.dsn(b), Options{})
				r := begin(b, l, runs.KindApply)
				var next atomic.Int64
				b.ResetTimer()
				done := make(chan error, writers)
				for range writers {
					go func() { done <- journalSteps(b, r, &next) }()
				}
				for range writers {
					must(b, <-done)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
			})
		}
	}
}

func journalSteps(b *testing.B, r *Run, next *atomic.Int64) error {
	for {
		n := next.Add(1)
		if n > int64(b.N) {
			return nil
		}
		s := step(fmt.Sprintf("t%08d", n))
		if err := r.Intend(b.Context(), s); err != nil {
			return err
		}
		if err := r.Done(b.Context(), actions.StepResult{Ref: s.Ref, Action: s.Action, Result: actions.ResultDone}); err != nil {
			return err
		}
	}
}

// BenchmarkMarked is one run that finds 100,000 tags marked for deletion: for the
// first time, and again.
func BenchmarkMarked(b *testing.B) {
	tags := manyTags(100_000)
	for _, d := range databases {
		b.Run(d.name+"/first", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				l := openWith(b, d.dsn(b), Options{})
				b.StartTimer()
				observe(b, l, Observation{At: start, Tags: tags, Covered: everything})
			}
		})
		b.Run(d.name+"/again", func(b *testing.B) {
			l := openWith(b, d.dsn(b), Options{})
			observe(b, l, Observation{At: start, Tags: tags, Covered: everything})
			b.ResetTimer()
			for i := range b.N {
				observe(b, l, Observation{At: start.Add(time.Duration(i) * time.Hour), Tags: tags, Covered: everything})
			}
		})
	}
}

// BenchmarkFinish is the end of a run that was stopped after its first step, with
// 100,000 steps to go, in a ledger with 100,000 marked tags.
func BenchmarkFinish(b *testing.B) {
	tags := manyTags(100_000)
	o := new(actions.Outcome)
	for _, t := range tags {
		o.Results = append(o.Results, actions.StepResult{Ref: t.Ref, Action: actions.DeleteTag, Result: actions.ResultSkipped, Detail: "the run was stopped"})
	}
	o.Results[0].Result = actions.ResultDone
	for _, d := range databases {
		b.Run(d.name, func(b *testing.B) {
			l := openWith(b, d.dsn(b), Options{})
			observe(b, l, Observation{At: start, Tags: tags, Covered: everything})
			mustLock(b, l)
			for b.Loop() {
				must(b, begin(b, l, runs.KindApply).Finish(b.Context(), Ending{Status: StatusFailed, Outcome: o}))
			}
		})
	}
}

package apply

import (
	"context"

	"github.com/registry-janitor/registry-janitor/actions"
)

// Journal keeps a durable record of what a run changes. Both methods return once
// the record is on disk; they are called from several goroutines at once, so an
// implementation may write several records together. An error of either stops
// the run before the next change.
type Journal interface {
	// Intend records a step before anything is sent for it. It is called once for
	// each step that is tried, however often that takes.
	Intend(ctx context.Context, s actions.Step) error
	// Done records what became of a step. It is called exactly once for each step
	// that Intend has recorded, and for no other: steps that were decided without
	// being tried are in the outcome alone.
	Done(ctx context.Context, r actions.StepResult) error
}

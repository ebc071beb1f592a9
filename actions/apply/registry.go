package apply

import (
	"context"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Registry is what applying needs of a registry. Its methods are safe for
// concurrent use. Reads are fresh, and may be repeated behind the scenes; a change
// is sent at most once by each call.
//
// A read also returns when its first request was written, so that its age is
// known whatever the answer took. Errors wrap those of package registry. A change
// that failed with none of them was refused for good, or never sent.
type Registry interface {
	Reader
	Changer
}

// Reader reads objects by their IDs. An answer about another object than was asked
// for is an error that wraps registry.ErrMismatch.
type Reader interface {
	GetTag(ctx context.Context, region registry.Region, imageID, id string) (registry.Tag, time.Time, error)
	// GetImage leaves Namespace and Tags empty.
	GetImage(ctx context.Context, region registry.Region, id string) (registry.Image, time.Time, error)
	GetNamespace(ctx context.Context, region registry.Region, id string) (registry.Namespace, time.Time, error)
	// ListTags and ListImages return everything, or an error.
	ListTags(ctx context.Context, region registry.Region, imageID string) ([]registry.Tag, time.Time, error)
	ListImages(ctx context.Context, region registry.Region, namespaceID string) ([]registry.Image, time.Time, error)
}

// Changer asks for changes. A nil error means that the API has accepted the
// change, not that it is done. A deletion that cannot be written before the given
// time is not sent: its error wraps registry.ErrLate.
type Changer interface {
	// DeleteTag returns the tag as the API answers to its deletion.
	DeleteTag(ctx context.Context, region registry.Region, id string, before time.Time) (registry.Tag, error)
	DeleteImage(ctx context.Context, region registry.Region, id string, before time.Time) error
	DeleteNamespace(ctx context.Context, region registry.Region, id string, before time.Time) error
	SetImageVisibility(ctx context.Context, region registry.Region, id string, to registry.Visibility, before time.Time) error
	SetNamespaceVisibility(ctx context.Context, region registry.Region, id string, to registry.Visibility, before time.Time) error
}

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

// Archive copies what tags hold, so that they can be restored. It is safe for
// concurrent use, and bounds by itself how much it copies at once.
type Archive interface {
	// Copy returns once the planned digest of the tag, with everything that it needs,
	// is in the archive, verified and recorded, which may take minutes: the deletion
	// is sent on a reading that is newer than its return. A copy that was left by a
	// run that was killed is completed and recorded again, and restoring a tag that
	// was not deleted changes nothing, so neither needs the journal.
	//
	// The copy is nil, without an error, for a tag of which none is wanted. An error
	// means that the tag must not be deleted, unless it wraps an actions.UncopiedError;
	// its text is for the operator.
	Copy(ctx context.Context, s *actions.Step) (*actions.Archived, error)
}

package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// MarkedTag is a tag that the policies mark for deletion.
type MarkedTag struct {
	ID, Digest, Ref string
	Reasons         []registry.Reason // for the history; may be empty
}

// Observation is every tag that one run found marked for deletion.
type Observation struct {
	// At is the time of the scan. A run with a clock that is wrong must not be
	// recorded.
	At time.Time
	// Tags are all marked tags that the run found, held or not.
	Tags []MarkedTag
	// Covered reports whether the run would have found a tag marked. It is false
	// outside of the scope, in a gap, in an image that was skipped, and where a policy
	// failed: what the ledger holds of such tags does not change. Required.
	Covered func(tag registry.Ref) bool
}

// Marked holds since when each tag is marked for deletion.
type Marked struct {
	open map[spanKey]*openSpan
}

// Since returns since when a tag of this ID, digest and reference is marked without
// a break, and false if it is not marked.
func (m *Marked) Since(id, digest, ref string) (time.Time, bool) {
	o := m.open[spanKey{ref: ref, subject: id}]
	if o == nil || o.value != digest {
		return time.Time{}, false
	}
	return fromMicros(o.since), true
}

// Marked reads since when tags are marked, as earlier runs recorded it.
func (l *Ledger) Marked(ctx context.Context) (*Marked, error) {
	open, err := openSpans(ctx, l.db, spanMarked)
	if err != nil {
		return nil, l.fail("reading the marked tags from", err)
	}
	return &Marked{open: open}, nil
}

// Mark records an observation. A tag that is new, has another digest than before,
// or was not marked in between, is marked since the time of the observation. The
// others keep their time, which never moves back.
func (r *Run) Mark(ctx context.Context, o Observation) error {
	if o.Covered == nil {
		return errors.New("recording the marked tags: the observation lacks what it covers")
	}
	spans := make([]span, len(o.Tags))
	for i, t := range o.Tags {
		spans[i] = span{ref: t.Ref, subject: t.ID, value: t.Digest, reasons: t.Reasons}
	}
	return r.ledger.fail("recording the marked tags in", r.ledger.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return r.observe(ctx, tx, spanMarked, o.At, spans, o.Covered)
	}))
}

package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// CondemnedTag is a tag that the policies want deleted.
type CondemnedTag struct {
	ID, Digest, Ref string
	Reasons         []registry.Reason // for the history; may be empty
}

// Observation is what one pass found condemned.
type Observation struct {
	// At is the time of the scan. A pass whose clock cannot be trusted must not be
	// observed.
	At time.Time
	// Tags are all condemned tags that the pass saw, held or not.
	Tags []CondemnedTag
	// Judged says whether the pass would have had a tag in Tags if it were
	// condemned: it is false for what lies outside of the scope, in a gap, in an
	// image that was skipped, or where a policy failed. What is known about those
	// stays as it is. Required.
	Judged func(tag registry.Ref) bool
}

// Condemned says since when each tag is condemned.
type Condemned struct {
	open map[spanKey]*openSpan
}

// Since says since when a tag of this id, digest and reference is condemned
// without a break, and whether it was before.
func (c *Condemned) Since(id, digest, ref string) (time.Time, bool) {
	o := c.open[spanKey{ref: ref, subject: id}]
	if o == nil || o.value != digest {
		return time.Time{}, false
	}
	return fromMicros(o.since), true
}

// Len is the number of tags that are condemned.
func (c *Condemned) Len() int { return len(c.open) }

// Condemned reads since when tags are condemned, as the passes before have
// observed it.
func (l *Ledger) Condemned(ctx context.Context) (*Condemned, error) {
	open, err := openSpans(ctx, l.db, spanCondemned)
	if err != nil {
		return nil, l.fail("reading what is condemned from", err)
	}
	return &Condemned{open: open}, nil
}

// Condemned records an observation, and returns how things stand after it. A tag
// that is condemned for the first time, with another digest than before, or
// again after it was not, is so since the time of the observation; the others
// keep their time, which never moves back.
func (r *Run) Condemned(ctx context.Context, o Observation) (*Condemned, error) {
	if o.Judged == nil {
		return nil, errors.New("recording what is condemned: the observation does not say what was judged")
	}
	spans := make([]span, len(o.Tags))
	for i, t := range o.Tags {
		spans[i] = span{ref: t.Ref, subject: t.ID, value: t.Digest, reasons: t.Reasons}
	}
	c := new(Condemned)
	err := r.ledger.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		c.open, err = r.observe(ctx, tx, spanCondemned, o.At, spans, o.Judged)
		return err
	})
	if err != nil {
		return nil, r.ledger.fail("recording what is condemned in", err)
	}
	return c, nil
}

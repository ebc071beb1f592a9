package archive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Restorer pushes tags from an archive back into a registry.
type Restorer struct {
	archive *Archive
	connect Connect
	o       RestorerOptions

	believed time.Duration
}

// RestorerOptions say what happens around a restoration.
type RestorerOptions struct {
	// Overwriting, if set, is called before a tag that exists with another digest is moved;
	// with an error, it is not. nil moves none.
	Overwriting func(ctx context.Context, ref registry.Ref, digest string) error
	// Check, if set, reports why an attachment must not come back with its subject.
	Check func(attachment Record) error
	// Stay is how long what was restored is kept, whatever the rules say.
	Stay time.Duration
	Now  func() time.Time // required
	// Pushed, if set, counts the bytes of blobs while they are pushed.
	Pushed *atomic.Int64
}

// Restored is what became of one record.
type Restored struct {
	Record Record `json:"record"`
	As     string `json:"as"` // the reference that has the digest again
	// Before is the digest that the reference had; "" if it did not exist.
	Before string `json:"before,omitempty"`
	// Kept: an attachment that exists with the digest Before, and was left as it is.
	Kept bool `json:"kept,omitempty"`
	// Unmarked is why the record does not say that it was restored: the archive cannot be written.
	Unmarked error `json:"-"`
	Blobs    int   `json:"blobs"` // that were pushed
	Bytes    int64 `json:"bytes"` // of those
}

// WasThere reports whether the reference had the digest already, and not from an earlier
// restoration: nothing was changed, and the tag is an ordinary one.
func (r *Restored) WasThere() bool {
	return r.Before == r.Record.Digest && !slices.Contains(r.Record.RestoredAs, r.As)
}

// Moved reports whether the reference had another digest.
func (r *Restored) Moved() bool { return !r.Kept && r.Before != "" && r.Before != r.Record.Digest }

// RestoreError is why a record, or one of its attachments, did not come back.
type RestoreError struct {
	Of  Restored
	Err error
}

func (e *RestoreError) Error() string { return "restoring " + e.Of.As + ": " + e.Err.Error() }

func (e *RestoreError) Unwrap() error { return e.Err }

// NewRestorer is a restorer whose connections can push.
func NewRestorer(a *Archive, connect Connect, o RestorerOptions) *Restorer {
	if o.Pushed == nil {
		o.Pushed = new(atomic.Int64)
	}
	return &Restorer{a, connect, o, believed}
}

// Restore gives a reference the digest of a record again, and those of some records that are
// attached to that digest theirs, unless those exist with another digest. Nothing is pushed
// under a tag while a blob of any of them must be thawed. The results are valid whatever the
// error, which has a RestoreError for each that did not come back: they are those of what was
// restored, the record first.
func (r *Restorer) Restore(ctx context.Context, records []Record, which Record, as registry.Ref) ([]Restored, error) {
	all, failed := r.prepareAll(ctx, records, which, as)
	frozen := slices.IndexFunc(all, func(one *restoring) bool { return one.push.frozen != nil })
	if frozen >= 0 {
		failed = errors.Join(all[frozen].fail(all[frozen].push.frozen), failed)
	}
	var done []Restored
	var broken bool // the record itself did not come back, or one before
	for _, one := range all {
		switch {
		case one.is():
			done = append(done, one.out)
		case frozen >= 0: // the marks stay: a thaw is a restoration that goes on
		case broken:
			failed = errors.Join(failed, r.unmark(ctx, one))
		default:
			err := one.spare(r.finish(ctx, one))
			if err != nil {
				broken = true
				failed = errors.Join(one.fail(err), r.unmark(ctx, one), failed)
				continue
			}
			done = append(done, one.out)
			if one.out.Kept {
				failed = errors.Join(failed, r.unmark(ctx, one))
			}
		}
	}
	return done, failed
}

// prepareAll prepares a record and its attachments, up to the first that fails. One whose
// record is contradicted is left out.
func (r *Restorer) prepareAll(ctx context.Context, records []Record, which Record, as registry.Ref) (all []*restoring, failed error) {
	waiting := []Record{which}
	seen := map[string]bool{}
	for len(waiting) > 0 {
		record, ref := waiting[0], as
		waiting = waiting[1:]
		if seen[record.Ref] {
			continue
		}
		seen[record.Ref] = true
		overwriting := r.o.Overwriting
		if record.Ref != which.Ref {
			_, ref.Tag = splitTag(record.Ref)
			overwriting = nil
		}
		one := &restoring{out: Restored{Record: record, As: ref.String()}, attached: record.Ref != which.Ref}
		err := one.spare(r.prepare(ctx, one, ref, overwriting))
		if errors.As(err, new(*contradiction)) {
			failed = errors.Join(failed, one.fail(err))
			continue
		}
		if err != nil {
			return all, errors.Join(failed, one.fail(err))
		}
		all = append(all, one)
		waiting = append(waiting, attachments(records, record, one.push.digests)...)
	}
	return all, failed
}

// contradiction is the error of an attachment whose record is not what is known of it.
type contradiction struct{ error }

func (c *contradiction) Unwrap() error { return c.error }

// attachments are the latest records of what is attached to digests, in the image of a
// record.
func attachments(records []Record, to Record, digests []string) []Record {
	image := to.Image()
	return latest(slices.DeleteFunc(slices.Clone(records), func(r Record) bool {
		return r.Image() != image || !slices.ContainsFunc(digests, r.Subject().Is)
	}))
}

// ErrOther is that the reference is a tag with another digest.
var ErrOther = errors.New("exists with another digest")

// restoring is one record on its way back.
type restoring struct {
	out      Restored
	attached bool // it comes back with its subject
	tag      name.Tag
	push     push
	before   Record    // as it was before it was marked
	looked   time.Time // when out.Before was read
	// overwriting keeps the digest that the tag has, or refuses to move the tag.
	overwriting func(ctx context.Context, digest string) error
}

// believed is for how long what a tag has is known, as before a deletion.
const believed = 2 * time.Second

// look reads what the tag has.
func (one *restoring) look(ctx context.Context, at oci.Connection) (err error) {
	one.looked = clock.Now()
	one.out.Before, err = digestOf(ctx, at, one.tag)
	return err
}

// finish sets the tag of what was prepared. It looks at the tag again first if the content
// was on its way for long, because another client may have pushed the tag meanwhile.
func (r *Restorer) finish(ctx context.Context, one *restoring) error {
	for archived := ""; ; archived = one.out.Before {
		if archived != "" || clock.Now().Sub(one.looked) > r.believed {
			if err := one.look(ctx, one.push.to); err != nil {
				return err
			}
		}
		now := one.out.Before
		switch {
		case one.out.WasThere():
			return r.takeBack(ctx, one)
		case now == one.out.Record.Digest:
			return nil
		case now == "", now == archived:
			return one.push.finish(ctx, one.tag)
		}
		if err := one.overwriting(ctx, now); err != nil {
			return err
		}
	}
}

func (one *restoring) fail(err error) error { return &RestoreError{one.out, err} }

// spare leaves an attachment as it is if its tag has another digest: it was signed again, for
// example.
func (one *restoring) spare(err error) error {
	if one.attached && errors.Is(err, ErrOther) {
		one.out.Kept = true
		return nil
	}
	return err
}

// is reports whether the reference needs nothing any more.
func (one *restoring) is() bool { return one.out.Kept || one.push.there }

// prepare pushes everything that a record needs but its tag, or has it thawed.
func (r *Restorer) prepare(ctx context.Context, one *restoring, as registry.Ref, overwriting func(context.Context, registry.Ref, string) error) error {
	record := one.out.Record
	to, err := r.connect(as.WithoutTag())
	if err != nil {
		return err
	}
	one.tag = to.Repository.Tag(as.Tag)
	if err := one.look(ctx, to); err != nil {
		return err
	}
	one.overwriting = func(ctx context.Context, digest string) error {
		if overwriting == nil {
			return fmt.Errorf("it %w, %s, and the archive has %s", ErrOther, digest, record.Digest)
		}
		return overwriting(ctx, as, digest)
	}
	if one.out.Moved() && overwriting == nil {
		return one.overwriting(ctx, one.out.Before)
	}
	if one.attached && r.o.Check != nil && one.out.Before != record.Digest {
		if err := r.o.Check(record); err != nil {
			return &contradiction{err}
		}
	}
	one.push = push{archive: r.archive, read: r.o.Pushed, to: to, root: record.root(), there: one.out.Before == record.Digest}
	if one.out.WasThere() {
		return one.push.prepare(ctx)
	}
	// The mark comes first, so that no run deletes what is being restored.
	one.before, err = r.mark(ctx, record, one.out.As)
	marked := err == nil || ctx.Err() != nil // it is still being written then
	if errors.Is(err, store.ErrRefused) {    // what is read-only, or full, can be read all the same
		one.out.Unmarked, err = err, nil
	}
	if err == nil {
		err = one.push.prepare(ctx)
	}
	if err != nil && marked {
		err = errors.Join(err, r.unmark(ctx, one))
	}
	one.out.Blobs, one.out.Bytes = one.push.blobs, one.push.bytes
	return err
}

// digestOf is the digest of a tag; "" if the tag does not exist.
func digestOf(ctx context.Context, at oci.Connection, ref name.Reference) (string, error) {
	head, err := at.Puller.Head(ctx, ref)
	var answer *transport.Error
	// A token server may answer so too, and knows nothing of tags; it gets no HEAD.
	if errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound && answer.Request != nil && answer.Request.Method == http.MethodHead {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return head.Digest.String(), nil
}

// mark notes in the record that it was restored, and keeps it as long as the tag stays. It
// returns the record as it was; if that fails, the one that it was given, because the index
// may still be being written.
func (r *Restorer) mark(ctx context.Context, record Record, as string) (Record, error) {
	before, at := record, r.o.Now().UTC()
	if err := r.note(ctx, record, func(now *Record) {
		if now.RestoredAt.Equal(at) && slices.Contains(now.RestoredAs, as) {
			return // it was written, although the answer was an error
		}
		before = *now
		now.RestoredAt = at
		if end := now.RestoredAt.Add(r.o.Stay); end.After(now.Until) {
			now.Until = end
		}
		if !slices.Contains(now.RestoredAs, as) {
			now.RestoredAs = append(now.RestoredAs, as)
		}
	}); err != nil {
		return record, err
	}
	return before, nil
}

// unmark takes a mark back if the restoration failed, even if the context has ended. The
// mark stays if the tag has the digest after all, or if that cannot be found out: a run
// could delete the tag.
func (r *Restorer) unmark(ctx context.Context, one *restoring) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unmarkPatience)
	defer cancel()
	if now, err := digestOf(ctx, one.push.to, one.tag); err != nil || now == one.before.Digest {
		return nil // what failed before is what matters
	}
	return r.takeBack(ctx, one)
}

// unmarkPatience is how long a restoration that was stopped takes to say so.
const unmarkPatience = 5 * time.Second

// takeBack gives a record the marks that it had.
func (r *Restorer) takeBack(ctx context.Context, one *restoring) error {
	if one.out.Unmarked != nil {
		return nil //nolint:nilerr // nothing was written
	}
	before := one.before
	return r.note(ctx, before, func(now *Record) {
		now.RestoredAt, now.RestoredAs, now.Until = before.RestoredAt, before.RestoredAs, before.Until
	})
}

// note changes a record in the index.
func (r *Restorer) note(ctx context.Context, record Record, edit func(*Record)) error {
	return r.archive.update(ctx, &change{apply: func(index *v1.IndexManifest) {
		i := slices.IndexFunc(index.Manifests, record.isThat)
		if i < 0 {
			return // it was purged meanwhile: its content is there, or restoring fails
		}
		now, ok, err := readRecord(index.Manifests[i])
		if !ok || err != nil {
			return
		}
		edit(&now)
		index.Manifests[i] = now.described()
	}})
}

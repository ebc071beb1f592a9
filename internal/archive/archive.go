package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/retry"
)

// Archive is an index of records over a store. It is safe for concurrent use.
type Archive struct {
	// To is the address of the archive, for people.
	To    string
	store store.Store

	mu      sync.Mutex
	waiting []*change
	writing bool
	ours    map[identity]*Record // that this process wrote; only drain changes it
	// last is the index as this process wrote it last; nil if it must be read. Only drain
	// uses it.
	last    *v1.IndexManifest
	version string // of last
}

// New is the archive in a store, which may be empty.
func New(to string, s store.Store) *Archive {
	return &Archive{To: to, store: s, ours: map[identity]*Record{}}
}

// Enter keeps purges of other processes away, where that is possible, until leave is called.
func (a *Archive) Enter(ctx context.Context) (leave func(), err error) {
	leave, err = a.store.Enter(ctx)
	return leave, a.fail("entering", err)
}

// Records are all records, the latest deletion first.
func (a *Archive) Records(ctx context.Context) ([]Record, error) {
	index, err := a.index(ctx)
	if err != nil {
		return nil, err
	}
	return recordsOf(index)
}

func recordsOf(index *v1.IndexManifest) ([]Record, error) {
	var records []Record
	for _, d := range index.Manifests {
		r, ok, err := readRecord(d)
		if err != nil {
			return nil, err
		}
		if ok {
			records = append(records, r)
		}
	}
	slices.SortStableFunc(records, newestFirst)
	return records, nil
}

func (a *Archive) index(ctx context.Context) (index *v1.IndexManifest, err error) {
	err = repeat(ctx, func() (err error) {
		index, _, err = a.read(ctx)
		return err
	})
	return index, a.fail("reading the index of", err)
}

// read reads the index once. An index that was cut off must not pass for one that has no
// records: a purge would remove everything.
func (a *Archive) read(ctx context.Context) (*v1.IndexManifest, string, error) {
	encoded, version, err := a.store.Index(ctx)
	if err != nil {
		return nil, "", err
	}
	index := &v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}
	if version == "" && len(encoded) == 0 {
		return index, "", nil
	}
	index.Manifests = nil
	if err := json.Unmarshal(encoded, index); err != nil {
		return nil, "", store.Refuse(fmt.Errorf("it is damaged: %w: put back a copy of the index, or name another place", err))
	}
	if index.Manifests == nil {
		return nil, "", store.Refuse(errors.New("it is damaged: it has no list of manifests: put back a copy of the index, or name another place"))
	}
	return index, version, nil
}

// fail says which archive an error is about.
func (a *Archive) fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s the archive %s: %w", doing, a.To, err)
}

// change is one change of the index: a record for it, or anything else. Changes that
// arrive while the index is being written share the next writing.
type change struct {
	record  *Record
	apply   func(*v1.IndexManifest) // nil: the record
	settles bool                    // it only writes again what was overwritten
	written chan error
}

// maxRewrites is how often the index is read again because another process wrote it.
const maxRewrites = 12

// update changes the index, and returns once it is durable. It is written even if the
// context ends meanwhile, but not if it has ended.
func (a *Archive) update(ctx context.Context, c *change) error {
	if ctx.Err() != nil {
		return a.fail("writing the index of", context.Cause(ctx))
	}
	c.written = make(chan error, 1)
	a.mu.Lock()
	a.waiting = append(a.waiting, c)
	if !a.writing {
		a.writing = true
		go a.drain(context.WithoutCancel(ctx))
	}
	a.mu.Unlock()
	select {
	case err := <-c.written:
		return a.fail("writing the index of", err)
	case <-ctx.Done():
		return a.fail("writing the index of", context.Cause(ctx))
	}
}

// drain writes the changes that wait, until there are none. It has ended its writing before
// it answers, so that a caller that has its answer finds nothing being written.
func (a *Archive) drain(ctx context.Context) {
	for more := true; more; {
		a.mu.Lock()
		changes := a.waiting
		a.waiting = nil
		a.mu.Unlock()
		err := a.rewrite(ctx, changes)
		a.mu.Lock()
		more = len(a.waiting) > 0
		a.writing = more
		a.mu.Unlock()
		for _, c := range changes {
			c.written <- err
		}
	}
}

// rewrite applies changes to the current index.
func (a *Archive) rewrite(ctx context.Context, changes []*change) error {
	loop := retry.Loop{
		Tries: maxRewrites,
		Again: func(err error, n int) (time.Duration, bool) {
			return retry.Pause(10*time.Millisecond, min(n, 8)), errors.Is(err, store.ErrChanged)
		},
		Before: func(error, int, time.Duration) {},
	}
	_, err := loop.Do(ctx, func() error { return repeat(ctx, func() error { return a.write(ctx, changes) }) })
	return err
}

// write applies changes to the index that was written last, or to the one that is there.
func (a *Archive) write(ctx context.Context, changes []*change) (err error) {
	index, version := a.last, a.version
	a.last = nil // until it is written
	settles := func(c *change) bool { return c.settles }
	if index == nil || slices.ContainsFunc(changes, settles) {
		if index, version, err = a.read(ctx); err != nil {
			return err
		}
		lost := a.lost(index)
		if changes = slices.DeleteFunc(slices.Clone(changes), settles); len(lost)+len(changes) == 0 {
			return nil
		}
		set(index, lost)
	}
	var records []*Record
	for _, c := range changes {
		if c.apply != nil {
			c.apply(index)
		} else {
			records = append(records, c.record)
		}
	}
	set(index, records)
	encoded, err := json.Marshal(index)
	if err != nil {
		return err
	}
	if a.version, err = a.store.SetIndex(ctx, encoded, version); err != nil {
		return err
	}
	a.last = index
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range records {
		a.ours[r.identity()] = r
	}
	return nil
}

// lost are the records of this process that an index lacks. Not every store can compare and
// replace at once: there, another process may have written an index that it had read before.
func (a *Archive) lost(index *v1.IndexManifest) []*Record {
	there := map[identity]bool{}
	for _, d := range index.Manifests {
		there[identity{d.Annotations[keyRef], d.Digest}] = true
	}
	var lost []*Record
	for at, r := range a.ours {
		if !there[at] && r.Until.After(clock.Now()) {
			lost = append(lost, r)
		}
	}
	slices.SortFunc(lost, func(a, b *Record) int { return a.DeletedAt.Compare(b.DeletedAt) })
	return lost
}

// Settle waits for what is being written, and writes the records of this process again that
// another process overwrote.
func (a *Archive) Settle(ctx context.Context) error {
	a.mu.Lock()
	needed := len(a.ours) > 0 || a.writing
	a.mu.Unlock()
	if !needed {
		return nil
	}
	return a.update(ctx, &change{settles: true})
}

// identity is what only one record of an index has.
type identity struct {
	ref    string
	digest v1.Hash
}

func (r *Record) identity() identity { return identity{r.Ref, r.descriptor.Digest} }

// set puts records into the index, in place of those with the same reference and digest.
// The latest come first, so that tools which look for a reference find them.
func set(index *v1.IndexManifest, records []*Record) {
	next := make(map[identity]*Record, len(records))
	for _, r := range records {
		next[r.identity()] = new(*r)
	}
	var rest []v1.Descriptor
	for _, d := range index.Manifests {
		at := identity{d.Annotations[keyRef], d.Digest}
		r := next[at]
		if r != nil && !r.keepMarks(d) {
			continue
		}
		if r != nil { // it has its place
			d = r.described()
			delete(next, at)
		}
		rest = append(rest, d)
	}
	index.Manifests = make([]v1.Descriptor, 0, len(next)+len(rest))
	for _, r := range slices.Backward(records) {
		at := r.identity()
		if latest := next[at]; latest != nil {
			index.Manifests = append(index.Manifests, latest.described())
			delete(next, at)
		}
	}
	index.Manifests = append(index.Manifests, rest...)
}

// keepMarks keeps of the record that r replaces until when it was promised, and where else it
// was restored: those tags are still to be left alone. It reports whether r is the same
// deletion: what a run deleted stays so when a restoration moves the tag from there.
func (r *Record) keepMarks(d v1.Descriptor) (isSame bool) {
	old, ok, err := readRecord(d)
	if !ok || err != nil {
		return false
	}
	if old.Until.After(r.Until) {
		r.Until = old.Until
	}
	if isSame = r.Rule == RuleOverwritten && old.Rule != RuleOverwritten; isSame {
		r.Run, r.Rule, r.Reason, r.Who = old.Run, old.Rule, old.Reason, old.Who
		r.DeletedAt, r.UpdatedAt, r.Visibility = old.DeletedAt, old.UpdatedAt, old.Visibility
	}
	others := slices.DeleteFunc(old.RestoredAs, func(as string) bool { return as == r.Ref })
	if len(others) > 0 && !r.RestoredAt.After(old.RestoredAt) {
		r.RestoredAt, r.RestoredAs = old.RestoredAt, others
	}
	return isSame
}

// isThat reports whether a descriptor is of the same reference and digest.
func (r *Record) isThat(d v1.Descriptor) bool {
	return d.Annotations[keyRef] == r.Ref && d.Digest.String() == r.Digest
}

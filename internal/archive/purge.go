package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/internal/archive/store"
)

// Purged is what a purge removed.
type Purged struct {
	Records []Record `json:"records"` // that had expired
	Blobs   int      `json:"blobs"`
	Bytes   int64    `json:"bytes"`
}

// unclaimed is how old a blob without any record must be before it is removed: a run
// that was killed may have left it, and the next one may need it.
const unclaimed = 24 * time.Hour

// maxReads is how many manifests are read at once.
const maxReads = 16

// Purge removes the records that have expired, and then the blobs that no record
// needs. The caller holds the lock of the run, so that no run of its ledger copies meanwhile. A
// purge that is killed leaves blobs, never a record without them.
//
// If a record cannot be read, it removes nothing, because that record may need any blob.
// It removes no blob either if the index has no records although no purge has removed any:
// they may have been lost.
func (a *Archive) Purge(ctx context.Context, now time.Time) (Purged, error) {
	leave, err := a.store.EnterAlone(ctx)
	if err != nil {
		return Purged{}, a.fail("purging", err)
	}
	defer leave()
	index, err := a.index(ctx)
	if err != nil {
		return Purged{}, err
	}
	records, err := recordsOf(index)
	if err != nil {
		return Purged{}, err
	}
	out := Purged{Records: slices.DeleteFunc(records, func(r Record) bool { return r.Until.After(now) })}
	if len(index.Manifests) == 0 && index.Annotations[keyPurgedAt] == "" {
		return out, nil
	}
	stored, err := a.store.Stored(ctx)
	if err != nil {
		return Purged{}, a.fail("listing the blobs of", err)
	}
	isExpired := func(d v1.Descriptor) bool {
		r, ok, err := readRecord(d)
		return ok && err == nil && !r.Until.After(now)
	}
	stays := slices.DeleteFunc(slices.Clone(index.Manifests), isExpired)
	needed, err := a.marked(ctx, stays)
	if err != nil {
		return Purged{}, a.fail("finding out what is needed in", err)
	}
	// If the content of an expired record cannot be read any more, its blobs go by their age.
	freed, _ := a.marked(ctx, slices.DeleteFunc(index.Manifests, func(d v1.Descriptor) bool { return !isExpired(d) }))
	if len(out.Records) > 0 {
		if err := a.update(ctx, &change{apply: func(index *v1.IndexManifest) { expire(index, isExpired, now) }}); err != nil {
			return Purged{}, err
		}
	}
	if err := a.markNew(ctx, needed, stays); err != nil {
		return out, a.fail("finding out what is needed in", err)
	}
	return out, a.sweep(ctx, &out, a.garbage(stored, needed, freed, now))
}

// expire removes records, and notes in the index that a purge did.
func expire(index *v1.IndexManifest, isExpired func(v1.Descriptor) bool, now time.Time) {
	index.Manifests = slices.DeleteFunc(index.Manifests, isExpired)
	if index.Annotations == nil {
		index.Annotations = map[string]string{}
	}
	index.Annotations[keyPurgedAt] = stamp(now)
}

// markNew adds what records need that another process has written meanwhile, where it
// cannot be kept away.
func (a *Archive) markNew(ctx context.Context, needed map[v1.Hash]store.Blob, known []v1.Descriptor) error {
	index, err := a.index(ctx)
	if err != nil {
		return err
	}
	before := map[v1.Hash]bool{}
	for _, d := range known {
		before[d.Digest] = true
	}
	added, err := a.marked(ctx, slices.DeleteFunc(index.Manifests, func(d v1.Descriptor) bool { return before[d.Digest] }))
	maps.Copy(needed, added)
	return err
}

// garbage are the blobs that no record needs: those of records that have expired, and
// those that have been without a record for long. A store that cannot list its blobs
// has only the first.
func (a *Archive) garbage(stored []store.Stored, needed, freed map[v1.Hash]store.Blob, now time.Time) []store.Blob {
	all := map[v1.Hash]store.Blob{}
	if stored == nil {
		all = freed
	}
	for _, s := range stored {
		if _, ok := freed[s.Digest]; ok || now.Sub(s.At) >= unclaimed {
			all[s.Digest] = store.Blob{Digest: s.Digest, Size: s.Size}
		}
	}
	var garbage []store.Blob
	for digest, b := range all {
		if _, ok := needed[digest]; !ok {
			garbage = append(garbage, b)
		}
	}
	return garbage
}

// marked are all blobs of the trees of some descriptors. The map has what was found
// whatever the error.
func (a *Archive) marked(ctx context.Context, roots []v1.Descriptor) (map[v1.Hash]store.Blob, error) {
	var mu sync.Mutex
	marked := map[v1.Hash]store.Blob{}
	mark := func(blobs ...store.Blob) {
		mu.Lock()
		defer mu.Unlock()
		for _, b := range blobs {
			marked[b.Digest] = b
		}
	}
	seen := map[v1.Hash]bool{}
	var failed error
	group := new(errgroup.Group)
	group.SetLimit(maxReads)
	for _, d := range roots {
		if seen[d.Digest] {
			continue
		}
		seen[d.Digest] = true
		group.Go(func() error {
			err := walk(ctx, blobOf(d, true), visitor{
				open: func(ctx context.Context, b store.Blob) ([]byte, error) {
					mark(b)
					return a.manifest(ctx, b)
				},
				opens: a.opens,
				blobs: func(_ context.Context, all []store.Blob) error { mark(all...); return nil },
				leave: func(context.Context, store.Blob, []byte) error { return nil },
			})
			if err != nil {
				mu.Lock()
				failed = errors.Join(failed, fmt.Errorf("the record of %s: %w", d.Annotations[keyRef], err))
				mu.Unlock()
			}
			return nil
		})
	}
	_ = group.Wait() // failed has the errors
	return marked, failed
}

func (a *Archive) sweep(ctx context.Context, out *Purged, garbage []store.Blob) error {
	for _, b := range garbage {
		removed := false
		err := repeat(ctx, func() (err error) {
			removed, err = a.store.Remove(ctx, b)
			return err
		})
		if err != nil {
			return a.fail("removing "+b.Digest.String()+" from", err)
		}
		if removed {
			out.Blobs++
			out.Bytes += b.Size
		}
	}
	return nil
}

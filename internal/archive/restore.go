package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/errgroup"

	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Restorer pushes tags from an archive back into a registry.
type Restorer struct {
	archive *Archive
	connect Connect
	o       RestorerOptions
}

// RestorerOptions say what happens around a restoration.
type RestorerOptions struct {
	// Overwrite moves a tag that exists with another digest.
	Overwrite bool
	// Stay is how long what was restored is kept, whatever the rules say.
	Stay time.Duration
	Now  func() time.Time // required
}

// Restored is what became of one record.
type Restored struct {
	Record Record `json:"record"`
	As     string `json:"as"` // the reference that has the digest again
	// Before is the digest that the reference had; "" if it did not exist.
	Before string `json:"before,omitempty"`
	// Kept: an attachment that exists with the digest Before, and was left as it is.
	Kept  bool  `json:"kept,omitempty"`
	Blobs int   `json:"blobs"` // that were pushed
	Bytes int64 `json:"bytes"` // of those
}

// WasThere reports whether the reference had the digest already, and not from an earlier
// restoration: nothing was changed, and the tag is an ordinary one.
func (r *Restored) WasThere() bool {
	return r.Before == r.Record.Digest && !slices.Contains(r.Record.RestoredAs, r.As)
}

// NewRestorer is a restorer whose connections can push.
func NewRestorer(a *Archive, connect Connect, o RestorerOptions) *Restorer {
	return &Restorer{a, connect, o}
}

// Restore gives a reference the digest of a record again, and the attachments of that
// digest theirs, unless those exist with another digest. The results are valid whatever
// the error: those of what was restored, the record first.
func (r *Restorer) Restore(ctx context.Context, records []Record, which Record, as registry.Ref) ([]Restored, error) {
	var done []Restored
	waiting := []Record{which}
	seen := map[string]bool{}
	for len(waiting) > 0 {
		record, ref := waiting[0], as
		waiting = waiting[1:]
		if seen[record.Ref] {
			continue
		}
		seen[record.Ref] = true
		if record.Ref != which.Ref {
			_, ref.Tag = splitTag(record.Ref)
		}
		restored, digests, err := r.one(ctx, record, ref, r.o.Overwrite && record.Ref == which.Ref)
		if errors.Is(err, errOther) && record.Ref != which.Ref { // it was signed again, for example
			restored.Kept, err = true, nil
		}
		if err != nil {
			return done, fmt.Errorf("restoring %s: %w", ref, err)
		}
		done = append(done, restored)
		waiting = append(waiting, attachments(records, record, digests)...)
	}
	return done, nil
}

// attachments are the latest records of what is attached to digests, in the image of a
// record.
func attachments(records []Record, to Record, digests []string) []Record {
	image := to.Image()
	return latest(slices.DeleteFunc(slices.Clone(records), func(r Record) bool {
		in, tag := splitTag(r.Ref)
		subject := registry.AttachmentSubject(tag, r.Digest)
		return in != image || !slices.ContainsFunc(digests, subject.Is)
	}))
}

// errOther: the reference is a tag with another digest.
var errOther = errors.New("exists with another digest")

// one restores one record, and returns the digests of its manifests.
func (r *Restorer) one(ctx context.Context, record Record, as registry.Ref, overwrite bool) (Restored, []string, error) {
	out := Restored{Record: record, As: as.String()}
	to, err := r.connect(as.WithoutTag())
	if err != nil {
		return out, nil, err
	}
	tag := to.Repository.Tag(as.Tag)
	if out.Before, err = digestOf(ctx, to, tag); err != nil {
		return out, nil, err
	}
	if out.Before != "" && out.Before != record.Digest && !overwrite {
		return out, nil, fmt.Errorf("it %w, %s, and the archive has %s: choose another name with --as, or move it with --overwrite", errOther, out.Before, record.Digest)
	}
	p := &push{archive: r.archive, to: to, root: record.root(), there: out.Before == record.Digest}
	if out.WasThere() {
		err := p.push(ctx, tag)
		return out, p.digests, err
	}
	// The mark comes first, so that no run deletes what is being restored.
	before, err := r.mark(ctx, record, out.As)
	if err != nil {
		return out, nil, err
	}
	err = p.pushed(ctx, tag)
	out.Blobs, out.Bytes = p.blobs, p.bytes
	if err != nil && !errors.Is(err, store.ErrFrozen) { // a thaw is a restoration that goes on
		err = errors.Join(err, r.unmark(ctx, before, to, tag))
	}
	return out, p.digests, err
}

// digestOf is the digest of a tag; "" if the tag does not exist.
func digestOf(ctx context.Context, at oci.Connection, ref name.Reference) (string, error) {
	head, err := at.Puller.Head(ctx, ref)
	var answer *transport.Error
	if errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return head.Digest.String(), nil
}

// mark notes in the record that it was restored, and keeps it as long as the tag stays. It
// returns the record as it was.
func (r *Restorer) mark(ctx context.Context, record Record, as string) (Record, error) {
	before := record
	if err := r.note(ctx, record, func(now *Record) {
		before = *now
		now.RestoredAt = r.o.Now().UTC()
		if end := now.RestoredAt.Add(r.o.Stay); end.After(now.Until) {
			now.Until = end
		}
		if !slices.Contains(now.RestoredAs, as) {
			now.RestoredAs = append(now.RestoredAs, as)
		}
	}); err != nil {
		return Record{}, err // the index may still be being written, and before with it
	}
	return before, nil
}

// unmark takes a mark back if the restoration failed. The mark stays if the tag has the
// digest after all, or if that cannot be found out: a run could delete the tag.
func (r *Restorer) unmark(ctx context.Context, before Record, to oci.Connection, tag name.Tag) error {
	if now, err := digestOf(ctx, to, tag); err != nil || now == before.Digest {
		return nil //nolint:nilerr // what failed before is what matters
	}
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

// push is one tree on its way into a registry.
type push struct {
	archive *Archive
	to      oci.Connection
	root    store.Blob
	there   bool // the tag has the digest already

	digests []string // of all manifests
	mu      sync.Mutex
	frozen  error // the first blob that must be thawed
	blobs   int
	bytes   int64
}

// maxUploads is how many blobs are pushed at once.
const maxUploads = 4

// pushed gives a tag the tree, and verifies that the registry shows it.
func (p *push) pushed(ctx context.Context, tag name.Tag) error {
	if err := p.push(ctx, tag); err != nil || p.there {
		return err
	}
	now, err := digestOf(ctx, p.to, tag)
	if want := p.root.Digest.String(); err == nil && now != want {
		err = fmt.Errorf("it was pushed as %s, and the registry shows %q", want, now)
	}
	return err
}

func (p *push) push(ctx context.Context, tag name.Tag) error {
	var root []byte
	err := walk(ctx, p.root, visitor{
		open: func(ctx context.Context, b store.Blob) ([]byte, error) {
			raw, err := p.archive.manifest(ctx, b)
			if err == nil {
				p.digests = append(p.digests, b.Digest.String())
			}
			if b.Digest == p.root.Digest {
				root = raw
			}
			return raw, err
		},
		blobs: p.upload,
		leave: func(ctx context.Context, b store.Blob, raw []byte) error {
			if p.there || p.frozen != nil || b.Digest == p.root.Digest {
				return nil //nolint:nilerr // the thaw of the others is what matters, and is returned at the end
			}
			return p.to.Pusher.Put(ctx, p.to.Repository.Digest(b.Digest.String()), store.Document{Raw: raw, Type: b.MediaType})
		},
	})
	switch {
	case err != nil:
		return err
	case p.frozen != nil:
		return p.frozen
	case p.there:
		return nil
	}
	return p.to.Pusher.Put(ctx, tag, store.Document{Raw: root, Type: p.root.MediaType})
}

// upload pushes the blobs of a manifest that the registry does not have.
func (p *push) upload(ctx context.Context, all []store.Blob) error {
	if p.there {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxUploads)
	for _, b := range all {
		group.Go(func() error {
			l := &store.Layer{Blob: b, Open: func() (io.ReadCloser, error) { return p.archive.store.Open(ctx, b) }}
			err := p.to.Pusher.Upload(ctx, p.to.Repository, p.mountable(l))
			p.mu.Lock()
			defer p.mu.Unlock()
			if cause := l.Err(); cause != nil { // of what the connection reports
				err = cause
			}
			switch {
			case errors.Is(err, store.ErrFrozen):
				p.frozen, err = err, nil // the others are thawed at the same time
			case err != nil:
				err = fmt.Errorf("pushing %s: %w", b.Digest, err)
			case l.IsOpened():
				p.blobs++
				p.bytes += b.Size
			}
			return err
		})
	}
	return group.Wait()
}

// mountable names the repository of the archive where the registry can take a blob from
// there.
func (p *push) mountable(l *store.Layer) v1.Layer {
	from, ok := p.archive.store.(*store.Repository)
	if !ok || from.Name().Registry != p.to.Repository.Registry {
		return l
	}
	return &remote.MountableLayer{Layer: l, Reference: from.Name().Digest(l.Blob.Digest.String())}
}

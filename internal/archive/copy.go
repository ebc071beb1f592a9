package archive

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/archive/store"
	"github.com/registry-janitor/registry-janitor/internal/oci"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Connect returns how to reach the repository of an image.
type Connect func(image registry.Ref) (oci.Connection, error)

// CopierOptions are about one run.
type CopierOptions struct {
	Run, Who string // for the records
	// Keep is how long the copies stay.
	Keep time.Duration
	// Optional: a tag that cannot be copied may be deleted anyway, with a warning;
	// the error of Copy is then an actions.UncopiedError.
	Optional bool
	// Selects reports whether a tag is to be archived; nil selects all.
	Selects func(s *actions.Step) bool
	// Visibility returns whether a tag's image is private or public, for its record; nil: not known.
	Visibility func(s *actions.Step) string
	// Bandwidth bounds the bytes per second that are read from the registry; 0 does not.
	Bandwidth int64
	// Parallel is how many blobs are read at once; 64 when it is 0.
	Parallel int
	Now      func() time.Time // required
	Logger   *slog.Logger     // required
	// Traffic, if set, counts while copies are made.
	Traffic *Traffic
}

// Traffic counts what was copied. It is safe for concurrent use.
type Traffic struct {
	Bytes, Blobs, Tags, Failed atomic.Int64
}

// Copier copies tags into an archive. It is safe for concurrent use, and makes each
// blob of a run only once.
type Copier struct {
	archive *Archive
	connect Connect
	o       CopierOptions
	limit   *rate.Limiter // nil: unbounded
	room    chan struct{}

	mu     sync.Mutex
	copies map[store.Blob]*flight

	door  sync.Mutex
	leave func() // nil until the first copy
}

// flight is one blob that is being copied, or was.
type flight struct {
	done chan struct{}
	err  error
}

// burst is how many bytes may pass at once under a limit.
const burst = 64 << 10

// NewCopier is a copier for one run.
func NewCopier(a *Archive, connect Connect, o CopierOptions) *Copier {
	c := &Copier{archive: a, connect: connect, o: o, copies: map[store.Blob]*flight{}}
	if c.o.Parallel == 0 {
		c.o.Parallel = 64
	}
	if o.Bandwidth > 0 {
		c.limit = rate.NewLimiter(rate.Limit(o.Bandwidth), burst)
		// Each moves every second: servers end connections on which nothing does.
		c.o.Parallel = int(min(int64(c.o.Parallel), max(1, o.Bandwidth/burst)))
	}
	if c.o.Traffic == nil {
		c.o.Traffic = new(Traffic)
	}
	c.room = make(chan struct{}, c.o.Parallel)
	return c
}

// Copy copies what the tag of a step holds, and records it. Its result is nil for a tag
// that is not archived.
func (c *Copier) Copy(ctx context.Context, s *actions.Step) (*actions.Archived, error) {
	if c.o.Selects != nil && !c.o.Selects(s) {
		return nil, nil //nolint:nilnil // as documented
	}
	r, err := c.copy(ctx, s)
	switch {
	case err == nil:
		c.o.Traffic.Tags.Add(1)
		return &actions.Archived{To: c.archive.To, Until: r.Until}, nil
	case ctx.Err() != nil: // the run is stopped
		return nil, err
	}
	c.o.Traffic.Failed.Add(1)
	if c.o.Optional {
		c.o.Logger.Warn("the tag could not be archived, but may be deleted anyway", "ref", s.Ref, "error", err)
		return nil, &actions.UncopiedError{Err: err}
	}
	return nil, fmt.Errorf("it cannot be archived: %w", err)
}

// enter keeps purges away until Close is called: what one tag found in the archive, others
// of the run rely on.
func (c *Copier) enter(ctx context.Context) (err error) {
	c.door.Lock()
	defer c.door.Unlock()
	if c.leave == nil {
		c.leave, err = c.archive.Enter(ctx)
	}
	return err
}

// Close ends the copying, even if the context has ended: then soon. Nothing may be being
// copied.
func (c *Copier) Close(ctx context.Context) error {
	c.door.Lock()
	defer c.door.Unlock()
	if c.leave == nil {
		return nil
	}
	defer c.leave()
	patience := time.Minute
	if ctx.Err() != nil {
		patience = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return c.archive.Settle(ctx)
}

func (c *Copier) copy(ctx context.Context, s *actions.Step) (*Record, error) {
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	image, err := registry.ParseRef(s.Ref)
	if err != nil {
		return nil, err
	}
	digest, err := v1.NewHash(s.Digest)
	if err != nil {
		return nil, fmt.Errorf("its digest %q cannot be archived: %w", s.Digest, err)
	}
	from, err := c.connect(image.WithoutTag())
	if err != nil {
		return nil, err
	}
	root, err := from.Puller.Get(ctx, from.Repository.Digest(digest.String()))
	if err != nil {
		return nil, fmt.Errorf("reading its manifest: %w", err)
	}
	is, err := c.tree(ctx, from, blobOf(root.Descriptor, true), root.Manifest)
	if err != nil {
		return nil, err
	}
	r := c.record(s, v1.Descriptor{MediaType: is, Digest: digest, Size: root.Size})
	return r, c.archive.update(ctx, &change{record: r})
}

// record is the record of a tag that is about to be deleted.
func (c *Copier) record(s *actions.Step, d v1.Descriptor) *Record {
	now := c.o.Now().UTC()
	r := &Record{
		Ref: s.Ref, Digest: s.Digest, DeletedAt: now, Run: c.o.Run, Until: now.Add(c.o.Keep), Who: c.o.Who, UpdatedAt: s.UpdatedAt, descriptor: d,
	}
	var rules, reasons []string
	for _, reason := range s.Reasons {
		rules, reasons = append(rules, reason.Rule), append(reasons, reason.Text)
	}
	r.Rule, r.Reason = strings.Join(rules, ", "), strings.Join(reasons, "; ")
	if c.o.Visibility != nil {
		r.Visibility = c.o.Visibility(s)
	}
	return r
}

// tree copies everything that a manifest needs, and then the manifest. It returns the media
// type of the manifest, which need not be the one that the registry said.
func (c *Copier) tree(ctx context.Context, from oci.Connection, root store.Blob, raw []byte) (is types.MediaType, err error) {
	err = walk(ctx, root, visitor{
		open: func(ctx context.Context, b store.Blob) ([]byte, error) {
			if b.Digest == root.Digest {
				return raw, refusal(b, raw)
			}
			part, err := from.Puller.Get(ctx, from.Repository.Digest(b.Digest.String()))
			if err != nil {
				return nil, fmt.Errorf("reading its part %s: %w", b.Digest, err)
			}
			return part.Manifest, refusal(b, part.Manifest)
		},
		opens: func(ctx context.Context, b store.Blob) (bool, error) { return c.opens(ctx, from, b) },
		blobs: func(ctx context.Context, all []store.Blob) error {
			group, ctx := errgroup.WithContext(ctx)
			for _, b := range all {
				group.Go(func() error {
					return c.once(ctx, b, from, func() (io.ReadCloser, error) { return layer(ctx, from, b) })
				})
			}
			return group.Wait()
		},
		leave: func(ctx context.Context, b store.Blob, raw []byte) error {
			is = b.MediaType // the root is the last
			return c.once(ctx, b, from, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(raw))), nil })
		},
	})
	return is, err
}

// opens reports whether the registry has a part of an index as a manifest. A reader of
// the archive has only the content, so a part is refused whose content tells otherwise.
func (c *Copier) opens(ctx context.Context, from oci.Connection, b store.Blob) (bool, error) {
	digest, err := digestOf(ctx, from, from.Repository.Digest(b.Digest.String()))
	isOne := digest != ""
	if err != nil || !isOne && b.Size > maxGuessed {
		return false, err
	}
	raw, err := c.part(ctx, from, b, isOne)
	switch {
	case err != nil:
		return false, fmt.Errorf("reading its part %s: %w", b.Digest, err)
	case looksLikeManifest(raw) != isOne, b.Size > maxGuessed:
		return false, fmt.Errorf("its part %s has the media type %q, and whether it is a manifest cannot be told from its content: push the index again with the media type of each part", b.Digest, b.MediaType)
	}
	return isOne, nil
}

// part reads a manifest, or a small blob.
func (c *Copier) part(ctx context.Context, from oci.Connection, b store.Blob, isManifest bool) ([]byte, error) {
	if isManifest {
		part, err := from.Puller.Get(ctx, from.Repository.Digest(b.Digest.String()))
		if err != nil {
			return nil, err
		}
		return part.Manifest, nil
	}
	body, err := c.metered(ctx, b, func() (io.ReadCloser, error) { return layer(ctx, from, b) })
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(store.Verify(body, b))
}

func layer(ctx context.Context, from oci.Connection, b store.Blob) (io.ReadCloser, error) {
	l, err := from.Puller.Layer(ctx, from.Repository.Digest(b.Digest.String()))
	if err != nil {
		return nil, err
	}
	return l.Compressed()
}

// once copies a blob unless it is in the archive, once in a run whoever asks for it.
func (c *Copier) once(ctx context.Context, b store.Blob, from oci.Connection, open func() (io.ReadCloser, error)) error {
	// Another manifest may give it another size.
	same := store.Blob{Digest: b.Digest, Size: b.Size, Manifest: b.Manifest}
	for {
		c.mu.Lock()
		f, known := c.copies[same]
		if !known {
			f = &flight{done: make(chan struct{})}
			c.copies[same] = f
		}
		c.mu.Unlock()
		if !known {
			b.From = from.Repository.Name()
			f.err = c.put(ctx, b, open)
			if f.err != nil {
				c.mu.Lock()
				delete(c.copies, same) // who comes later tries again
				c.mu.Unlock()
			}
			close(f.done)
			return f.err
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		// It may have failed because of the other tag: its repository, or its context.
		if f.err == nil {
			return nil
		}
	}
}

// put copies a blob that is not in the archive yet, and any manifest.
func (c *Copier) put(ctx context.Context, b store.Blob, open func() (io.ReadCloser, error)) error {
	err := repeat(ctx, func() error {
		if !b.Manifest { // which is at hand, small, and seldom there
			there, err := c.archive.store.Has(ctx, b)
			if err != nil || there {
				return err
			}
		}
		err := c.archive.store.Put(ctx, b, func() (io.ReadCloser, error) { return c.metered(ctx, b, open) })
		if err == nil {
			c.o.Traffic.Blobs.Add(1)
		}
		return err
	})
	if err != nil {
		return c.archive.fail("copying "+b.Digest.String()+" to", err)
	}
	return nil
}

// metered opens a blob once there is room for it. A manifest is at hand, and takes none: in
// a line with the layers of all other tags, no tag would be archived before nearly all of
// them are.
func (c *Copier) metered(ctx context.Context, b store.Blob, open func() (io.ReadCloser, error)) (io.ReadCloser, error) {
	leave := func() {}
	if !b.Manifest {
		select {
		case c.room <- struct{}{}:
			leave = sync.OnceFunc(func() { <-c.room })
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	from, err := open()
	if err != nil {
		leave()
		return nil, fmt.Errorf("reading %s: %w", b.Digest, err)
	}
	return &metered{from, ctx, c.limit, &c.o.Traffic.Bytes, leave}, nil
}

// metered counts what is read, and waits for its turn under a limit.
type metered struct {
	io.ReadCloser
	ctx   context.Context
	limit *rate.Limiter
	bytes *atomic.Int64
	leave func()
}

// Close leaves the room to the next blob.
func (m *metered) Close() error {
	defer m.leave()
	return m.ReadCloser.Close()
}

func (m *metered) Read(p []byte) (int, error) {
	if m.limit != nil && len(p) > burst {
		p = p[:burst]
	}
	n, err := m.ReadCloser.Read(p)
	m.bytes.Add(int64(n))
	if m.limit != nil && n > 0 {
		if late := m.limit.WaitN(m.ctx, n); late != nil {
			return n, late
		}
	}
	return n, err
}

package content

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Options configure a Reader. URL, APIURL and SecretKey are required.
type Options struct {
	// URL is the address of the registry; "{region}" in it is replaced by the region.
	URL string
	// APIURL is the address of the API, which gets the secret key anyway: the registry may
	// send for tokens there.
	APIURL    string
	SecretKey string
	// Redact removes the secret key from a text, in every encoding; nil removes only the key
	// itself.
	Redact func(string) string
	// UserAgent names the program.
	UserAgent string
	// Concurrency is how many requests may be in flight to one host; 16 if it is not positive.
	Concurrency int
	// RequestTimeout bounds one request, from sending it to the end of its answer; 30 s if
	// it is not positive.
	RequestTimeout time.Duration
	// Base sends the requests; nil is http.DefaultTransport.
	Base http.RoundTripper
	// Store keeps what was read; nil keeps it in memory.
	Store Store
	// Logger takes retries at the debug level; nil discards them.
	Logger *slog.Logger
}

// Store keeps contents. It is safe for concurrent use. Contents that it lacks are read
// again.
type Store interface {
	// Find returns those of the digests that it has.
	Find(ctx context.Context, digests []string) map[string]*registry.Content
	// Keep keeps the content of a digest, which must not be changed afterwards.
	Keep(ctx context.Context, digest string, c *registry.Content)
}

// Counts are what a Reader has done so far.
type Counts struct {
	Read   int64 `json:"read"`   // digests that were read
	Found  int64 `json:"found"`  // digests that the store had
	Unread int64 `json:"unread"` // digests that could not be read
	Calls  int64 `json:"calls"`  // requests to registries and to what they redirect to, those for tokens included
	Bytes  int64 `json:"bytes"`  // of the answers
}

// Reader reads contents. It is safe for concurrent use. Keep it: it remembers its tokens
// and what it has learned about the rate limits.
type Reader struct {
	o      Options
	counts counts
	chain  http.RoundTripper // below the guard

	mu    sync.Mutex
	hosts map[registry.Region]*host
	once  singleflight.Group // by repository and digest
}

type counts struct{ read, found, unread, calls, bytes atomic.Int64 }

// NewReader makes a Reader. It sends nothing.
func NewReader(o Options) (*Reader, error) {
	o = o.withDefaults()
	r := &Reader{o: o, hosts: map[registry.Region]*host{}}
	r.chain = newChain(o, &r.counts)
	for _, region := range registry.Regions() {
		h, err := newHost(o, region, r.chain)
		if err != nil {
			return nil, err
		}
		r.hosts[region] = h
	}
	return r, nil
}

// Counts returns what the Reader has done so far.
func (r *Reader) Counts() Counts {
	c := &r.counts
	return Counts{Read: c.read.Load(), Found: c.found.Load(), Unread: c.unread.Load(), Calls: c.calls.Load(), Bytes: c.bytes.Load()}
}

// maxTogether is how many digests of one image are read at once. The hosts bound the
// requests.
const maxTogether = 16

// Read returns the contents of digests of an image, and why the others could not be read:
// each digest is in one of the two. It returns early only with ctx, whose cause is the
// reason of the others then.
func (r *Reader) Read(ctx context.Context, image registry.Ref, digests []string) (contents map[string]*registry.Content, unread map[string]string) {
	contents, unread = map[string]*registry.Content{}, map[string]string{}
	var mu sync.Mutex
	found := r.o.Store.Find(ctx, digests)
	for digest, c := range found {
		contents[digest] = c
		r.counts.found.Add(1)
	}
	source, err := r.source(image)
	var group errgroup.Group
	group.SetLimit(maxTogether)
	for _, digest := range digests {
		if found[digest] != nil {
			continue
		}
		group.Go(func() error {
			err := err
			var c *registry.Content
			if err == nil {
				c, err = r.shared(ctx, source, digest, 0)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				r.counts.unread.Add(1)
				unread[digest] = r.explain(ctx, digest, err)
				return nil
			}
			contents[digest] = c
			return nil
		})
	}
	_ = group.Wait() // the functions return no error
	return contents, unread
}

// source is where the contents of one image are read.
func (r *Reader) source(image registry.Ref) (*source, error) {
	r.mu.Lock()
	h := r.hosts[image.Region]
	r.mu.Unlock()
	if h == nil {
		return nil, fmt.Errorf("the region %q has no registry", image.Region)
	}
	return h.source(image.Namespace + "/" + image.Image)
}

// shared reads the content of a digest, once for all that ask for it at the same time, and
// keeps it. The same digest may be the part of an index and have a tag.
func (r *Reader) shared(ctx context.Context, s *source, digest string, depth int) (*registry.Content, error) {
	if depth > maxDepth { // who asks at a smaller depth must not get this error
		return nil, errDepth
	}
	if (&registry.Tag{Digest: digest}).KnownDigest() == "" {
		return nil, fmt.Errorf("%q is not a digest", digest)
	}
	read, err, _ := r.once.Do(s.repository.Name()+"@"+digest, func() (any, error) {
		if c := r.o.Store.Find(ctx, []string{digest})[digest]; c != nil { // read since the caller looked
			return c, nil
		}
		c, err := r.content(ctx, s, digest, depth)
		if err != nil {
			return nil, err
		}
		r.o.Store.Keep(ctx, digest, c)
		return c, nil
	})
	if err != nil {
		return nil, err
	}
	return read.(*registry.Content), nil
}

// errDepth is an index within an index within an index, and so on.
var errDepth = errors.New("its indexes are nested too deeply")

const (
	maxDepth = 4   // of indexes within each other
	maxParts = 512 // of one index
)

// content reads the content of a digest.
func (r *Reader) content(ctx context.Context, s *source, digest string, depth int) (*registry.Content, error) {
	m, err := s.manifest(ctx, digest)
	if err != nil {
		return nil, err
	}
	r.counts.read.Add(1)
	if m.isIndex() {
		return r.index(ctx, s, m, depth)
	}
	c := m.content()
	if m.MediaType.IsSchema1() && len(m.History) > 0 { // its config is in it
		config, err := parseConfig([]byte(m.History[0].V1Compatibility))
		if err != nil {
			return nil, err
		}
		config.complete(c)
		return c, nil
	}
	if c.Kind != registry.ContentImage && !m.isRunnable() {
		return c, nil
	}
	config, err := s.config(ctx, m.Config)
	if err != nil {
		return nil, err
	}
	config.complete(c)
	return c, nil
}

// index reads all parts of an index, those that the store does not have.
func (r *Reader) index(ctx context.Context, s *source, m *manifest, depth int) (*registry.Content, error) {
	if len(m.Manifests) > maxParts {
		return nil, fmt.Errorf("it is an index of %d parts, which is more than %d", len(m.Manifests), maxParts)
	}
	var digests []string
	for i := range m.Manifests {
		if m.Manifests[i].isManifest() {
			digests = append(digests, m.Manifests[i].Digest)
		}
	}
	parts := r.o.Store.Find(ctx, digests)
	read := make([]*registry.Content, len(m.Manifests))
	errs := make([]error, len(m.Manifests))
	var group errgroup.Group
	group.SetLimit(maxTogether)
	for i := range m.Manifests {
		part := &m.Manifests[i]
		if read[i] = parts[part.Digest]; read[i] != nil || !part.isManifest() {
			continue
		}
		group.Go(func() error {
			var err error
			if read[i], err = r.shared(ctx, s, part.Digest, depth+1); err != nil {
				errs[i] = &partError{part.Digest, err}
			}
			return nil // the first error is returned below
		})
	}
	_ = group.Wait()                        // the functions return no error
	if err := cmp.Or(errs...); err != nil { // of the first part, whichever request came first
		return nil, err
	}
	return m.index(read), nil
}

func (o Options) withDefaults() Options {
	if o.Concurrency <= 0 {
		o.Concurrency = 16
	}
	if o.RequestTimeout <= 0 {
		o.RequestTimeout = 30 * time.Second
	}
	if o.Base == nil {
		o.Base = http.DefaultTransport
	}
	if o.Store == nil {
		o.Store = new(Memory)
	}
	if o.Redact == nil {
		o.Redact = redactor(o.SecretKey)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

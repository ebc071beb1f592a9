package janitor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/registry-janitor/registry-janitor/actions/plan"
	"github.com/registry-janitor/registry-janitor/internal/config"
	"github.com/registry-janitor/registry-janitor/internal/content"
	"github.com/registry-janitor/registry-janitor/internal/ledger"
	"github.com/registry-janitor/registry-janitor/internal/runs"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
)

// contents reads what is inside of tags, as far as decisions depend on it. A nil contents
// reads nothing, because the scan is an inventory.
type contents struct {
	reader  *content.Reader // nil if the address of the registry is not known
	unknown error           // why it is not
	store   *contentStore
}

// KnownContents are contents that were read. The zero value is ready.
type KnownContents struct{ memory content.Memory }

func newContents(c *config.Config, reader *scaleway.Reader, o SessionOptions) (*contents, error) {
	login := reader.Login()
	store := &contentStore{memory: o.Known}
	if store.memory == nil {
		store.memory = new(KnownContents)
	}
	address, unknown := login.RegistryURL(c.Scaleway.RegistryURL)
	if unknown != nil {
		return &contents{unknown: unknown, store: store}, nil //nolint:nilerr // nothing is read then, and every gap says why
	}
	r, err := content.NewReader(content.Options{
		URL: address, APIURL: login.APIURL, SecretKey: login.SecretKey, Redact: reader.Redact,
		UserAgent: o.Connection.UserAgent, Concurrency: o.Connection.Concurrency, RequestTimeout: o.Connection.RequestTimeout,
		Base: login.Base, Store: store, Logger: o.Connection.Logger,
	})
	if err != nil {
		return nil, err
	}
	return &contents{reader: r, store: store}, nil
}

// contentStore is the ledger of a run, or one that is opened when the first content is asked
// for, and the memory without either.
type contentStore struct {
	memory *KnownContents

	mu     sync.Mutex
	ledger *ledger.Digests                      // nil while there is none
	open   func(context.Context) *ledger.Ledger // nil where none is to be opened; returns nil if that fails
	opened *ledger.Ledger                       // by open
}

func (s *contentStore) now(ctx context.Context) content.Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ledger == nil && s.open != nil {
		if s.opened = s.open(ctx); s.opened != nil {
			s.ledger = s.opened.Digests()
		}
		s.open = nil
	}
	if s.ledger != nil {
		return s.ledger
	}
	return &s.memory.memory
}

// Find implements content.Store.
func (s *contentStore) Find(ctx context.Context, digests []string) map[string]*registry.Content {
	return s.now(ctx).Find(ctx, digests)
}

// Keep implements content.Store.
func (s *contentStore) Keep(ctx context.Context, digest string, c *registry.Content) {
	s.now(ctx).Keep(ctx, digest, c)
}

// keepIn keeps the contents in a ledger, until close.
func (c *contents) keepIn(l *ledger.Ledger) {
	if c == nil {
		return
	}
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	c.store.ledger, c.store.open = l.Digests(), nil
}

// openWhenAsked keeps the contents in the ledger that open returns, until close.
func (c *contents) openWhenAsked(open func(context.Context) *ledger.Ledger) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	c.store.open = open
}

// close writes what was read into the ledger.
func (c *contents) close(ctx context.Context) error {
	if c == nil {
		return nil
	}
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	if c.store.ledger == nil {
		return nil
	}
	err := c.store.ledger.Close(ctx)
	if c.store.opened != nil {
		err = errors.Join(err, c.store.opened.Close())
	}
	c.store.ledger, c.store.opened = nil, nil
	return err
}

func (c *contents) counts() runs.Contents {
	if c == nil || c.reader == nil {
		return runs.Contents{}
	}
	n := c.reader.Counts()
	return runs.Contents{Read: n.Read, Known: n.Found, Unread: n.Unread, Calls: n.Calls, Bytes: n.Bytes}
}

// ask finds out whether the decision about an image depends on contents that are not
// known, and, where they could not be read, makes that a gap of the image. What the plan
// asks for is not a gap: the plan holds deletions that depend on unknown content.
func (j *judge) ask(d *decision) {
	image := d.verdict.Image
	if image == nil {
		return
	}
	decides := append(j.hidesUses(d.verdict), j.decides(image, d.verdict)...)
	d.missing = image.Missing(slices.Concat(decides, j.parts(d.verdict), plan.NeedsContent(*d.verdict, j.options)))
	if len(d.missing) > 0 {
		return
	}
	unread := slices.DeleteFunc(slices.Clone(decides), func(digest string) bool { return image.Unread[digest] == "" })
	if d.unread = nil; len(unread) == 0 {
		return
	}
	slices.Sort(unread)
	text := image.Unread[unread[0]]
	if more := len(slices.Compact(unread)) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more digests of this image)", more)
	}
	d.unread = &registry.Gap{Subject: image.Ref().String(), Error: text, Holds: registry.HoldsItself}
}

// parts lists the indexes of which tags that rules count may be parts.
func (j *judge) parts(v *registry.Verdict) []string {
	if j.options.Content.Read == plan.ReadNever {
		return nil
	}
	return j.NeedsParts(v.Image, v)
}

// hidesUses lists the digests that would be deleted and may be an index of which a part is
// in use: in the image, a digest is in use that nothing known has.
func (j *judge) hidesUses(v *registry.Verdict) []string {
	if j.options.Content.Read == plan.ReadNever {
		return nil
	}
	var digests []string
	for i := range v.Tags {
		t := &v.Image.Tags[i]
		if len(v.Tags[i].Delete) > 0 && len(v.Tags[i].Keep) == 0 && t.KnownDigest() != "" && v.Image.Contents[t.Digest] == nil {
			digests = append(digests, t.Digest)
		}
	}
	if len(digests) == 0 || len(j.uses.Unplaced(v.Image)) == 0 {
		return nil
	}
	return digests
}

// readContents reads digests of the image that the decisions are about. All of them have
// the same image, which is that of the one scan that any of the judges can read.
func readContents(ctx context.Context, decisions []*decision, judges []*judge, digests []string) {
	var reads *contents
	for _, j := range judges {
		if reads == nil {
			reads = j.contents
		}
	}
	at := slices.IndexFunc(decisions, func(d *decision) bool { return d != nil })
	reads.read(ctx, decisions[at].item.Image, digests)
}

// decideWithContents decides, and reads the contents that the decision depends on.
func (j *judge) decideWithContents(ctx context.Context, d *decision) error {
	for {
		if err := j.decide(ctx, d); err != nil || len(d.missing) == 0 {
			return err
		}
		j.contents.read(ctx, d.item.Image, d.missing)
	}
}

// notRecorded is why a content is not known that no registry was asked for.
const notRecorded = "the inventory does not have the content of %s: take the scan again with this configuration"

// read completes an image: afterwards, none of the digests is missing in it.
func (c *contents) read(ctx context.Context, image *registry.Image, digests []string) {
	digests = image.Missing(digests)
	found, unread := map[string]*registry.Content{}, map[string]string{}
	why := notRecorded
	switch {
	case c == nil:
	case c.reader == nil:
		why = "the content of %s was not read, because " + c.unknown.Error()
	default:
		found, unread = c.reader.Read(ctx, image.Ref(), digests)
	}
	if image.Contents == nil {
		image.Contents = map[string]*registry.Content{}
	}
	if image.Unread == nil {
		image.Unread = map[string]string{}
	}
	for _, digest := range digests {
		switch {
		case found[digest] != nil:
			image.Contents[digest] = found[digest]
		case unread[digest] != "":
			image.Unread[digest] = unread[digest]
		default:
			image.Unread[digest] = fmt.Sprintf(why, digest)
		}
	}
}

package emulator

import (
	"cmp"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/internal/content"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// contents makes what the tags of a world hold. To hash a million manifests takes
// seconds, so the tags of an image get their digests when something first needs one:
// see settle.
type contents struct {
	start time.Time

	mu    sync.Mutex // guards all below
	maker content.Maker
	words map[string]*word
}

// word is what all tags with that word hold.
type word struct {
	source
	digest digest
	known  bool // the digest
}

// source is what one content is made from.
type source struct {
	seed  digest
	name  string // of the tag
	size  int64
	entry *worlds.Tag // what describes the content
	n     int         // the number among those of the entry
	in    place
}

// place is an image of the world, in which a content has its parts.
type place struct {
	region, namespace, image string
	entry                    *worlds.Image
}

// newContents reads what the words of a world stand for.
func newContents(w *worlds.World, start time.Time) *contents {
	c := &contents{start: start, words: map[string]*word{}}
	for i := range w.Namespaces {
		ns := &w.Namespaces[i]
		for k := range ns.Images {
			img := &ns.Images[k]
			c.readWords(place{cmp.Or(ns.Region, worlds.Regions()[0]), worlds.Expand(ns.Name, ns.Count, 0), worlds.Expand(img.Name, img.Count, 0), img})
		}
	}
	for _, x := range c.words {
		x.size = cmp.Or(x.size, madeUpSize(x.seed, x.name))
	}
	return c
}

// readWords adds the words of the tags of an image. Of several tags with a word, the
// first one gives the name, the largest the size, and the one that describes the content
// everything else.
func (c *contents) readWords(in place) {
	for i := range in.entry.Tags {
		e := &in.entry.Tags[i]
		if !e.HasWord() {
			continue
		}
		for n := range worlds.Repeat(e.Count) {
			x := c.word(worlds.Expand(e.Digest, e.Count, n), worlds.Expand(e.Name, e.Count, n))
			x.size = max(x.size, int64(e.Size))
			if x.entry == nil || e.Described() && !x.entry.Described() {
				x.entry, x.n, x.in = e, n, in
			}
		}
	}
}

// word is the word of that text, with the name of its first tag.
func (c *contents) word(text, name string) *word {
	x := c.words[text]
	if x == nil {
		x = &word{source: source{seed: sha256.Sum256([]byte(text)), name: name}}
		c.words[text] = x
	}
	return x
}

// named replaces {digest:WORD} in a name with the digits of that digest.
func (c *contents) named(name string) string {
	before, text, after, ok := worlds.CutDigest(name)
	if !ok {
		return name
	}
	return before + c.wordDigest(c.word(text, "")).String()[len("sha256:"):] + after
}

func (c *contents) wordDigest(x *word) digest {
	if !x.known {
		r := c.recipe(&x.source)
		x.digest, x.known = c.maker.Digest(&r), true
	}
	return x.digest
}

// recipe says what to make of a source.
func (c *contents) recipe(x *source) content.Recipe {
	r := content.Recipe{Seed: x.seed, Name: c.named(x.name), Size: x.size}
	e := x.entry
	if r.Size == 0 {
		r.Size = madeUpSize(x.seed, r.Name)
	}
	if e == nil {
		return r
	}
	r.Labels, r.Annotations, r.Platforms = e.Labels, e.Annotations, e.Platforms
	if e.BuiltAge != 0 {
		r.Built = c.start.Add(-e.BuiltAge - time.Duration(x.n)*e.Step).Truncate(time.Second)
	}
	for _, part := range e.Parts {
		if from, ok := c.part(x.in, worlds.Expand(part, e.Count, x.n)); ok {
			made := c.recipe(from)
			r.Parts = append(r.Parts, &made)
		}
	}
	return r
}

// part is what a tag of an image of the world was made from.
func (c *contents) part(in place, name string) (*source, bool) {
	for i := range in.entry.Tags {
		if n := in.entry.Tags[i].Number(name); n >= 0 {
			return c.source(&in.entry.Tags[i], n, in, nil)
		}
	}
	return nil, false
}

// source is what a tag of the world is made from; not ok if that is not known, as with a
// digest that the world gives in full. own is the seed of a tag without a word, or nil.
func (c *contents) source(e *worlds.Tag, n int, in place, own *digest) (*source, bool) {
	switch {
	case e.HasWord():
		return &c.word(worlds.Expand(e.Digest, e.Count, n), worlds.Expand(e.Name, e.Count, n)).source, true
	case e.Digest != "":
		return nil, false
	}
	x := &source{name: worlds.Expand(e.Name, e.Count, n), size: int64(e.Size), entry: e, n: n, in: in}
	if own == nil {
		x.seed = ownSeed(identify(in.region, in.namespace, in.image, c.named(x.name)))
	} else {
		x.seed = *own
	}
	return x, true
}

// ownSeed is the seed of a tag without a word.
func ownSeed(id uuid) digest { return sha256.Sum256([]byte("the only content of " + id.String())) }

// seed is what the content of a tag is made from, and its digest if the world gives that
// in full. Tags with the same content have the same seed.
func (t *tag) seed() digest {
	text := worlds.Expand(t.entry.Digest, t.entry.Count, int(t.n))
	if d, ok := worlds.Pinned(text); ok {
		return d
	}
	if text == "" {
		return ownSeed(t.id)
	}
	return sha256.Sum256([]byte(text))
}

// place is where the world has an image.
func (i *image) place() place {
	in := place{i.namespace.region.name, i.namespace.name, i.name, i.entry}
	if in.entry == nil {
		in.entry = &worlds.Image{}
	}
	return in
}

// settle gives the tags of an image their digests, if they do not have them. Everything
// that needs a digest calls it first; its caller holds the lock of the server, for
// reading at least.
func (i *image) settle() {
	i.settled.Do(func() {
		c := i.namespace.region.contents
		c.mu.Lock()
		defer c.mu.Unlock()
		in := i.place()
		for _, t := range i.tags.rows {
			t.digest = c.digest(t, in, t.digest)
		}
	})
}

// digest is the digest of what a tag holds, made from a seed.
func (c *contents) digest(t *tag, in place, seed digest) digest {
	if t.entry.HasWord() {
		return c.wordDigest(c.word(worlds.Expand(t.entry.Digest, t.entry.Count, int(t.n)), t.name))
	}
	x, ok := c.source(t.entry, int(t.n), in, &seed)
	if !ok {
		return seed
	}
	r := c.recipe(x)
	return c.maker.Digest(&r)
}

// content is what a tag holds: nil if it was pushed with its blobs, or if the world gives
// its digest in full.
func (c *contents) content(t *tag) *content.Content {
	if t.entry == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	seed := t.seed()
	x, ok := c.source(t.entry, int(t.n), t.image.place(), &seed)
	if !ok {
		return nil
	}
	r := c.recipe(x)
	return c.maker.Make(&r)
}

// Digest is the digest that a word of the world stands for.
func (s *Server) Digest(text string) string {
	s.contents.mu.Lock()
	defer s.contents.mu.Unlock()
	if d, ok := worlds.Pinned(text); ok {
		return digest(d).String()
	}
	return s.contents.wordDigest(s.contents.word(text, "")).String()
}

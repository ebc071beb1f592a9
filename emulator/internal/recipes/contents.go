package recipes

import (
	"cmp"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/internal/content"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// Contents makes what the tags of a world hold.
type Contents struct {
	start time.Time

	mu    sync.Mutex // guards all below
	maker content.Maker
	words map[string]*word
}

// word is what all tags with that word hold.
type word struct {
	source
	digest content.Digest
	known  bool // the digest
}

// source is what one content is made from.
type source struct {
	seed  content.Digest
	name  string // of the tag
	size  int64
	entry *worlds.Tag // what describes the content
	n     int         // the number among those of the entry
	in    Place
}

// Place is an image of the world, in which a content has its parts.
type Place struct {
	Region, Namespace, Image string
	Entry                    *worlds.Image // nil if it was pushed
}

// New reads what the words of a world stand for.
func New(w *worlds.World, start time.Time) *Contents {
	c := &Contents{start: start, words: map[string]*word{}}
	for i := range w.Namespaces {
		ns := &w.Namespaces[i]
		for k := range ns.Images {
			img := &ns.Images[k]
			c.readWords(Place{cmp.Or(ns.Region, worlds.Regions()[0]), worlds.Expand(ns.Name, ns.Count, 0), worlds.Expand(img.Name, img.Count, 0), img})
		}
	}
	for _, x := range c.words {
		x.size = cmp.Or(x.size, MadeUpSize(x.seed, x.name))
	}
	return c
}

// readWords adds the words of the tags of an image. Of several tags with a word, the
// first one gives the name, the largest the size, and the one that describes the content
// everything else.
func (c *Contents) readWords(in Place) {
	for i := range in.Entry.Tags {
		e := &in.Entry.Tags[i]
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
func (c *Contents) word(text, name string) *word {
	x := c.words[text]
	if x == nil {
		x = &word{source: source{seed: sha256.Sum256([]byte(text)), name: name}}
		c.words[text] = x
	}
	return x
}

// Named replaces {digest:WORD} in a name with the digits of that digest.
func (c *Contents) Named(name string) string {
	before, text, after, ok := worlds.CutDigest(name)
	if !ok {
		return name
	}
	return before + c.wordDigest(c.word(text, "")).String()[len("sha256:"):] + after
}

func (c *Contents) wordDigest(x *word) content.Digest {
	if !x.known {
		r := c.recipe(&x.source)
		x.digest, x.known = c.maker.Digest(&r), true
	}
	return x.digest
}

// recipe says what to make of a source.
func (c *Contents) recipe(x *source) content.Recipe {
	r := content.Recipe{Seed: x.seed, Name: c.Named(x.name), Size: x.size}
	e := x.entry
	if r.Size == 0 {
		r.Size = MadeUpSize(x.seed, r.Name)
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
func (c *Contents) part(in Place, name string) (*source, bool) {
	if in.Entry == nil {
		return nil, false
	}
	for i := range in.Entry.Tags {
		if n := in.Entry.Tags[i].Number(name); n >= 0 {
			return c.source(&in.Entry.Tags[i], n, in, nil)
		}
	}
	return nil, false
}

// source is what a tag of the world is made from; not ok if that is not known, as with a
// digest that the world gives in full. own is the seed of a tag without a word, or nil.
func (c *Contents) source(e *worlds.Tag, n int, in Place, own *content.Digest) (*source, bool) {
	switch {
	case e.HasWord():
		return &c.word(worlds.Expand(e.Digest, e.Count, n), worlds.Expand(e.Name, e.Count, n)).source, true
	case e.Digest != "":
		return nil, false
	}
	x := &source{name: worlds.Expand(e.Name, e.Count, n), size: int64(e.Size), entry: e, n: n, in: in}
	if own == nil {
		x.seed = ownSeed(wire.Identify(in.Region, in.Namespace, in.Image, c.Named(x.name)))
	} else {
		x.seed = *own
	}
	return x, true
}

// ownSeed is the seed of a tag without a word.
func ownSeed(id wire.UUID) content.Digest {
	return sha256.Sum256([]byte("the only content of " + id.String()))
}

// Tag is a tag that holds what an entry of the world, or a push by a word, describes.
type Tag struct {
	ID    wire.UUID
	Name  string
	Entry *worlds.Tag
	N     int // the number among those of the entry
	In    Place
}

// Seed is what the content of a tag is made from, and its digest if the world gives that
// in full. Tags with the same content have the same seed.
func (t *Tag) Seed() content.Digest {
	text := worlds.Expand(t.Entry.Digest, t.Entry.Count, t.N)
	if d, ok := worlds.Pinned(text); ok {
		return d
	}
	if text == "" {
		return ownSeed(t.ID)
	}
	return sha256.Sum256([]byte(text))
}

// Digest is the digest of what a tag holds, made from its seed.
func (c *Contents) Digest(t *Tag, seed content.Digest) content.Digest {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.Entry.HasWord() {
		return c.wordDigest(c.word(worlds.Expand(t.Entry.Digest, t.Entry.Count, t.N), t.Name))
	}
	x, ok := c.source(t.Entry, t.N, t.In, &seed)
	if !ok {
		return seed
	}
	r := c.recipe(x)
	return c.maker.Digest(&r)
}

// Content is what a tag holds: nil if the world gives its digest in full.
func (c *Contents) Content(t *Tag) *content.Content {
	c.mu.Lock()
	defer c.mu.Unlock()
	seed := t.Seed()
	x, ok := c.source(t.Entry, t.N, t.In, &seed)
	if !ok {
		return nil
	}
	r := c.recipe(x)
	return c.maker.Make(&r)
}

// Word is the digest that a word stands for.
func (c *Contents) Word(text string) content.Digest {
	if d, ok := worlds.Pinned(text); ok {
		return d
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wordDigest(c.word(text, ""))
}

// MadeUpSize is 10 to 200 MB, and a few kilobytes for an attachment.
func MadeUpSize(seed content.Digest, tag string) int64 {
	some := int64(seed[0])<<16 | int64(seed[1])<<8 | int64(seed[2])
	if content.Attaches(tag) {
		return 2_000 + some%6_000
	}
	return 10_000_000 + some*11
}

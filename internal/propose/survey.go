package propose

import (
	"cmp"
	"regexp"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Survey counts what is in a registry, image by image, in any order. It keeps counts
// and a few names.
type Survey struct {
	takenAt time.Time
	moving  moving
	shapes  []*shape

	movingNames, attachments, others group
	groups                           []group         // one for each of shapes
	globs                            map[string]bool // that match the moving names

	namespaces map[string]*exposure // by name, in all regions
	regions    map[registry.Ref]bool
	images     int
	tags       int
	bytes      uint64
}

// group counts the tags of one shape.
type group struct {
	images, tags   int
	bytes          uint64 // about: an equal part of its image for each tag
	newest, oldest time.Time
	words          map[string]int // of the shape, or beginnings of other names
	examples       []example      // the first few
}

// example is a tag that shows what a group is. The newest tag of each image comes
// first, so that the examples are of different images.
type example struct {
	rank int
	ref  string
}

// examplesMax is how many tags a comment shows.
const examplesMax = 3

// New begins a survey of what was in a registry at that time.
func New(takenAt time.Time) *Survey {
	s := &Survey{takenAt: takenAt, moving: newMoving(), shapes: shapes(), globs: map[string]bool{}, namespaces: map[string]*exposure{}, regions: map[registry.Ref]bool{}}
	s.groups = make([]group, len(s.shapes))
	return s
}

// Add counts an image with all its tags, newest first.
func (s *Survey) Add(img *registry.Image) {
	s.images++
	s.tags += len(img.Tags)
	s.bytes += img.SizeBytes
	s.regions[img.Namespace.Ref()] = true
	s.expose(img)
	seen := map[*group]int{}
	for i := range img.Tags {
		t := &img.Tags[i]
		g, word := s.groupOf(t)
		if g.words == nil {
			g.words = map[string]int{}
		}
		g.words[word]++
		g.add(img, t, seen[g])
		seen[g]++
	}
}

// Images is how many images were added.
func (s *Survey) Images() int { return s.images }

// groupOf is the group of a tag, with the word of its shape that the name has.
func (s *Survey) groupOf(t *registry.Tag) (*group, string) {
	if registry.AttachmentSubject(t.Name, t.Digest) != "" {
		return &s.attachments, ""
	}
	if glob := s.moving.glob(t.Name); glob != "" {
		s.globs[glob] = true
		return &s.movingNames, ""
	}
	for i, shape := range s.shapes {
		if word, ok := shape.matches(t.Name); ok {
			return &s.groups[i], word
		}
	}
	return &s.others, beginning.FindString(t.Name)
}

// beginning is the word that other names of the same kind have too.
var beginning = regexp.MustCompile(`^[A-Za-z]+[-_]`)

// add counts a tag. rank is how many newer tags of the image the group has.
func (g *group) add(img *registry.Image, t *registry.Tag, rank int) {
	g.tags++
	if rank == 0 {
		g.images++
	}
	g.bytes += img.SizeBytes / uint64(len(img.Tags))
	changed := t.Changed()
	if g.newest.IsZero() || changed.After(g.newest) {
		g.newest = changed
	}
	if g.oldest.IsZero() || changed.Before(g.oldest) {
		g.oldest = changed
	}
	e := example{rank, img.TagRef(t.Name).String()}
	at, _ := slices.BinarySearchFunc(g.examples, e, func(a, b example) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.ref, b.ref)) })
	if at < examplesMax {
		g.examples = slices.Insert(g.examples, at, e)
		g.examples = g.examples[:min(len(g.examples), examplesMax)]
	}
}

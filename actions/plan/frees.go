package plan

import (
	"cmp"
	"maps"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// measure sets how much storage the deletions free, by step, image and rule, and together.
// It leaves everything unknown where nothing is known of any of them, unless the options
// ask for it.
func (b *Builder) measure(p *actions.Plan) {
	steps := make(map[registry.Ref][]*actions.Step)
	known := b.o.Content.Read == ReadAlways
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Action == actions.DeleteTag {
			steps[s.Object()] = append(steps[s.Object()], s)
			img := b.contents[s.Object()]
			known = known || img != nil && img.Contents[s.Digest] != nil
		}
	}
	if !known {
		return
	}
	byRule := make(map[string]actions.Frees)
	p.Summary.Frees = actions.Frees{Bytes: actions.Measured(0), Billed: actions.Measured(0), Unknown: actions.Measured(0)}
	for _, of := range steps {
		m := newMeasurement(b.contents[of[0].Object()], of)
		frees := m.frees(of)
		p.Summary.Frees = p.Summary.Plus(frees)
		if at, ok := p.ImageOf(of[0]); ok {
			p.Images[at].Frees = frees
		}
		for _, s := range of {
			s.FreesBytes = m.alone(s)
		}
		for rule, steps := range stepsByRule(of) {
			byRule[rule] = byRule[rule].Plus(m.frees(steps))
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(byRule)) {
		p.FreesByRule = append(p.FreesByRule, actions.RuleFrees{Rule: rule, Frees: byRule[rule]})
	}
}

// archiving sets what is copied into the archive before the deletions.
func (b *Builder) archiving(p *actions.Plan) {
	if b.o.Archives == nil {
		return
	}
	a, isCopied := &p.Summary.Archive, b.o.Archives(p.Steps)
	counted := make(map[string]bool)
	for i := range p.Steps {
		s := &p.Steps[i]
		switch {
		case s.Action != actions.DeleteTag:
			continue
		case !isCopied(s):
			a.LeftOut++
			continue
		}
		a.Tags++
		img := b.contents[s.Object()]
		if img == nil || img.Contents[s.Digest] == nil {
			a.Unknown++
			continue
		}
		for _, blob := range img.Contents[s.Digest].Blobs {
			if !counted[blob.Digest] {
				counted[blob.Digest] = true
				a.Bytes += blob.Size
			}
		}
	}
	if a.Tags > 0 {
		a.Images = sizeOfImages(p, isCopied)
		a.ImagesBilled = sizeOfImages(p, func(s *actions.Step) bool { return !p.Stats.Images[s.Object().String()].Public })
	}
}

// sizeOfImages is the size of the images from which the plan deletes tags of some steps. The
// registry counts the layers of an image, each once.
func sizeOfImages(p *actions.Plan, of func(*actions.Step) bool) (bytes uint64) {
	seen := map[registry.Ref]bool{}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Action == actions.DeleteTag && !seen[s.Object()] && of(s) {
			seen[s.Object()] = true
			bytes += p.Stats.Images[s.Object().String()].Bytes
		}
	}
	return bytes
}

func stepsByRule(steps []*actions.Step) map[string][]*actions.Step {
	out := make(map[string][]*actions.Step)
	for _, s := range steps {
		for _, rule := range slices.Compact(ruleNames(s.Reasons)) {
			out[rule] = append(out[rule], s)
		}
	}
	return out
}

// measurement is which layers of an image are needed by which of its tags.
type measurement struct {
	img *registry.Image // nil if nothing is known of it
	// unsure: it is not known what a tag that is kept has, so nothing is known to be freed.
	unsure  bool
	unknown int             // tags that are deleted, and of which is not known what they have
	tags    map[string]int  // how many tags have a layer
	stay    map[string]bool // the layers of tags that stay
}

func newMeasurement(img *registry.Image, steps []*actions.Step) *measurement {
	m := &measurement{img: img, tags: map[string]int{}, stay: map[string]bool{}}
	if img == nil {
		m.unsure = true
		return m
	}
	deleted := make(map[string]bool, len(steps))
	for _, s := range steps {
		deleted[s.Tag] = true
	}
	m.unsure = len(unlistedNames(img)) > 0
	for i := range img.Tags {
		t := &img.Tags[i]
		content := img.Contents[t.KnownDigest()]
		switch {
		case content == nil && deleted[t.Name]:
			m.unknown++
		case content == nil:
			m.unsure = true
		}
		for _, layer := range layersOf(content) {
			m.tags[layer.Digest]++
			m.stay[layer.Digest] = m.stay[layer.Digest] || !deleted[t.Name]
		}
	}
	return m
}

// layersOf are the layers of a content, each once, by digest.
func layersOf(content *registry.Content) []registry.Blob {
	if content == nil {
		return nil
	}
	compare := func(a, b registry.Blob) int { return cmp.Compare(a.Digest, b.Digest) }
	layers := slices.SortedFunc(slices.Values(content.Blobs), compare)
	return slices.CompactFunc(layers, func(a, b registry.Blob) bool { return a.Digest == b.Digest })
}

// content is what a step deletes; nil if that is not known.
func (m *measurement) content(s *actions.Step) *registry.Content {
	if m.unsure {
		return nil
	}
	return m.img.Contents[s.Digest]
}

// alone is the size of the layers that no other tag has.
func (m *measurement) alone(s *actions.Step) actions.Measure {
	content := m.content(s)
	if content == nil || m.unknown > 0 {
		return actions.Measure{}
	}
	var size uint64
	for _, layer := range layersOf(content) {
		if m.tags[layer.Digest] == 1 {
			size += layer.Size
		}
	}
	return actions.Measured(size)
}

// frees is the size of the layers of steps that no tag has that is kept.
func (m *measurement) frees(steps []*actions.Step) actions.Frees {
	counted := make(map[string]bool)
	var size, unknown uint64
	for _, s := range steps {
		content := m.content(s)
		if content == nil {
			unknown++
		}
		for _, layer := range layersOf(content) {
			if !counted[layer.Digest] && !m.stay[layer.Digest] {
				counted[layer.Digest] = true
				size += layer.Size
			}
		}
	}
	billed := size
	if m.img != nil && m.img.EffectiveVisibility() == registry.Public {
		billed = 0
	}
	return actions.Frees{Bytes: actions.Measured(size), Billed: actions.Measured(billed), Unknown: actions.Measured(unknown)}
}

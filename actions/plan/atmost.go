package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// applyAtMost holds all deletions except the oldest, at most AtMost of them.
//
//  1. What must be deleted together is one unit: the tags of a digest, the
//     attachments with their subject, and the parts with their index.
//  2. Units are deleted oldest first, as long as they fit; the first that does not
//     fit ends the list. Only one that is too large for any list is passed over.
//  3. An image is deleted only if all its tags are.
func (b *Builder) applyAtMost() {
	if b.o.AtMost <= 0 {
		return
	}
	steps := b.asked.steps
	left, full := b.o.AtMost, false
	held := make(map[int]string)            // the details, by step
	stay := make(map[registry.Ref][]string) // the held tags, by image
	for _, u := range b.unitsOf(steps) {
		first := &steps[u.steps[0]]
		detail := ""
		switch n := len(u.steps); {
		case n > b.o.AtMost:
			detail = fmt.Sprintf("belongs to %s that must be made together, more than --at-most %d", text.Count(n, "deletion"), b.o.AtMost)
		case full || n > left:
			full, detail = true, fmt.Sprintf("left for a later plan: --at-most %d deletes what is oldest first", b.o.AtMost)
		case u.image && len(stay[first.Object()]) > 0:
			detail = "tags of it are held: " + text.Some(stay[first.Object()])
		default:
			left -= n
			continue
		}
		for _, i := range u.steps {
			held[i] = detail
			if tag := steps[i].Tag; tag != "" {
				stay[steps[i].Object()] = append(stay[steps[i].Object()], tag)
			}
		}
	}
	b.holdAtMost(held, stay)
}

// holdAtMost holds steps, and notes that the tags stay.
func (b *Builder) holdAtMost(held map[int]string, stay map[registry.Ref][]string) {
	steps := b.asked.steps
	b.asked.steps = nil
	for i := range steps {
		s := &steps[i]
		if detail, ok := held[i]; ok {
			b.asked.holdStep(s, actions.GuardAtMost, detail)
		} else {
			b.asked.step(*s)
		}
	}
	for ref, tags := range stay {
		image := *b.planned[ref] // which is shared with its part
		tags = slices.AppendSeq(tags, image.Stay.All())
		slices.Sort(tags)
		image.Stay = actions.NamesOf(tags...)
		b.planned[ref] = &image
	}
}

// unit is deletions that must be made together.
type unit struct {
	steps []int     // by their index, sorted by reference
	age   time.Time // of the newest tag that is not an attachment, if there is one
	image bool      // the deletion of an image, which comes after those of its tags
}

// unitsOf groups the deletions among steps, the oldest first.
func (b *Builder) unitsOf(steps []actions.Step) []unit {
	byObject := make(map[registry.Ref][]int)
	for i := range steps {
		if steps[i].Action.Deletes() {
			byObject[steps[i].Object()] = append(byObject[steps[i].Object()], i)
		}
	}
	var units []unit
	for ref, in := range byObject {
		units = append(units, unitsOfObject(steps, in, b.together[ref])...)
	}
	slices.SortFunc(units, func(a, b unit) int {
		return cmp.Or(a.age.Compare(b.age), rank(a.image)-rank(b.image), cmp.Compare(steps[a.steps[0]].Ref, steps[b.steps[0]].Ref))
	})
	return units
}

func rank(last bool) int {
	if last {
		return 1
	}
	return 0
}

// unitsOfObject groups the deletions of one image and its tags, or of a namespace. Parts
// are digests of indexes, each with that of a part.
func unitsOfObject(steps []actions.Step, in []int, parts [][2]string) []unit {
	together := digestsTogether(steps, in, parts)
	at := make(map[string]int) // the unit of a digest
	var units []unit
	whole := none // the unit of the image
	for _, i := range in {
		s := &steps[i]
		digest := cmp.Or(s.Digest, s.Ref) // one that is not known is like no other
		id, ok := at[together(digest)]
		if !ok {
			id = len(units)
			at[together(digest)] = id
			units = append(units, unit{image: s.Action == actions.DeleteImage})
		}
		if units[id].image {
			whole = int32(id) //nolint:gosec // G115: there are fewer units than tags
		}
		units[id].steps = append(units[id].steps, i)
	}
	for id := range units {
		units[id].finish(steps)
	}
	for id := range units {
		if whole != none && units[whole].age.Before(units[id].age) {
			units[whole].age = units[id].age
		}
	}
	return units
}

// finish sorts the steps of a unit, and finds its age.
func (u *unit) finish(steps []actions.Step) {
	slices.SortFunc(u.steps, func(a, b int) int { return cmp.Compare(steps[a].Ref, steps[b].Ref) })
	var subjects, all time.Time
	for _, i := range u.steps {
		s := &steps[i]
		if s.UpdatedAt.After(all) {
			all = s.UpdatedAt
		}
		if registry.AttachmentSubject(s.Tag, s.Digest) == "" && s.UpdatedAt.After(subjects) {
			subjects = s.UpdatedAt
		}
	}
	if u.age = subjects; subjects.IsZero() {
		u.age = all
	}
}

// digestsTogether returns, for each digest among the steps, one that stands for all
// that must be deleted with it: attachments connect their digest with their subject, and
// parts with their index.
func digestsTogether(steps []actions.Step, in []int, parts [][2]string) func(digest string) string {
	parent := make(map[string]string)
	find := func(digest string) string {
		for parent[digest] != "" {
			digest = parent[digest]
		}
		return digest
	}
	connect := func(a, b string) {
		if a, b = find(a), find(b); a != b {
			parent[a] = b
		}
	}
	for _, pair := range parts {
		connect(pair[1], pair[0])
	}
	tags := make([]registry.Tag, len(in))
	for k, i := range in {
		tags[k].Digest = steps[i].Digest
	}
	known := registry.DigestsOf(tags)
	for _, i := range in {
		s := &steps[i]
		for _, subject := range known.Named(registry.AttachmentSubject(s.Tag, s.Digest)) {
			connect(cmp.Or(s.Digest, s.Ref), subject)
		}
	}
	return find
}

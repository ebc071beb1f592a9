package apply

import (
	"cmp"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// unit is a piece of work that one goroutine does: the tags of one digest of one
// image, any other single step, or the look at an image before its first
// deletion.
type unit struct {
	work  work
	steps []int     // in the order in which they are done
	image *imageRun // of tags, and of the look at it
	// waits counts the units that have to end before this one may start, and then
	// are those that wait for this one.
	waits int
	then  []*unit

	// What the look at the image found out.

	siblings []registry.Tag // staying tags of the digest, where that is allowed
	blocked  string         // by a tag that stays
}

// work is what a unit does.
type work uint8

const (
	examineImage work = iota
	deleteTags
	deleteImage
	deleteNamespace
	setVisibility
)

// arrange puts the steps of a plan in order: visibility to private, tags, images,
// namespaces, visibility to public. The phases are done one after the other;
// within a phase, what does not wait for another unit is done at once.
func arrange(p *actions.Plan, shared actions.SharedDigest) [][]*unit {
	var closing, images, namespaces, opening []*unit
	var tags []int
	for i := range p.Steps {
		one := &unit{steps: []int{i}}
		switch s := &p.Steps[i]; s.Action {
		case actions.DeleteTag:
			tags = append(tags, i)
		case actions.DeleteImage:
			one.work = deleteImage
			images = append(images, one)
		case actions.DeleteNamespace:
			one.work = deleteNamespace
			namespaces = append(namespaces, one)
		default:
			one.work = setVisibility
			// What inherit leads to is for the namespace to say: it may open.
			if s.To == registry.Private {
				closing = append(closing, one)
			} else {
				opening = append(opening, one)
			}
		}
	}
	return [][]*unit{closing, arrangeTags(p, tags, shared), images, namespaces, opening}
}

// arrangeTags groups the deletions of tags by image and digest.
func arrangeTags(p *actions.Plan, steps []int, shared actions.SharedDigest) []*unit {
	// The references of an image's tags need not be neighbors: "a:x" and "a:y" may
	// have "a-b:x" between them.
	byImage := make(map[int][]int)
	for _, i := range steps {
		at, _ := p.ImageOf(&p.Steps[i])
		byImage[at] = append(byImage[at], i)
	}
	var units []*unit
	for at := range p.Images {
		if steps := byImage[at]; len(steps) > 0 {
			units = append(units, newImageRun(p, &p.Images[at], steps, shared).units...)
		}
	}
	return units
}

// newImageRun makes the units of one image: first the look at it.
func newImageRun(p *actions.Plan, planned *actions.PlannedImage, steps []int, shared actions.SharedDigest) *imageRun {
	first := &p.Steps[steps[0]]
	img := &imageRun{planned: planned, region: first.Region, name: first.Image, shared: shared, groups: make(map[string]*unit)}
	look := &unit{work: examineImage, image: img}
	img.units = append(img.units, look)
	for _, i := range steps {
		s := &p.Steps[i]
		u := img.groups[s.Digest]
		if u == nil {
			u = &unit{work: deleteTags, image: img, waits: 1}
			look.then = append(look.then, u)
			img.units = append(img.units, u)
			if s.Digest != "" { // otherwise nobody knows what shares it
				img.groups[s.Digest] = u
			}
		}
		u.steps = append(u.steps, i)
	}
	img.left = len(img.units) - 1
	for _, u := range img.units[1:] {
		u.orderAttachments(p)
	}
	return img
}

// orderAttachments makes attachments go after their subjects.
func (u *unit) orderAttachments(p *actions.Plan) {
	subject := func(i int) string { return registry.AttachmentSubject(p.Steps[i].Tag) }
	slices.SortStableFunc(u.steps, func(a, b int) int {
		return cmp.Compare(min(1, len(subject(a))), min(1, len(subject(b))))
	})
	for _, i := range u.steps {
		if of := u.image.groups[subject(i)]; of != nil && of != u && !slices.Contains(of.then, u) {
			of.then = append(of.then, u)
			u.waits++
		}
	}
}

package apply

import (
	"cmp"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// work is a plan in the order in which it is carried out. Each list holds
// positions of steps.
type work struct {
	closing           []int // visibility to private
	images            []*image
	deletedImages     []int
	deletedNamespaces []int
	opening           []int // any other visibility: what inherit leads to, the namespace decides
}

// image is the part of the plan that deletes tags of one image.
type image struct {
	ref   registry.Ref
	id    string
	kept  actions.Names // names of the tags that the plan keeps, sorted
	steps []int         // positions of the deletions
}

// arrange puts the steps of a plan in order.
func arrange(p *actions.Plan) work {
	var w work
	byRef := make(map[registry.Ref]*image, len(p.Images))
	for i := range p.Steps {
		s := &p.Steps[i]
		switch s.Action {
		case actions.DeleteTag:
			img := byRef[s.Object()]
			if img == nil {
				at, _ := p.ImageOf(s) // a plan that lacks it is not decoded
				img = &image{ref: s.Object(), id: p.Images[at].ID, kept: p.Images[at].Stay}
				byRef[img.ref] = img
				w.images = append(w.images, img)
			}
			img.steps = append(img.steps, i)
		case actions.DeleteImage:
			w.deletedImages = append(w.deletedImages, i)
		case actions.DeleteNamespace:
			w.deletedNamespaces = append(w.deletedNamespaces, i)
		default:
			if s.To == registry.Private {
				w.closing = append(w.closing, i)
			} else {
				w.opening = append(w.opening, i)
			}
		}
	}
	// The images of one namespace follow one another, so that what is read once for
	// all of them is read when it is needed.
	slices.SortStableFunc(w.images, func(a, b *image) int {
		return cmp.Or(cmp.Compare(a.ref.Region, b.ref.Region), cmp.Compare(a.ref.Namespace, b.ref.Namespace))
	})
	return w
}

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
	ref       string
	region    registry.Region
	namespace string
	name      string
	id        string
	kept      []string // names of the tags that the plan keeps, sorted
	steps     []int    // positions of the deletions
}

// arrange puts the steps of a plan in order.
func arrange(p *actions.Plan) work {
	var w work
	byRef := make(map[string]*image, len(p.Images))
	for i := range p.Steps {
		s := &p.Steps[i]
		switch s.Action {
		case actions.DeleteTag:
			ref := s.Ref[:len(s.Ref)-len(s.Tag)-1]
			img := byRef[ref]
			if img == nil {
				img = &image{ref: ref, region: s.Region, namespace: s.Namespace, name: s.Image}
				byRef[ref] = img
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
	for i := range p.Images {
		if img := byRef[p.Images[i].Ref]; img != nil {
			img.id, img.kept = p.Images[i].ID, p.Images[i].Stay
		}
	}
	// The images of one namespace follow one another, so that what is read once for
	// all of them is read when it is needed.
	slices.SortStableFunc(w.images, func(a, b *image) int {
		return cmp.Or(cmp.Compare(a.region, b.region), cmp.Compare(a.namespace, b.namespace))
	})
	return w
}

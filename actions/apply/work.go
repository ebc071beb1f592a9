package apply

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// CheckApplicable returns why a plan must not be applied now, and nil if it may:
// its id does not fit its contents, it is a forecast, its scan is in the future or
// older than maxAge (24 h when that is not positive), or a limit refuses it. The
// error wraps ErrLimit for the latter, and ErrNotApplicable for the others.
func CheckApplicable(p *actions.Plan, now time.Time, maxAge time.Duration) error {
	maxAge = orDefault(maxAge, 24*time.Hour)
	if err := p.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrNotApplicable, err)
	}
	switch age := now.Sub(p.TakenAt); {
	case p.Forecast:
		return fmt.Errorf("%w: it is a forecast for %s: make a plan of the present", ErrNotApplicable, stamp(p.TakenAt))
	case age < 0:
		return fmt.Errorf("%w: its scan is dated %s, which is in the future by the clock of this machine (%s): set the clock, or make a new plan", ErrNotApplicable, stamp(p.TakenAt), stamp(now))
	case age > maxAge:
		return fmt.Errorf("%w: its scan is %s old, older than the %s of max_plan_age: make a new plan", ErrNotApplicable, text.Age(age), text.Exact(maxAge))
	case p.Refused():
		return Refuse(p.Refusals)
	}
	return nil
}

// Refuse is the error of a plan that exceeds limits. It wraps ErrLimit.
func Refuse(refusals []actions.Refusal) error {
	var details []string
	for _, r := range refusals {
		details = append(details, r.Detail)
	}
	return fmt.Errorf("%w: %s", ErrLimit, strings.Join(details, "; "))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

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

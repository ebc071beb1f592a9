package actions

import (
	"errors"
	"fmt"
	"slices"

	"github.com/registry-janitor/registry-janitor/registry"
)

// Check verifies that the plan has the contents of its id, and that it does not
// contradict itself.
func (p *Plan) Check() error {
	id, err := p.digest()
	if err != nil {
		return err
	}
	if p.ID != id {
		return fmt.Errorf("%w: its id is %q, its contents have %q", ErrEdited, p.ID, id)
	}
	if p.TakenAt.IsZero() {
		return errors.New("taken_at is missing")
	}
	if err := checkSteps(p); err != nil {
		return err
	}
	for i := range p.Held {
		h := &p.Held[i]
		if err := checkHeld(h); err != nil {
			return fmt.Errorf("held[%d] (%s): %w", i, h.Ref, err)
		}
	}
	for i, v := range p.Violations {
		if v.Severity != registry.Deny && v.Severity != registry.Warn && v.Severity != registry.Waived {
			return fmt.Errorf("violations[%d] (%s): severity %q is unknown", i, v.Ref, v.Severity)
		}
	}
	for i, g := range p.Gaps {
		if g != (registry.Gap{Subject: g.Subject, Error: g.Error}) {
			return fmt.Errorf("gaps[%d] (%s): it has more than a subject and an error", i, g.Subject)
		}
	}
	if err := checkOutcome(p); err != nil {
		return err
	}
	want := p.count()
	if p.Summary != want {
		return fmt.Errorf("summary: it does not match the entries of the plan: want %+v", want)
	}
	return nil
}

// checkSteps verifies the steps and the entries of their images.
func checkSteps(p *Plan) error {
	for i := range p.Steps {
		if err := checkStep(&p.Steps[i]); err != nil {
			return fmt.Errorf("steps[%d] (%s): %w", i, p.Steps[i].Ref, err)
		}
		if i > 0 && CompareChanges(p.Steps[i-1].Ref, p.Steps[i-1].Action, p.Steps[i].Ref, p.Steps[i].Action) >= 0 {
			return fmt.Errorf("steps[%d] (%s): out of order, or a duplicate", i, p.Steps[i].Ref)
		}
	}
	return checkImages(p)
}

// checkStep also lets the names share the bytes of the reference, as in a plan
// that was just made.
func checkStep(s *Step) error {
	ref, err := checkRef(s.Action, s.Ref)
	if err != nil {
		return err
	}
	if ref.Region != s.Region || ref.Namespace != s.Namespace || ref.Image != s.Image || ref.Tag != s.Tag {
		return errors.New("region, namespace, image and tag are not those of ref")
	}
	s.Region, s.Namespace, s.Image, s.Tag = ref.Region, ref.Namespace, ref.Image, ref.Tag
	switch {
	case s.ID == "":
		return errors.New("id is missing")
	case len(s.Reasons) == 0:
		return errors.New("reasons are missing")
	case s.Action.Deletes() && (s.From != "" || s.To != ""):
		return errors.New("a deletion has no from and to")
	case !s.Action.Deletes() && (s.From == "" || s.To == "" || s.From == s.To):
		return fmt.Errorf("from %q to %q does not change the visibility", s.From, s.To)
	}
	return nil
}

// checkImages verifies that the plan lists exactly those images of which a step
// deletes something.
func checkImages(p *Plan) error {
	for i := range p.Images {
		img := &p.Images[i]
		if _, err := checkRef(DeleteImage, img.Ref); err != nil {
			return fmt.Errorf("images[%d]: %w", i, err)
		}
		switch {
		case img.ID == "":
			return fmt.Errorf("images[%d] (%s): id is missing", i, img.Ref)
		case i > 0 && p.Images[i-1].Ref >= img.Ref:
			return fmt.Errorf("images[%d] (%s): out of order, or a duplicate", i, img.Ref)
		}
		last, first := "", true
		for name := range img.Stay.All() {
			if !first && last >= name {
				return fmt.Errorf("images[%d] (%s): stay is out of order, or has %q as a duplicate", i, img.Ref, name)
			}
			last, first = name, false
		}
	}
	c := keptCheck{plan: p, touched: make([]bool, len(p.Images))}
	for i := range p.Steps {
		if err := c.check(&p.Steps[i]); err != nil {
			return fmt.Errorf("steps[%d] (%s): %w", i, p.Steps[i].Ref, err)
		}
	}
	if i := slices.Index(c.touched, false); i >= 0 {
		return fmt.Errorf("images[%d] (%s): no step deletes anything in it", i, p.Images[i].Ref)
	}
	return nil
}

// keptCheck verifies that steps do not delete what the plan keeps.
type keptCheck struct {
	plan    *Plan
	touched []bool // of the images, whether a step deletes anything in it
	image   string // of the latest step: the next one is most likely in the same
	stay    []string
}

func (c *keptCheck) check(s *Step) error {
	if s.Action != DeleteTag && s.Action != DeleteImage {
		return nil
	}
	i, ok := c.plan.ImageOf(s)
	if !ok {
		return errors.New("images has no entry for its image")
	}
	c.touched[i] = true
	img := &c.plan.Images[i]
	if s.Action == DeleteImage {
		switch {
		case s.ID != img.ID:
			return fmt.Errorf("images has another id for it: %q", img.ID)
		case !img.Stay.IsEmpty():
			return errors.New("the image is deleted, but stay lists tags of it")
		}
		return nil
	}
	if c.image != img.Ref {
		c.image, c.stay = img.Ref, slices.AppendSeq(c.stay[:0], img.Stay.All())
	}
	if _, found := slices.BinarySearch(c.stay, s.Tag); found {
		return errors.New("the tag is deleted, but stay lists it")
	}
	return nil
}

func checkHeld(h *Held) error {
	if _, err := checkRef(h.Action, h.Ref); err != nil {
		return err
	}
	if !slices.Contains(Guards(), h.Guard) {
		return fmt.Errorf("guard %q is unknown", h.Guard)
	}
	return nil
}

// checkRef parses a reference and verifies that it fits the action.
func checkRef(a Action, text string) (registry.Ref, error) {
	ref, err := registry.ParseRef(text)
	if err != nil {
		return ref, fmt.Errorf("ref: %w", err)
	}
	var fits bool
	switch a {
	case DeleteTag:
		fits = ref.Tag != ""
	case DeleteImage, SetImageVisibility:
		fits = ref.Image != "" && ref.Tag == ""
	case DeleteNamespace, SetNamespaceVisibility:
		fits = ref.Image == ""
	default:
		return ref, fmt.Errorf("action %q is unknown", a)
	}
	if !fits {
		return ref, fmt.Errorf("%s does not fit the action %s", text, a)
	}
	return ref, nil
}

package outline

import (
	"cmp"
	"maps"
	"slices"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Namespace is what a plan has for one namespace.
type Namespace struct {
	Ref    registry.Ref
	Own    Object    // the namespace itself
	Images []*Object // sorted by name
}

// Object is what a plan has for one image with its tags, or for one namespace
// itself.
type Object struct {
	Ref   registry.Ref
	Tags  []actions.Step // deletions of tags, newest first
	Steps []actions.Step // on the object itself
	Held  []Held
}

// Held is a held entry, and the tag that it is about; "" if it is about the object.
type Held struct {
	actions.Held
	Tag string
}

// Name names what is held: a tag by its name, everything else by what the rule wants
// to do.
func (h Held) Name() string {
	switch h.Action {
	case actions.DeleteTag:
		return h.Tag
	case actions.DeleteImage:
		return "deletion of the image"
	case actions.DeleteNamespace:
		return "deletion of the namespace"
	default:
		return "change of visibility"
	}
}

// Count is the number of steps and held entries.
func (o *Object) Count() int { return len(o.Tags) + len(o.Steps) + len(o.Held) }

// Objects are the namespace itself and its images.
func (n *Namespace) Objects() []*Object { return append([]*Object{&n.Own}, n.Images...) }

// Of orders a plan by region, namespace and image. References are not in this order:
// there, api-v2 comes before api:v1.
func Of(p *actions.Plan) []*Namespace {
	g := grouper{namespaces: make(map[registry.Ref]*Namespace), images: make(map[registry.Ref]*Object)}
	for _, s := range p.Steps {
		object := g.object(s.Object())
		if s.Action == actions.DeleteTag {
			object.Tags = append(object.Tags, s)
		} else {
			object.Steps = append(object.Steps, s)
		}
	}
	for _, h := range p.Held {
		ref := Parse(h.Ref)
		entry := Held{Held: h, Tag: ref.Tag}
		object := g.object(ref.WithoutTag())
		object.Held = append(object.Held, entry)
	}
	out := slices.SortedFunc(maps.Values(g.namespaces), func(a, b *Namespace) int { return Compare(a.Ref, b.Ref) })
	for _, n := range out {
		slices.SortFunc(n.Images, func(a, b *Object) int { return Compare(a.Ref, b.Ref) })
		for _, o := range n.Objects() {
			slices.SortStableFunc(o.Tags, func(a, b actions.Step) int {
				return cmp.Or(b.UpdatedAt.Compare(a.UpdatedAt), cmp.Compare(a.Tag, b.Tag))
			})
		}
	}
	return out
}

// Parse takes a reference apart. If s is not a reference, the result is a namespace of that
// name, so that it is never left out.
func Parse(s string) registry.Ref {
	ref, err := registry.ParseRef(s)
	if err != nil {
		return registry.Ref{Namespace: s}
	}
	return ref
}

// Compare orders references for reading.
func Compare(a, b registry.Ref) int {
	return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Image, b.Image))
}

type grouper struct {
	namespaces map[registry.Ref]*Namespace
	images     map[registry.Ref]*Object
}

// object finds the group of an image, or of a namespace itself.
func (g *grouper) object(ref registry.Ref) *Object {
	home := ref.WithoutImage()
	n := g.namespaces[home]
	if n == nil {
		n = &Namespace{Ref: home, Own: Object{Ref: home}}
		g.namespaces[home] = n
	}
	if ref.Image == "" {
		return &n.Own
	}
	image := g.images[ref]
	if image == nil {
		image = &Object{Ref: ref}
		g.images[ref] = image
		n.Images = append(n.Images, image)
	}
	return image
}

// Violations are sorted by severity and rule.
func Violations(p *actions.Plan) []registry.Violation {
	list := slices.Clone(p.Violations)
	slices.SortStableFunc(list, func(a, b registry.Violation) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Ref, b.Ref))
	})
	return list
}

// ViolationsByRule groups the violations by severity and rule.
func ViolationsByRule(p *actions.Plan) []Alike[registry.Violation] {
	return GroupBy(Violations(p), func(v registry.Violation) string {
		return string(v.Severity) + "\x00" + v.Rule + "\x00" + v.Source + "\x00" + v.CustomSeverity
	})
}

// Results are the steps that have one result, those with the same explanation
// together.
func Results(o *actions.Outcome, result actions.Result) []Alike[actions.StepResult] {
	var of []actions.StepResult
	for _, r := range o.Results {
		if r.Result == result {
			of = append(of, r)
		}
	}
	slices.SortStableFunc(of, func(a, b actions.StepResult) int { return cmp.Compare(a.Detail, b.Detail) })
	return GroupBy(of, func(r actions.StepResult) string { return r.Detail })
}

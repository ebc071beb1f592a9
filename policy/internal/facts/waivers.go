package facts

import (
	"cmp"
	"slices"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

var (
	keyOwner      = ast.StringTerm("owner")
	keyWaivers    = ast.StringTerm("waivers")
	keyWaivedTags = ast.StringTerm("waived_tags")
)

// compileWaivers makes once what every image needs.
func (s *Rules) compileWaivers() error {
	for i := range s.Waivers {
		x, err := s.Waivers[i].Compile(s.location)
		if err != nil {
			return err
		}
		s.exceptions = append(s.exceptions, x)
		s.byContent = s.byContent || x.NeedsContent()
	}
	return nil
}

// waived adds the waivers in force that are about the image itself, and the tags that
// waivers in force are about.
func (f *Image) waived(facts *factList) {
	var tags []*ast.Term
	for _, x := range f.scan.Rules.exceptions {
		for _, i := range f.scan.waivedTags(x, f.img, f.tags) {
			if f.matters(&f.tags[i]) {
				tags = append(tags, waiverTerm(x, [2]*ast.Term{keyName, f.names[i]}))
			}
		}
	}
	facts.list("waiver", keyWaivedTags, tags)
	facts.list("waiver", keyWaivers, f.scan.waiverTerms(f.scan.imageWaivers(f.img)))
}

// waivedTags are the positions of the tags that a waiver in force is about, or may be: what
// is not known is kept.
func (s *Scan) waivedTags(x *rules.Exception, img *registry.Image, tags []tag) []int {
	selector, ok := x.Tags(img)
	if !ok || !x.Holds(s.Now) {
		return nil
	}
	var out []int
	for i := range tags {
		t := &tags[i]
		if selector.May(t.Name, t.version, wholeSeconds(s.Now, t.Changed()), t.content) {
			out = append(out, i)
		}
	}
	return out
}

func (s *Scan) imageWaivers(img *registry.Image) []*rules.Exception {
	return s.holding(func(x *rules.Exception) bool { return x.CoversImage(img, wholeSeconds(s.Now, img.Changed())) })
}

func (s *Scan) namespaceWaivers(ns *registry.Namespace) []*rules.Exception {
	return s.holding(func(x *rules.Exception) bool { return x.CoversNamespace(ns, wholeSeconds(s.Now, ns.Changed())) })
}

// holding are the waivers in force that cover something.
func (s *Scan) holding(covers func(*rules.Exception) bool) []*rules.Exception {
	var out []*rules.Exception
	for _, x := range s.Rules.exceptions {
		if x.Holds(s.Now) && covers(x) {
			out = append(out, x)
		}
	}
	return out
}

func (s *Scan) waiverTerms(waivers []*rules.Exception) []*ast.Term {
	out := make([]*ast.Term, len(waivers))
	for i, x := range waivers {
		out[i] = waiverTerm(x)
	}
	return out
}

func waiverTerm(x *rules.Exception, more ...[2]*ast.Term) *ast.Term {
	return ast.ObjectTerm(append(more,
		[2]*ast.Term{keyOwner, ast.StringTerm(x.Owner)},
		[2]*ast.Term{keyReason, ast.StringTerm(x.Words())},
	)...)
}

// Cover is the waiver of a violation.
type Cover struct {
	Owner string
	Words string // as a reason has it
}

// Covering is the waiver in force that covers a violation of the verdict's subject, or of
// a tag of its image. Of several it is the one that holds the longest.
func (s *Scan) Covering(v *registry.Verdict, tag string) (Cover, bool) {
	var all []*rules.Exception
	switch {
	case len(s.Rules.exceptions) == 0:
	case v.Image == nil:
		all = s.namespaceWaivers(v.Namespace)
	case tag == "":
		all = s.imageWaivers(v.Image)
	default:
		all = s.holding(func(x *rules.Exception) bool { return coversTag(x, s.Now, v.Image, tag) })
	}
	if len(all) == 0 {
		return Cover{}, false
	}
	x := slices.MinFunc(all, func(a, b *rules.Exception) int {
		return cmp.Or(cmp.Compare(b.Until, a.Until), cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.Reason, b.Reason))
	})
	return Cover{x.Owner, x.Words()}, true
}

func coversTag(x *rules.Exception, now time.Time, img *registry.Image, tag string) bool {
	selector, ok := x.Tags(img)
	return ok && slices.ContainsFunc(img.Tags, func(t registry.Tag) bool {
		return t.Name == tag && selector.Answer(tag, rules.ParseVersion(tag), wholeSeconds(now, t.Changed()), img.Contents[t.Digest]) == rules.Yes
	})
}

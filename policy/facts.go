package policy

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/registry"
)

// selection says which retention rules a query wants facts for.
type selection string

const (
	askRules  selection = ruleDelete // those that can condemn
	vetoRules selection = ruleKeep   // those that can keep
)

// imageFacts computes what Go decides about an image, once for both queries.
type imageFacts struct {
	judge    *Judge
	img      *registry.Image
	tags     []tag
	names    []*ast.Term
	relevant []bool // of the tags, for keep rules; nil for all
	byName   map[string]int
	base     ast.Value // the part of the input that both queries share, nil until built
}

func (j *Judge) imageFacts(img *registry.Image) *imageFacts {
	f := &imageFacts{judge: j, img: img, tags: make([]tag, len(img.Tags)), names: make([]*ast.Term, len(img.Tags))}
	for i := range img.Tags {
		t := &img.Tags[i]
		f.tags[i] = tag{Tag: t, index: i, version: parseVersion(t.Name), subject: registry.AttachmentSubject(t.Name)}
		f.names[i] = ast.StringTerm(t.Name)
	}
	return f
}

// find returns the position of a tag.
func (f *imageFacts) find(name string) (int, bool) {
	if f.byName == nil {
		f.byName = make(map[string]int, len(f.tags))
		for i := range f.tags {
			f.byName[f.tags[i].Name] = i
		}
	}
	index, ok := f.byName[name]
	return index, ok
}

// document is the input of one query: what the schema describes, and the facts
// for the built-in policies.
func (f *imageFacts) document(want selection) ast.Value {
	facts := [][2]*ast.Term{
		{keyAgeSeconds, ast.InternedTerm(wholeSeconds(f.judge.now, f.img.UpdatedAt))},
		{keyRetention, f.retention(want)},
	}
	if want == vetoRules {
		facts = append(facts, f.protected()...)
	} else {
		facts = append(facts, f.naming()...)
		facts = append(facts, [2]*ast.Term{keyVisibility, f.judge.rules(f.judge.engine.settings.Visibility, func(r subjectRule) bool {
			return r.Subject == string(imageSubject) && r.takesImage(f.judge, f.img)
		})})
	}
	return f.judge.imageInput(f, ast.ObjectTerm(facts...))
}

// retention hands in, for each rule that can condemn or keep something here, the
// tags that it matched, in the rule's own order.
func (f *imageFacts) retention(want selection) *ast.Term {
	rules := f.judge.engine.settings.Retention
	var out []*ast.Term
	for i := range rules {
		r := &rules[i]
		if !r.has(want) || !r.takes(f.img) {
			continue
		}
		matched := r.matched(f.judge.now, f.img, f.tags)
		tags := f.facts(r, matched, want)
		if len(tags) > 0 {
			out = append(out, ast.ObjectTerm(
				[2]*ast.Term{keyRule, ast.InternedTerm(i)},
				[2]*ast.Term{keyTags, ast.ArrayTerm(tags...)},
			))
		}
	}
	return ast.ArrayTerm(out...)
}

func (r *retentionRule) has(want selection) bool {
	if want == vetoRules {
		return r.Keep != nil
	}
	return r.Delete != nil
}

// facts are the name and age of each matched tag, and for keep rules its
// position: how many digests (or tags, as the rule counts) are newer. A tag that
// is not ready and an attachment have no position: they neither take a place nor
// fill one.
func (f *imageFacts) facts(r *retentionRule, matched []*tag, want selection) []*ast.Term {
	out := make([]*ast.Term, 0, len(matched))
	positions := newPositions(r.Count)
	for _, t := range matched {
		pairs := make([][2]*ast.Term, 2, 3)
		pairs[0] = [2]*ast.Term{keyName, f.names[t.index]}
		pairs[1] = [2]*ast.Term{keyAgeSeconds, ast.InternedTerm(r.age(f.judge.now, t))}
		if want == vetoRules {
			if t.Status == registry.StatusReady && t.subject == "" {
				pairs = append(pairs, [2]*ast.Term{keyPosition, ast.InternedTerm(positions.of(t))})
			}
			if f.relevant != nil && !f.relevant[t.index] {
				continue
			}
		}
		out = append(out, ast.ObjectTerm(pairs...))
	}
	return out
}

// positions numbers tags or digests in the order in which they come.
type positions struct {
	digests map[string]int // nil to count tags
	tags    int
}

func newPositions(count string) *positions {
	if count == "tags" {
		return &positions{}
	}
	return &positions{digests: map[string]int{}}
}

func (p *positions) of(t *tag) int {
	if p.digests == nil {
		p.tags++
		return p.tags - 1
	}
	if _, seen := p.digests[t.Digest]; !seen {
		p.digests[t.Digest] = len(p.digests)
	}
	return p.digests[t.Digest]
}

// protected hands in the tags that the configuration protects by name, with the
// pattern that does, and by digest.
func (f *imageFacts) protected() [][2]*ast.Term {
	protect := f.judge.engine.settings.Protect
	var tags, digests []*ast.Term
	for i := range f.tags {
		for _, pattern := range protect.Tags {
			if globs([]string{pattern}, f.tags[i].Name) {
				tags = append(tags, ast.ObjectTerm(
					[2]*ast.Term{keyName, f.names[i]},
					[2]*ast.Term{keyPattern, ast.StringTerm(pattern)},
				))
			}
		}
		if slices.Contains(protect.Digests, f.tags[i].Digest) {
			digests = append(digests, f.names[i])
		}
	}
	return [][2]*ast.Term{
		{keyProtectedTags, ast.ArrayTerm(tags...)},
		{keyProtectedDigests, ast.ArrayTerm(digests...)},
	}
}

// naming hands in the rules that look at the image's name, and for those that
// look at tags the names they look at. Attachments are named by tools.
func (f *imageFacts) naming() [][2]*ast.Term {
	rules := f.judge.engine.settings.Naming
	var tags []*ast.Term
	for i, r := range rules {
		if r.Subject != "tag" || !r.mayTakeTagsOf(f.img) {
			continue
		}
		var names []*ast.Term
		for t := range f.tags {
			if f.tags[t].subject == "" && r.takesTag(f.judge, f.img, &f.tags[t]) {
				names = append(names, f.names[t])
			}
		}
		tags = append(tags, ast.ObjectTerm(
			[2]*ast.Term{keyRule, ast.InternedTerm(i)},
			[2]*ast.Term{keyTags, ast.ArrayTerm(names...)},
		))
	}
	return [][2]*ast.Term{
		{keyNaming, f.judge.rules(rules, func(r subjectRule) bool {
			return r.Subject == string(imageSubject) && r.takesImage(f.judge, f.img)
		})},
		{keyTagNaming, ast.ArrayTerm(tags...)},
	}
}

// rules lists the positions of the rules that take the subject.
func (j *Judge) rules(rules []subjectRule, takes func(subjectRule) bool) *ast.Term {
	var out []*ast.Term
	for i, r := range rules {
		if takes(r) {
			out = append(out, ast.InternedTerm(i))
		}
	}
	return ast.ArrayTerm(out...)
}

func (r *subjectRule) takesNamespace(j *Judge, ns *registry.Namespace) bool {
	age := wholeSeconds(j.now, ns.UpdatedAt)
	takes := func(m *match) bool { return m.takesNamespace(ns) && m.takesAge(age) }
	return takes(r.Match) && (r.Except == nil || !takes(r.Except))
}

func (r *subjectRule) takesImage(j *Judge, img *registry.Image) bool {
	age := wholeSeconds(j.now, img.UpdatedAt)
	takes := func(m *match) bool { return m.takesImage(img) && m.takesAge(age) }
	return takes(r.Match) && (r.Except == nil || !takes(r.Except))
}

func (r *subjectRule) mayTakeTagsOf(img *registry.Image) bool { return r.Match.takesImage(img) }

func (r *subjectRule) takesTag(j *Judge, img *registry.Image, t *tag) bool {
	age := wholeSeconds(j.now, t.UpdatedAt)
	takes := func(m *match) bool { return m.takesImage(img) && m.takesTag(t.Name, t.version) && m.takesAge(age) }
	return takes(r.Match) && (r.Except == nil || !takes(r.Except))
}

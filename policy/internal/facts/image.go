package facts

import (
	"slices"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/internal/modules"
	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Scan is what the facts of all images and namespaces of one scan share.
type Scan struct {
	Rules *Rules
	Now   time.Time
	// Full reports whether the operator's own modules judge images, and need the full
	// input document.
	Full bool
	// Readers are the built-in policies that read the image itself, and not only facts.
	Readers []string
	// Explain adds the facts that decide nothing, but explain a decision.
	Explain bool
	// Restored are the tags that were restored from the archive.
	Restored registry.Restorations
}

// Query is which rules need facts.
type Query string

const (
	// Marking is for the rules that can mark tags for deletion.
	Marking Query = modules.Delete
	// Keeping is for those that can keep tags.
	Keeping Query = modules.Keep
)

// Image computes the facts of an image, once for both queries.
type Image struct {
	scan     *Scan
	img      *registry.Image
	tags     []tag
	names    []*ast.Term
	relevant []bool           // of the tags, for keep rules; nil for all; see matters
	touched  []bool           // of the tags, for what is not known of contents; nil for all
	inUse    [][]string       // who uses each tag; nil if no tag is used
	matched  []matches        // by each retention rule; nil until needed
	wholesOf *registry.Wholes // nil until needed
	unknown  []string         // digests, with content.multi_arch: all; nil until needed
	byName   map[string]int
	base     ast.Object // the part of the input that both queries share, nil until built
}

// Image are the facts of an image; inUse names what uses each tag, nil for nothing.
func (s *Scan) Image(img *registry.Image, inUse [][]string) *Image {
	f := &Image{scan: s, img: img, inUse: inUse, tags: make([]tag, len(img.Tags)), names: make([]*ast.Term, len(img.Tags))}
	for i, subject := range img.Subjects() {
		t := &img.Tags[i]
		f.tags[i] = tag{Tag: t, index: i, version: rules.ParseVersion(t.Name), subject: subject}
		f.names[i] = ast.StringTerm(t.Name)
	}
	if len(img.Contents) > 0 {
		for i := range f.tags {
			f.tags[i].content = img.Contents[f.tags[i].Digest]
		}
	}
	if len(s.Restored) > 0 {
		ref := img.Ref()
		for i := range f.tags {
			f.tags[i].restored, f.tags[i].isRestored = s.Restored.Of(ref, f.tags[i].Tag, s.Now)
		}
	}
	return f
}

// users are who uses a tag, for the input.
func (f *Image) users(i int) *ast.Term {
	if f.inUse == nil || len(f.inUse[i]) == 0 {
		return noNames
	}
	terms := make([]*ast.Term, len(f.inUse[i]))
	for k, who := range f.inUse[i] {
		terms[k] = ast.StringTerm(who)
	}
	return ast.ArrayTerm(terms...)
}

// Find returns the position of a tag.
func (f *Image) Find(name string) (int, bool) {
	if f.byName == nil {
		f.byName = make(map[string]int, len(f.tags))
		for i := range f.tags {
			f.byName[f.tags[i].Name] = i
		}
	}
	index, ok := f.byName[name]
	return index, ok
}

// Relevant are the tags for which keep rules can change anything; nil for all.
func (f *Image) Relevant(tags []bool) { f.relevant = tags }

// Touched are the tags that may be deleted: only these are kept because their contents
// are not known. nil is all.
func (f *Image) Touched(tags []bool) { f.touched = tags }

// Document is the input of one query: what the schema describes, and the facts for the
// built-in policies, which are named. It is nil if no policy could decide anything:
// the built-in ones decide nothing without facts.
func (f *Image) Document(query Query) (input ast.Value, about []string) {
	facts := &factList{}
	if query == Keeping {
		f.keeps(facts)
		f.protected(facts)
		f.waived(facts)
		f.restored(facts)
		f.own(facts)
	} else {
		f.deletes(facts)
		f.orphans(facts)
		f.naming(facts)
		f.visibility(facts)
		f.empty(facts)
	}
	if len(facts.pairs) == 0 && !f.scan.Full {
		return nil, nil
	}
	return f.input(facts), facts.about
}

// factList is the facts by their names. A list that would be empty is left out:
// a rule over an undefined list ends at once.
type factList struct {
	pairs [][2]*ast.Term
	about []string // the built-in policies that they are for
}

func (l *factList) add(policy string, key, value *ast.Term) {
	l.pairs = append(l.pairs, [2]*ast.Term{key, value})
	if !slices.Contains(l.about, policy) {
		l.about = append(l.about, policy)
	}
}

func (l *factList) list(policy string, key *ast.Term, values []*ast.Term) {
	if len(values) > 0 {
		l.add(policy, key, ast.ArrayTerm(values...))
	}
}

// protected adds the tags that the configuration protects by name, with the
// pattern, and by digest.
func (f *Image) protected(facts *factList) {
	protect := &f.scan.Rules.Protect
	var tags, digests []*ast.Term
	for i := range f.tags {
		if !f.matters(&f.tags[i]) {
			continue
		}
		for _, pattern := range protect.Tags {
			if rules.MatchesAny([]string{pattern}, f.tags[i].Name) {
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
	facts.list("protect", keyProtectedTags, tags)
	facts.list("protect", keyProtectedDigests, digests)
	if len(protect.Labels) > 0 {
		f.protectedLabels(facts)
	}
}

// orphans adds the attachments to a digest that no other tag of the image has.
func (f *Image) orphans(facts *factList) {
	if f.scan.Rules.Attachments.Orphans != "delete" {
		return
	}
	var out []*ast.Term
	var digests *registry.Digests // nil until needed
	for i := range f.tags {
		subject := f.tags[i].subject
		if subject == "" {
			continue
		}
		if digests == nil {
			digests = registry.DigestsOf(f.img.Tags)
		}
		if len(digests.Named(subject)) == 0 {
			out = append(out, ast.ObjectTerm(
				[2]*ast.Term{keyName, f.names[i]},
				[2]*ast.Term{keySubject, ast.StringTerm(string(subject))},
			))
		}
	}
	facts.list("attachments", keyOrphans, out)
}

// naming adds the rules whose pattern the image's name does not match, and for
// those about tags the names that do not match.
func (f *Image) naming(facts *factList) {
	all := f.scan.Rules.naming
	var tags []*ast.Term
	for i := range all {
		var names []*ast.Term
		for _, t := range all[i].matchedTags(f.scan.Now, f.img, f.tags) {
			if !all[i].pattern.MatchString(t.Name) {
				names = append(names, f.names[t.index])
			}
		}
		if len(names) > 0 {
			tags = append(tags, ast.ObjectTerm(
				[2]*ast.Term{keyRule, ast.InternedTerm(i)},
				[2]*ast.Term{keyTags, ast.ArrayTerm(names...)},
			))
		}
	}
	facts.list("naming", keyNaming, which(all, func(r *subjectRule) bool {
		return r.matchesImage(f.scan.Now, f.img) && !r.pattern.MatchString(f.img.Name)
	}))
	facts.list("naming", keyTagNaming, tags)
}

// visibility adds the rules about the image. If all of them are satisfied and
// no own policy could ask for another visibility, there is nothing to decide.
func (f *Image) visibility(facts *factList) {
	satisfied := true
	matching := which(f.scan.Rules.visibility, func(r *subjectRule) bool {
		matches := r.matchesImage(f.scan.Now, f.img)
		satisfied = satisfied && (!matches || r.satisfiedBy(f.img))
		return matches
	})
	if satisfied && !f.scan.Full && !f.scan.Explain {
		return
	}
	facts.list("visibility", keyVisibility, matching)
}

// empty adds the age of an image without tags.
func (f *Image) empty(facts *factList) {
	if len(f.tags) == 0 && f.scan.Rules.Empty.Images != nil {
		facts.add("empty", keyAgeSeconds, ast.InternedTerm(wholeSeconds(f.scan.Now, f.img.Changed())))
	}
}

// which lists the positions of the rules that match.
func which(all []subjectRule, matches func(*subjectRule) bool) []*ast.Term {
	var out []*ast.Term
	for i := range all {
		if matches(&all[i]) {
			out = append(out, ast.InternedTerm(i))
		}
	}
	return out
}

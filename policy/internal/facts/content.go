package facts

import (
	"fmt"
	"strconv"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// This file is about rules that depend on what is inside a tag. Unknown content must
// never lead to a deletion: a rule does not mark what it may not be about, and where it
// may be about more tags than are known, it keeps all that it is or may be about.

// built is when the content was built, or else the time of the change: reproducible
// builds are dated 1970 or 1980.
func (t *tag) built() time.Time {
	if t.content == nil || t.content.BuiltAt.UTC().Year() <= 1980 { // also of the zero time
		return t.Changed()
	}
	return t.content.BuiltAt
}

// answered splits the tags into those that the rule is about and those that it may be
// about. A tag that is not ready is never deleted and takes no place, so that its unknown
// content does not matter.
func (r *retentionRule) answered(selector rules.TagSelector, now time.Time, tags []tag) (matched, undecided []*tag) {
	matched = []*tag{}
	for i := range tags {
		t := &tags[i]
		v := r.version(t)
		if v == nil && r.Keep.IsSemverOnly() {
			continue
		}
		age, answer := rules.UnknownAge, rules.Unknown
		if t.content != nil || r.By != byBuild {
			age, answer = r.age(now, t), rules.Yes
		}
		switch min(answer, selector.Answer(t.Name, v, age, t.content)) {
		case rules.Yes:
			matched = append(matched, t)
		case rules.Unknown:
			if t.Status == registry.StatusReady {
				undecided = append(undecided, t)
			}
		}
	}
	return matched, undecided
}

// undecided adds what the rule is or may be about while not all of that is known: the
// places that it gives are not certain.
func (f *Image) undecided(r *retentionRule, m matches, k *kept) {
	if len(m.undecided) == 0 {
		return
	}
	var names []*ast.Term
	for _, list := range [][]*tag{m.decided, m.undecided} {
		for _, t := range list {
			if f.matters(t) && (f.touched == nil || f.touched[t.index]) {
				names = append(names, f.names[t.index])
			}
		}
	}
	if len(names) > 0 {
		k.undecided = append(k.undecided, r.entry(ast.ArrayTerm(names...)))
	}
}

// expires reports whether the rule takes the age limit from a label.
func (r *retentionRule) expires() bool { return r.Delete != nil && r.Delete.OlderThanLabel != "" }

// expiring adds the matched tags with an age limit in their labels, and those with a
// label that is none.
func (f *Image) expiring(r *retentionRule, matched []*tag, expiring, unreadable []*ast.Term) (_, _ []*ast.Term) {
	var names, ages, limits, reasons, bad, remedies []*ast.Term
	label := r.Delete.OlderThanLabel
	for _, t := range matched {
		if t.content == nil {
			continue
		}
		value, ok := t.content.Labels[label]
		if !ok {
			continue
		}
		limit, err := rules.Expiry(value)
		if err != nil {
			bad = append(bad, f.names[t.index])
			remedies = append(remedies, ast.StringTerm(fmt.Sprintf("its label %s is %s, which is not an age limit, so the rule does not mark it: write a whole number and s, m, h, d or w, such as 2w, or build without the label", label, strconv.Quote(value))))
			continue
		}
		reason := fmt.Sprintf("older than %s, as its label %s says", value, label)
		if least := r.Delete.OlderThan.Duration(); least > limit {
			limit, reason = least, "older than "+r.Delete.OlderThan.String()+", and than "+value+", as its label "+label+" says"
		}
		names, ages = append(names, f.names[t.index]), append(ages, f.age(r, t))
		limits, reasons = append(limits, numberTerm(limit.Seconds())), append(reasons, ast.StringTerm(reason))
	}
	if len(names) > 0 {
		expiring = append(expiring, r.entry(ast.ArrayTerm(names...),
			[2]*ast.Term{keyAges, ast.ArrayTerm(ages...)},
			[2]*ast.Term{keyLimits, ast.ArrayTerm(limits...)},
			[2]*ast.Term{keyReasons, ast.ArrayTerm(reasons...)},
		))
	}
	if len(bad) > 0 {
		unreadable = append(unreadable, r.entry(ast.ArrayTerm(bad...), [2]*ast.Term{keyReasons, ast.ArrayTerm(remedies...)}))
	}
	return expiring, unreadable
}

// UnknownLabels is why a tag is kept whose labels are not known.
const UnknownLabels = "its labels are not known, and may protect it"

// protectedLabels adds the tags that the configuration protects by a label, and those
// of which that is not known, unless they are held anyway because they are in use.
func (f *Image) protectedLabels(facts *factList) {
	var out []*ast.Term
	for i := range f.tags {
		t := &f.tags[i]
		if !f.matters(t) {
			continue
		}
		reason := ""
		switch {
		case t.content != nil:
			if label := rules.AnyLabel(f.scan.Rules.Protect.Labels, t.content); label != "" {
				reason = "protected by its label " + label
			}
		case t.Status == registry.StatusReady && (f.touched == nil || f.touched[i]) && !f.used(i):
			reason = UnknownLabels
		}
		if reason != "" {
			out = append(out, ast.ObjectTerm([2]*ast.Term{keyName, f.names[i]}, [2]*ast.Term{keyReason, ast.StringTerm(reason)}))
		}
	}
	facts.list("protect", keyProtectedLabels, out)
}

// used reports whether something uses a tag.
func (f *Image) used(i int) bool { return f.inUse != nil && len(f.inUse[i]) > 0 }

// contentTerm is what the content of a tag is, for the input.
func (s *Scan) contentTerm(t *tag) *ast.Term {
	c, built := t.content, t.built()
	pairs := [][2]*ast.Term{
		{keyKind, ast.StringTerm(string(c.Kind))},
		{keyMediaType, ast.StringTerm(c.MediaType)},
		{keyPlatforms, stringTerms(c.Platforms)},
		{keyLabels, mapTerm(c.Labels)},
		{keyAnnotations, mapTerm(c.Annotations)},
		{keyBuiltAt, ast.StringTerm(formatTime(built))},
		{keyBuiltDays, ast.InternedTerm(wholeSeconds(s.Now, built) / day)},
		{keySizeBytes, ast.UIntNumberTerm(c.SizeBytes)},
		{keyParts, stringTerms(c.Parts)},
	}
	if c.Subject != "" {
		pairs = append(pairs, [2]*ast.Term{keySubject, ast.StringTerm(c.Subject)})
	}
	return ast.ObjectTerm(pairs...)
}

func stringTerms(list []string) *ast.Term {
	terms := make([]*ast.Term, len(list))
	for i, s := range list {
		terms[i] = ast.StringTerm(s)
	}
	return ast.ArrayTerm(terms...)
}

func mapTerm(m map[string]string) *ast.Term {
	pairs := make([][2]*ast.Term, 0, len(m))
	for key, value := range m {
		pairs = append(pairs, [2]*ast.Term{ast.StringTerm(key), ast.StringTerm(value)})
	}
	return ast.ObjectTerm(pairs...)
}

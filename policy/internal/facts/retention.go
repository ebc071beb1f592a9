package facts

import (
	"fmt"
	"math"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/registry"
)

// ruleTerms are the parts of the facts that are the same for every image.
type ruleTerms struct {
	name                    *ast.Term
	oldest, tooOld          *ast.Term // the age from which it marks, and the reason
	youngest, young         *ast.Term // the age from which it does not keep, and the reason
	nearest                 *ast.Term // the same, counted back from the newest tag
	last                    *ast.Term
	majors, minors, patches *ast.Term
	versions                *ast.Term
	units                   []unitLimit
}

func (r *retentionRule) makeTerms() ruleTerms {
	t := ruleTerms{name: ast.StringTerm(r.Name)}
	by := "" // reports show the age by the update
	if r.By == byBuild {
		by = " by built_at"
	}
	if d := r.Delete; d != nil {
		t.oldest = numberTerm(d.OlderThan.Seconds())
		t.tooOld = ast.StringTerm("older than " + d.OlderThan.String() + by)
		if d.OlderThan.Duration() == 0 {
			t.tooOld = ast.StringTerm("kept by no criterion of the rule")
		}
	}
	if k := r.Keep; k != nil {
		t.youngest, t.young = numberTerm(k.Within.Seconds()), ast.StringTerm("younger than "+k.Within.String()+by)
		t.nearest = numberTerm(k.WithinNewest.Seconds())
		t.last, t.units = ast.InternedTerm(k.Last), unitsOf(k)
		if k.Semver != nil {
			t.majors, t.minors, t.patches = limitTerm(k.Semver.Majors), limitTerm(k.Semver.Minors), limitTerm(k.Semver.Patches)
			t.versions = ast.InternedTerm(k.Semver.Versions)
		}
	}
	return t
}

func numberTerm(n float64) *ast.Term {
	if n == math.Trunc(n) && math.Abs(n) < 1<<53 {
		return ast.InternedTerm(int(n))
	}
	return ast.FloatNumberTerm(n)
}

// limitTerm is a count, or for 0 a number greater than any position.
func limitTerm(count int) *ast.Term {
	if count == 0 {
		return ast.InternedTerm(math.MaxInt)
	}
	return ast.InternedTerm(count)
}

// deletes adds, for each rule that can mark tags of this image, the matched tags and
// their ages.
func (f *Image) deletes(facts *factList) {
	all := f.scan.Rules.retention
	var aged, expiring, unreadable []*ast.Term
	for i := range all {
		r := &all[i]
		if r.terms.oldest == nil {
			continue
		}
		matched := f.matchedBy(i).decided
		switch {
		case len(matched) == 0:
		case r.Delete.OlderThanLabel != "":
			expiring, unreadable = f.expiring(r, matched, expiring, unreadable)
		default:
			names, ages := f.ages(r, matched)
			aged = append(aged, r.compared(names, keyAges, ages,
				[2]*ast.Term{keyOldest, r.terms.oldest},
				[2]*ast.Term{keyReason, r.terms.tooOld},
			))
		}
	}
	facts.list("retention", keyAged, aged)
	facts.list("retention", keyExpiring, expiring)
	facts.list("retention", keyUnreadable, unreadable)
}

// entry is the fact for one criterion of the rule.
func (r *retentionRule) entry(names *ast.Term, more ...[2]*ast.Term) *ast.Term {
	pairs := make([][2]*ast.Term, 0, 8)
	pairs = append(pairs, [2]*ast.Term{keyRule, r.terms.name}, [2]*ast.Term{keyNames, names})
	return ast.ObjectTerm(append(pairs, more...)...)
}

// compared is an entry with the values that the policy compares with one limit, the least
// and the greatest of them, by which it knows whether it has to look at each.
func (r *retentionRule) compared(names, of, values *ast.Term, more ...[2]*ast.Term) *ast.Term {
	least, greatest := math.MaxInt, math.MinInt
	values.Value.(*ast.Array).Foreach(func(v *ast.Term) {
		number, _ := v.Value.(ast.Number)
		n, whole := number.Int()
		if !whole {
			least, greatest = math.MinInt, math.MaxInt
			return
		}
		least, greatest = min(least, n), max(greatest, n)
	})
	return r.entry(names, append(more,
		[2]*ast.Term{of, values},
		[2]*ast.Term{keyLeast, ast.InternedTerm(least)},
		[2]*ast.Term{keyGreatest, ast.InternedTerm(greatest)},
	)...)
}

// kept collects the facts for each criterion of a keep.
type kept struct{ all, last, within, calendar, releases, versions, undecided []*ast.Term }

// keeps adds, for each criterion of a keep, the rules that have it, with what the
// criterion needs to know of the matched tags, group by group.
func (f *Image) keeps(facts *factList) {
	all := f.scan.Rules.retention
	var k kept
	for i := range all {
		r := &all[i]
		if r.Keep == nil {
			continue
		}
		matched := f.matchedBy(i).decided
		if r.byContent {
			f.undecided(r, f.matchedBy(i), &k)
		}
		f.keepsOfEach(r, matched, &k)
		for _, g := range r.grouping.split(matched) {
			k.last = append(k.last, f.last(r, g)...)
			k.within = append(k.within, f.withinNewest(r, g)...)
			k.calendar = append(k.calendar, f.calendar(r, g)...)
			f.releases(r, g, &k)
		}
	}
	facts.list("retention", keyAll, k.all)
	facts.list("retention", keyLast, k.last)
	facts.list("retention", keyWithin, k.within)
	facts.list("retention", keyCalendar, k.calendar)
	facts.list("retention", keyReleases, k.releases)
	facts.list("retention", keyVersions, k.versions)
	facts.list("retention", keyUndecided, k.undecided)
}

// keepsOfEach adds the criteria that look at each tag alone.
func (f *Image) keepsOfEach(r *retentionRule, matched []*tag, k *kept) {
	if !r.Keep.All && r.Keep.Within.Duration() == 0 {
		return
	}
	tags := f.mattering(matched)
	if len(tags) == 0 {
		return
	}
	names, ages := f.ages(r, tags)
	if r.Keep.All {
		k.all = append(k.all, r.entry(names))
	}
	if r.Keep.Within.Duration() > 0 {
		k.within = append(k.within, r.compared(names, keyAges, ages,
			[2]*ast.Term{keyYoungest, r.terms.youngest},
			[2]*ast.Term{keyReason, r.terms.young},
		))
	}
}

// matches are the tags that a rule matched, in its own order, nil if the rule is not
// about the image; and those that it may have matched.
type matches struct{ decided, undecided []*tag }

// matchedBy are the tags that a rule matched. Both queries need them.
func (f *Image) matchedBy(rule int) matches {
	all := f.scan.Rules.retention
	if f.matched == nil {
		f.matched = make([]matches, len(all))
	}
	m := &f.matched[rule]
	if m.decided == nil {
		m.decided, m.undecided = all[rule].matched(f.scan.Now, f.img, f.tags)
	}
	return *m
}

// matters reports whether a keep of the tag could change anything.
func (f *Image) matters(t *tag) bool { return f.relevant == nil || f.relevant[t.index] }

func (f *Image) mattering(tags []*tag) []*tag {
	if f.relevant == nil {
		return tags
	}
	out := make([]*tag, 0, len(tags))
	for _, t := range tags {
		if f.matters(t) {
			out = append(out, t)
		}
	}
	return out
}

// ages are the names of tags and their ages in seconds, by the time that the rule
// follows.
func (f *Image) ages(r *retentionRule, tags []*tag) (names, ages *ast.Term) {
	n, a := make([]*ast.Term, len(tags)), make([]*ast.Term, len(tags))
	for i, t := range tags {
		n[i], a[i] = f.names[t.index], f.age(r, t)
	}
	return ast.ArrayTerm(n...), ast.ArrayTerm(a...)
}

// age is made once for all rules that follow the same time.
func (f *Image) age(r *retentionRule, t *tag) *ast.Term {
	if !r.byChange() {
		return ast.InternedTerm(r.age(f.scan.Now, t))
	}
	if t.age == nil {
		t.age = ast.InternedTerm(r.age(f.scan.Now, t))
	}
	return t.age
}

// last are the names of the tags of a group and their positions: how many digests
// (or tags, if the rule counts tags) are newer, those that are parts of an index aside.
// If digests are counted, a tag that does not count itself has the position of its digest.
func (f *Image) last(r *retentionRule, g group) []*ast.Term {
	if r.Keep.Last < 1 {
		return nil
	}
	var names, positions []*ast.Term
	add := func(t *tag, position int) {
		if f.matters(t) {
			names, positions = append(names, f.names[t.index]), append(positions, ast.InternedTerm(position))
		}
	}
	places := f.places(r)
	others := false
	for _, t := range g.tags {
		if t.counts() {
			add(t, places.number(t))
		} else {
			others = true
		}
	}
	if others { // they are not counted, but kept with a digest that is
		for _, t := range g.tags {
			if position, seen := places.shared(t); seen && !t.counts() {
				add(t, position)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []*ast.Term{r.compared(ast.ArrayTerm(names...), keyPositions, ast.ArrayTerm(positions...),
		[2]*ast.Term{keyLimit, r.terms.last},
		[2]*ast.Term{keyReason, ast.StringTerm(r.newest() + g.of)},
	)}
}

// newest words what last keeps.
func (r *retentionRule) newest() string {
	if r.Count == "tags" {
		return newest(r.Keep.Last, "tag", "tags")
	}
	return newest(r.Keep.Last, "digest", "digests")
}

// newest words how many of the newest are kept.
func newest(count int, one, many string) string {
	if count == 1 {
		return "the newest " + one
	}
	return fmt.Sprintf("one of the %d newest %s", count, many)
}

// withinNewest are the names of the tags of a group, with their ages counted back from
// its newest tag that counts. A time in the future is now.
func (f *Image) withinNewest(r *retentionRule, g group) []*ast.Term {
	newest := slices.IndexFunc(g.tags, (*tag).counts)
	if r.Keep.WithinNewest.Duration() == 0 || newest < 0 {
		return nil
	}
	from := r.time(g.tags[newest])
	if from.After(f.scan.Now) {
		from = f.scan.Now
	}
	var names, ages []*ast.Term
	for _, t := range f.mattering(g.tags) {
		names, ages = append(names, f.names[t.index]), append(ages, ast.InternedTerm(r.age(from, t)))
	}
	if len(names) == 0 {
		return nil
	}
	return []*ast.Term{r.compared(ast.ArrayTerm(names...), keyAges, ast.ArrayTerm(ages...),
		[2]*ast.Term{keyYoungest, r.terms.nearest},
		[2]*ast.Term{keyReason, ast.StringTerm("less than " + r.Keep.WithinNewest.String() + " older than the newest tag" + g.of)},
	)}
}

// counter numbers tags or digests in the order in which they come.
type counter struct {
	digests map[string]int // the numbers of known digests; nil to count tags
	count   int
}

func newCounter(count string) *counter {
	if count == "tags" {
		return &counter{}
	}
	return &counter{digests: map[string]int{}}
}

// of is the number of the tag, or that of its digest. Two tags whose digests are not
// known do not share one.
func (c *counter) of(t *registry.Tag) int {
	if position, seen := c.digests[t.Digest]; seen {
		return position
	}
	position := c.count
	c.count++
	if c.digests != nil && t.KnownDigest() != "" {
		c.digests[t.Digest] = position
	}
	return position
}

// next is the number that the tag would have, without taking it.
func (c *counter) next(t *registry.Tag) int {
	if position, seen := c.digests[t.Digest]; seen {
		return position
	}
	return c.count
}

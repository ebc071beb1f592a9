package policy

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// This file is the retention language written down once more: as plainly as it
// can be said, in whatever time it takes, and without a line of the engine. Only
// the nouns and the standard library are shared.

type refMatch struct {
	namespaces, images, tags, projects []string
	regex, semver                      string
	olderThan, youngerThan             time.Duration // 0 is absent
	refContentMatch
}

type refRule struct {
	name                                   string
	match, except                          *refMatch
	byCreated, byBuilt, countTags          bool
	groupBy, version                       string
	groups, versions                       *regexp.Regexp // groupBy and version, compiled by judge
	all                                    bool
	last                                   int
	within, withinNewest                   time.Duration
	hourly, daily, weekly, monthly, yearly int
	semver                                 *refSemver
	deletes                                bool
	olderThan                              time.Duration
	label                                  string // with another age
	contents                               map[string]*registry.Content
}

type refSemver struct {
	majors, minors, patches int // 0 does not limit
	versions                int // 0 is none, unless the others are 0 too
	prereleases             string
}

type refConfig struct {
	zone           string
	rules          []refRule
	protectTags    []string
	protectDigests []string
	protectLabels  map[string]string
	orphans        bool
}

// refVotes are what is said of each tag, "rule: reason", sorted.
type refVotes struct{ del, keep, warn map[string][]string }

func (c refConfig) judge(now time.Time, img *registry.Image) refVotes {
	zone, err := time.LoadLocation(c.zone)
	if err != nil {
		panic(err)
	}
	v := refVotes{map[string][]string{}, map[string][]string{}, map[string][]string{}}
	for _, r := range c.rules {
		r.judge(now, zone, img, v)
	}
	for _, t := range img.Tags {
		for _, p := range c.protectTags {
			if refGlob(p, t.Name) {
				v.keep[t.Name] = append(v.keep[t.Name], "protect/tags: protected by "+p)
			}
		}
		if slices.Contains(c.protectDigests, t.Digest) {
			v.keep[t.Name] = append(v.keep[t.Name], "protect/digests: its digest is protected")
		}
		if label := refLabelOf(img.Contents[t.Digest], c.protectLabels); label != "" {
			v.keep[t.Name] = append(v.keep[t.Name], "protect/labels: protected by its label "+label)
		}
		if subject := refSubject(t); c.orphans && subject != "" && !refHasSubject(img, subject) {
			v.del[t.Name] = append(v.del[t.Name], "attachments/orphans: no tag of the image has its subject "+subject)
		}
	}
	for _, votes := range []map[string][]string{v.del, v.keep} {
		for name := range votes {
			sort.Strings(votes[name])
		}
	}
	return v
}

// clock names the time of the ages, where that is not what reports show.
func (r refRule) clock() string {
	if r.byBuilt {
		return " by built_at"
	}
	return ""
}

func (r refRule) judge(now time.Time, zone *time.Location, img *registry.Image, v refVotes) {
	if r.groupBy != "" {
		r.groups = refAnchored(r.groupBy)
	}
	if r.version != "" {
		r.versions = refAnchored(r.version)
	}
	r.contents = img.Contents
	var matched []registry.Tag
	for _, t := range img.Tags {
		if r.semverOnly() && r.versionOf(t) == nil {
			continue // it leaves them alone
		}
		if r.match.takes(now, r, img, t) && (r.except == nil || !r.except.takes(now, r, img, t)) {
			matched = append(matched, t)
		}
	}
	keep := func(t registry.Tag, format string, args ...any) {
		v.keep[t.Name] = append(v.keep[t.Name], "retention/"+r.name+": "+fmt.Sprintf(format, args...))
	}
	for _, t := range matched {
		age := r.age(now, t)
		if r.deletes && r.label != "" {
			r.judgeLabel(age, t, v)
		} else if r.deletes && age >= r.olderThan {
			why := "older than " + refDuration(r.olderThan) + r.clock()
			if r.olderThan == 0 {
				why = "kept by no criterion of the rule"
			}
			v.del[t.Name] = append(v.del[t.Name], "retention/"+r.name+": "+why)
		}
		if r.all {
			keep(t, "the rule keeps all it matches")
		}
		if r.within > 0 && age < r.within {
			keep(t, "younger than %s%s", refDuration(r.within), r.clock())
		}
		var rivals []registry.Tag // of its group, itself included if it counts
		for _, o := range matched {
			if o.Status == "ready" && refSubject(o) == "" && r.group(o.Name) == r.group(t.Name) {
				rivals = append(rivals, o)
			}
		}
		of := r.group(t.Name)
		if newest, ok := r.newest(rivals, func(registry.Tag) bool { return true }); ok && r.withinNewest > 0 && age-r.age(now, newest) < r.withinNewest {
			keep(t, "less than %s older than the newest tag%s", refDuration(r.withinNewest), of)
		}
		if t.Status != "ready" || refSubject(t) != "" {
			for _, o := range rivals { // it takes no place, but stays with its digest
				if !r.countTags && refShare(o, t) && r.rank(o, rivals) < r.last {
					keep(t, "%s%s", refNewest(r.last, "digest", "s"), of)
					break
				}
			}
			continue
		}
		if n := r.rank(t, rivals); n < r.last {
			keep(t, "%s%s", refNewest(r.last, map[bool]string{true: "tag", false: "digest"}[r.countTags], "s"), of)
		}
		for unit, limit := range map[string]int{"hourly": r.hourly, "daily": r.daily, "weekly": r.weekly, "monthly": r.monthly, "yearly": r.yearly} {
			if label, n := r.periodRank(unit, zone, t, rivals); n < limit {
				keep(t, "%s %s%s", unit, label, of)
			}
		}
		for _, why := range r.releaseWhys(t, rivals) {
			keep(t, "%s", why)
		}
	}
}

func (m *refMatch) takes(now time.Time, r refRule, img *registry.Image, t registry.Tag) bool {
	anyGlob := func(patterns []string, name string) bool {
		return patterns == nil || slices.ContainsFunc(patterns, func(p string) bool { return refGlob(p, name) })
	}
	age := r.age(now, t)
	return anyGlob(m.namespaces, img.Namespace.Name) &&
		anyGlob(m.images, img.Name) &&
		anyGlob(m.tags, t.Name) &&
		(m.projects == nil || slices.Contains(m.projects, img.Namespace.ProjectID)) &&
		(m.regex == "" || refAnchored(m.regex).MatchString(t.Name)) &&
		(m.semver == "" || r.versionOf(t) != nil && refRanges[m.semver](r.versionOf(t))) &&
		(m.olderThan == 0 || age >= m.olderThan) &&
		(m.youngerThan == 0 || age < m.youngerThan) &&
		m.takesContent(img.Contents[t.Digest])
}

func (r refRule) time(t registry.Tag) time.Time {
	if r.byCreated {
		return t.CreatedAt
	}
	if c := r.contents[t.Digest]; r.byBuilt && !c.BuiltAt.IsZero() && c.BuiltAt.Year() != 1970 && c.BuiltAt.Year() != 1980 {
		return c.BuiltAt
	}
	return refChanged(t)
}

// refChanged is the later of both times.
func refChanged(t registry.Tag) time.Time {
	if t.CreatedAt.After(t.UpdatedAt) {
		return t.CreatedAt
	}
	return t.UpdatedAt
}

// age of the future is nothing.
func (r refRule) age(now time.Time, t registry.Tag) time.Duration {
	if r.time(t).After(now) {
		return 0
	}
	return now.Sub(r.time(t))
}

func (r refRule) newer(a, b registry.Tag) bool {
	if !r.time(a).Equal(r.time(b)) {
		return r.time(a).After(r.time(b))
	}
	return a.Name < b.Name
}

// newest is the newest of some tags, and false if there are none.
func (r refRule) newest(tags []registry.Tag, which func(registry.Tag) bool) (found registry.Tag, ok bool) {
	for _, t := range tags {
		if which(t) && (!ok || r.newer(t, found)) {
			found, ok = t, true
		}
	}
	return found, ok
}

// rank is how many digests (or tags) have a tag newer than the newest of this one.
func (r refRule) rank(t registry.Tag, rivals []registry.Tag) int {
	newer := map[string]bool{}
	if r.countTags {
		for _, o := range rivals {
			if r.newer(o, t) {
				newer[o.Name] = true
			}
		}
		return len(newer)
	}
	best, _ := r.newest(rivals, func(o registry.Tag) bool { return refShare(o, t) })
	for _, o := range rivals {
		switch {
		case refShare(o, t) || !r.newer(o, best):
		case !refDigest.MatchString(o.Digest):
			newer["tag "+o.Name] = true
		default:
			newer[o.Digest] = true
		}
	}
	return len(newer)
}

// refShare reports whether two tags are known to have one digest.
func refShare(a, b registry.Tag) bool {
	return a.Name == b.Name || a.Digest == b.Digest && refDigest.MatchString(a.Digest)
}

// refDigest is what a known digest looks like.
var refDigest = regexp.MustCompile(`^[a-z0-9]+:[0-9a-f]+$`)

// periodRank is the tag's period and how many later periods hold a tag; a tag that
// is not the newest of its period comes after all.
func (r refRule) periodRank(unit string, zone *time.Location, t registry.Tag, rivals []registry.Tag) (string, int) {
	label := func(t registry.Tag) string {
		local := r.time(t).In(zone)
		switch unit {
		case "hourly":
			return local.Format("2006-01-02T15")
		case "daily":
			return local.Format("2006-01-02")
		case "weekly":
			year, week := local.ISOWeek()
			return fmt.Sprintf("%04d-W%02d", year, week)
		case "monthly":
			return local.Format("2006-01")
		}
		return local.Format("2006")
	}
	mine := label(t)
	if best, _ := r.newest(rivals, func(o registry.Tag) bool { return label(o) == mine }); best.Name != t.Name {
		return mine, len(rivals) + 1000
	}
	later := map[string]bool{}
	for _, o := range rivals {
		if label(o) > mine {
			later[label(o)] = true
		}
	}
	return mine, len(later)
}

func (r refRule) semverOnly() bool {
	return r.semver != nil && !r.all && r.last+r.hourly+r.daily+r.weekly+r.monthly+r.yearly == 0 && r.within+r.withinNewest == 0
}

// versionOf is the version that the rule finds in a name.
func (r refRule) versionOf(t registry.Tag) *refSemverVersion {
	if r.version == "" {
		if v := refVersion(t.Name); v != nil && !v.four {
			return v
		}
		return nil
	}
	m := r.versions.FindStringSubmatch(t.Name)
	if m == nil {
		return nil
	}
	captured := m[1]
	for i, n := range r.versions.SubexpNames() {
		if n == "version" {
			captured = m[i]
		}
	}
	return refVersion(captured)
}

// releaseWhys are the reasons for which a version is kept. A pre-release that is to
// follow is kept as its release is, or without one if it is above all that are kept.
func (r refRule) releaseWhys(t registry.Tag, rivals []registry.Tag) []string {
	if r.semver == nil {
		return nil
	}
	mine := r.versionOf(t)
	if mine == nil || mine.pre != "" && r.semver.prereleases == "false" {
		return nil
	}
	var ranked []*refSemverVersion
	for _, o := range rivals {
		if v := r.versionOf(o); v != nil && (v.pre == "" || r.semver.prereleases == "true") {
			ranked = append(ranked, v)
		}
	}
	of := r.group(t.Name)
	var whys []string
	if mine.pre == "" || r.semver.prereleases == "true" {
		for _, why := range r.keptAs(mine, ranked) {
			whys = append(whys, "release "+mine.text()+of+": "+why)
		}
		return whys
	}
	core := &refSemverVersion{n: mine.n}
	anyKept, released, higher := false, false, true
	for _, v := range ranked {
		if len(r.keptAs(v, ranked)) == 0 {
			continue
		}
		anyKept = true
		released = released || v.n == core.n
		higher = higher && refPrecedes(v, mine)
	}
	switch {
	case !anyKept:
		return []string{"pre-release " + mine.text() + of + ": no release is kept"}
	case released:
		return []string{"pre-release " + mine.text() + of + ": follows " + core.text()}
	case higher:
		return []string{"pre-release " + mine.text() + of + ": higher than every release that is kept"}
	}
	return nil
}

// keptAs says why one of the ranked versions is kept, if it is.
func (r refRule) keptAs(mine *refSemverVersion, ranked []*refSemverVersion) (whys []string) {
	majors, minors, patches, all := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, v := range ranked {
		if v.n[0] > mine.n[0] {
			majors[fmt.Sprint(v.n[0])] = true
		}
		if v.n[0] == mine.n[0] && v.n[1] > mine.n[1] {
			minors[fmt.Sprint(v.n[1])] = true
		}
		if refPrecedes(mine, v) {
			all[v.key()] = true
			if v.n[0] == mine.n[0] && v.n[1] == mine.n[1] {
				patches[v.key()] = true
			}
		}
	}
	k := r.semver
	if why, kept := k.lines(mine, len(majors), len(minors), len(patches)); kept {
		whys = append(whys, why)
	}
	if k.versions > 0 && len(all) < k.versions {
		whys = append(whys, map[bool]string{true: "the highest version", false: fmt.Sprintf("one of the %d highest versions", k.versions)}[k.versions == 1])
	}
	return whys
}

// lines is about the newest patches of the newest minors of the newest majors.
func (k *refSemver) lines(mine *refSemverVersion, majors, minors, patches int) (string, bool) {
	var why []string
	for _, part := range []struct {
		newer, limit    int
		one, plural, of string
	}{
		{patches, k.patches, "patch", "es", fmt.Sprintf(" of %d.%d", mine.n[0], mine.n[1])},
		{minors, k.minors, "minor", "s", fmt.Sprintf(" of %d", mine.n[0])},
		{majors, k.majors, "major", "s", ""},
	} {
		if part.limit > 0 && part.newer >= part.limit {
			return "", false
		}
		if part.limit > 0 {
			why = append(why, refNewest(part.limit, part.one, part.plural)+part.of)
		}
	}
	if why == nil {
		return "the rule keeps every release", k.versions == 0
	}
	return strings.Join(why, ", "), true
}

// group is the words that distinguish a group from others, "" where there is one only.
func (r refRule) group(name string) string {
	if r.groupBy == "" {
		return ""
	}
	re := r.groups
	m := re.FindStringSubmatch(name)
	if m == nil {
		return " of the tags in no group"
	}
	captured := m[1]
	for i, n := range re.SubexpNames() {
		if n == "group" {
			captured = m[i]
		}
	}
	if captured == "" {
		captured = `""`
	}
	return " of " + captured
}

func refAnchored(pattern string) *regexp.Regexp { return regexp.MustCompile(`\A(?:` + pattern + `)\z`) }

func refNewest(n int, one, plural string) string {
	if n == 1 {
		return "the newest " + one
	}
	return fmt.Sprintf("one of the %d newest %s%s", n, one, plural)
}

type refSemverVersion struct {
	n    [4]int
	four bool // the fourth is written
	pre  string
}

// key is the same for equal versions.
func (v *refSemverVersion) key() string {
	parts := strings.Split(v.pre, ".")
	for i, part := range parts {
		if n, err := strconv.Atoi(part); err == nil {
			parts[i] = strconv.Itoa(n)
		}
	}
	return fmt.Sprint(v.n, parts)
}

func (v *refSemverVersion) text() string {
	text := fmt.Sprintf("%d.%d.%d", v.n[0], v.n[1], v.n[2])
	if v.n[3] > 0 {
		text += fmt.Sprintf(".%d", v.n[3])
	}
	if v.pre != "" {
		text += "-" + v.pre
	}
	return text
}

var refSemverName = regexp.MustCompile(`^v?([0-9]+)\.([0-9]+)\.([0-9]+)(\.[0-9]+)?(?:-([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?(?:_[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$`)

func refVersion(name string) *refSemverVersion {
	m := refSemverName.FindStringSubmatch(name)
	if m == nil {
		return nil
	}
	v := &refSemverVersion{pre: m[5], four: m[4] != ""}
	for i := range v.n {
		v.n[i], _ = strconv.Atoi(strings.TrimPrefix(m[i+1], "."))
	}
	return v
}

// refPrecedes is the order of semver.org: a before b.
func refPrecedes(a, b *refSemverVersion) bool {
	for i := range a.n {
		if a.n[i] != b.n[i] {
			return a.n[i] < b.n[i]
		}
	}
	if a.pre == "" || b.pre == "" {
		return a.pre != "" && b.pre == ""
	}
	x, y := strings.Split(a.pre, "."), strings.Split(b.pre, ".")
	for i := 0; i < len(x) && i < len(y); i++ {
		p, errP := strconv.Atoi(x[i])
		q, errQ := strconv.Atoi(y[i])
		switch {
		case x[i] == y[i], errP == nil && errQ == nil && p == q:
			continue
		case errP == nil && errQ == nil:
			return p < q
		case errP == nil || errQ == nil:
			return errP == nil
		}
		return x[i] < y[i]
	}
	return len(x) < len(y)
}

// refRanges are the ranges that the random rules use, each spelled out. Without a
// pre-release in it, a range takes releases only.
var refRanges = map[string]func(v *refSemverVersion) bool{
	"*":              func(*refSemverVersion) bool { return true },
	">=1.2.0 <2.0.0": func(v *refSemverVersion) bool { return v.pre == "" && v.n[0] == 1 && v.n[1] >= 2 },
	"~1.2":           func(v *refSemverVersion) bool { return v.pre == "" && v.n[0] == 1 && v.n[1] == 2 },
	"^2.0.0 || 0.x":  func(v *refSemverVersion) bool { return v.pre == "" && (v.n[0] == 2 || v.n[0] == 0) },
	">=1.2.0-0": func(v *refSemverVersion) bool {
		return !refPrecedes(v, &refSemverVersion{n: [4]int{1, 2, 0}, pre: "0"})
	},
}

var refAttachment = regexp.MustCompile(`^sha(?:256-([0-9a-f]{64})|512-([0-9a-f]{64,128}))(?:\..*)?$`)

// refSubject is the digest that an attachment names, or the beginning of one.
func refSubject(t registry.Tag) string {
	m := refAttachment.FindStringSubmatch(t.Name)
	switch {
	case m == nil:
		return ""
	case m[1] != "" && t.Digest != "sha256:"+m[1]:
		return "sha256:" + m[1]
	case m[2] != "" && !strings.HasPrefix(t.Digest, "sha512:"+m[2]):
		return "sha512:" + m[2]
	}
	return ""
}

func refHasSubject(img *registry.Image, subject string) bool {
	return slices.ContainsFunc(img.Tags, func(t registry.Tag) bool { return strings.HasPrefix(t.Digest, subject) })
}

// refGlob implements what the random rules use: *, ? and classes within a segment, and
// ** for everything.
func refGlob(pattern, name string) bool {
	if pattern == "**" {
		return true
	}
	ok, err := path.Match(pattern, name)
	if err != nil {
		panic(err)
	}
	return ok
}

// refDuration spells a length as the random rules do.
func refDuration(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

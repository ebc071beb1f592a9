package facts

import (
	"slices"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/policy/rules"
	"github.com/registry-janitor/registry-janitor/registry"
)

// The keys of the input are made once: terms are immutable, and hashing a key again
// for every tag would cost more than the rest of the document.
var (
	keyNow                 = ast.StringTerm("now")
	keyRegion              = ast.StringTerm("region")
	keyNamespace           = ast.StringTerm("namespace")
	keyImage               = ast.StringTerm("image")
	keyTags                = ast.StringTerm("tags")
	keyFacts               = ast.StringTerm("facts")
	keyName                = ast.StringTerm("name")
	keyID                  = ast.StringTerm("id")
	keyRef                 = ast.StringTerm("ref")
	keyProjectID           = ast.StringTerm("project_id")
	keyDescription         = ast.StringTerm("description")
	keyIsPublic            = ast.StringTerm("is_public")
	keySizeBytes           = ast.StringTerm("size_bytes")
	keyImageCount          = ast.StringTerm("image_count")
	keyTagCount            = ast.StringTerm("tag_count")
	keyCreatedAt           = ast.StringTerm("created_at")
	keyUpdatedAt           = ast.StringTerm("updated_at")
	keyAgeDays             = ast.StringTerm("age_days")
	keyAgeSeconds          = ast.StringTerm("age_seconds")
	keyVisibility          = ast.StringTerm("visibility")
	keyEffectiveVisibility = ast.StringTerm("effective_visibility")
	keyStatus              = ast.StringTerm("status")
	keyDigest              = ast.StringTerm("digest")
	keyRank                = ast.StringTerm("rank")
	keySharesDigestWith    = ast.StringTerm("shares_digest_with")
	keyInUse               = ast.StringTerm("in_use")
	keySemver              = ast.StringTerm("semver")
	keyMajor               = ast.StringTerm("major")
	keyMinor               = ast.StringTerm("minor")
	keyPatch               = ast.StringTerm("patch")
	keyPrerelease          = ast.StringTerm("prerelease")
	keyBucket              = ast.StringTerm("bucket")
	keyHour                = ast.StringTerm("hour")
	keyDay                 = ast.StringTerm("day")
	keyWeek                = ast.StringTerm("week")
	keyMonth               = ast.StringTerm("month")
	keyYear                = ast.StringTerm("year")
	keyAttachmentOf        = ast.StringTerm("attachment_of")
	keyAged                = ast.StringTerm("aged")
	keyAll                 = ast.StringTerm("all")
	keyLast                = ast.StringTerm("last")
	keyWithin              = ast.StringTerm("within")
	keyCalendar            = ast.StringTerm("calendar")
	keyReleases            = ast.StringTerm("releases")
	keyRule                = ast.StringTerm("rule")
	keyReason              = ast.StringTerm("reason")
	keyReasons             = ast.StringTerm("reasons")
	keyNames               = ast.StringTerm("names")
	keyAges                = ast.StringTerm("ages")
	keyPositions           = ast.StringTerm("positions")
	keyLeast               = ast.StringTerm("least")
	keyGreatest            = ast.StringTerm("greatest")
	keyOldest              = ast.StringTerm("oldest")
	keyYoungest            = ast.StringTerm("youngest")
	keyLimit               = ast.StringTerm("limit")
	keyLimits              = ast.StringTerm("limits")
	keyMajors              = ast.StringTerm("majors")
	keyMinors              = ast.StringTerm("minors")
	keyPatches             = ast.StringTerm("patches")
	keyVersions            = ast.StringTerm("versions")
	keyOrphans             = ast.StringTerm("orphans")
	keySubject             = ast.StringTerm("subject")
	keyPattern             = ast.StringTerm("pattern")
	keyProtectedTags       = ast.StringTerm("protected_tags")
	keyProtectedDigests    = ast.StringTerm("protected_digests")
	keyNaming              = ast.StringTerm("naming")
	keyTagNaming           = ast.StringTerm("tag_naming")
	keyOwn                 = ast.StringTerm("own")
	keyRestored            = ast.StringTerm("restored")
	keyEmpty               = ast.StringTerm("empty")
	keyExpiring            = ast.StringTerm("expiring")
	keyUnreadable          = ast.StringTerm("unreadable_labels")
	keyUndecided           = ast.StringTerm("undecided")
	keyProtectedLabels     = ast.StringTerm("protected_labels")
	keyContent             = ast.StringTerm("content")
	keyKind                = ast.StringTerm("kind")
	keyMediaType           = ast.StringTerm("media_type")
	keyPlatforms           = ast.StringTerm("platforms")
	keyLabels              = ast.StringTerm("labels")
	keyAnnotations         = ast.StringTerm("annotations")
	keyBuiltAt             = ast.StringTerm("built_at")
	keyBuiltDays           = ast.StringTerm("built_days")
	keyParts               = ast.StringTerm("parts")
)

const day = 24 * 60 * 60 // seconds

// formatTime is how policies see a time: RFC 3339, UTC, to the microsecond as the
// API gives it.
func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z07:00") }

// input is the document of schema/image.json, with the facts beside it. It leaves out
// what no policy of the set reads: the built-in ones mostly read facts.
func (f *Image) input(facts *factList) ast.Value {
	s, list := f.scan, ast.ObjectTerm(facts.pairs...)
	if !s.Full {
		reads := func(policy string) bool { return slices.Contains(s.Readers, policy) }
		if slices.ContainsFunc(facts.about, reads) {
			return ast.NewObject([2]*ast.Term{keyImage, s.imageTerm(f.img)}, [2]*ast.Term{keyFacts, list})
		}
		return ast.NewObject([2]*ast.Term{keyFacts, list})
	}
	if f.base == nil {
		f.base = ast.NewObject(
			[2]*ast.Term{keyNow, ast.StringTerm(formatTime(s.Now))},
			[2]*ast.Term{keyRegion, ast.StringTerm(string(f.img.Namespace.Region))},
			[2]*ast.Term{keyNamespace, s.namespaceTerm(f.img.Namespace)},
			[2]*ast.Term{keyImage, s.imageTerm(f.img)},
			[2]*ast.Term{keyTags, s.tagTerms(f)},
		)
	}
	input := ast.NewObjectWithCapacity(6)
	f.base.Foreach(input.Insert)
	input.Insert(keyFacts, list)
	return input
}

// Namespace is the input about a namespace, which may be proven to be empty.
func (s *Scan) Namespace(ns *registry.Namespace, empty bool) ast.Value {
	matches := func(r *subjectRule) bool { return r.matchesNamespace(s.Now, ns) }
	facts := ast.ObjectTerm(
		[2]*ast.Term{keyAgeSeconds, ast.InternedTerm(wholeSeconds(s.Now, ns.Changed()))},
		[2]*ast.Term{keyEmpty, ast.InternedTerm(empty)},
		[2]*ast.Term{keyVisibility, ast.ArrayTerm(which(s.Rules.visibility, matches)...)},
		[2]*ast.Term{keyNaming, ast.ArrayTerm(which(s.Rules.naming, matches)...)},
		[2]*ast.Term{keyWaivers, ast.ArrayTerm(s.waiverTerms(s.namespaceWaivers(ns))...)},
	)
	return ast.NewObject(
		[2]*ast.Term{keyNow, ast.StringTerm(formatTime(s.Now))},
		[2]*ast.Term{keyRegion, ast.StringTerm(string(ns.Region))},
		[2]*ast.Term{keyNamespace, s.namespaceTerm(ns)},
		[2]*ast.Term{keyFacts, facts},
	)
}

func (s *Scan) namespaceTerm(ns *registry.Namespace) *ast.Term {
	return ast.ObjectTerm(
		[2]*ast.Term{keyName, ast.StringTerm(ns.Name)},
		[2]*ast.Term{keyID, ast.StringTerm(ns.ID)},
		[2]*ast.Term{keyProjectID, ast.StringTerm(ns.ProjectID)},
		[2]*ast.Term{keyDescription, ast.StringTerm(ns.Description)},
		[2]*ast.Term{keyIsPublic, ast.InternedTerm(ns.IsPublic)},
		[2]*ast.Term{keySizeBytes, ast.UIntNumberTerm(ns.SizeBytes)},
		[2]*ast.Term{keyImageCount, ast.UIntNumberTerm(ns.ImageCount)},
		[2]*ast.Term{keyCreatedAt, ast.StringTerm(formatTime(ns.CreatedAt))},
		[2]*ast.Term{keyUpdatedAt, ast.StringTerm(formatTime(ns.Changed()))},
		[2]*ast.Term{keyAgeDays, ast.InternedTerm(wholeSeconds(s.Now, ns.Changed()) / day)},
	)
}

func (s *Scan) imageTerm(img *registry.Image) *ast.Term {
	return ast.ObjectTerm(
		[2]*ast.Term{keyName, ast.StringTerm(img.Name)},
		[2]*ast.Term{keyID, ast.StringTerm(img.ID)},
		[2]*ast.Term{keyRef, ast.StringTerm(img.Ref().String())},
		[2]*ast.Term{keyVisibility, ast.StringTerm(string(img.Visibility))},
		[2]*ast.Term{keyEffectiveVisibility, ast.StringTerm(string(img.EffectiveVisibility()))},
		[2]*ast.Term{keyStatus, ast.StringTerm(string(img.Status))},
		[2]*ast.Term{keySizeBytes, ast.UIntNumberTerm(img.SizeBytes)},
		[2]*ast.Term{keyCreatedAt, ast.StringTerm(formatTime(img.CreatedAt))},
		[2]*ast.Term{keyUpdatedAt, ast.StringTerm(formatTime(img.Changed()))},
		[2]*ast.Term{keyAgeDays, ast.InternedTerm(wholeSeconds(s.Now, img.Changed()) / day)},
		[2]*ast.Term{keyTagCount, ast.InternedTerm(len(img.Tags))},
	)
}

// tagTerms are all tags of the image, newest first, and after them the restored ones.
func (s *Scan) tagTerms(f *Image) *ast.Term {
	sharers := f.sharers()
	buckets := map[period]*ast.Term{}
	prefix := f.img.Ref().String() + ":"
	out, rankOf := make([]*ast.Term, len(f.tags)), f.ranks()
	for i := range f.tags {
		t := &f.tags[i]
		rank, age := rankOf(t), wholeSeconds(s.Now, t.Changed())
		updated := ast.StringTerm(formatTime(t.Changed()))
		created := updated
		if !t.CreatedAt.Equal(t.Changed()) {
			created = ast.StringTerm(formatTime(t.CreatedAt))
		}
		pairs := make([][2]*ast.Term, 0, 16)
		pairs = append(pairs,
			[2]*ast.Term{keyName, f.names[i]},
			[2]*ast.Term{keyID, ast.StringTerm(t.ID)},
			[2]*ast.Term{keyRef, ast.StringTerm(prefix + t.Name)},
			[2]*ast.Term{keyDigest, ast.StringTerm(t.Digest)},
			[2]*ast.Term{keyStatus, ast.StringTerm(string(t.Status))},
			[2]*ast.Term{keyCreatedAt, created},
			[2]*ast.Term{keyUpdatedAt, updated},
			[2]*ast.Term{keyAgeDays, ast.InternedTerm(age / day)},
			[2]*ast.Term{keyAgeSeconds, ast.InternedTerm(age)},
			[2]*ast.Term{keyRank, ast.InternedTerm(rank)},
			[2]*ast.Term{keySharesDigestWith, sharers[t.Digest].others()},
			[2]*ast.Term{keyInUse, f.users(i)},
			[2]*ast.Term{keyBucket, bucketTerm(t.Changed().In(s.Rules.location), buckets)},
		)
		if t.version != nil {
			pairs = append(pairs, [2]*ast.Term{keySemver, versionTerm(t.version)})
		}
		if t.subject != "" {
			pairs = append(pairs, [2]*ast.Term{keyAttachmentOf, ast.StringTerm(string(t.subject))})
		}
		if t.content != nil {
			pairs = append(pairs, [2]*ast.Term{keyContent, s.contentTerm(t)})
		}
		out[rank] = ast.ObjectTerm(pairs...)
	}
	return ast.ArrayTerm(out...)
}

func versionTerm(v *rules.Version) *ast.Term {
	return ast.ObjectTerm(
		[2]*ast.Term{keyMajor, ast.UIntNumberTerm(v.Major())},
		[2]*ast.Term{keyMinor, ast.UIntNumberTerm(v.Minor())},
		[2]*ast.Term{keyPatch, ast.UIntNumberTerm(v.Patch())},
		[2]*ast.Term{keyPrerelease, ast.StringTerm(v.Prerelease())},
	)
}

// noNames is the empty list.
var noNames = ast.ArrayTerm()

// sharers are the names of the tags that have one digest, newest first.
type sharers struct {
	names []*ast.Term
	twice *ast.Array // the names twice in a row, where they are many
	next  int        // the tag whose list is made next
}

// many is how many tags have to share a digest before their lists share memory:
// thousands of separate lists would take gigabytes.
const many = 64

func (f *Image) sharers() map[string]*sharers {
	byDigest := make(map[string]*sharers, len(f.tags))
	for i := range f.tags {
		if f.tags[i].KnownDigest() == "" {
			continue // nothing is known to share an unknown digest
		}
		s := byDigest[f.tags[i].Digest]
		if s == nil {
			s = &sharers{}
			byDigest[f.tags[i].Digest] = s
		}
		s.names = append(s.names, f.names[i])
	}
	return byDigest
}

// others are the names of the other tags, none of an unknown digest. Call it once for
// each tag, in their order.
// If there are many, the list begins with the next older tag and wraps around: that
// is a slice of the names twice in a row, which takes no memory.
func (s *sharers) others() *ast.Term {
	if s == nil {
		return noNames
	}
	count, self := len(s.names), s.next
	s.next++
	switch {
	case count < 2:
		return noNames
	case count < many:
		return ast.ArrayTerm(slices.Concat(s.names[:self], s.names[self+1:])...)
	case s.twice == nil:
		s.twice = ast.NewArray(slices.Concat(s.names, s.names)...)
	}
	return ast.NewTerm(s.twice.Slice(self+1, self+count))
}

// bucketTerm names the calendar periods of a local time. The two calendar hours
// of a repeated hour have the same name. Tags of one hour share the term.
func bucketTerm(local time.Time, made map[period]*ast.Term) *ast.Term {
	hour := hourly.of(local)
	if term := made[hour]; term != nil {
		return term
	}
	name := func(u unit) *ast.Term { return ast.StringTerm(u.name(u.of(local))) }
	made[hour] = ast.ObjectTerm(
		[2]*ast.Term{keyHour, name(hourly)},
		[2]*ast.Term{keyDay, name(daily)},
		[2]*ast.Term{keyWeek, name(weekly)},
		[2]*ast.Term{keyMonth, name(monthly)},
		[2]*ast.Term{keyYear, name(yearly)},
	)
	return made[hour]
}

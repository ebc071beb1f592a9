package policy

import (
	"fmt"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/registry-janitor/registry-janitor/registry"
)

// The keys of the input are made once: a term is immutable, and hashing its text
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
	keyRetention           = ast.StringTerm("retention")
	keyRule                = ast.StringTerm("rule")
	keyPosition            = ast.StringTerm("position")
	keyPattern             = ast.StringTerm("pattern")
	keyProtectedTags       = ast.StringTerm("protected_tags")
	keyProtectedDigests    = ast.StringTerm("protected_digests")
	keyNaming              = ast.StringTerm("naming")
	keyTagNaming           = ast.StringTerm("tag_naming")
	keyEmpty               = ast.StringTerm("empty")
)

const day = 24 * 60 * 60 // seconds

// formatTime is how policies see a time: RFC 3339, UTC, to the microsecond as the
// API gives it.
func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z07:00") }

// imageInput is the document of schema/image.json, with the facts beside it. What
// no policy of the set reads is left out: the built-in ones live on facts.
func (j *Judge) imageInput(f *imageFacts, facts *ast.Term) ast.Value {
	if f.base == nil {
		var pairs [][2]*ast.Term
		if j.engine.image.objects {
			pairs = append(pairs,
				[2]*ast.Term{keyNow, j.nowT},
				[2]*ast.Term{keyRegion, ast.StringTerm(string(f.img.Namespace.Region))},
				[2]*ast.Term{keyNamespace, j.namespaceTerm(f.img.Namespace)},
				[2]*ast.Term{keyImage, j.imageTerm(f.img)},
			)
		}
		if j.engine.image.own {
			pairs = append(pairs, [2]*ast.Term{keyTags, j.tagTerms(f)})
		}
		f.base = ast.NewObject(pairs...)
	}
	input := ast.NewObjectWithCapacity(6)
	f.base.(ast.Object).Foreach(input.Insert)
	input.Insert(keyFacts, facts)
	return input
}

func (j *Judge) namespaceInput(ns *registry.Namespace, empty bool) ast.Value {
	settings := j.engine.settings
	facts := ast.ObjectTerm(
		[2]*ast.Term{keyAgeSeconds, ast.InternedTerm(wholeSeconds(j.now, ns.UpdatedAt))},
		[2]*ast.Term{keyEmpty, ast.InternedTerm(empty)},
		[2]*ast.Term{keyVisibility, j.rules(settings.Visibility, func(r subjectRule) bool {
			return r.Subject == string(namespaceSubject) && r.takesNamespace(j, ns)
		})},
		[2]*ast.Term{keyNaming, j.rules(settings.Naming, func(r subjectRule) bool {
			return r.Subject == string(namespaceSubject) && r.takesNamespace(j, ns)
		})},
	)
	return ast.NewObject(
		[2]*ast.Term{keyNow, j.nowT},
		[2]*ast.Term{keyRegion, ast.StringTerm(string(ns.Region))},
		[2]*ast.Term{keyNamespace, j.namespaceTerm(ns)},
		[2]*ast.Term{keyFacts, facts},
	)
}

func (j *Judge) namespaceTerm(ns *registry.Namespace) *ast.Term {
	return ast.ObjectTerm(
		[2]*ast.Term{keyName, ast.StringTerm(ns.Name)},
		[2]*ast.Term{keyID, ast.StringTerm(ns.ID)},
		[2]*ast.Term{keyProjectID, ast.StringTerm(ns.ProjectID)},
		[2]*ast.Term{keyDescription, ast.StringTerm(ns.Description)},
		[2]*ast.Term{keyIsPublic, ast.InternedTerm(ns.IsPublic)},
		[2]*ast.Term{keySizeBytes, ast.UIntNumberTerm(ns.SizeBytes)},
		[2]*ast.Term{keyImageCount, ast.UIntNumberTerm(ns.ImageCount)},
		[2]*ast.Term{keyCreatedAt, ast.StringTerm(formatTime(ns.CreatedAt))},
		[2]*ast.Term{keyUpdatedAt, ast.StringTerm(formatTime(ns.UpdatedAt))},
		[2]*ast.Term{keyAgeDays, ast.InternedTerm(wholeSeconds(j.now, ns.UpdatedAt) / day)},
	)
}

func (j *Judge) imageTerm(img *registry.Image) *ast.Term {
	return ast.ObjectTerm(
		[2]*ast.Term{keyName, ast.StringTerm(img.Name)},
		[2]*ast.Term{keyID, ast.StringTerm(img.ID)},
		[2]*ast.Term{keyRef, ast.StringTerm(img.Ref().String())},
		[2]*ast.Term{keyVisibility, ast.StringTerm(string(img.Visibility))},
		[2]*ast.Term{keyEffectiveVisibility, ast.StringTerm(string(img.EffectiveVisibility()))},
		[2]*ast.Term{keyStatus, ast.StringTerm(string(img.Status))},
		[2]*ast.Term{keySizeBytes, ast.UIntNumberTerm(img.SizeBytes)},
		[2]*ast.Term{keyCreatedAt, ast.StringTerm(formatTime(img.CreatedAt))},
		[2]*ast.Term{keyUpdatedAt, ast.StringTerm(formatTime(img.UpdatedAt))},
		[2]*ast.Term{keyAgeDays, ast.InternedTerm(wholeSeconds(j.now, img.UpdatedAt) / day)},
		[2]*ast.Term{keyTagCount, ast.InternedTerm(len(img.Tags))},
	)
}

// tagTerms are all tags of the image, newest first.
func (j *Judge) tagTerms(f *imageFacts) *ast.Term {
	sharers := map[string][]int{}
	for i := range f.tags {
		sharers[f.tags[i].Digest] = append(sharers[f.tags[i].Digest], i)
	}
	prefix := f.img.Ref().String() + ":"
	out := make([]*ast.Term, len(f.tags))
	for i := range f.tags {
		t := &f.tags[i]
		age := wholeSeconds(j.now, t.UpdatedAt)
		pairs := make([][2]*ast.Term, 0, 15)
		pairs = append(pairs,
			[2]*ast.Term{keyName, f.names[i]},
			[2]*ast.Term{keyID, ast.StringTerm(t.ID)},
			[2]*ast.Term{keyRef, ast.StringTerm(prefix + t.Name)},
			[2]*ast.Term{keyDigest, ast.StringTerm(t.Digest)},
			[2]*ast.Term{keyStatus, ast.StringTerm(string(t.Status))},
			[2]*ast.Term{keyCreatedAt, ast.StringTerm(formatTime(t.CreatedAt))},
			[2]*ast.Term{keyUpdatedAt, ast.StringTerm(formatTime(t.UpdatedAt))},
			[2]*ast.Term{keyAgeDays, ast.InternedTerm(age / day)},
			[2]*ast.Term{keyAgeSeconds, ast.InternedTerm(age)},
			[2]*ast.Term{keyRank, ast.InternedTerm(i)},
			[2]*ast.Term{keySharesDigestWith, f.others(sharers[t.Digest], i)},
			[2]*ast.Term{keyInUse, ast.ArrayTerm()},
			[2]*ast.Term{keyBucket, bucketTerm(t.UpdatedAt.In(j.engine.settings.location))},
		)
		if v := t.version; v != nil {
			pairs = append(pairs, [2]*ast.Term{keySemver, ast.ObjectTerm(
				[2]*ast.Term{keyMajor, ast.UIntNumberTerm(v.Major())},
				[2]*ast.Term{keyMinor, ast.UIntNumberTerm(v.Minor())},
				[2]*ast.Term{keyPatch, ast.UIntNumberTerm(v.Patch())},
				[2]*ast.Term{keyPrerelease, ast.StringTerm(v.Prerelease())},
			)})
		}
		if t.subject != "" {
			pairs = append(pairs, [2]*ast.Term{keyAttachmentOf, ast.StringTerm(t.subject)})
		}
		out[i] = ast.ObjectTerm(pairs...)
	}
	return ast.ArrayTerm(out...)
}

// others are the names of the tags that share a digest with one of them.
func (f *imageFacts) others(sharers []int, self int) *ast.Term {
	if len(sharers) < 2 {
		return ast.ArrayTerm()
	}
	out := make([]*ast.Term, 0, len(sharers)-1)
	for _, i := range sharers {
		if i != self {
			out = append(out, f.names[i])
		}
	}
	return ast.ArrayTerm(out...)
}

// bucketTerm names the calendar periods of a local time. The two calendar hours
// of a repeated hour have the same name.
func bucketTerm(t time.Time) *ast.Term {
	year, week := t.ISOWeek()
	return ast.ObjectTerm(
		[2]*ast.Term{keyHour, ast.StringTerm(t.Format("2006-01-02T15"))},
		[2]*ast.Term{keyDay, ast.StringTerm(t.Format("2006-01-02"))},
		[2]*ast.Term{keyWeek, ast.StringTerm(fmt.Sprintf("%04d-W%02d", year, week))},
		[2]*ast.Term{keyMonth, ast.StringTerm(t.Format("2006-01"))},
		[2]*ast.Term{keyYear, ast.StringTerm(t.Format("2006"))},
	)
}

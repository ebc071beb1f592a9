package plan

import (
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/text"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Options are the settings of the guards and limits. The zero value is the
// strictest: it protects shared digests, and its limits allow no deletion.
type Options struct {
	// TakenAt is when the scan started: ages are counted back from it.
	TakenAt                    time.Time
	ConfigDigest, PolicyDigest string
	// Forecast marks a plan whose TakenAt is not the time of the scan.
	Forecast bool
	// Narrowed are the flags that narrowed the scan to a part of the scope.
	Narrowed []string
	// ScannedAt is the time of the scan where it is not TakenAt: what lies after it
	// is dated in the future, whatever time a forecast is for.
	ScannedAt time.Time

	// MinAge holds what was created or updated more recently.
	MinAge time.Duration
	// Grace holds a tag that has been marked for a shorter time than this, up to
	// TakenAt. MarkedSince returns since when the tag of this id, digest and reference
	// is marked; a tag that it does not know, or any tag where it is nil, is marked
	// for the first time.
	Grace       time.Duration
	MarkedSince func(id, digest, ref string) (time.Time, bool)
	// KeepAtLeast is how many ready tags are kept in every image, attachments not
	// counted.
	KeepAtLeast int
	// Local, if set, returns what replaces MinAge and KeepAtLeast for an image or a
	// namespace.
	Local func(registry.Ref) (minAge time.Duration, keepAtLeast int)
	// SharedDigest is what the API does to a digest of which one tag is deleted.
	SharedDigest actions.SharedDigest
	// SharedDigestIn, if set, returns what replaces SharedDigest in a region.
	SharedDigestIn func(registry.Region) actions.SharedDigest

	// Orphans is what becomes of a marked attachment whose subject no tag of its image
	// has.
	Orphans Orphans

	// Archives returns which of some steps have their tags copied into the archive before
	// they are deleted; nil without an archive.
	Archives func([]actions.Step) func(*actions.Step) bool
	// Content is whose content the plan needs: see NeedsContent.
	Content Content

	// AtMost holds all deletions except this many, the oldest; 0 holds none.
	AtMost int
	// MaxDeletions is the most deletions that a plan may have: 0 means none, and a
	// negative value means no limit.
	MaxDeletions int
	// Anomaly refuses a plan that deletes unusually much. The zero value refuses none.
	Anomaly Anomaly
	// MaxDeletionPercent is the largest share, in percent, of all tags judged and
	// of the tags of each namespace of 20 tags or more that a plan may delete: 0
	// means none, a negative value means no limit.
	MaxDeletionPercent float64
}

// Anomaly is what counts as unusually many deletions.
type Anomaly struct {
	// Factor is how many times the usual number is too much; 0 is off.
	Factor float64
	// Usual is the median of the deletions of the latest runs, and Runs is how many
	// runs those are. Fewer than three do not show what is usual.
	Usual float64
	Runs  int
}

// Orphans is whether an attachment may be deleted alone. Everything except
// DeleteOrphans means KeepOrphans.
type Orphans string

const (
	// KeepOrphans holds it: its subject may exist without being listed.
	KeepOrphans Orphans = "keep"
	// DeleteOrphans deletes it where the listing proves that no tag of the image has
	// its subject, and nothing else holds it.
	DeleteOrphans Orphans = "delete"
)

// Content is whose content a plan needs.
type Content struct {
	Read      ReadContent
	MultiArch MultiArch
}

// ReadContent is when content is read. Everything except ReadAlways and ReadNever means
// ReadAuto.
type ReadContent string

const (
	// ReadAuto reads what can change a decision.
	ReadAuto ReadContent = "auto"
	// ReadAlways reads, besides, what tells how much the deletions free.
	ReadAlways ReadContent = "always"
	// ReadNever reads nothing: what is not known holds nothing.
	ReadNever ReadContent = "never"
)

// MultiArch is which tags may be parts of an index that was not read. Everything except
// MultiArchAll means MultiArchRelated.
type MultiArch string

const (
	// MultiArchRelated are those whose name is that of the index with a platform.
	MultiArchRelated MultiArch = "related"
	// MultiArchAll are all.
	MultiArchAll MultiArch = "all"
)

// The rules that speak for the plan itself. The operator has not written them.
const (
	statusTagRule       = "status/tag"
	statusImageRule     = "status/image"
	statusNamespaceRule = "status/namespace"
	newestRule          = "retention/newest"
	futureRule          = "time/future"
	orderRule           = "time/order"
	visibilityRule      = "visibility/unknown"
)

// clockTolerance is how far a timestamp of the API may lie after the scan before
// it is reported.
const clockTolerance = 5 * time.Minute

// at returns the options for an image or a namespace.
func (o Options) at(ref registry.Ref) Options {
	if o.Local != nil {
		o.MinAge, o.KeepAtLeast = o.Local(ref)
	}
	if o.SharedDigestIn != nil {
		o.SharedDigest = o.SharedDigestIn(ref.Region)
	}
	return o
}

// scannedAt is when the scan started.
func (o *Options) scannedAt() time.Time {
	if o.ScannedAt.IsZero() {
		return o.TakenAt
	}
	return o.ScannedAt
}

// latest is the latest time that is not in the future.
func (o *Options) latest() time.Time { return o.scannedAt().Add(clockTolerance) }

// graceLeft is how long a marked tag still has to wait; 0 when it need not.
func (o *Options) graceLeft(t *registry.Tag, image string) time.Duration {
	if o.Grace <= 0 {
		return 0
	}
	since := o.TakenAt
	if o.MarkedSince != nil {
		if known, ok := o.MarkedSince(t.ID, t.Digest, image+":"+t.Name); ok && known.Before(since) {
			since = known
		}
	}
	return max(0, o.Grace-o.TakenAt.Sub(since))
}

// isYoung reports whether what was changed then is younger than min_age.
func (o *Options) isYoung(changed time.Time) bool { return o.TakenAt.Sub(changed) < o.MinAge }

// youth describes how young something is that is younger than min_age.
func (o *Options) youth(changed time.Time) string {
	age := o.TakenAt.Sub(changed)
	switch {
	case age < 0 && o.Forecast:
		return "dated " + text.Age(-age) + " after the time of the forecast"
	case age < 0:
		return "dated " + text.Age(-age) + " after the scan"
	}
	return text.Age(age) + " old, younger than the " + text.Exact(o.MinAge) + " of min_age"
}

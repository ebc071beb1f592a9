package plan

import (
	"time"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/registry"
)

// Options are the guards' and limits' settings. The zero value is the strictest
// there is: it shares no digest and lets no deletion pass the limits.
type Options struct {
	// TakenAt is when the scan started: ages are counted back from it.
	TakenAt                    time.Time
	ConfigDigest, PolicyDigest string
	// Forecast marks a plan whose TakenAt is not the time of the scan.
	Forecast bool
	// ScannedAt is the time of the scan where it is not TakenAt: what lies after it
	// is dated in the future, whatever time a forecast is for.
	ScannedAt time.Time

	// MinAge holds what was created or updated more recently.
	MinAge time.Duration
	// Grace holds a tag that has been condemned for a shorter time than this,
	// counted up to TakenAt. CondemnedSince tells since when a tag of this id,
	// digest and reference is; one that it does not know, or a nil function, is
	// condemned for the first time.
	Grace          time.Duration
	CondemnedSince func(id, digest, ref string) (time.Time, bool)
	// KeepAtLeast is how many ready tags stay in every image, attachments not
	// counted.
	KeepAtLeast int
	// SharedDigest says what the API does to a digest of which one tag is deleted.
	SharedDigest actions.SharedDigest

	// Orphans says what becomes of a condemned attachment whose subject no tag of its
	// image has.
	Orphans Orphans

	// MaxDeletions is the most deletions a plan may have: 0 means none, a negative
	// value means no limit.
	MaxDeletions int
	// Anomaly refuses a plan that deletes unusually much; the zero value does not.
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
	// those are: below AnomalyRuns nobody knows yet what is usual.
	Usual float64
	Runs  int
}

// AnomalyRuns is from how many runs on a median says what is usual.
const AnomalyRuns = 3

// Orphans says whether an attachment may be deleted alone. Everything but
// DeleteOrphans means KeepOrphans.
type Orphans string

const (
	// KeepOrphans holds it: its subject may only be out of sight.
	KeepOrphans Orphans = "keep"
	// DeleteOrphans lets it go where the listing proves that no tag of the image has
	// its subject, and nothing else holds it.
	DeleteOrphans Orphans = "delete"
)

// The rules by which the plan itself speaks. They are no rules of the operator's.
const (
	// FollowRule is the reason of an attachment that goes because its subject does.
	FollowRule = "attachments/follow their subject"

	statusTagRule       = "status/tag"
	statusImageRule     = "status/image"
	statusNamespaceRule = "status/namespace"
	futureRule          = "time/future"
)

// clockTolerance is how far a timestamp of the API may lie after the scan before
// it is reported.
const clockTolerance = 5 * time.Minute

// scannedAt is when the scan started.
func (o *Options) scannedAt() time.Time {
	if o.ScannedAt.IsZero() {
		return o.TakenAt
	}
	return o.ScannedAt
}

// statusRule names the rule by which an object of this kind is reported for its
// status.
func statusRule(ref registry.Ref) string {
	switch {
	case ref.Tag != "":
		return statusTagRule
	case ref.Image != "":
		return statusImageRule
	default:
		return statusNamespaceRule
	}
}

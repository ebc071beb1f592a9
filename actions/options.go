package actions

import (
	"time"

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

	// MinAge holds what was created or updated more recently.
	MinAge time.Duration
	// KeepAtLeast is how many ready tags stay in every image, attachments not
	// counted.
	KeepAtLeast int
	// SharedDigest says what the API does to a digest of which one tag is deleted.
	SharedDigest SharedDigest

	// MaxDeletions is the most deletions a plan may have: 0 means none, a negative
	// value means no limit.
	MaxDeletions int
	// MaxDeletionPercent is the largest share, in percent, of all tags judged and
	// of the tags of each namespace of 20 tags or more that a plan may delete: 0
	// means none, a negative value means no limit.
	MaxDeletionPercent float64
}

// SharedDigest says whether a tag may be deleted whose digest a staying tag
// shares. Everything but Untag means Protect.
type SharedDigest string

const (
	// Protect holds it: the deletion could take the staying tag along.
	Protect SharedDigest = "protect"
	// Untag lets it go: the operator knows that the API only removes the tag.
	Untag SharedDigest = "untag"
)

// Guard names what holds a change that a rule asks for.
type Guard string

// The guards, in the order in which they are tried: the first that applies is
// the one that is named.
const (
	// GuardGap: something could not be read that could have vetoed it.
	GuardGap Guard = "gap"
	// GuardPolicyError: a policy failed on this image or namespace.
	GuardPolicyError Guard = "policy_error"
	// GuardNotReady: the status of the object, or of what it is in, is not ready.
	GuardNotReady Guard = "not_ready"
	// GuardInUse: somebody uses the tag.
	GuardInUse Guard = "in_use"
	// GuardAttachment: the subject of the attachment stays, or cannot be seen.
	GuardAttachment Guard = "attachment"
	// GuardNotEmpty: the image or namespace holds something that stays.
	GuardNotEmpty Guard = "not_empty"
	// GuardMinAge: it is younger than min_age.
	GuardMinAge Guard = "min_age"
	// GuardGrace: it has not been condemned for long enough.
	GuardGrace Guard = "grace"
	// GuardReportOnly: every rule that asks for it is only reported.
	GuardReportOnly Guard = "report_only"
	// GuardSharedDigest: a tag that stays has the same digest.
	GuardSharedDigest Guard = "shared_digest"
	// GuardKeepAtLeast: too few tags of the image would stay.
	GuardKeepAtLeast Guard = "keep_at_least"
)

// Guards lists the guards in the order in which they are tried.
func Guards() []Guard {
	return []Guard{
		GuardGap, GuardPolicyError, GuardNotReady, GuardInUse, GuardAttachment, GuardNotEmpty,
		GuardMinAge, GuardGrace, GuardReportOnly, GuardSharedDigest, GuardKeepAtLeast,
	}
}

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

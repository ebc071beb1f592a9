package actions

// Guard names what holds a change that a rule asks for.
type Guard string

// The guards, in the order in which they are tried: the first that applies is
// the one that is named.
const (
	// GuardGap: something could not be read that might prevent it.
	GuardGap Guard = "gap"
	// GuardPolicyError: a policy failed on this image or namespace.
	GuardPolicyError Guard = "policy_error"
	// GuardNotReady: the status of the object, or of what it is in, is not ready.
	GuardNotReady Guard = "not_ready"
	// GuardInUse: the tag is in use.
	GuardInUse Guard = "in_use"
	// GuardAttachment: the subject of the attachment is kept, or is not listed.
	GuardAttachment Guard = "attachment"
	// GuardPartOf: the digest is, or may be, a part of an index that a kept tag has.
	GuardPartOf Guard = "part_of"
	// GuardNotEmpty: something in the image or namespace is kept.
	GuardNotEmpty Guard = "not_empty"
	// GuardMinAge: it is younger than min_age.
	GuardMinAge Guard = "min_age"
	// GuardGrace: it has not been marked for long enough.
	GuardGrace Guard = "grace"
	// GuardReportOnly: every rule that asks for it is only reported.
	GuardReportOnly Guard = "report_only"
	// GuardSharedDigest: a tag that is kept has the same digest.
	GuardSharedDigest Guard = "shared_digest"
	// GuardKeepAtLeast: too few tags of the image would be kept.
	GuardKeepAtLeast Guard = "keep_at_least"
	// GuardAtMost: older deletions come first.
	GuardAtMost Guard = "at_most"
)

// Guards lists the guards in the order in which they are tried.
func Guards() []Guard {
	return []Guard{
		GuardGap, GuardPolicyError, GuardNotReady, GuardInUse, GuardAttachment, GuardPartOf,
		GuardNotEmpty, GuardMinAge, GuardGrace, GuardReportOnly, GuardSharedDigest, GuardKeepAtLeast, GuardAtMost,
	}
}

// SharedDigest is whether a tag may be deleted that shares its digest with a tag
// that is kept. Everything except Untag means Protect.
type SharedDigest string

const (
	// Protect holds it: the deletion could delete the other tag too.
	Protect SharedDigest = "protect"
	// Untag deletes it: the operator knows that the API removes only the tag.
	Untag SharedDigest = "untag"
)

// SourceRule is the rule of the warning that a use source could not be reached
// that the configuration does not require. Its subject is the source.
const SourceRule = "protect/required"

// FollowRule is the rule of an attachment that is deleted with its subject.
const FollowRule = "attachments/follow their subject"

// ConfigSubject is the subject of warnings about the configuration itself, and ConfigRules
// the beginning of their rules.
const (
	ConfigSubject = "configuration"
	ConfigRules   = "config/"
)

// ClockSubject is the subject of a gap about the clock of this machine. If it holds
// nothing, the warning of it has ClockRule.
const (
	ClockSubject = "clock"
	ClockRule    = "time/clock"
)

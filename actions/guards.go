package actions

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

// SharedDigest says whether a tag may be deleted whose digest a staying tag
// shares. Everything but Untag means Protect.
type SharedDigest string

const (
	// Protect holds it: the deletion could take the staying tag along.
	Protect SharedDigest = "protect"
	// Untag lets it go: the operator knows that the API only removes the tag.
	Untag SharedDigest = "untag"
)

// SourceRule is the rule of the warning that a use source could not be asked,
// which the configuration does not require. Its subject is the source.
const SourceRule = "protect/required"

package registry

import "cmp"

// Reason is one rule's vote and its why.
type Reason struct {
	// Rule is kind/name: "retention/pull request builds", or package/title for own
	// Rego: "previews/Preview builds live two weeks".
	Rule string
	// Text is the why, in words for the operator.
	Text string
	// Source says where the rule stands: package, file and line. It is shared by
	// all reasons of one rule.
	Source *Source
	// ReportOnly marks the vote of a rule that is shown but never applied.
	ReportOnly bool
}

// Source is where a decision comes from.
type Source struct {
	Package  string // "janitor.image.previews"
	Name     string // the rule's name: "delete"
	File     string
	Line     int
	Title    string // METADATA title; "" where the rule has none
	Severity string // METADATA custom.severity; "" where the rule has none
}

// CompareReasons orders reasons by rule, then text, so that the order of rules
// in a file does not matter.
func CompareReasons(a, b Reason) int {
	return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Text, b.Text))
}

// Severity of a violation.
type Severity string

// A deny counts for the exit code of plan --detailed-exitcode; a warn is only
// reported.
const (
	Deny Severity = "deny"
	Warn Severity = "warn"
)

// Violation is a finding of a policy: reported, never acted on.
type Violation struct {
	Ref      Ref
	Severity Severity
	Reason   Reason
}

// VisibilityVote asks for a visibility.
type VisibilityVote struct {
	To      Visibility
	Reasons []Reason // at least one, sorted
}

// TagVerdict collects the votes on one tag.
type TagVerdict struct {
	Delete []Reason // sorted
	Keep   []Reason // sorted; evaluated only where something is condemned, or on request
	InUse  []string // who uses it, sorted
}

// Verdict is the judgement of one image with all its tags, or, when Image is
// nil, of one namespace.
type Verdict struct {
	Namespace *Namespace // never nil
	Image     *Image     // nil for a namespace

	// Empty: proven by a complete listing, unfiltered by the scope, with zero rows.
	Empty bool

	Tags   []TagVerdict // one for each of Image.Tags, in the same order
	Delete []Reason     // votes against the image or the namespace itself
	Keep   []Reason
	// InUse says who uses anything in the image, sorted: also a digest that no tag
	// has.
	InUse      []string
	Visibility *VisibilityVote // nil when no policy asks for one
	Violations []Violation
	// Err is the failure of a policy: everything condemned here is held.
	Err error
}

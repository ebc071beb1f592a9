package registry

import "cmp"

// Reason is what one rule decided and why. Verdicts, plans, the ledger and the
// HTTP API share it.
type Reason struct {
	// Rule is kind/name: "retention/pull request builds", or package/title for the
	// operator's own Rego: "previews/Preview builds live two weeks".
	Rule string `json:"rule"`
	// Text is the reason, in words for the operator.
	Text string `json:"reason"`
	// Source is "file:line" of a rule of the operator's own, and "" for a built-in
	// one.
	Source string `json:"source,omitempty"`
	// CustomSeverity is the custom.severity of the rule's METADATA.
	CustomSeverity string `json:"custom_severity,omitempty"`
	// ReportOnly marks the decision of a rule that is shown but never applied. Files do
	// not have it.
	ReportOnly bool `json:"-"`
}

// CompareReasons orders reasons by rule, then text, so that the order of rules
// in a file does not matter.
func CompareReasons(a, b Reason) int {
	return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Text, b.Text),
		cmp.Compare(a.Source, b.Source), cmp.Compare(a.CustomSeverity, b.CustomSeverity))
}

// Severity of a violation.
type Severity string

// A deny counts for the exit code of plan --detailed-exitcode; a warn is only
// reported, and so is what a waiver covers.
const (
	Deny   Severity = "deny"
	Warn   Severity = "warn"
	Waived Severity = "waived"
)

// Violation is a finding of a policy: reported, never acted on.
type Violation struct {
	// Ref is the full reference of what violates the policy, or the name of another
	// subject, such as a use source.
	Ref      string   `json:"ref"`
	Severity Severity `json:"severity"`
	Reason
	// Owner is the owner of the waiver that covers the violation, or that it is about; ""
	// without a waiver.
	Owner string `json:"owner,omitempty"`
}

// CompareViolations orders violations by reference, severity and reason.
func CompareViolations(a, b Violation) int {
	return cmp.Or(cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Severity, b.Severity), CompareReasons(a.Reason, b.Reason), cmp.Compare(a.Owner, b.Owner))
}

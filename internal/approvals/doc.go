// Package approvals decides whether enough people have approved a plan. Approvers sign the
// bytes of the plan with their SSH keys; a file of allowed signers, in the format of
// OpenSSH, says which keys are whose.
//
// Its nouns are the signers, who may approve; the signature of one of them; the key that
// made it; and the verdict, [runs.Approvals]. It must never count one person twice, and
// it must never know what a plan does.
package approvals

// Package policy judges images and namespaces by Rego: the built-in policies in
// library/, driven by the configuration, and the operator's own modules.
//
// Compile once with New, pin the Engine to the time of a scan with At, and judge
// with the Judge that At gives. Go computes facts (age, rank, semantic versions,
// which tags a rule matches); Rego decides what they mean. Package author has the
// tools of people who write policies.
//
// With its sub-packages it is the only importer of OPA. It must never do I/O
// beyond reading the policy files that it is given, never read the clock, and
// never treat a failing policy as one that keeps nothing: a failure is
// Verdict.Err, and everything marked for deletion there is held.
package policy

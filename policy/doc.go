// Package policy judges images and namespaces by Rego: the built-in policies in
// library/, driven by the configuration, and the operator's own modules.
//
// Compile once with New, pin an Engine to the time of a scan with At, and judge
// with the Judge that gives. Facts (age, rank, semantic versions, which tags a
// rule's match takes) are computed in Go; what they mean is decided in Rego.
//
// For those who write policies, Check finds what is wrong or doubtful in them,
// Test runs their tests, Describe tells what a set consists of, and Engine.Bench
// measures what it costs.
//
// It is the only importer of OPA. It must never do I/O beyond reading the policy
// files it is pointed at, never read the clock, and never let a failing policy
// pass for one that keeps nothing: a failure is Verdict.Err, and everything
// condemned there is held.
package policy

// Package actions turns verdicts into a plan: which tags, images and namespaces
// are deleted, whose visibility changes, what a rule condemned but a guard
// holds, and why, for every single one. And it turns a plan into an outcome, the
// only place that deletes or changes anything.
//
// Planning is pure: the same verdicts, options and time give the same bytes,
// whatever the order in which they arrive. It must never do I/O or read the
// clock, never decide what a rule should have decided, and never let a verdict
// vanish: every deletion that a rule asks for ends as exactly one step or one
// held entry.
//
// Applying must never change what is not as it was judged, never send a change
// that is not in the plan and in the journal, never send one again without a
// fresh read, and never report as done what was not seen to be.
package actions

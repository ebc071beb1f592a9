// Package plan turns verdicts into a plan: which tags, images and namespaces are
// deleted, whose visibility changes, what a rule marked but a guard holds, and
// why, for every single one. Decide makes a Part of one verdict, and Builder
// joins the parts and holds them against the gaps and the limits.
//
// It is pure: the same verdicts, options and time give the same bytes, whatever
// the order in which they arrive. It must never do I/O or read the clock, never
// decide what a rule should have decided, and never drop a verdict: every
// deletion that a rule asks for ends as exactly one step or one held entry.
package plan

// Package diff compares two plans, of two points in time or of two sets of
// policies: what each would do that the other would not, by which rule, and why
// the other would not.
//
// It must never decide anything: what a plan does not say is unknown.
package diff

// Package diff compares two plans, of two points in time or of two sets of
// policies: which steps only one of them has, by which rule, and why the other
// does not have them. Compare makes a Comparison of two Inputs.
//
// It must never decide anything, and never guess: what a plan does not show is
// unknown.
package diff

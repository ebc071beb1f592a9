// Package apply turns a plan into an outcome. It is the only place that deletes
// or changes anything, over an Editor and a Journal that it declares itself.
//
// It must never change what is not as it was judged, never send a change that is
// not in the plan and in the journal, never send one again without a fresh read,
// and never report as done what was not seen to be.
package apply

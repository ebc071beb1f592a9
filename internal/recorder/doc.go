// Package recorder records a run in the ledger: in that of its configuration, or, where
// there is none, in the file of the state directory. Its nouns are the Recorder of one
// run, the State directory, and the Place where a run is recorded.
//
// It must never let two runs apply a plan at a time, or count a tag as marked, or as not
// marked any more, that the run could not judge.
package recorder

// Package apply carries out a plan, and is the only place that deletes or changes
// anything in a registry. Its nouns:
//
//   - a reading: what the registry says now, and when it was asked
//   - an actions.Decision: what the policies in force would plan on that reading
//   - a decision of this package: which steps of the plan may be sent on that reading,
//     which are done, and which are not to be done any more
//   - a copy: what a tag holds, in the archive if there is one
//   - a batch: the steps that are sent on one reading
//   - an outcome: what became of every step
//
// Each image is reconciled in a loop: list its tags, decide, journal and send the
// batch while the reading is fresh, list again. The listing after a batch confirms it
// and admits the next; copies are made ahead. The decision is pure; see decide.
//
// It must never send what is not in the plan and in the journal, what is not copied or
// the policies in force would not plan, or anything on a reading older than two
// seconds; and it must never report as done what a reading has not confirmed.
package apply

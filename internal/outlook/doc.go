// Package outlook finds when the decision about a tag, an image or a namespace changes,
// if nothing else does: for explain; and until when none in an image can: for the cache of
// listings. Between two times at which an age reaches one that a rule or a guard names, no
// decision changes, so it judges at those times alone. Its nouns are the Subject, the turn
// (a time at which a decision can change), the stage between two turns, and the Ages.
//
// It must never predict what a forecast of the same time (plan --as-of) does not show.
package outlook

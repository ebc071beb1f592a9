// Package intake is what a run reads: a scan, together with what uses the images in it. Its
// nouns are the Feed, a scan of the registry or a recorded one; the early uses, which are
// known before the first image; the late uses, which only the end of a scan shows; and the
// Intake, which separates them.
//
// It must never lose a use: one that comes too late for a decision is a gap.
package intake

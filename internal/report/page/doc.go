// Package page renders a run, and the state of a daemon, as one page for a browser
// that needs no other host: charts, and filters over every step, held entry,
// violation and gap. The page can be read without scripts.
//
// It must never leave out a step, a held entry, a violation or a gap, and it must
// never put text into a page other than through its templates, which escape it.
package page

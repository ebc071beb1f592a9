// Package progress shows how far an active run is: as one line that is kept
// up to date on a terminal, and as a line in the log now and then everywhere else.
// Its nouns are the Reporter, which asks a run for its figures and estimates the time
// left, the Line of a terminal, and the words and attributes for the figures.
//
// It must never hold up the run that it reports on.
package progress

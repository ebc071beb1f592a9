// Package runs has the documents about finished runs: what a run did, how the
// daemon and its schedules are, and what explain and lint found. The reports, the
// metrics, the notifications, the HTTP API and the ledger share them.
//
// The nouns are Run, Summary, Daemon, Explanation and Lint. Their JSON is that of
// the HTTP API and of policy lint: keep its names.
//
// It must never word or render anything, read the clock, or ask any source.
package runs

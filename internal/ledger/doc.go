// Package ledger remembers what was done: the journal of every step, which runs
// there were and by whose hand, the plans and outcomes, and since when each tag
// is condemned. It is a SQLite file by default, and a PostgreSQL database by
// DSN.
//
// A record that was acknowledged is on disk: killing the process at any moment
// loses none. What cannot be written is an error before the next change is
// made. It must never drop or rewrite a record that was acknowledged, never say
// that a step was done because it was meant to be, and never put the password of
// a DSN into an error.
package ledger

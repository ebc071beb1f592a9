// Package ledger records what the program did: runs and who started them, their
// plans and outcomes, a journal of every step, and since when each tag is marked for
// deletion. A ledger is a SQLite file or a PostgreSQL database. Its nouns are the
// ledger, the run, the journal, the lock, and the history of an object.
//
// An acknowledged record is on disk: killing the process loses none. If something
// cannot be written, the caller gets an error before it makes the next change.
//
// The package must never delete or rewrite an acknowledged record, report a step as
// done without a confirmed result, or put the password of a DSN into an error.
package ledger

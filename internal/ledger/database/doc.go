// Package database opens the database of a ledger, a SQLite file or PostgreSQL, and
// holds what differs between them: locks, transactions one after another, and whether
// the database is still the one that others open. Its nouns are the Engine, the LockName
// and the Hold.
//
// It must never let two processes hold the same lock, or show a password.
package database

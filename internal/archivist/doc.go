// Package archivist does the work at the archive that a configuration names: it opens it,
// has tags copied into it, restores them, and purges what has expired. Its nouns are the
// archive, the Restoring, and the data plane that tags come back to.
//
// It must never restore or purge while a run applies a plan, or leave a restoration out of
// the ledger.
package archivist

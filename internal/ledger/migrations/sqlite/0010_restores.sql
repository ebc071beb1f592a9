-- What was restored from the archive. run_id is the run that deleted it, in the ledger
-- of that run; 0 if that is not known.
CREATE TABLE janitor_restores (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	ref    TEXT NOT NULL,
	digest TEXT NOT NULL,
	origin TEXT NOT NULL, -- the reference in the archive
	run_id INTEGER NOT NULL,
	who    TEXT NOT NULL,
	at     INTEGER NOT NULL
) STRICT;
CREATE INDEX janitor_restores_ref ON janitor_restores (ref);

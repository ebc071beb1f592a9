-- What held for a time: a tag is condemned (subject: its id, value: its digest),
-- a guard holds a change (subject: the action, value: the guard).
CREATE TABLE janitor_spans (
	id        INTEGER PRIMARY KEY AUTOINCREMENT,
	kind      TEXT NOT NULL CHECK (kind IN ('condemned', 'held')),
	ref       TEXT NOT NULL,
	subject   TEXT NOT NULL,
	value     TEXT NOT NULL,
	detail    TEXT NOT NULL,
	reasons   TEXT NOT NULL, -- JSON
	since     INTEGER NOT NULL,
	since_run INTEGER NOT NULL REFERENCES janitor_runs (id),
	ended     INTEGER, -- NULL: still so, for all that is known
	ended_run INTEGER REFERENCES janitor_runs (id)
) STRICT;
CREATE UNIQUE INDEX janitor_spans_open ON janitor_spans (kind, ref, subject) WHERE ended IS NULL;
CREATE INDEX janitor_spans_ref ON janitor_spans (ref);

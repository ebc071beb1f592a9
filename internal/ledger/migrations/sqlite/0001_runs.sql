-- Runs, their plans, and the journal of their steps.
-- Times are microseconds since 1970, UTC.
CREATE TABLE janitor_runs (
	id            INTEGER PRIMARY KEY AUTOINCREMENT,
	kind          TEXT NOT NULL CHECK (kind IN ('plan', 'apply')),
	status        TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'interrupted')),
	started       INTEGER NOT NULL,
	ended         INTEGER,
	who           TEXT NOT NULL,
	program       TEXT NOT NULL,
	config_digest TEXT NOT NULL,
	policy_digest TEXT NOT NULL,
	plan_id       TEXT NOT NULL DEFAULT '',
	summary       TEXT NOT NULL DEFAULT '', -- of the plan: JSON
	epoch         INTEGER NOT NULL, -- of the lock under which it changes things; 0 for none
	exit_code     INTEGER,
	message       TEXT NOT NULL DEFAULT '',
	counts        TEXT NOT NULL DEFAULT '', -- JSON: result to number of steps
	deletions     INTEGER, -- confirmed ones
	outcome       BLOB -- JSON, gzip
) STRICT;
CREATE INDEX janitor_runs_plan ON janitor_runs (plan_id);

CREATE TABLE janitor_plans (
	id   TEXT PRIMARY KEY,
	body BLOB NOT NULL -- JSON, gzip
) STRICT;

CREATE TABLE janitor_steps (
	run_id   INTEGER NOT NULL REFERENCES janitor_runs (id),
	ref      TEXT NOT NULL,
	action   TEXT NOT NULL,
	step     TEXT NOT NULL DEFAULT '', -- JSON; empty where nothing was ever sent
	tries    INTEGER NOT NULL DEFAULT 0,
	intended INTEGER, -- NULL: nothing was ever sent
	done     INTEGER,
	result   TEXT, -- NULL: not known
	detail   TEXT,
	PRIMARY KEY (run_id, ref, action)
) STRICT, WITHOUT ROWID;
CREATE INDEX janitor_steps_ref ON janitor_steps (ref);
CREATE INDEX janitor_steps_open ON janitor_steps (run_id) WHERE result IS NULL;

-- Who holds the lock. Each hold has its own epoch; who is empty when it was given back.
CREATE TABLE janitor_lock (
	id    INTEGER PRIMARY KEY CHECK (id = 1),
	epoch INTEGER NOT NULL,
	who   TEXT NOT NULL,
	since INTEGER NOT NULL
) STRICT;
INSERT INTO janitor_lock (id, epoch, who, since) VALUES (1, 0, '', 0);

-- Runs, their plans, and the journal of their steps.
-- Times are microseconds since 1970, UTC.
CREATE TABLE janitor_runs (
	id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind          TEXT NOT NULL CHECK (kind IN ('plan', 'apply')),
	status        TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'interrupted')),
	started       BIGINT NOT NULL,
	ended         BIGINT,
	who           TEXT NOT NULL,
	program       TEXT NOT NULL,
	config_digest TEXT NOT NULL,
	policy_digest TEXT NOT NULL,
	plan_id       TEXT NOT NULL DEFAULT '',
	summary       TEXT NOT NULL DEFAULT '', -- of the plan: JSON
	epoch         BIGINT NOT NULL, -- of the lock under which it changes things; 0 for none
	exit_code     BIGINT,
	message       TEXT NOT NULL DEFAULT '',
	counts        TEXT NOT NULL DEFAULT '', -- JSON: result to number of steps
	deletions     BIGINT, -- confirmed ones
	outcome       BYTEA -- JSON, gzip
);
CREATE INDEX janitor_runs_plan ON janitor_runs (plan_id);

CREATE TABLE janitor_plans (
	id   TEXT PRIMARY KEY,
	body BYTEA NOT NULL -- JSON, gzip
);

CREATE TABLE janitor_steps (
	run_id   BIGINT NOT NULL REFERENCES janitor_runs (id),
	ref      TEXT NOT NULL,
	action   TEXT NOT NULL,
	step     TEXT NOT NULL DEFAULT '', -- JSON; empty where nothing was ever sent
	tries    BIGINT NOT NULL DEFAULT 0,
	intended BIGINT, -- NULL: nothing was ever sent
	done     BIGINT,
	result   TEXT, -- NULL: not known
	detail   TEXT,
	PRIMARY KEY (run_id, ref, action)
);
CREATE INDEX janitor_steps_ref ON janitor_steps (ref);
CREATE INDEX janitor_steps_open ON janitor_steps (run_id) WHERE result IS NULL;

-- Who holds the lock. Each hold has its own epoch; who is empty when it was given back.
CREATE TABLE janitor_lock (
	id    BIGINT PRIMARY KEY CHECK (id = 1),
	epoch BIGINT NOT NULL,
	who   TEXT NOT NULL,
	since BIGINT NOT NULL
);
INSERT INTO janitor_lock (id, epoch, who, since) VALUES (1, 0, '', 0);

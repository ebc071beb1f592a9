-- The signatures of plans, one for each key: who has approved them.
CREATE TABLE janitor_signatures (
	plan_id TEXT NOT NULL,
	key     TEXT NOT NULL, -- its fingerprint
	body    BYTEA NOT NULL, -- armored
	added   BIGINT NOT NULL, -- microseconds since 1970
	who     TEXT NOT NULL, -- ran the program that added it
	PRIMARY KEY (plan_id, key)
);

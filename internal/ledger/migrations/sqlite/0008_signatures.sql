-- The signatures of plans, one for each key: who has approved them.
CREATE TABLE janitor_signatures (
	plan_id TEXT NOT NULL,
	key     TEXT NOT NULL, -- its fingerprint
	body    BLOB NOT NULL, -- armored
	added   INTEGER NOT NULL, -- microseconds since 1970
	who     TEXT NOT NULL, -- ran the program that added it
	PRIMARY KEY (plan_id, key)
) STRICT;

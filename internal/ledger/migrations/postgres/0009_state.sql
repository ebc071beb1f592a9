-- What a daemon knows, by a name, for the one that takes over from it.
CREATE TABLE janitor_state (
	name TEXT PRIMARY KEY,
	body BYTEA NOT NULL -- JSON, gzip
);

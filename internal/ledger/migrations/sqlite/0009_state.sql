-- What a daemon knows, by a name, for the one that takes over from it.
CREATE TABLE janitor_state (
	name TEXT PRIMARY KEY,
	body BLOB NOT NULL -- JSON, gzip
) STRICT;

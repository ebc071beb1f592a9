-- What digests hold, which never changes; see internal/ledger/packed.
CREATE TABLE janitor_digests (
	digest  BYTEA PRIMARY KEY,
	content BYTEA NOT NULL
);

-- What digests hold, which never changes; see internal/ledger/packed.
CREATE TABLE janitor_digests (
	digest  BLOB PRIMARY KEY,
	content BLOB NOT NULL
) STRICT, WITHOUT ROWID;

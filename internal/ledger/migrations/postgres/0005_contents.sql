-- What plans contain, each once, however many runs found it: JSON, gzip.
CREATE TABLE janitor_contents (
	digest TEXT PRIMARY KEY,
	body   BYTEA NOT NULL
);

-- A plan whose body is empty consists of these contents and the time of its scan.
ALTER TABLE janitor_plans ADD COLUMN steps TEXT NOT NULL DEFAULT '';
ALTER TABLE janitor_plans ADD COLUMN rest TEXT NOT NULL DEFAULT '';
ALTER TABLE janitor_plans ADD COLUMN taken BIGINT NOT NULL DEFAULT 0;

-- What was restored from the archive. run_id is the run that deleted it, in the ledger
-- of that run; 0 if that is not known.
CREATE TABLE janitor_restores (
	id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	ref    TEXT NOT NULL,
	digest TEXT NOT NULL,
	origin TEXT NOT NULL, -- the reference in the archive
	run_id BIGINT NOT NULL,
	who    TEXT NOT NULL,
	at     BIGINT NOT NULL
);
CREATE INDEX janitor_restores_ref ON janitor_restores (ref);

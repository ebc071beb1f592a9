-- What probes of the API found out. document is their report as JSON.
CREATE TABLE janitor_probes (
	id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	region   TEXT NOT NULL,
	taken_at BIGINT NOT NULL,
	who      TEXT NOT NULL,
	document TEXT NOT NULL
);
CREATE INDEX janitor_probes_region ON janitor_probes (region, taken_at);

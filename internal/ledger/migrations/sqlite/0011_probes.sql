-- What probes of the API found out. document is their report as JSON.
CREATE TABLE janitor_probes (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	region   TEXT NOT NULL,
	taken_at INTEGER NOT NULL,
	who      TEXT NOT NULL,
	document TEXT NOT NULL
) STRICT;
CREATE INDEX janitor_probes_region ON janitor_probes (region, taken_at);

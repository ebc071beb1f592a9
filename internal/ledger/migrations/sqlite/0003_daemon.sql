-- What started a run: the name of a schedule, or "command".
ALTER TABLE janitor_runs ADD COLUMN cause TEXT NOT NULL DEFAULT '';

-- Which of several daemons works. Each leadership has its own epoch; who is empty
-- when it was given up.
CREATE TABLE janitor_leader (
	id    INTEGER PRIMARY KEY CHECK (id = 1),
	epoch INTEGER NOT NULL,
	who   TEXT NOT NULL,
	since INTEGER NOT NULL
) STRICT;
INSERT INTO janitor_leader (id, epoch, who, since) VALUES (1, 0, '', 0);

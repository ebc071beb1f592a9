-- Whether a tag was restored: done or failed, with the reason. Earlier programs recorded
-- only those that were.
ALTER TABLE janitor_restores ADD COLUMN result TEXT NOT NULL DEFAULT 'done';
ALTER TABLE janitor_restores ADD COLUMN detail TEXT NOT NULL DEFAULT '';

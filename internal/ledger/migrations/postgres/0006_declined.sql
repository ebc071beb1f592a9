-- 1 if the operator declined the plan. The status of such a run is 'failed'.
ALTER TABLE janitor_runs ADD COLUMN declined INTEGER NOT NULL DEFAULT 0;

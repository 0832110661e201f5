-- What a run was started with and by whom, and what it says of itself.
-- request is the body that Spark got, without any secret; progress and result are written by the job.
ALTER TABLE crypto.job_runs
  ADD COLUMN parameters   JSONB   NOT NULL DEFAULT '{}',
  ADD COLUMN request      JSONB,
  ADD COLUMN submitted_by TEXT,
  ADD COLUMN supervise    BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN restarts     INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN replaces     TEXT,
  ADD COLUMN progress     JSONB,
  ADD COLUMN result       JSONB,
  -- A program that has an address of its own is not stored, and has no hash.
  ALTER COLUMN template_sha256 DROP NOT NULL;

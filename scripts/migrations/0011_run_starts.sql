-- A supervised driver is started again by Spark: when, and what it last died of.
-- starts holds the newest ten starts of a run's program; restarts counts all but the first, and is the mark by which a process
-- that was superseded knows that the row is not its own any more. broke_off: last_error is of the process that started last.
ALTER TABLE crypto.job_runs
  ADD COLUMN starts     TIMESTAMPTZ[] NOT NULL DEFAULT '{}',
  ADD COLUMN last_error TEXT,
  ADD COLUMN broke_off  BOOLEAN       NOT NULL DEFAULT false;

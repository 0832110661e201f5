-- What the job quality found: one row per run and check. A warning that has violations has not passed either, but does not fail
-- its run.
CREATE TABLE crypto.quality_results (
  run_id     TEXT        NOT NULL,
  check_name TEXT        NOT NULL,
  meaning    TEXT        NOT NULL,
  severity   TEXT        NOT NULL CHECK (severity IN ('error', 'warning')),
  -- The UTC day that was asked for; NULL where the run was given a range.
  day        DATE,
  since      TIMESTAMPTZ NOT NULL,
  until      TIMESTAMPTZ NOT NULL,
  violations BIGINT      NOT NULL,
  -- The first violating rows, a JSON object each.
  sample     JSONB       NOT NULL,
  passed     BOOLEAN     NOT NULL GENERATED ALWAYS AS (violations = 0) STORED,
  checked_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, check_name)
);

CREATE INDEX quality_results_newest ON crypto.quality_results (check_name, checked_at DESC);

-- What `cryptopipe verify` found, minute by minute: one row per (source, symbol, window_start), the newest verdict.
-- differences is [{"field", "ours", "theirs", "difference"}], amounts as exact decimal texts; missing_ids are those of a hole.
CREATE TABLE crypto.reconciliations (
  source       TEXT           NOT NULL,
  symbol       TEXT           NOT NULL,
  window_start TIMESTAMPTZ    NOT NULL,
  verdict      TEXT           NOT NULL CHECK (verdict IN (
    'equal', 'equal (quote cut)', 'quiet', 'halt', 'edge', 'exchange late',
    'hole', 'raw gap', 'disordered', 'unproven', 'different'
  )),
  against      TEXT           NOT NULL CHECK (against IN ('rest', 'archive')),
  is_compared  BOOLEAN        NOT NULL,
  differences  JSONB          NOT NULL,
  missing_ids  INT8MULTIRANGE NOT NULL,
  checked_at   TIMESTAMPTZ    NOT NULL DEFAULT now(),
  PRIMARY KEY (source, symbol, window_start)
);

-- What is wrong is asked for often, and is little.
CREATE INDEX reconciliations_bad ON crypto.reconciliations (source, symbol, window_start)
WHERE verdict IN ('hole', 'raw gap', 'disordered', 'unproven', 'different');

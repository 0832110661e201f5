-- The tables of the warehouse. Times are TIMESTAMPTZ, money is NUMERIC, ids are the exchange's own.

CREATE SCHEMA IF NOT EXISTS crypto;

-- One row per counted or neutralised trade (first_trade_id -1: covered, counted as nothing). Partitioned by UTC day.
-- No unique key beside the primary key is needed: the coverage admits an id only once.
CREATE TABLE crypto.crypto_prices_clean (
  source          TEXT           NOT NULL,
  symbol          TEXT           NOT NULL,
  agg_trade_id    BIGINT         NOT NULL,
  first_trade_id  BIGINT         NOT NULL,
  last_trade_id   BIGINT         NOT NULL,
  event_time      BIGINT         NOT NULL,
  event_timestamp TIMESTAMPTZ    NOT NULL,
  price           NUMERIC(20, 8) NOT NULL,
  quantity        NUMERIC(20, 8) NOT NULL,
  buyer_is_maker  BOOLEAN        NOT NULL,
  PRIMARY KEY (source, symbol, agg_trade_id, event_timestamp)
) PARTITION BY RANGE (event_timestamp);

-- One row per minute in which something was traded. finalized_at is set once, when the bar is proven complete.
CREATE TABLE crypto.crypto_prices_agg_1min (
  source                 TEXT           NOT NULL,
  symbol                 TEXT           NOT NULL,
  window_start           TIMESTAMPTZ    NOT NULL,
  window_end             TIMESTAMPTZ    NOT NULL,
  open_price             NUMERIC(20, 8) NOT NULL,
  high_price             NUMERIC(20, 8) NOT NULL,
  low_price              NUMERIC(20, 8) NOT NULL,
  close_price            NUMERIC(20, 8) NOT NULL,
  volume                 NUMERIC        NOT NULL,
  quote_volume           NUMERIC        NOT NULL,
  taker_buy_volume       NUMERIC        NOT NULL,
  taker_buy_quote_volume NUMERIC        NOT NULL,
  trade_count            BIGINT         NOT NULL,
  taker_buy_trade_count  BIGINT         NOT NULL,
  first_agg_trade_id     BIGINT         NOT NULL,
  last_agg_trade_id      BIGINT         NOT NULL,
  first_trade_id         BIGINT         NOT NULL,
  last_trade_id          BIGINT         NOT NULL,
  updated_at             TIMESTAMPTZ    NOT NULL DEFAULT now(),
  finalized_at           TIMESTAMPTZ,
  PRIMARY KEY (source, symbol, window_start)
);

CREATE INDEX crypto_prices_agg_1min_open ON crypto.crypto_prices_agg_1min (source, symbol) WHERE finalized_at IS NULL;

-- Which aggregate trade ids have been counted. The row of a symbol is also the lock of everything that counts.
CREATE TABLE crypto.coverage (
  source TEXT           NOT NULL,
  symbol TEXT           NOT NULL,
  ids    INT8MULTIRANGE NOT NULL DEFAULT '{}',
  PRIMARY KEY (source, symbol)
);

-- Trades that contradict what was counted: the same id with other content, or a trade that claims a time inside a final bar.
CREATE TABLE crypto.conflicts (
  source         TEXT           NOT NULL,
  symbol         TEXT           NOT NULL,
  agg_trade_id   BIGINT         NOT NULL,
  reason         TEXT           NOT NULL CHECK (reason IN ('other content', 'final minute')),
  first_trade_id BIGINT         NOT NULL,
  last_trade_id  BIGINT         NOT NULL,
  event_time     BIGINT         NOT NULL,
  price          NUMERIC(20, 8) NOT NULL,
  quantity       NUMERIC(20, 8) NOT NULL,
  buyer_is_maker BOOLEAN        NOT NULL,
  seen_at        TIMESTAMPTZ    NOT NULL DEFAULT now(),
  PRIMARY KEY (
    source, symbol, agg_trade_id, reason, first_trade_id, last_trade_id, event_time, price, quantity, buyer_is_maker
  )
);

-- One row per run of a job, written before Spark hears of it.
CREATE TABLE crypto.job_runs (
  run_id            TEXT        PRIMARY KEY,
  job               TEXT        NOT NULL,
  state             TEXT        NOT NULL CHECK (state IN ('PENDING', 'SUBMITTED', 'RUNNING', 'FINISHED', 'FAILED', 'KILLED', 'LOST')),
  template_sha256   TEXT        NOT NULL,
  job_path          TEXT        NOT NULL,
  app_name          TEXT        NOT NULL,
  single            BOOLEAN     NOT NULL DEFAULT false,
  submission_id     TEXT,
  application_id    TEXT,
  ui_url            TEXT,
  created_at        TIMESTAMPTZ NOT NULL DEFAULT now(),
  started_at        TIMESTAMPTZ,
  heartbeat_at      TIMESTAMPTZ,
  stop_requested_at TIMESTAMPTZ,
  ended_at          TIMESTAMPTZ,
  error             TEXT
);

-- A streaming job has at most one live run.
CREATE UNIQUE INDEX job_runs_one_live ON crypto.job_runs (job) WHERE single AND state IN ('PENDING', 'SUBMITTED', 'RUNNING');

-- One row per committed attempt of a micro-batch; offsets is {"<partition>": [from, until)} of the topic.
CREATE TABLE crypto.batches (
  id                BIGINT      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run_id            TEXT        NOT NULL,
  query             TEXT        NOT NULL CHECK (query IN ('hot', 'lake')),
  generation        TEXT        NOT NULL,
  batch_id          BIGINT      NOT NULL,
  topic             TEXT        NOT NULL,
  offsets           JSONB       NOT NULL,
  counted           BIGINT      NOT NULL,
  repeated          BIGINT      NOT NULL,
  conflicted        BIGINT      NOT NULL,
  rejected          BIGINT      NOT NULL,
  newest_event_time TIMESTAMPTZ,
  committed_at      TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);

-- Ids that are missing inside the coverage; both ends belong to the hole.
CREATE VIEW crypto.holes AS
SELECT
  source,
  symbol,
  first_id,
  next_covered_id - 1 AS last_id
FROM (
  SELECT
    source,
    symbol,
    upper(covered)                                                               AS first_id,
    lead(lower(covered)) OVER (PARTITION BY source, symbol ORDER BY covered)     AS next_covered_id
  FROM crypto.coverage, unnest(ids) AS covered
) AS gaps
WHERE next_covered_id IS NOT NULL;

-- How new the data of each symbol are.
CREATE VIEW crypto.freshness AS
SELECT
  coverage.source,
  coverage.symbol,
  newest.event_timestamp    AS newest_trade_time,
  final.window_start        AS newest_final_window_start,
  coalesce(missing.holes, 0) AS holes,
  coalesce(missing.ids, 0)   AS missing_ids
FROM crypto.coverage
LEFT JOIN LATERAL (
  SELECT trade.event_timestamp
  FROM crypto.crypto_prices_clean AS trade
  WHERE trade.source = coverage.source
    AND trade.symbol = coverage.symbol
    AND trade.agg_trade_id = upper(coverage.ids) - 1
  LIMIT 1
) AS newest ON true
LEFT JOIN LATERAL (
  SELECT bar.window_start
  FROM crypto.crypto_prices_agg_1min AS bar
  WHERE bar.source = coverage.source
    AND bar.symbol = coverage.symbol
    AND bar.finalized_at IS NOT NULL
  ORDER BY bar.window_start DESC
  LIMIT 1
) AS final ON true
LEFT JOIN LATERAL (
  SELECT count(*) AS holes, sum(hole.last_id - hole.first_id + 1) AS ids
  FROM crypto.holes AS hole
  WHERE hole.source = coverage.source
    AND hole.symbol = coverage.symbol
) AS missing ON true;

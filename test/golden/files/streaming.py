# Rendered by cryptopipe from templates/streaming.py.hbs; edit the template, not this file.
"""CryptoStreamingJob: the ticks of a Kafka topic into PostgreSQL (hot query) and into the lake on HDFS (lake query).

Input    the topic's messages, one JSON object each; from the earliest offset on a new checkpoint.
Output   hot: trades, bars, coverage and one row of crypto.batches, in one PostgreSQL transaction a batch.
         lake: raw/, clean/ and rejected/ Parquet, one leaf folder a batch.
Rerun    any batch may run again, with this checkpoint or a new one, beside a second driver too: a trade counts only if
         its id is not covered yet, and a batch of the lake replaces exactly its own leaf.

The password of PostgreSQL comes from POSTGRES_PASSWORD or the file that POSTGRES_PASSWORD_FILE names, on the worker.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psycopg
from psycopg.types.json import Jsonb
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

T = TypeVar("T")

POSTGRES = {
    "host": "localhost",
    "port": 5432,
    "dbname": "crypto",
    "user": "crypto",
}


def read_password() -> str:
    """The password of PostgreSQL, from the worker's environment or from a file named there."""
    file_name = os.environ.get("POSTGRES_PASSWORD_FILE")
    if file_name:
        return Path(file_name).read_text(encoding="utf-8").rstrip("\r\n")
    if "POSTGRES_PASSWORD" in os.environ:
        return os.environ["POSTGRES_PASSWORD"]
    raise SystemExit("Neither POSTGRES_PASSWORD_FILE nor POSTGRES_PASSWORD is set for the Spark worker.")


class Warehouse:
    """A connection to PostgreSQL that is made again when it breaks.

    What runs in it must be safe to repeat: a commit whose answer was lost is done a second time.
    """

    TRIES = 6

    def __init__(self, application_name: str) -> None:
        self._application_name = application_name
        self._connection: psycopg.Connection | None = None

    def transact(self, work: Callable[[psycopg.Connection], T]) -> T:
        """The result of `work` in one READ COMMITTED transaction; retries a lost connection for about a minute."""
        for attempt in range(1, self.TRIES + 1):
            try:
                connection = self._connect()
                with connection.transaction():
                    return work(connection)
            except psycopg.errors.QueryCanceled:
                self.close()  # it took too long, and would again
                raise
            except (psycopg.OperationalError, psycopg.errors.DeadlockDetected) as error:
                self.close()
                if attempt == self.TRIES:
                    raise
                print(f"PostgreSQL: {error}; trying again ({attempt} of {self.TRIES})", flush=True)
                time.sleep(min(2**attempt, 20))
        raise AssertionError("unreachable")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                **POSTGRES,
                password=read_password(),
                application_name=self._application_name,
                connect_timeout=10,
                options="-c timezone=UTC -c statement_timeout=120000 -c lock_timeout=60000",
                autocommit=True,
            )
        return self._connection


MAX_STARTS = 5  # within ten minutes; one more is a crash loop

START = """
UPDATE crypto.job_runs
SET submission_id = %(driver)s, heartbeat_at = now(),
    state = CASE state WHEN 'PENDING' THEN 'SUBMITTED' ELSE state END,
    restarts = restarts + (cardinality(starts) > 0)::integer,
    last_error = CASE WHEN cardinality(starts) = 0 OR broke_off THEN last_error ELSE 'it left no word: its process was killed' END,
    broke_off = false,
    starts = (starts || now())[greatest(1, cardinality(starts) - 8):]
WHERE run_id = %(run_id)s AND state IN ('PENDING', 'SUBMITTED', 'RUNNING')
  AND (submission_id IS NULL OR submission_id = %(driver)s OR supervise
       AND (submission_id < %(driver)s COLLATE "C" OR heartbeat_at < now() - INTERVAL '30 seconds'))
RETURNING restarts, supervise, last_error,
  (SELECT count(*) FROM unnest(starts) AS start WHERE start > now() - INTERVAL '10 minutes') AS recent
"""
REGISTER = """
UPDATE crypto.job_runs
SET state = 'RUNNING', application_id = %(application)s, ui_url = %(ui_url)s, started_at = coalesce(started_at, now()),
    heartbeat_at = now()
WHERE run_id = %(run_id)s AND restarts = %(restarts)s AND state IN ('SUBMITTED', 'RUNNING')
"""
HEARTBEAT = """
UPDATE crypto.job_runs SET heartbeat_at = now()
WHERE run_id = %(run_id)s AND restarts = %(restarts)s AND state IN ('SUBMITTED', 'RUNNING')
RETURNING stop_requested_at IS NOT NULL
"""
WHOSE = "SELECT state, supervise, submission_id, restarts FROM crypto.job_runs WHERE run_id = %(run_id)s"
END = """
UPDATE crypto.job_runs SET state = %(state)s, error = %(error)s, ended_at = now()
WHERE run_id = %(run_id)s AND restarts = %(restarts)s AND state IN ('SUBMITTED', 'RUNNING')
"""
BROKE_OFF = """
UPDATE crypto.job_runs SET last_error = %(error)s, broke_off = true
WHERE run_id = %(run_id)s AND restarts = %(restarts)s AND state IN ('SUBMITTED', 'RUNNING')
"""
PROGRESS = "UPDATE crypto.job_runs SET progress = %(json)s WHERE run_id = %(run_id)s AND restarts = %(restarts)s"
RESULT = "UPDATE crypto.job_runs SET result = %(json)s WHERE run_id = %(run_id)s AND restarts = %(restarts)s"


class DataError(RuntimeError):
    """The data are not as they should be: the run ends FAILED with this message, and without a traceback."""


class StoppedOnRequest(RuntimeError):
    """A stop was asked for before the work was done."""


class GivenUp(RuntimeError):
    """The row of this run belongs to nobody any more, or to a newer process: this one has to end, and writes nothing."""


class Run:
    """One run of this job, as the book of runs knows it.

    A supervised run may be started many times, and an older process may still live on a worker that Spark has lost sight
    of. `restarts` tells them apart: a process writes only while it is the newest.
    """

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.is_supervised = False
        self.stop_wanted = threading.Event()
        self.lost: Exception | None = None
        self.on_stop: Callable[[], None] = lambda: None
        self._restarts = 0
        self._is_over = threading.Event()
        self._control = Warehouse("cryptopipe control")
        self._heart = Warehouse("cryptopipe heart")  # a connection of its own: it beats beside the work

    def start(self) -> None:
        """Takes the run for this process. Raises GivenUp where it has ended or a newer driver has it, DataError in a crash loop."""
        driver = Path.cwd().name
        if not driver.startswith("driver-"):
            raise SystemExit("This job runs on a cluster: submit it with `cryptopipe submit`.")
        row = self._execute(START, {"driver": driver}).fetchone()
        if row is None:
            raise self._given_up(self._control)
        self._restarts, self.is_supervised, last_error, recent = row
        if recent > MAX_STARTS:
            raise DataError(
                f"crash loop: started {recent} times within 10 minutes; last error: {last_error}"
            )
        threading.Thread(target=self._beat, daemon=True).start()

    def register(self, session: SparkSession) -> None:
        """Tells the book of runs which application this run has become."""
        context = session.sparkContext
        if context.master.startswith("local"):
            raise DataError("the master is local: this job runs on a cluster, submit it with `cryptopipe submit`")
        values = {"application": context.applicationId, "ui_url": context.uiWebUrl}
        if self._execute(REGISTER, values).rowcount != 1:
            raise self._given_up(self._control)

    def check(self) -> None:
        """Call it between two steps. Raises where the run was given up or a stop was asked for."""
        if self.lost is not None:
            raise self.lost
        if self.stop_wanted.is_set():
            raise StoppedOnRequest(self.run_id)

    def report(self, progress: dict) -> None:
        """How far the work is, as JSON; for `cryptopipe runs show`."""
        self._execute(PROGRESS, {"json": Jsonb(progress)})

    def result(self, result: dict) -> None:
        """What the work found, as JSON; for `cryptopipe submit --wait` and `runs show`."""
        self._execute(RESULT, {"json": Jsonb(result)})

    def end(self, state: str, error: str | None = None) -> None:
        self._is_over.set()
        self._execute(END, {"state": state, "error": error and error[:4000]})

    def break_off(self, error: str) -> None:
        """Writes down what this process dies of; how the run ends, or that it goes on in a next one, Spark's driver says."""
        self._is_over.set()
        self._execute(BROKE_OFF, {"error": error[:4000]})

    def _beat(self) -> None:
        """Says each second that the run lives, until its end; calls `on_stop` when a stop is asked for or it was given up."""
        while not self._is_over.wait(timeout=1):
            try:
                is_wanted = self._is_stop_wanted()
            except Exception as error:
                self.lost = error
                self.on_stop()
                self._leave_after(seconds=30)
                return
            if is_wanted and not self.stop_wanted.is_set():
                self.stop_wanted.set()
                self.on_stop()

    def _leave_after(self, seconds: int) -> None:
        """Ends the process where the work does not look up: a newer one may be at the same work."""
        if not self._is_over.wait(timeout=seconds):
            os._exit(0 if isinstance(self.lost, GivenUp) else 1)

    def _is_stop_wanted(self) -> bool:
        row = self._heart.transact(lambda connection: connection.execute(HEARTBEAT, self._key()).fetchone())
        if row is None:
            raise self._given_up(self._heart)
        return row[0]

    def _given_up(self, warehouse: Warehouse) -> Exception:
        row = warehouse.transact(lambda connection: connection.execute(WHOSE, self._key()).fetchone())
        if row is None:
            return RuntimeError(f"crypto.job_runs has no run {self.run_id}: submit this job with `cryptopipe submit`")
        state, self.is_supervised, driver, restarts = row
        if state in ("SUBMITTED", "RUNNING"):
            return GivenUp(f"this run is now that of {driver}, started again {restarts} times")
        return GivenUp(f"this run was given up: crypto.job_runs says {state} of it")

    def _execute(self, statement: str, values: dict) -> psycopg.Cursor:
        return self._control.transact(lambda connection: connection.execute(statement, {**self._key(), **values}))

    def _key(self) -> dict:
        return {"run_id": self.run_id, "restarts": self._restarts}


def is_jvm_gone() -> bool:
    """Whether the JVM that started this process has ended: nobody listens where py4j calls it."""
    try:
        socket.create_connection(("127.0.0.1", int(os.environ["PYSPARK_GATEWAY_PORT"])), timeout=5).close()
        return False
    except OSError:
        return True


def is_spark_gone(session: SparkSession | None) -> bool:
    """Whether the JVM has ended under this process, or is about to: a signal stops the application first."""
    if is_jvm_gone():
        return True
    try:
        return session is not None and session.sparkContext._jsc.sc().isStopped()
    except Exception:
        return True


def end_after_error(run: Run, session: SparkSession | None, error: Exception) -> int:
    """Writes down why the work broke off, then prints it; the exit code of the process.

    In this order: where the JVM has gone nobody reads what is printed, and that raises. Only Spark knows then whether the
    driver was killed or failed: this process leaves its word, and not an end. Spark starts a supervised run again for any
    other exit code than 0, so what would fail again ends with 0.
    """
    cause = run.lost or error
    if isinstance(cause, GivenUp):
        say(str(cause))
        return 0 if run.is_supervised else 1
    if isinstance(cause, StoppedOnRequest):
        run.end("KILLED", "stopped on request")
        say("stopped on request")
        return 0
    if isinstance(cause, DataError):
        run.end("FAILED", str(cause))
        say(f"DataError: {cause}")
        return 0 if run.is_supervised else 1
    why = "the driver's JVM ended under it: killed, or out of memory" if is_jvm_gone() else f"{type(cause).__name__}: {cause}"
    if is_spark_gone(session) or (run.is_supervised and not run.stop_wanted.is_set()):
        run.break_off(why)
    else:
        run.end("FAILED", why)
    say("".join(traceback.format_exception(cause)))
    return 1


def say(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, flush=True)


def run_job(work: Callable[[SparkSession, Run], None], stops_itself: bool = False) -> int:
    """Runs `work(session, run)` and writes down how it ends; the exit code of the process.

    0: done, or stopped on request · 1: failed, the reason is in crypto.job_runs. When a stop is asked for, Spark's jobs are
    cancelled, so that `work` is left by an error; a job that `stops_itself` looks at `run.stop_wanted` and returns instead.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-id", required=True)
    run = Run(parser.parse_args().run_id)
    session: SparkSession | None = None
    try:
        run.start()
        session = SparkSession.builder.getOrCreate()
        run.register(session)
        if not stops_itself:
            run.on_stop = session.sparkContext.cancelAllJobs
            run.check()
        work(session, run)
        run.end("FINISHED")
        return 0
    except Exception as error:
        is_stopped = run.stop_wanted.is_set() and not stops_itself
        return end_after_error(run, session, StoppedOnRequest(run.run_id) if is_stopped else error)
    finally:
        if session is not None and not is_jvm_gone():
            session.stop()


from pyspark.sql.streaming import StreamingQuery  # noqa: E402

KAFKA_BOOTSTRAP_SERVERS = "localhost:9092"
TOPIC = "crypto_raw"
RAW_PATH = "hdfs://localhost:8020/datalake/raw/crypto"
CLEAN_PATH = "hdfs://localhost:8020/datalake/clean/crypto"
REJECTED_PATH = "hdfs://localhost:8020/datalake/rejected/crypto"
CHECKPOINT_PATH = "hdfs://localhost:8020/checkpoints/streaming"
HOT_INTERVAL_MS = 500
LAKE_INTERVAL_MS = 60000
MAX_OFFSETS_PER_TRIGGER = 200000
MODE = "continuous"

STEPS = {
    "parsed": r"""
-- parsed: every message of the topic, typed, with the reason why it is rejected (NULL: it is a trade).
-- Grain: (topic, partition, offset). Input: view messages (value, topic, partition, offset, timestamp = append time).
-- Rerun: the same messages give the same rows; the only clock is the append time of the message itself.
WITH texts AS (
  SELECT
    topic,
    partition,
    offset,
    timestamp,
    CAST(value AS STRING)                                AS text,
    from_json(
      CAST(value AS STRING),
      'source STRING, symbol STRING, price STRING, quantity STRING, eventTime STRING, aggTradeId STRING, firstTradeId STRING, lastTradeId STRING, buyerIsMaker STRING, broken STRING',
      map('mode', 'PERMISSIVE', 'columnNameOfCorruptRecord', 'broken')
    )                                                    AS message
  FROM messages
),
typed AS (
  SELECT
    topic,
    partition,
    offset,
    timestamp,
    text IS NULL                                         AS is_empty,
    message IS NULL OR message.broken IS NOT NULL OR NOT startswith(ltrim(text), '{') AS is_broken,
    message.source                                       AS source,
    message.symbol                                       AS symbol,
    try_cast(message.aggTradeId AS BIGINT)               AS agg_trade_id,
    try_cast(message.firstTradeId AS BIGINT)             AS first_trade_id,
    try_cast(message.lastTradeId AS BIGINT)              AS last_trade_id,
    try_cast(message.eventTime AS BIGINT)                AS event_time,
    -- A cast rounds silently what has more than 8 decimals; the pattern does not let it through.
    CASE WHEN message.price RLIKE r'\A[0-9]{1,12}([.][0-9]{1,8})?\z'
         THEN try_cast(message.price AS DECIMAL(20, 8)) END     AS price,
    CASE WHEN message.quantity RLIKE r'\A[0-9]{1,12}([.][0-9]{1,8})?\z'
         THEN try_cast(message.quantity AS DECIMAL(20, 8)) END  AS quantity,
    CASE message.buyerIsMaker WHEN 'true' THEN true WHEN 'false' THEN false END AS buyer_is_maker
  FROM texts
),
judged AS (
  SELECT
    *,
    CASE
      WHEN is_empty THEN 'empty message'
      WHEN is_broken THEN 'not a JSON object'
      WHEN source IS NULL OR NOT source RLIKE r'\A[a-z0-9-]{1,40}\z' THEN 'source is missing or not a name'
      WHEN symbol IS NULL OR NOT symbol RLIKE r'\A[\p{L}\p{M}\p{N}._-]{1,50}\z' OR symbol RLIKE r'[a-z]' THEN 'symbol is missing or not a name'
      -- Above 2^53 a number of JSON is exact in some readers and not in others; the exchange's ids are far below.
      WHEN agg_trade_id IS NULL OR agg_trade_id < 0 OR agg_trade_id >= 9007199254740992
        THEN 'aggTradeId is missing or not in 0 to 2^53-1'
      WHEN event_time IS NULL
        OR event_time < 1483228800000
        OR event_time > unix_millis(timestamp) + 86400000
        THEN 'eventTime is missing or not between 2017 and a day after its arrival'
      WHEN first_trade_id IS NULL OR last_trade_id IS NULL THEN 'firstTradeId or lastTradeId is missing'
      WHEN buyer_is_maker IS NULL THEN 'buyerIsMaker is missing or not a boolean'
      WHEN price IS NULL THEN 'price is missing or not a decimal of at most 12 and 8 digits'
      WHEN quantity IS NULL THEN 'quantity is missing or not a decimal of at most 12 and 8 digits'
      -- A ticker's price sample: its one id is the slot of time, in units of the interval that its source names.
      WHEN contains(source, '-ticker-') THEN CASE
        WHEN price = 0 THEN 'price is zero'
        WHEN quantity <> 0 THEN 'a price sample has a quantity'
        WHEN first_trade_id <> agg_trade_id OR last_trade_id <> agg_trade_id THEN 'a price sample has one id'
        WHEN NOT coalesce(
          try_multiply(agg_trade_id, try_cast(regexp_extract(source, '-ticker-([0-9]+)$', 1) AS BIGINT)) = event_time,
          false
        ) THEN 'eventTime of a price sample is not its slot times the interval of its source'
      END
      WHEN first_trade_id = -1 AND last_trade_id = -1 AND price = 0 AND quantity = 0 THEN NULL
      WHEN first_trade_id < 0 OR last_trade_id >= 9007199254740992 THEN 'firstTradeId or lastTradeId is not in 0 to 2^53-1'
      WHEN last_trade_id < first_trade_id THEN 'lastTradeId is below firstTradeId'
      WHEN last_trade_id - first_trade_id >= 1000000 THEN 'spans a million raw trades or more'
      WHEN price = 0 THEN 'price is zero'
      WHEN quantity = 0 THEN 'quantity is zero'
      -- Sums of a batch must fit DECIMAL(38, 16): a million trades of this size do.
      WHEN try_multiply(price, quantity) IS NULL OR try_multiply(price, quantity) >= 1000000000000000
        THEN 'price times quantity is 10^15 or more'
    END                                                  AS reject_reason
  FROM typed
)
SELECT
  topic,
  partition,
  offset,
  timestamp,
  reject_reason,
  -- What is rejected keeps its position and its reason, nothing that could be computed with.
  if(reject_reason IS NULL, source, NULL)                AS source,
  if(reject_reason IS NULL, symbol, NULL)                AS symbol,
  if(reject_reason IS NULL, agg_trade_id, NULL)          AS agg_trade_id,
  if(reject_reason IS NULL, first_trade_id, NULL)        AS first_trade_id,
  if(reject_reason IS NULL, last_trade_id, NULL)         AS last_trade_id,
  if(reject_reason IS NULL, event_time, NULL)            AS event_time,
  if(reject_reason IS NULL, timestamp_millis(event_time), NULL) AS event_timestamp,
  if(reject_reason IS NULL, price, NULL)                 AS price,
  if(reject_reason IS NULL, quantity, NULL)              AS quantity,
  if(reject_reason IS NULL, buyer_is_maker, NULL)        AS buyer_is_maker
FROM judged
""",
    "marked": r"""
-- marked: every parsed message, with whether its trade is a repeat: its id came earlier in this batch, or is covered.
-- Grain: (topic, partition, offset). Input: view parsed. Parameter :covered, a JSON object of
-- "<source>/<symbol>": [{first, last}], both ends covered: what the warehouse named under its lock.
-- Of the same id twice the lowest (partition, offset) wins. Rejected messages pass through with a NULL symbol.
-- Rerun: the same messages and the same coverage give the same rows.
WITH placed AS (
  -- One shuffle serves this step and the bars: by symbol and bucket of ids, so that one busy symbol spreads over the tasks
  -- and an id and its repeats always meet.
  SELECT /*+ REPARTITION(source, symbol, id_bucket) */
    *
  FROM (SELECT *, agg_trade_id DIV 4096 AS id_bucket FROM parsed)
),
ordered AS (
  SELECT
    *,
    row_number() OVER (
      -- The id first: rows are sorted by a number, not by texts that are nearly all the same.
      PARTITION BY agg_trade_id, id_bucket, symbol, source
      ORDER BY partition, offset
    )                                                    AS occurrence
  FROM placed
)
SELECT
  *,
  occurrence > 1
    -- Nearly always nothing is covered: then Spark knows beforehand that there is nothing to look up.
    OR :covered <> '{}' AND exists(
      coalesce(
        try_element_at(
          from_json(:covered, 'MAP<STRING, ARRAY<STRUCT<first: BIGINT, last: BIGINT>>>'),
          concat(source, '/', symbol)
        ),
        array()
      ),
      covered -> agg_trade_id BETWEEN covered.first AND covered.last
    )                                                    AS is_repeat
FROM ordered
""",
    "partial_bars": r"""
-- partial_bars: what one batch adds to the minute bars, to the coverage and to the book of batches.
-- Grain: (kind, source, symbol, id_bucket, window_start, partition). Input: view marked.
-- Kind: counted (trades of a bar) · neutralised (covered, counted as nothing) · repeat (its id came before) · rejected.
-- Only rows of counted trades are bars. Amounts leave as texts, times with a Z, trades as lines of PostgreSQL's COPY.
-- Rerun: the same trades give the same rows; merging several rows of a minute is the warehouse's work.
WITH trades AS (
  SELECT
    *,
    CASE
      WHEN reject_reason IS NOT NULL THEN 'rejected'
      WHEN is_repeat THEN 'repeat'
      WHEN first_trade_id < 0 THEN 'neutralised'
      ELSE 'counted'
    END                                                  AS kind,
    date_trunc('MINUTE', event_timestamp)                AS window_start,
    last_trade_id - first_trade_id + 1                   AS raw_trades,
    price * quantity                                     AS quote_quantity,
    concat_ws(
      '\t',
      source,
      symbol,
      agg_trade_id,
      first_trade_id,
      last_trade_id,
      event_time,
      concat(CAST(event_timestamp AS STRING), 'Z'),
      price,
      quantity,
      buyer_is_maker
    )                                                    AS line
  FROM marked
),
grouped AS (
  SELECT
    kind,
    source,
    symbol,
    window_start,
    partition,
    -- What makes a bar of the trades of a group: the one definition, part of every step that sums trades. Not a step itself.
    min_by(price, agg_trade_id)                          AS open_price,
    max(price)                                           AS high_price,
    min(price)                                           AS low_price,
    max_by(price, agg_trade_id)                          AS close_price,
    sum(quantity)                                        AS volume,
    sum(quote_quantity)                                  AS quote_volume,
    sum(if(buyer_is_maker, 0, quantity))                 AS taker_buy_volume,
    sum(if(buyer_is_maker, 0, quote_quantity))           AS taker_buy_quote_volume,
    sum(raw_trades)                                      AS trade_count,
    sum(if(buyer_is_maker, 0, raw_trades))               AS taker_buy_trade_count,
    min(agg_trade_id)                                    AS first_agg_trade_id,
    max(agg_trade_id)                                    AS last_agg_trade_id,
    min(first_trade_id)                                  AS first_trade_id,
    max(last_trade_id)                                   AS last_trade_id,
    count(*)                                             AS messages,
    max(event_time)                                      AS newest_event_time,
    min(offset)                                          AS first_offset,
    max(offset)                                          AS last_offset,
    -- Unique ids without a gap are one run: only what has gaps is looked at id by id.
    kind IN ('counted', 'neutralised')
      AND max(agg_trade_id) - min(agg_trade_id) + 1 = count(*) AS is_one_run,
    sort_array(collect_list(agg_trade_id))               AS ids,
    array_join(collect_list(line), '\n')                 AS lines
  FROM trades
  GROUP BY kind, source, symbol, id_bucket, window_start, partition
)
SELECT
  kind,
  source,
  symbol,
  concat(CAST(window_start AS STRING), 'Z')              AS window_start,
  partition,
  CAST(open_price AS STRING)                             AS open_price,
  CAST(high_price AS STRING)                             AS high_price,
  CAST(low_price AS STRING)                              AS low_price,
  CAST(close_price AS STRING)                            AS close_price,
  CAST(volume AS STRING)                                 AS volume,
  CAST(quote_volume AS STRING)                           AS quote_volume,
  CAST(taker_buy_volume AS STRING)                       AS taker_buy_volume,
  CAST(taker_buy_quote_volume AS STRING)                 AS taker_buy_quote_volume,
  trade_count,
  taker_buy_trade_count,
  first_agg_trade_id,
  last_agg_trade_id,
  first_trade_id,
  last_trade_id,
  messages,
  newest_event_time,
  first_offset,
  last_offset,
  -- Runs of consecutive ids: where one begins and where it ends.
  if(is_one_run, array(first_agg_trade_id), filter(ids, (id, i) -> get(ids, i - 1) IS DISTINCT FROM id - 1)) AS run_starts,
  if(is_one_run, array(last_agg_trade_id), filter(ids, (id, i) -> get(ids, i + 1) IS DISTINCT FROM id + 1))  AS run_ends,
  if(kind = 'rejected', '', lines)                       AS lines
FROM grouped
""",
}


def run_step(session: SparkSession, name: str, args: dict[str, str] | None = None, **views: DataFrame) -> DataFrame:
    """The result of one SQL step over the given views."""
    for view_name, frame in views.items():
        frame.createOrReplaceTempView(view_name)
    return session.sql(STEPS[name], args=args)


class StoppedAtBoundary(RuntimeError):
    """Keeps a batch that was planned after the stop from being taken for done."""


@dataclass
class Stream:
    """The two queries of a run, and their connections."""

    run: Run
    queries: dict[str, StreamingQuery] = field(default_factory=dict)
    boundaries: dict[str, threading.Lock] = field(default_factory=dict)
    is_stopping: bool = False
    hot_warehouse: Warehouse = field(default_factory=lambda: Warehouse("cryptopipe hot"))
    lake_warehouse: Warehouse = field(default_factory=lambda: Warehouse("cryptopipe lake"))

    def generation(self, query: str) -> str:
        """The checkpoint's own id of a query: it changes exactly when a new checkpoint begins."""
        return self.queries[query].id

    def batch_key(self, query: str, batch_id: int) -> dict[str, str | int]:
        key = {"query": query, "generation": self.generation(query), "batch_id": batch_id, "topic": TOPIC}
        return {"run_id": self.run.run_id, **key}


def start_query(session: SparkSession, stream: Stream, name: str, write: Callable[[Stream, DataFrame, int], None], limits: dict) -> None:
    """Starts one of the two queries, in its own scheduler pool, with its own checkpoint."""
    boundary = stream.boundaries[name] = threading.Lock()
    is_known = threading.Event()

    def write_batch(batch: DataFrame, batch_id: int) -> None:
        is_known.wait(timeout=60)  # the first batch may be faster than start() returns
        with boundary:
            if stream.is_stopping:
                raise StoppedAtBoundary(name)
            write(stream, batch, batch_id)

    session.sparkContext.setLocalProperty("spark.scheduler.pool", name)
    messages = (
        session.readStream.format("kafka")
        .option("kafka.bootstrap.servers", KAFKA_BOOTSTRAP_SERVERS)
        .option("subscribe", TOPIC)
        .option("startingOffsets", "earliest")
        .option("failOnDataLoss", "true")
        .option("maxOffsetsPerTrigger", limits["offsets"])
        .option("maxRecordsPerPartition", 50_000)
        .load()
    )
    trigger = {"availableNow": True} if MODE == "available-now" else {"processingTime": f"{limits['interval_ms']} milliseconds"}
    stream.queries[name] = (
        messages.writeStream.queryName(name)
        .option("checkpointLocation", f"{CHECKPOINT_PATH}/{name}")
        .foreachBatch(write_batch)
        .trigger(**trigger)
        .start()
    )
    is_known.set()


def lag_of(stream: Stream) -> dict[str, dict[str, int]]:
    """How far each query was behind the end of the topic at its last batch: messages of the partition that is furthest.

    Named so by Spark's Kafka source (KafkaMicroBatchStream.metrics).
    """
    last = {name: query.lastProgress for name, query in stream.queries.items()}
    return {
        name: {"behind": int(progress.sources[0].metrics.get("maxOffsetsBehindLatest", 0))}
        for name, progress in last.items()
        if progress is not None and progress.sources
    }


def follow(stream: Stream) -> None:
    """Waits until a stop is asked for, or one query fails, or (available-now) all is worked off.

    A query that ends by itself ends the run: a stream that still writes the lake and no longer counts is not alive.
    """
    reported: dict[str, dict[str, int]] = {}
    while any(query.isActive for query in stream.queries.values()):
        raise_failure(stream)
        if (lag := lag_of(stream)) != reported:
            stream.run.report(lag)
            reported = lag
        if MODE == "continuous" and not all(query.isActive for query in stream.queries.values()):
            raise RuntimeError("one of the two queries ended by itself")
        if stream.run.lost is not None:
            raise stream.run.lost
        if stream.run.stop_wanted.wait(timeout=1):
            stop_at_boundary(stream)
            return
    raise_failure(stream)


def raise_failure(stream: Stream) -> None:
    for query in stream.queries.values():
        failure = query.exception()
        if failure is not None:
            raise failure


def stop_at_boundary(stream: Stream) -> None:
    """Ends both queries between two batches: what has begun is committed, nothing new begins."""
    print("stop asked for: ending at the next batch boundary", flush=True)
    for boundary in stream.boundaries.values():
        # Whoever holds it is inside a batch; whoever takes it afterwards finds that it is too late and gives up.
        with boundary:
            stream.is_stopping = True
    for query in stream.queries.values():
        query.stop()


TRADE_COLUMNS = (
    "source, symbol, agg_trade_id, first_trade_id, last_trade_id, "
    "event_time, event_timestamp, price, quantity, buyer_is_maker"
)
BAR_FIELDS = (
    "source", "symbol", "window_start", "open_price", "high_price", "low_price", "close_price",
    "volume", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume", "trade_count", "taker_buy_trade_count",
    "first_agg_trade_id", "last_agg_trade_id", "first_trade_id", "last_trade_id",
)  # fmt: skip
MAKE_AGAIN = """
CREATE TEMPORARY TABLE IF NOT EXISTS again (LIKE crypto.crypto_prices_clean) ON COMMIT DELETE ROWS
"""
STORE_DIFFERING = f"""
WITH differing AS (
  SELECT again.*
  FROM again
  JOIN crypto.crypto_prices_clean AS counted USING (source, symbol, agg_trade_id)
  WHERE (again.first_trade_id, again.last_trade_id, again.event_time, again.price, again.quantity, again.buyer_is_maker)
    <> (counted.first_trade_id, counted.last_trade_id, counted.event_time, counted.price, counted.quantity, counted.buyer_is_maker)
),
stored AS (
  INSERT INTO crypto.conflicts ({TRADE_COLUMNS.replace("event_timestamp, ", "")}, reason)
  SELECT DISTINCT {TRADE_COLUMNS.replace("event_timestamp, ", "")}, 'other content' FROM differing
  ON CONFLICT DO NOTHING
)
SELECT count(*) FROM differing
"""
STORE_REFUSED = f"""
INSERT INTO crypto.conflicts ({TRADE_COLUMNS.replace("event_timestamp, ", "")}, reason)
SELECT DISTINCT {TRADE_COLUMNS.replace("event_timestamp, ", "")}, 'final minute' FROM again
ON CONFLICT DO NOTHING
"""
INSERT_BATCH = """
INSERT INTO crypto.batches (
  run_id, query, generation, batch_id, topic, offsets, counted, repeated, conflicted, rejected, newest_event_time
) VALUES (
  %(run_id)s, %(query)s, %(generation)s, %(batch_id)s, %(topic)s, %(offsets)s,
  %(counted)s, %(repeated)s, %(conflicted)s, %(rejected)s, to_timestamp(%(newest_event_time)s::BIGINT / 1000.0)
)
"""

ENSURE_DAYS = "SELECT crypto.ensure_day(day::DATE) FROM unnest(%s::TEXT[]) AS day"

NEW = ("counted", "neutralised")
DAYS_AT_ONCE = 100

Symbol = tuple[str, str]  # source and symbol
Covered = dict[str, list[dict[str, int]]]  # "<source>/<symbol>": ranges of ids, both ends covered


def partial_bars_of(batch: DataFrame, covered: Covered) -> list[Row]:
    """What a batch adds, as spark-sql/partial_bars states it, without the ids that are covered already."""
    session = batch.sparkSession
    parsed = run_step(session, "parsed", messages=batch)
    marked = run_step(session, "marked", {"covered": json.dumps(covered)}, parsed=parsed)
    return run_step(session, "partial_bars", marked=marked).collect()


def multirange(rows: Iterable[Row]) -> str:
    """The new ids of some rows as the text of an INT8MULTIRANGE."""
    runs = [f"[{first},{last}]" for row in rows for first, last in zip(row.run_starts, row.run_ends, strict=True)]
    return "{" + ",".join(runs) + "}"


def new_ids_of(rows: list[Row]) -> list[dict]:
    """Per symbol the ids that would be counted, for crypto.lock_coverage and crypto.cover."""
    by_symbol: dict[Symbol, list[Row]] = {}
    for row in rows:
        if row.kind in NEW:
            by_symbol.setdefault((row.source, row.symbol), []).append(row)
    return [
        {"source": source, "symbol": symbol, "ids": multirange(theirs)}
        for (source, symbol), theirs in sorted(by_symbol.items())
    ]


def lock_coverage(connection: psycopg.Connection, wanted: list[dict]) -> Covered:
    """Locks the symbols until the transaction ends; returns which of the wanted ids are covered already."""
    found = connection.execute("SELECT source, symbol, ids FROM crypto.lock_coverage(%s)", [Jsonb(wanted)])
    return {
        # PostgreSQL keeps whole-number ranges as [first, after).
        f"{source}/{symbol}": [{"first": covered.lower, "last": covered.upper - 1} for covered in ids]
        for source, symbol, ids in found
    }


def bars_of(rows: list[Row]) -> list[dict]:
    return [{name: row[name] for name in BAR_FIELDS} for row in rows if row.kind == "counted"]


def without_final_minutes(connection: psycopg.Connection, rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Splits off the rows that would change a final bar: they contradict what was proven and must not stop the stream."""
    found = connection.execute("SELECT source, symbol, window_start FROM crypto.final_minutes(%s)", [Jsonb(bars_of(rows))])
    final = set(found.fetchall())
    refused = [row for row in rows if row.kind == "counted" and (row.source, row.symbol, row.window_start) in final]
    return [row for row in rows if row not in refused] if refused else rows, refused


def copy_lines(connection: psycopg.Connection, table: str, rows: Iterable[Row]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({TRADE_COLUMNS}) FROM STDIN") as copy:
        for row in rows:
            copy.write(row.lines + "\n")


def messages_of(rows: Iterable[Row], *kinds: str) -> int:
    return sum(row.messages for row in rows if row.kind in kinds)


def store_conflicts(connection: psycopg.Connection, rows: list[Row], refused: list[Row]) -> int:
    """Stores what contradicts the counted trades; returns how many messages did."""
    repeats = [row for row in rows if row.kind == "repeat"]
    if not refused and not repeats:
        return 0
    connection.execute(MAKE_AGAIN)
    copy_lines(connection, "again", repeats)
    connection.execute("ANALYZE again")
    (differing,) = connection.execute(STORE_DIFFERING).fetchone()
    connection.execute("DELETE FROM again")
    copy_lines(connection, "again", refused)
    connection.execute(STORE_REFUSED)
    return differing + messages_of(refused, "counted")


def count_trades(
    connection: psycopg.Connection, rows: list[Row], recompute: Callable[[Covered], list[Row]]
) -> dict[str, int]:
    """The counting rule on one batch, inside a transaction; returns what the book of batches wants to know."""
    covered = lock_coverage(connection, new_ids_of(rows))
    if covered:
        rows = recompute(covered)
    kept, refused = without_final_minutes(connection, rows)
    new = [row for row in kept if row.kind in NEW]
    connection.execute(ENSURE_DAYS, [sorted({row.window_start[:10] for row in new})])
    copy_lines(connection, "crypto.crypto_prices_clean", new)
    conflicted = store_conflicts(connection, rows, refused)
    wanted = Jsonb(new_ids_of(kept))
    connection.execute("SELECT crypto.merge_bars(%s)", [Jsonb(bars_of(kept))])
    connection.execute("SELECT crypto.cover(%s)", [wanted])
    connection.execute("SELECT crypto.finalize_bars(%s)", [wanted])
    return {
        "counted": messages_of(kept, *NEW),
        "repeated": messages_of(rows, "repeat"),
        "conflicted": conflicted,
        "rejected": messages_of(rows, "rejected"),
    }


def offsets_of(rows: Iterable[Row]) -> dict[str, list[int]]:
    """Which offsets a batch holds: per partition the first and the one after the last."""
    offsets: dict[str, list[int]] = {}
    for row in rows:
        known = offsets.setdefault(str(row.partition), [row.first_offset, row.last_offset + 1])
        known[:] = [min(known[0], row.first_offset), max(known[1], row.last_offset + 1)]
    return offsets


def make_many_days(stream: Stream, rows: list[Row]) -> None:
    """Makes the partitions of a batch that spreads over many days ahead of it, some at a time.

    PostgreSQL has a few thousand locks for all; each new partition takes several until its transaction ends.
    """
    days = sorted({row.window_start[:10] for row in rows if row.kind in NEW})
    if len(days) <= DAYS_AT_ONCE:
        return
    for first in range(0, len(days), DAYS_AT_ONCE):
        stream.hot_warehouse.transact(
            lambda connection, some=days[first : first + DAYS_AT_ONCE]: connection.execute(ENSURE_DAYS, [some])
        )


def write_hot(stream: Stream, batch: DataFrame, batch_id: int) -> None:
    """One micro-batch into PostgreSQL, in one transaction; safe to run twice (the coverage decides)."""
    rows = partial_bars_of(batch, {})
    newest = max((row.newest_event_time for row in rows if row.newest_event_time is not None), default=None)

    make_many_days(stream, rows)

    def work(connection: psycopg.Connection) -> None:
        counts = count_trades(connection, rows, lambda covered: partial_bars_of(batch, covered))
        entry = {"offsets": Jsonb(offsets_of(rows)), "newest_event_time": newest, **stream.batch_key("hot", batch_id)}
        connection.execute(INSERT_BATCH, entry | counts)

    stream.hot_warehouse.transact(work)


def write_leaf(frame: DataFrame, path: str) -> None:
    """Replaces exactly the leaves that the frame has rows for: dt and hr by append time, batch by generation and id."""
    (
        frame.coalesce(1)
        .write.mode("overwrite")
        .option("partitionOverwriteMode", "dynamic")
        .partitionBy("dt", "hr", "batch")
        .parquet(path)
    )


def with_leaf(frame: DataFrame, leaf: str) -> DataFrame:
    return frame.withColumns(
        {
            "dt": F.date_format("timestamp", "yyyy-MM-dd"),
            "hr": F.date_format("timestamp", "HH"),
            "batch": F.lit(leaf),
        }
    )


def write_lake(stream: Stream, batch: DataFrame, batch_id: int) -> None:
    """One micro-batch into the lake; a re-run replaces its own leaves and nothing else."""
    leaf = f"{stream.generation('lake')}-{batch_id}"
    messages = with_leaf(batch.drop("timestampType"), leaf).persist()
    try:
        parsed = with_leaf(run_step(batch.sparkSession, "parsed", messages=messages), leaf)
        clean = parsed.where("reject_reason IS NULL").drop("reject_reason")
        rejected = messages.join(
            parsed.where("reject_reason IS NOT NULL").select("partition", "offset", "reject_reason"),
            on=["partition", "offset"],  # unique: one topic
            how="inner",
        )
        write_leaf(messages, RAW_PATH)
        write_leaf(clean, CLEAN_PATH)
        write_leaf(rejected, REJECTED_PATH)
        book_lake(stream, parsed, batch_id)
    finally:
        messages.unpersist()


def book_lake(stream: Stream, parsed: DataFrame, batch_id: int) -> None:
    """The row of the book of batches: which offsets are now in the lake."""
    per_partition = (
        parsed.groupBy("partition")
        .agg(
            F.min("offset").alias("first_offset"),
            F.max("offset").alias("last_offset"),
            F.count_if(F.col("reject_reason").isNull()).alias("counted"),
            F.count_if(F.col("reject_reason").isNotNull()).alias("rejected"),
            F.max(F.when(F.col("reject_reason").isNull(), F.col("event_time"))).alias("newest_event_time"),
        )
        .collect()
    )
    entry = {
        "offsets": Jsonb(offsets_of(per_partition)),
        "newest_event_time": max((r.newest_event_time for r in per_partition if r.newest_event_time), default=None),
        "counted": sum(r.counted for r in per_partition),
        "rejected": sum(r.rejected for r in per_partition),
        "repeated": 0,
        "conflicted": 0,
        **stream.batch_key("lake", batch_id),
    }
    stream.lake_warehouse.transact(lambda connection: connection.execute(INSERT_BATCH, entry))


def work(session: SparkSession, run: Run) -> None:
    """Both queries until they are stopped, or (available-now) until the topic is worked off."""
    stream = Stream(run)
    start_query(session, stream, "hot", write_hot, {"offsets": MAX_OFFSETS_PER_TRIGGER, "interval_ms": HOT_INTERVAL_MS})
    start_query(session, stream, "lake", write_lake, {"offsets": 500_000, "interval_ms": LAKE_INTERVAL_MS})
    follow(stream)


if __name__ == "__main__":
    sys.exit(run_job(work, stops_itself=True))

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
import itertools
import json
import math
import os
import random
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


def backoff(attempt: int) -> float:
    """Seconds to wait after failure `attempt` (from 0): doubling from a quarter second to 15 s, the upper half of it random."""
    full = min(15.0, 0.25 * 2 ** min(attempt, 20))
    return full / 2 + random.random() * full / 2


def one_line(error: object) -> str:
    """The first line of an error's text that has any, at most 300 characters."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]


@dataclass(frozen=True)
class Outage:
    since: float  # seconds since the epoch
    reason: str  # of the first failure


class Outages:
    """The systems that do not answer; one line where an outage begins and one where it ends, however many tries fail.

    `waiter` is who waits: an outage of a system lasts until each of its waiters has been answered.
    """

    IS_OUTAGE_AFTER = 2.0  # seconds: a failure that passes sooner is none

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: dict[tuple[str, str], Outage] = {}
        self._open: dict[str, float] = {}

    def failed(self, system: str, reason: object, waiter: str, next_try_in: float) -> None:
        with self._lock:
            first = self._first.setdefault((system, waiter), Outage(time.time(), one_line(reason)))
            if system not in self._open and time.time() + next_try_in - first.since >= self.IS_OUTAGE_AFTER:
                self._open[system] = first.since
                say(f"{system} does not answer, waiting: {first.reason}")

    def answered(self, system: str, waiter: str) -> None:
        with self._lock:
            if self._leave(system, waiter):
                say(f"{system} answers again after {time.time() - self._open.pop(system):.0f} s")

    def gave_up(self, system: str, waiter: str) -> None:
        with self._lock:
            if self._leave(system, waiter):
                del self._open[system]

    def _leave(self, system: str, waiter: str) -> bool:
        """True where nobody waits any more for a system whose outage was told."""
        if self._first.pop((system, waiter), None) is None:
            return False
        return system in self._open and not any(other == system for other, _ in self._first)

    def all_answered(self, waiter: str) -> None:
        with self._lock:
            systems = [system for system, who in self._first if who == waiter]
        for system in systems:
            self.answered(system, waiter)

    def of(self, waiter: str) -> Outage | None:
        """What somebody has waited for longest."""
        with self._lock:
            return min((o for (_, who), o in self._first.items() if who == waiter), key=lambda o: o.since, default=None)


outages = Outages()


def read_password() -> str:
    """The password of PostgreSQL, from the worker's environment or from a file named there."""
    file_name = os.environ.get("POSTGRES_PASSWORD_FILE")
    if file_name:
        return Path(file_name).read_text(encoding="utf-8").rstrip("\r\n")
    if "POSTGRES_PASSWORD" in os.environ:
        return os.environ["POSTGRES_PASSWORD"]
    raise SystemExit("Neither POSTGRES_PASSWORD_FILE nor POSTGRES_PASSWORD is set for the Spark worker.")


# https://www.postgresql.org/docs/current/errcodes-appendix.html: connection, transaction rollback (deadlock, serialization),
# resources (disk, memory, connections), operator intervention (shutdown, crash, starting up).
PASSING_CLASSES = ("08", "40", "53", "57")
# Read-only (the server behind this address has become a standby), lock_timeout, idle_in_transaction_session_timeout.
PASSING_STATES = ("25006", "55P03", "25P03")
CANCELED = "57014"


def is_passing(error: psycopg.Error, is_connected: bool) -> bool:
    """Whether the same statement may succeed later, by SQLSTATE; a connection that failed or broke has none."""
    if error.sqlstate is None:
        return not is_connected
    return error.sqlstate != CANCELED and (error.sqlstate[:2] in PASSING_CLASSES or error.sqlstate in PASSING_STATES)


class Warehouse:
    """A connection to PostgreSQL that is made again when it breaks.

    What runs in it must be safe to repeat: a commit whose answer was lost is done a second time.
    """

    CANCELED_TRIES = 3  # a server that stood still cancels what it was asked before; what is too slow is canceled each time
    ORPHAN_PATIENCE = 60.0  # seconds, where the JVM that wants the result has ended

    def __init__(self, application_name: str, patience: float = 600.0) -> None:
        """`patience`: seconds from the first failure on until one is raised; infinite in a stream."""
        self._application_name = application_name
        self._patience = patience
        self._connection: psycopg.Connection | None = None

    def transact(self, work: Callable[[psycopg.Connection], T], patience: float | None = None) -> T:
        """The result of `work` in one READ COMMITTED transaction; waits while PostgreSQL cannot do it and later may."""
        limit = self._patience if patience is None else patience
        began = time.monotonic()
        for attempt in itertools.count():
            try:
                connection = self._connect()
                with connection.transaction():
                    result = work(connection)
                outages.answered("PostgreSQL", self._application_name)
                return result
            except psycopg.Error as error:
                is_connected = self._connection is not None and not self._connection.closed
                is_canceled = error.sqlstate == CANCELED and attempt + 1 < self.CANCELED_TRIES
                self.close()
                if not is_canceled and not is_passing(error, is_connected):
                    outages.answered("PostgreSQL", self._application_name)
                    raise
                pause = backoff(attempt)
                left = limit if limit <= self.ORPHAN_PATIENCE or not is_jvm_gone() else self.ORPHAN_PATIENCE
                if time.monotonic() + pause - began > left:
                    outages.gave_up("PostgreSQL", self._application_name)
                    raise
                outages.failed("PostgreSQL", error, self._application_name, pause)
                time.sleep(pause)
        raise AssertionError("unreachable")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = None
            self._connection = psycopg.connect(
                **POSTGRES,
                password=read_password(),
                application_name=self._application_name,
                connect_timeout=10,
                # A server that has vanished from the network is noticed within half a minute; one that works is waited for.
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=4,
                tcp_user_timeout=30_000,
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

    def __init__(self, run_id: str, patience: float) -> None:
        """`patience`: seconds that a call waits for PostgreSQL."""
        self.run_id = run_id
        self.is_supervised = False
        self.stop_wanted = threading.Event()
        self.lost: Exception | None = None
        self.on_stop: Callable[[], None] = lambda: None
        self._restarts = 0
        self._is_over = threading.Event()
        self._control = Warehouse("cryptopipe control", patience)
        self._heart = Warehouse("cryptopipe heart", patience)  # a connection of its own: it beats beside the work

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

    def report(self, progress: dict) -> bool:
        """How far the work is, as JSON; for `cryptopipe runs show`. False where PostgreSQL does not answer: no work waits for it."""
        try:
            self._execute(PROGRESS, {"json": Jsonb(progress)}, patience=0)
            return True
        except psycopg.Error as error:
            if not is_passing(error, is_connected=False):
                raise
            return False

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

    def _execute(self, statement: str, values: dict, patience: float | None = None) -> psycopg.Cursor:
        return self._control.transact(lambda connection: connection.execute(statement, {**self._key(), **values}), patience)

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


def run_job(work: Callable[[SparkSession, Run], None], stops_itself: bool = False, patience: float = 600.0) -> int:
    """Runs `work(session, run)` and writes down how it ends; the exit code of the process.

    0: done, or stopped on request · 1: failed, the reason is in crypto.job_runs. When a stop is asked for, Spark's jobs are
    cancelled, so that `work` is left by an error; a job that `stops_itself` looks at `run.stop_wanted` and returns instead.
    `patience`: seconds that the run's own calls wait for PostgreSQL; infinite in a stream.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-id", required=True)
    run = Run(parser.parse_args().run_id, patience)
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


import shutil  # noqa: E402
import tempfile  # noqa: E402
import uuid  # noqa: E402
from datetime import datetime, timedelta, timezone  # noqa: E402

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
      'source STRING, symbol STRING, price STRING, quantity STRING, eventTime STRING, aggTradeId STRING, firstTradeId STRING, lastTradeId STRING, buyerIsMaker STRING, unreadable STRING, broken STRING',
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
    message.unreadable                                   AS unreadable,
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
      -- A row of the exchange that the producer could not read: it sends the row's text with the reason, and no amounts.
      WHEN unreadable IS NOT NULL THEN concat('the exchange gave no trade: ', left(unreadable, 400))
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


@dataclass(frozen=True)
class Place:
    """Where a query starts: its checkpoint, and what Spark's option startingOffsets says where that is new."""

    checkpoint: str
    starting_offsets: str = "earliest"
    # In crypto.batches: None takes the checkpoint's own id, which changes exactly when a new checkpoint begins.
    generation: str | None = None
    first_batch: int = 0


@dataclass(frozen=True)
class QueryPlan:
    name: str
    write: Callable[[Stream, DataFrame, int], None]
    place: Callable[[SparkSession, Stream], Place]
    max_offsets: int
    interval_ms: int


@dataclass
class RunningQuery:
    """One of the two queries, through all its starts in this process."""

    plan: QueryPlan
    waiter: str  # its name in `outages`, the same as that of its warehouse
    boundary: threading.Lock = field(default_factory=threading.Lock)
    keeper: threading.Thread | None = None
    query: StreamingQuery | None = None
    generation: str = ""
    first_batch: int = 0
    attempt: int = 0  # starts that failed since the last batch
    raised: Exception | None = None  # by the last batch
    behind: int = 0
    since: float = field(default_factory=time.time)  # start of its state, seconds since the epoch
    last_batch_at: float | None = None

    def report(self) -> dict:
        """For crypto.job_runs.progress; times to ten seconds, so that it is not written for each batch."""
        outage = outages.of(self.waiter)
        if outage is None:
            state = {"state": "running", "since": utc(self.since), "reason": None}
        else:
            state = {"state": "waiting", "since": utc(outage.since), "reason": outage.reason}
        last = self.last_batch_at
        return {"behind": self.behind, **state, "last_batch_at": None if last is None else utc(last // 10 * 10)}


def utc(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Stream:
    """The two queries of a run, and their connections."""

    run: Run
    queries: dict[str, RunningQuery] = field(default_factory=dict)
    is_stopping: threading.Event = field(default_factory=threading.Event)
    failure: Exception | None = None
    hot_warehouse: Warehouse = field(default_factory=lambda: Warehouse("cryptopipe hot", math.inf))
    lake_warehouse: Warehouse = field(default_factory=lambda: Warehouse("cryptopipe lake", math.inf))

    def generation(self, query: str) -> str:
        return self.queries[query].generation

    def batch_key(self, query: str, batch_id: int) -> dict[str, str | int]:
        kept = self.queries[query]
        key = {"query": query, "generation": kept.generation, "batch_id": kept.first_batch + batch_id, "topic": TOPIC}
        return {"run_id": self.run.run_id, **key}


def start_query(session: SparkSession, stream: Stream, kept: RunningQuery) -> StreamingQuery:
    """Starts one of the two queries, in its own scheduler pool, with its own checkpoint."""
    plan = kept.plan
    is_known = threading.Event()

    def write_batch(batch: DataFrame, batch_id: int) -> None:
        is_known.wait(timeout=60)  # the first batch may be faster than start() returns
        with kept.boundary:
            if stream.is_stopping.is_set():
                raise StoppedAtBoundary(plan.name)
            try:
                plan.write(stream, batch, batch_id)
            except Exception as error:
                kept.raised = error  # through the JVM only its text would arrive
                raise
            kept.last_batch_at = time.time()
            went_well(kept)

    place = plan.place(session, stream)
    session.sparkContext.setLocalProperty("spark.scheduler.pool", plan.name)
    messages = (
        session.readStream.format("kafka")
        .option("kafka.bootstrap.servers", KAFKA_BOOTSTRAP_SERVERS)
        .option("subscribe", TOPIC)
        .option("startingOffsets", place.starting_offsets)
        .option("failOnDataLoss", "true")
        .option("maxOffsetsPerTrigger", plan.max_offsets)
        .option("maxRecordsPerPartition", 50_000)
        .load()
    )
    trigger = {"availableNow": True} if MODE == "available-now" else {"processingTime": f"{plan.interval_ms} milliseconds"}
    query = (
        messages.writeStream.queryName(plan.name)
        .option("checkpointLocation", place.checkpoint)
        .foreachBatch(write_batch)
        .trigger(**trigger)
        .start()
    )
    kept.generation = place.generation or query.id
    kept.first_batch = place.first_batch
    kept.query = query
    is_known.set()
    return query


def went_well(kept: RunningQuery) -> None:
    kept.attempt = 0
    if outages.of(kept.waiter) is not None:
        kept.since = time.time()
        outages.all_answered(kept.waiter)


def keep(session: SparkSession, stream: Stream, kept: RunningQuery) -> None:
    """Keeps a query running until it is stopped, or (available-now) has worked off the topic.

    What it needs may be away: then it waits and starts again where its last batch ended, and the other query goes on. Any
    other failure is the run's.
    """
    while not stream.is_stopping.is_set():
        kept.raised = None
        try:
            start_query(session, stream, kept).awaitTermination()
            return
        except Exception as error:
            cause = kept.raised or error
            if stream.is_stopping.is_set():
                return
            away = system_away(cause)
            if away is None:
                stream.failure = cause
                return
            pause = backoff(kept.attempt)
            kept.attempt += 1
            outages.failed(*away, waiter=kept.waiter, next_try_in=pause)
            stream.is_stopping.wait(pause)


def start_keeping(session: SparkSession, stream: Stream, plan: QueryPlan) -> None:
    kept = stream.queries[plan.name] = RunningQuery(plan, f"cryptopipe {plan.name}")
    kept.keeper = threading.Thread(target=keep, args=(session, stream, kept), name=plan.name, daemon=True)
    kept.keeper.start()


# What a failure is of, by the classes of its causes in the JVM; the first that fits.
AWAY = {
    "org.apache.kafka.common.errors.RetriableException": "Kafka",
    "java.util.concurrent.TimeoutException": "Kafka",  # a record that did not come in time
    "java.io.IOException": "HDFS",  # refused, safe mode, read-only, no space, no quota, no blocks
}
# https://github.com/apache/spark/blob/master/connector/kafka-0-10-sql/src/main/resources/error/kafka-error-conditions.json
LOST_CLASS = "org.apache.spark.sql.kafka010.KafkaIllegalStateException"
NO_BROKER = "No resolvable bootstrap urls"  # org.apache.kafka.common.config.ConfigException, where DNS does not answer


def causes_of(error: Exception) -> list:
    """The JVM's throwables behind an error of Python, outermost first; empty where it is Python's own."""
    throwable = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    causes = []
    while throwable is not None and len(causes) < 20:
        causes.append(throwable)
        throwable = throwable.getCause()
    return causes


def classes_of(throwable) -> set[str]:
    """The names of the throwable's class and of all that it is made of."""
    names, one = set(), throwable.getClass()
    while one is not None:
        names.add(one.getName())
        one = one.getSuperclass()
    return names


def system_away(error: Exception) -> tuple[str, str] | None:
    """The system whose absence has failed a query, and what was wrong; None where waiting would not help.

    Raises nothing: a JVM that has gone answers no question either.
    """
    try:
        causes = [(cause, classes_of(cause)) for cause in causes_of(error)]
        if any(LOST_CLASS in names for _, names in causes):
            return None
        for cause, names in causes:
            reason = cause.getMessage() or cause.getClass().getName()
            if NO_BROKER in reason:
                return "Kafka", reason
            system = next((system for name, system in AWAY.items() if name in names), None)
            if system is not None:
                return system, reason
    except Exception:
        return None
    return None


def follow(stream: Stream) -> None:
    """Waits until a stop is asked for, or a query fails for good, or (available-now) all is worked off.

    A query that ends by itself ends the run: a stream that still writes the lake and no longer counts is not alive.
    """
    reported: dict[str, dict] = {}
    while any(is_kept := [kept.keeper.is_alive() for kept in stream.queries.values()]):
        raise_failure(stream)
        if (report := report_of(stream)) != reported and stream.run.report(report):
            reported = report
        if MODE == "continuous" and not all(is_kept) and stream.failure is None:
            raise RuntimeError("one of the two queries ended by itself")
        if stream.run.lost is not None:
            raise stream.run.lost
        if stream.run.stop_wanted.wait(timeout=1):
            stop_at_boundary(stream)
            return
    raise_failure(stream)


def report_of(stream: Stream) -> dict[str, dict]:
    """What crypto.job_runs.progress says of each query.

    behind         messages that the partition furthest behind had left at the last batch (KafkaMicroBatchStream.metrics)
    state          running, or waiting for a system that does not answer
    since, reason  of the state; the reason is the first error of the outage
    last_batch_at  when its last batch was committed
    """
    for kept in stream.queries.values():
        query = kept.query
        if query is None or not query.isActive:
            continue
        progress = query.lastProgress
        if progress is not None and progress.sources:
            kept.behind = int(progress.sources[0].metrics.get("maxOffsetsBehindLatest") or 0)
        # Without messages no batch tells that Kafka answers again.
        if outages.of(kept.waiter) is not None and query.status["message"].startswith("Waiting for"):
            went_well(kept)
    return {name: kept.report() for name, kept in stream.queries.items()}


def raise_failure(stream: Stream) -> None:
    """Raises what has failed a query for good; messages that Kafka has lost are an error of the data."""
    if (failure := stream.failure) is None:
        return
    causes = causes_of(failure) if not is_jvm_gone() else []
    lost = next((cause for cause in causes if LOST_CLASS in classes_of(cause)), None)
    if lost is not None:
        raise DataError(
            f"Kafka does not have what comes next: {one_line(lost.getMessage())} "
            f"Submit with --new-checkpoint to read {TOPIC} from its beginning; `cryptopipe heal` fetches what is missing then."
        )
    raise failure


def stop_at_boundary(stream: Stream) -> None:
    """Ends both queries between two batches: what has begun is committed, nothing new begins."""
    print("stop asked for: ending at the next batch boundary", flush=True)
    for kept in stream.queries.values():
        # Whoever holds it is inside a batch; whoever takes it afterwards finds that it is too late and gives up.
        with kept.boundary:
            stream.is_stopping.set()
    for kept in stream.queries.values():
        if kept.query is not None:
            kept.query.stop()


COMMITTED = "SELECT partition, next_offset FROM crypto.committed_offsets WHERE query = 'hot' AND topic = %s AND generation = %s"
LAST_BATCH = """
SELECT batch_id FROM crypto.batches WHERE query = 'hot' AND topic = %s AND generation = %s ORDER BY id DESC LIMIT 1
"""
EARLIEST = -2  # of startingOffsets


def place_of_lake(session: SparkSession, stream: Stream) -> Place:
    """The lake and the checkpoint that belongs to it are in the same file system, and wait for it together."""
    return Place(f"{CHECKPOINT_PATH}/lake")


def place_of_hot(session: SparkSession, stream: Stream) -> Place:
    """Where PostgreSQL says that counting ended: it commits the offsets of a batch together with its trades.

    Spark's own checkpoint is a folder of this process, new at each start, and HDFS may be full or away without stopping
    the query. A folder in HDFS, made once, says which generation of offsets is meant: without it all is read again.
    """
    generation = stream.queries["hot"].generation or generation_of_hot(session)
    committed = stream.hot_warehouse.transact(
        lambda connection: dict(connection.execute(COMMITTED, [TOPIC, generation]).fetchall())
    )
    last = committed and stream.hot_warehouse.transact(
        lambda connection: connection.execute(LAST_BATCH, [TOPIC, generation]).fetchone()
    )
    offsets = {str(number): committed.get(number, EARLIEST) for number in range(partitions_of_topic(session))}
    starting = json.dumps({TOPIC: offsets}) if committed else "earliest"
    return Place(new_local_folder(), starting, generation, last[0] + 1 if last else 0)


def generation_of_hot(session: SparkSession) -> str:
    """The name of the folder in <checkpoint>/hot; of a checkpoint that Spark has written there, its id. Made where missing."""
    java = session.sparkContext._jvm
    folder = java.org.apache.hadoop.fs.Path(f"{CHECKPOINT_PATH}/hot")
    files = folder.getFileSystem(session.sparkContext._jsc.hadoopConfiguration())
    entries = list(files.listStatus(folder)) if files.exists(folder) else []
    names = [entry.getPath().getName() for entry in entries if entry.isDirectory()]
    made = next((name.removeprefix("generation-") for name in names if name.startswith("generation-")), None)
    if made is not None:
        return made
    if any(entry.getPath().getName() == "metadata" for entry in entries):
        [(text,)] = session.read.text(f"{CHECKPOINT_PATH}/hot/metadata").collect()
        return json.loads(text)["id"]
    generation = str(uuid.uuid4())
    files.mkdirs(java.org.apache.hadoop.fs.Path(folder, f"generation-{generation}"))
    return generation


def partitions_of_topic(session: SparkSession) -> int:
    """How many partitions the topic has: startingOffsets has to name each."""
    java = session.sparkContext._jvm
    settings = java.java.util.Properties()
    settings.put("bootstrap.servers", KAFKA_BOOTSTRAP_SERVERS)
    admin = java.org.apache.kafka.clients.admin.AdminClient.create(settings)
    try:
        topics = admin.describeTopics(java.java.util.Collections.singletonList(TOPIC)).allTopicNames().get()
        return topics.get(TOPIC).partitions().size()
    finally:
        admin.close()


def new_local_folder() -> str:
    """A folder for Spark's checkpoint below the driver's own; those of earlier starts are removed."""
    for old in Path.cwd().glob("hot-checkpoint-*"):
        shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix="hot-checkpoint-", dir=Path.cwd())).as_uri()


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

MAKE_DAYS_AHEAD = "SELECT crypto.make_days_ahead(%s::DATE)"

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


def make_days(stream: Stream, rows: list[Row], known: set[str]) -> None:
    """Makes the days of a batch and the two after its newest, before its transaction and outside of it.

    Some at a time: PostgreSQL has a few thousand locks for all, and each new partition takes several until its transaction
    ends. The days ahead are tried once: a later batch tries again, and one that needs them makes them in any case.
    """
    days = sorted({row.window_start[:10] for row in rows if row.kind in NEW} - known)
    for first in range(0, len(days), DAYS_AT_ONCE):
        some = days[first : first + DAYS_AT_ONCE]
        stream.hot_warehouse.transact(lambda connection, some=some: connection.execute(ENSURE_DAYS, [some]))
    if days:
        stream.hot_warehouse.transact(lambda connection: connection.execute(MAKE_DAYS_AHEAD, [days[-1]]))
    known.update(days)


days_made: set[str] = set()


def write_hot(stream: Stream, batch: DataFrame, batch_id: int) -> None:
    """One micro-batch into PostgreSQL, in one transaction; safe to run twice (the coverage decides)."""
    rows = partial_bars_of(batch, {})
    newest = max((row.newest_event_time for row in rows if row.newest_event_time is not None), default=None)

    make_days(stream, rows, days_made)

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
    start_keeping(session, stream, QueryPlan("hot", write_hot, place_of_hot, MAX_OFFSETS_PER_TRIGGER, HOT_INTERVAL_MS))
    start_keeping(session, stream, QueryPlan("lake", write_lake, place_of_lake, 500_000, LAKE_INTERVAL_MS))
    follow(stream)


if __name__ == "__main__":
    sys.exit(run_job(work, stops_itself=True, patience=math.inf))

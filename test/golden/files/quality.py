# Rendered by cryptopipe from templates/quality.py.hbs; edit the template, not this file.
"""CryptoQualityJob: SQL checks of the lake, each a file of spark-sql/checks or of the folder checks of --jobs.

Input    the lake's raw/, clean/ and rejected/ Parquet; coverage and book of batches of the warehouse.
Output   one row of crypto.quality_results a check: how many rows violate it, and the first of them.
Rerun    reads the data and writes results under the run's own id.

A check is a query that gives the rows that are not as they should be. Its first line is `-- name: what must hold`, and a line
`-- Severity: error` or `warning` says whether a violation fails the run. It may ask these views:
  raw, clean, rejected   what Kafka appended in the range, as it lies in the lake, and generation
  raw_ever, clean_ever   the same without the range
  counted_ids            source, symbol, first_id, last_id: what PostgreSQL has counted, both ends included
  booked                 generation, batch_id, batch, topic, partition, first_offset, last_offset, committed_at: the lake's batches
                         that were booked in the range
  committed              query, topic, partition, generation, next_offset, committed_at: how far the two queries are
and the parameters :since, :until, :max_rejected_percent and :max_lag_minutes.
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


import re  # noqa: E402
from datetime import date, datetime, timedelta  # noqa: E402

from pyspark.errors import AnalysisException  # noqa: E402

PATHS = {
    "raw": "hdfs://localhost:8020/datalake/raw/crypto",
    "clean": "hdfs://localhost:8020/datalake/clean/crypto",
    "rejected": "hdfs://localhost:8020/datalake/rejected/crypto",
}
DAY = "2024-08-08"
FROM = "2017-01-01T00:00:00Z"
UNTIL = "2100-01-01T00:00:00Z"
WANTED = "all"
SHOWN = 20
LIMITS = {
    "max_rejected_percent": "1",
    "max_lag_minutes": 15,
}

CHECKS = {
    "amounts_in_range": r"""
-- amounts_in_range: every trade of clean/ keeps the rules by which messages are rejected.
-- Severity: error. Grain of a violation: (topic, partition, offset, batch). Rerun: reads only.
WITH judged AS (
  SELECT
    topic,
    partition,
    offset,
    batch,
    source,
    symbol,
    agg_trade_id,
    first_trade_id,
    last_trade_id,
    event_time,
    price,
    quantity,
    CASE
      WHEN agg_trade_id < 0 OR agg_trade_id >= 9007199254740992 THEN 'agg_trade_id'
      WHEN event_time < 1483228800000 OR event_time > unix_millis(timestamp) + 86400000 THEN 'event_time'
      WHEN event_timestamp <> timestamp_millis(event_time) THEN 'event_timestamp'
      WHEN contains(source, '-ticker-')
        THEN if(price > 0 AND quantity = 0 AND first_trade_id = agg_trade_id AND last_trade_id = agg_trade_id, NULL, 'sample')
      WHEN first_trade_id = -1 AND last_trade_id = -1 AND price = 0 AND quantity = 0 THEN NULL
      WHEN first_trade_id < 0 OR last_trade_id < first_trade_id OR last_trade_id - first_trade_id >= 1000000
        THEN 'raw trade ids'
      WHEN price <= 0 THEN 'price'
      WHEN quantity <= 0 THEN 'quantity'
    END                                                  AS wrong
  FROM clean
)
SELECT *
FROM judged
WHERE wrong IS NOT NULL
""",
    "booked_batches_are_there": r"""
-- booked_batches_are_there: every batch of the lake query that was booked in the range is in raw/ with all its offsets.
-- Severity: error. Grain of a violation: (batch, topic, partition). Rerun: reads only.
-- It is looked for by its leaf's name in the whole lake, since a batch is booked after its messages were appended.
WITH there AS (
  SELECT batch, topic, partition, count(DISTINCT offset) AS offsets
  FROM raw_ever
  GROUP BY batch, topic, partition
)
SELECT
  booked.batch,
  booked.topic,
  booked.partition,
  booked.last_offset - booked.first_offset + 1           AS booked_offsets,
  coalesce(there.offsets, 0)                             AS offsets
FROM booked
LEFT JOIN there
  ON there.batch = booked.batch
 AND there.topic = booked.topic
 AND there.partition = booked.partition
WHERE coalesce(there.offsets, 0) <> booked.last_offset - booked.first_offset + 1
""",
    "ids_in_order_of_time": r"""
-- ids_in_order_of_time: a trade with a higher id is not earlier than one with a lower id.
-- Severity: warning. Bars whose ids interleave stay disordered and are never final; nothing is lost by it.
-- Grain of a violation: (source, symbol, agg_trade_id), each id by its first occurrence. Rerun: reads only.
WITH once AS (
  SELECT source, symbol, agg_trade_id, min_by(event_time, struct(topic, partition, offset)) AS event_time
  FROM clean
  GROUP BY source, symbol, agg_trade_id
),
followed AS (
  SELECT
    source,
    symbol,
    agg_trade_id,
    event_time,
    max(event_time) OVER (
      PARTITION BY source, symbol ORDER BY agg_trade_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )                                                    AS latest_before
  FROM once
)
SELECT
  source,
  symbol,
  agg_trade_id,
  event_time,
  latest_before
FROM followed
WHERE event_time < latest_before
""",
    "keys_not_null": r"""
-- keys_not_null: no key of the lake is NULL: where a message came from, which trade it is, why it was rejected.
-- Severity: error. Grain of a violation: one row of the lake. Rerun: reads only.
SELECT 'raw' AS area, dt, hr, batch, topic, partition, offset
FROM raw
WHERE topic IS NULL OR partition IS NULL OR offset IS NULL OR timestamp IS NULL
UNION ALL
SELECT 'clean' AS area, dt, hr, batch, topic, partition, offset
FROM clean
WHERE topic IS NULL OR partition IS NULL OR offset IS NULL OR timestamp IS NULL
   OR source IS NULL OR symbol IS NULL OR agg_trade_id IS NULL OR first_trade_id IS NULL OR last_trade_id IS NULL
   OR event_time IS NULL OR event_timestamp IS NULL OR price IS NULL OR quantity IS NULL OR buyer_is_maker IS NULL
UNION ALL
SELECT 'rejected' AS area, dt, hr, batch, topic, partition, offset
FROM rejected
WHERE topic IS NULL OR partition IS NULL OR offset IS NULL OR timestamp IS NULL OR reject_reason IS NULL
""",
    "lake_follows_counting": r"""
-- lake_follows_counting: the lake query is not more than :max_lag_minutes behind what the hot query has committed.
-- Severity: error. Grain of a violation: (topic, partition). Rerun: reads only. Of the present, whatever the range is.
SELECT
  hot.topic,
  hot.partition,
  hot.next_offset                                        AS counted_until,
  hot.committed_at                                       AS counted_at,
  lake.next_offset                                       AS stored_until,
  lake.committed_at                                      AS stored_at
FROM committed AS hot
LEFT JOIN committed AS lake
  ON lake.query = 'lake'
 AND lake.topic = hot.topic
 AND lake.partition = hot.partition
WHERE hot.query = 'hot'
  AND (
    lake.next_offset IS NULL
    OR (
      lake.next_offset < hot.next_offset
      AND unix_seconds(hot.committed_at) - unix_seconds(lake.committed_at) > 60 * CAST(:max_lag_minutes AS INT)
    )
  )
""",
    "lake_holds_counted_ids": r"""
-- lake_holds_counted_ids: every id that PostgreSQL counted, between the lowest and the highest id of the range, is in clean/.
-- Severity: error. Grain of a violation: (source, symbol, first_missing). Rerun: reads only.
-- It may be anywhere in the lake: an id in the middle can have come much earlier or later.
WITH bounds AS (
  SELECT source, symbol, min(agg_trade_id) AS first_id, max(agg_trade_id) AS last_id
  FROM clean
  GROUP BY source, symbol
),
wanted AS (
  SELECT
    counted_ids.source,
    counted_ids.symbol,
    greatest(counted_ids.first_id, bounds.first_id)      AS first_id,
    least(counted_ids.last_id, bounds.last_id)           AS last_id
  FROM counted_ids
  JOIN bounds
    ON bounds.source = counted_ids.source
   AND bounds.symbol = counted_ids.symbol
   AND counted_ids.first_id <= bounds.last_id
   AND counted_ids.last_id >= bounds.first_id
),
-- The ids that are there, and the two just outside of each run that is wanted: what is missing lies between neighbours.
points AS (
  SELECT wanted.source, wanted.symbol, wanted.first_id AS run, clean_ever.agg_trade_id AS id
  FROM wanted
  JOIN clean_ever  -- several rows an id, where it was sent again
    ON clean_ever.source = wanted.source
   AND clean_ever.symbol = wanted.symbol
   AND clean_ever.agg_trade_id BETWEEN wanted.first_id AND wanted.last_id
  UNION ALL
  SELECT source, symbol, first_id AS run, first_id - 1 AS id FROM wanted
  UNION ALL
  SELECT source, symbol, first_id AS run, last_id + 1 AS id FROM wanted
),
followed AS (
  SELECT source, symbol, id, lead(id) OVER (PARTITION BY source, symbol, run ORDER BY id) AS next_id
  FROM points
)
SELECT
  source,
  symbol,
  id + 1                                                 AS first_missing,
  next_id - 1                                            AS last_missing
FROM followed
WHERE next_id > id + 1
""",
    "leaf_by_append_time": r"""
-- leaf_by_append_time: every message lies in the day and the hour in which Kafka appended it.
-- Severity: error. Grain of a violation: one row of the lake. Rerun: reads only.
-- Leaves that are more than a day away from the range are not read.
WITH placed AS (
  SELECT 'raw' AS area, topic, partition, offset, timestamp, dt, hr, batch FROM raw
  UNION ALL
  SELECT 'clean' AS area, topic, partition, offset, timestamp, dt, hr, batch FROM clean
  UNION ALL
  SELECT 'rejected' AS area, topic, partition, offset, timestamp, dt, hr, batch FROM rejected
)
SELECT
  area,
  topic,
  partition,
  offset,
  timestamp,
  dt,
  hr,
  batch
FROM placed
WHERE dt <> date_format(timestamp, 'yyyy-MM-dd')
   OR hr <> date_format(timestamp, 'HH')
""",
    "leaves_add_up": r"""
-- leaves_add_up: in every leaf, clean/ and rejected/ together have as many rows as raw/.
-- Severity: error. Grain of a violation: (dt, hr, batch). Rerun: reads only.
WITH rows_of AS (
  SELECT dt, hr, batch, 1 AS in_raw, 0 AS in_clean, 0 AS in_rejected FROM raw
  UNION ALL
  SELECT dt, hr, batch, 0 AS in_raw, 1 AS in_clean, 0 AS in_rejected FROM clean
  UNION ALL
  SELECT dt, hr, batch, 0 AS in_raw, 0 AS in_clean, 1 AS in_rejected FROM rejected
)
SELECT
  dt,
  hr,
  batch,
  sum(in_raw)                                            AS raw_rows,
  sum(in_clean)                                          AS clean_rows,
  sum(in_rejected)                                       AS rejected_rows
FROM rows_of
GROUP BY dt, hr, batch
HAVING sum(in_raw) <> sum(in_clean) + sum(in_rejected)
""",
    "offsets_once": r"""
-- offsets_once: every Kafka offset is in raw/ once per generation.
-- Severity: error. Grain of a violation: (generation, topic, partition, offset). Rerun: reads only.
SELECT
  generation,
  topic,
  partition,
  offset,
  count(*)                                               AS times
FROM raw
GROUP BY generation, topic, partition, offset
HAVING count(*) > 1
""",
    "offsets_without_gaps": r"""
-- offsets_without_gaps: between two Kafka offsets of a generation in raw/ none is missing.
-- Severity: error. Grain of a violation: (generation, topic, partition, first_missing). Rerun: reads only.
WITH followed AS (
  SELECT
    generation,
    topic,
    partition,
    offset,
    lead(offset) OVER (PARTITION BY generation, topic, partition ORDER BY offset) AS next_offset
  FROM raw
)
SELECT
  generation,
  topic,
  partition,
  offset + 1                                             AS first_missing,
  next_offset - 1                                        AS last_missing
FROM followed
WHERE next_offset > offset + 1
""",
    "raw_ids_follow": r"""
-- raw_ids_follow: the raw trade ids of two neighbouring aggregate trades follow each other without a gap.
-- Severity: warning. It is the exchange's own numbering that breaks off there; verify calls such a minute a raw gap.
-- Grain of a violation: (source, symbol, agg_trade_id). Neutralised rows and price samples span no raw ids. Rerun: reads only.
WITH once AS (
  SELECT
    source,
    symbol,
    agg_trade_id,
    min_by(first_trade_id, struct(topic, partition, offset)) AS first_trade_id,
    min_by(last_trade_id, struct(topic, partition, offset))  AS last_trade_id
  FROM clean
  WHERE NOT contains(source, '-ticker-')
  GROUP BY source, symbol, agg_trade_id
),
followed AS (
  SELECT
    source,
    symbol,
    agg_trade_id,
    last_trade_id,
    lead(agg_trade_id) OVER (PARTITION BY source, symbol ORDER BY agg_trade_id)   AS next_id,
    lead(first_trade_id) OVER (PARTITION BY source, symbol ORDER BY agg_trade_id) AS next_first_trade_id
  FROM once
  WHERE first_trade_id >= 0
)
SELECT
  source,
  symbol,
  agg_trade_id,
  last_trade_id,
  next_first_trade_id
FROM followed
WHERE next_id = agg_trade_id + 1
  AND next_first_trade_id <> last_trade_id + 1
""",
    "rejected_share": r"""
-- rejected_share: no more than :max_rejected_percent of the messages of a topic were rejected.
-- Severity: error. Grain of a violation: topic. Rerun: reads only.
WITH rows_of AS (
  SELECT topic, 0 AS is_rejected FROM raw
  UNION ALL
  SELECT topic, 1 AS is_rejected FROM rejected
)
SELECT
  topic,
  count(*) - sum(is_rejected)                            AS messages,
  sum(is_rejected)                                       AS rejected
FROM rows_of
GROUP BY topic
HAVING sum(is_rejected) * 100 > (count(*) - sum(is_rejected)) * CAST(:max_rejected_percent AS DECIMAL(9, 4))
""",
    "repeats_are_equal": r"""
-- repeats_are_equal: a trade that was sent more than once has the same content each time.
-- Severity: warning. What was counted is certain: the contents that contradict it are in crypto.conflicts.
-- Grain of a violation: (source, symbol, agg_trade_id). Rerun: reads only.
SELECT
  source,
  symbol,
  agg_trade_id,
  count(DISTINCT first_trade_id, last_trade_id, event_time, price, quantity, buyer_is_maker) AS contents
FROM clean
GROUP BY source, symbol, agg_trade_id
HAVING count(DISTINCT first_trade_id, last_trade_id, event_time, price, quantity, buyer_is_maker) > 1
""",
}

MESSAGE = "topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP"
TRADE = """
source STRING, symbol STRING, agg_trade_id BIGINT, first_trade_id BIGINT, last_trade_id BIGINT, event_time BIGINT,
event_timestamp TIMESTAMP, price DECIMAL(20, 8), quantity DECIMAL(20, 8), buyer_is_maker BOOLEAN
"""
LEAF = "dt STRING, hr STRING, batch STRING"
SCHEMAS = {
    "raw": f"key BINARY, value BINARY, {MESSAGE}, {LEAF}",
    "clean": f"{MESSAGE}, {TRADE}, {LEAF}",
    "rejected": f"key BINARY, value BINARY, {MESSAGE}, reject_reason STRING, {LEAF}",
}
# Statement and schema of each view of the warehouse.
WAREHOUSE_VIEWS = {
    "counted_ids": (
        "SELECT source, symbol, lower(run), upper(run) - 1 FROM crypto.coverage, unnest(ids) AS run",
        "source STRING, symbol STRING, first_id BIGINT, last_id BIGINT",
    ),
    "booked": (
        """
        SELECT DISTINCT ON (generation, batch_id, topic, part.number)
          generation, batch_id, generation || '-' || batch_id, topic, part.number::INTEGER,
          (part.range ->> 0)::BIGINT, (part.range ->> 1)::BIGINT - 1, committed_at
        FROM crypto.batches, jsonb_each(offsets) AS part (number, range)
        WHERE query = 'lake' AND committed_at >= %(since)s AND committed_at < %(until)s
        ORDER BY generation, batch_id, topic, part.number, id DESC
        """,
        "generation STRING, batch_id BIGINT, batch STRING, topic STRING, partition INT, first_offset BIGINT, "
        "last_offset BIGINT, committed_at TIMESTAMP",
    ),
    "committed": (
        "SELECT query, topic, partition, generation, next_offset, committed_at FROM crypto.committed_offsets",
        "query STRING, topic STRING, partition INT, generation STRING, next_offset BIGINT, committed_at TIMESTAMP",
    ),
}
SAVE = """
INSERT INTO crypto.quality_results AS held (run_id, check_name, meaning, severity, day, since, until, violations, sample)
VALUES (%(run_id)s, %(check_name)s, %(meaning)s, %(severity)s, %(day)s, %(since)s, %(until)s, %(violations)s, %(sample)s::JSONB)
ON CONFLICT (run_id, check_name) DO UPDATE SET
  violations = EXCLUDED.violations, sample = EXCLUDED.sample, checked_at = EXCLUDED.checked_at
"""


@dataclass(frozen=True)
class Range:
    """What Kafka appended in [since, until); day where exactly one was asked for."""

    since: datetime
    until: datetime
    day: date | None


@dataclass(frozen=True)
class Check:
    name: str
    meaning: str
    severity: str
    sql: str


def moment_of(text: str) -> datetime:
    """A time that ends in Z, which Python 3.10 does not read by itself."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def range_wanted() -> Range:
    if DAY == "none":
        wanted = Range(moment_of(FROM), moment_of(UNTIL), None)
    else:
        try:
            start = datetime.fromisoformat(f"{DAY}T00:00:00+00:00")
        except ValueError as error:
            raise DataError(f"day {DAY} is no day: {error}") from error
        wanted = Range(start, start + timedelta(days=1), start.date())
    if wanted.since >= wanted.until:
        raise DataError(f"until {UNTIL} is not after from {FROM}")
    return wanted


def check_of(name: str, sql: str) -> Check:
    """A check with what its header says."""
    meaning = re.match(rf"\s*-- {re.escape(name)}: (.+)", sql)
    severity = re.search(r"^-- Severity: (error|warning)\b", sql, re.MULTILINE)
    if meaning is None or severity is None:
        raise DataError(
            f"The check {name} does not begin with `-- {name}: what must hold`, or has no line `-- Severity: error` or `warning`."
        )
    return Check(name, meaning.group(1).strip(), severity.group(1), sql)


def checks_wanted() -> list[Check]:
    names = sorted(CHECKS) if WANTED == "all" else WANTED.split(",")
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        raise DataError(f"There is no check {', '.join(unknown)}; there are {', '.join(sorted(CHECKS))}")
    return [check_of(name, CHECKS[name]) for name in names]


def read_area(session: SparkSession, area: str) -> DataFrame:
    """One area of the lake with the generation of each row; empty where nothing was ever written to it."""
    try:
        rows = session.read.schema(SCHEMAS[area]).parquet(PATHS[area])
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        rows = session.createDataFrame([], SCHEMAS[area])
    return rows.withColumn("generation", F.regexp_extract("batch", "^(.*)-[0-9]+$", 1))


def make_views(session: SparkSession, warehouse: Warehouse, wanted: Range) -> None:
    """The views that the checks ask."""
    # Leaves a day beside the range are read too: a message could lie in the wrong one.
    first, last = (wanted.since - timedelta(days=1)).date(), (wanted.until + timedelta(days=1)).date()
    for area in PATHS:
        rows = read_area(session, area)
        rows.createOrReplaceTempView(f"{area}_ever")
        in_range = (F.col("timestamp") >= F.lit(wanted.since)) & (F.col("timestamp") < F.lit(wanted.until))
        near = F.col("dt").between(first.isoformat(), last.isoformat())
        # A message without a time belongs to no range: it must not slip through.
        rows.where(near & (in_range | F.col("timestamp").isNull())).createOrReplaceTempView(area)
    values = {"since": wanted.since, "until": wanted.until}
    for name, (statement, schema) in WAREHOUSE_VIEWS.items():
        found = warehouse.transact(lambda connection, asked=statement: connection.execute(asked, values).fetchall())
        session.createDataFrame(found, schema).createOrReplaceTempView(name)


def make_check(session: SparkSession, check: Check, wanted: Range) -> tuple[int, list[str]]:
    """How many rows violate a check, and the first of them as JSON."""
    args = LIMITS | {"since": wanted.since, "until": wanted.until}
    try:
        rows = session.sql(check.sql, args=args)
        sample = rows.limit(SHOWN).toJSON().collect()
        return (len(sample) if len(sample) < SHOWN else rows.count()), sample
    except AnalysisException as error:
        raise DataError(f"The check {check.name} is no valid SQL: {error}") from error


def save(warehouse: Warehouse, run: Run, check: Check, wanted: Range, violations: int, sample: list[str]) -> None:
    row = {
        "run_id": run.run_id, "check_name": check.name, "meaning": check.meaning, "severity": check.severity,
        "day": wanted.day, "since": wanted.since, "until": wanted.until,
        # As text, so that no amount passes through floating point.
        "violations": violations, "sample": f"[{','.join(sample)}]",
    }  # fmt: skip
    warehouse.transact(lambda connection: connection.execute(SAVE, row))


def work(session: SparkSession, run: Run) -> None:
    """Makes every check, writes what each found, and fails when an error was among it."""
    wanted, checks = range_wanted(), checks_wanted()
    warehouse = Warehouse("cryptopipe quality")
    make_views(session, warehouse, wanted)
    violated: dict[str, dict[str, int]] = {"error": {}, "warning": {}}
    for number, check in enumerate(checks, start=1):
        run.check()
        violations, sample = make_check(session, check, wanted)
        save(warehouse, run, check, wanted, violations, sample)
        if violations > 0:
            violated[check.severity][check.name] = violations
        run.report({"check": check.name, "done": number, "of": len(checks)})
    run.result({"checks": len(checks), "failed": violated["error"], "warnings": violated["warning"]})
    if violated["error"]:
        found = ", ".join(f"{name} ({violations})" for name, violations in violated["error"].items())
        raise DataError(
            f"{len(violated['error'])} of {len(checks)} checks failed: {found}. "
            f"The violating rows are in crypto.quality_results with run_id '{run.run_id}'."
        )


if __name__ == "__main__":
    sys.exit(run_job(work))

# Rendered by cryptopipe from templates/rebuild-bars.py.hbs; edit the template, not this file.
"""CryptoRebuildBarsJob: minute bars from the trades of the lake, held against the warehouse's and on request put in their place.

Input    clean/ Parquet of the lake; the coverage, refused contents and known minutes of the warehouse.
Output   one row of crypto.rebuilt_minutes for every minute that is not equal; with REPLACE the bars that differ.
Rerun    safe at any time, beside a stream too: a bar is replaced under the lock of its symbol's coverage, and only where the
         lake holds every counted id of the minute. What was replaced is equal the next time.

What may be believed is decided by crypto.compare_minutes. Fails with a DataError when anything differs or was refused.
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


CLEAN_PATH = "hdfs://localhost:8020/datalake/clean/crypto"
SOURCE = "binance-spot"
SYMBOLS = "BTCUSDT,ETHUSDT".split(",")
SINCE = "2024-08-08T00:00:00Z"
UNTIL = "2024-08-09T00:00:00Z"
REPLACE = False
SHOWN = 20

COMPARED_AT_ONCE = 500
REPLACED_AT_ONCE = 100  # the symbol's coverage is locked meanwhile

STEPS = {
    "countable": r"""
-- countable: the rows of the lake that can be the counted trades of the minutes in [:since, :until), and what tells how far
-- those reach: the last trade before them and the first one after them, wherever in the lake they are.
-- Grain: (topic, partition, offset, batch), as in the lake: what was sent twice is there twice. Input: views clean · covered
-- (source, symbol, first_id, last_id: the warehouse's coverage, both ends covered) · conflicts (trades that the warehouse has
-- refused, one row a content). Parameters :since and :until, times in UTC.
-- Rerun: the same leaves and the same coverage give the same rows.
WITH counted AS (
  SELECT
    clean.topic,
    clean.partition,
    clean.offset,
    clean.source,
    clean.symbol,
    clean.agg_trade_id,
    clean.first_trade_id,
    clean.last_trade_id,
    clean.event_time,
    clean.event_timestamp,
    clean.price,
    clean.quantity,
    clean.buyer_is_maker
  FROM clean
  LEFT SEMI JOIN covered
    ON covered.source = clean.source
   AND covered.symbol = clean.symbol
   AND clean.agg_trade_id BETWEEN covered.first_id AND covered.last_id
  -- Of an id with several contents the one that contradicted was not counted.
  LEFT ANTI JOIN conflicts
    ON conflicts.source = clean.source
   AND conflicts.symbol = clean.symbol
   AND conflicts.agg_trade_id = clean.agg_trade_id
   AND conflicts.first_trade_id = clean.first_trade_id
   AND conflicts.last_trade_id = clean.last_trade_id
   AND conflicts.event_time = clean.event_time
   AND conflicts.price = clean.price
   AND conflicts.quantity = clean.quantity
   AND conflicts.buyer_is_maker = clean.buyer_is_maker
),
bounds AS (
  SELECT
    source,
    symbol,
    max(agg_trade_id) FILTER (WHERE event_timestamp < CAST(:since AS TIMESTAMP))   AS before_id,
    min(agg_trade_id) FILTER (WHERE event_timestamp >= CAST(:until AS TIMESTAMP))  AS after_id,
    min(agg_trade_id) FILTER (
      WHERE event_timestamp >= CAST(:since AS TIMESTAMP) AND event_timestamp < CAST(:until AS TIMESTAMP)
    )                                                                              AS first_id,
    max(agg_trade_id) FILTER (
      WHERE event_timestamp >= CAST(:since AS TIMESTAMP) AND event_timestamp < CAST(:until AS TIMESTAMP)
    )                                                                              AS last_id
  FROM counted
  GROUP BY source, symbol
)
SELECT counted.*
FROM counted
JOIN bounds ON bounds.source = counted.source AND bounds.symbol = counted.symbol
-- By id, not by time: every occurrence of an id has to be seen. least and greatest pass over a NULL.
WHERE counted.agg_trade_id BETWEEN least(before_id, first_id, after_id) AND greatest(after_id, last_id, before_id)
""",
    "deduplicated": r"""
-- deduplicated: each trade of the lake once, however often it was sent and however many checkpoints have written it.
-- Grain: (source, symbol, agg_trade_id). Input: view clean, the Parquet below HDFS_CLEAN_PATH.
-- Of several the lowest (topic, partition, offset) wins, as in the counting rule. Rerun: the same leaves give the same rows.
WITH numbered AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY source, symbol, agg_trade_id
      ORDER BY topic, partition, offset
    )                                                    AS occurrence
  FROM clean
)
SELECT
  source,
  symbol,
  agg_trade_id,
  first_trade_id,
  last_trade_id,
  event_time,
  event_timestamp,
  price,
  quantity,
  buyer_is_maker
FROM numbered
WHERE occurrence = 1
""",
    "held_ids": r"""
-- held_ids: which ids a set of trades holds, as runs without a gap.
-- Grain: (source, symbol, first_id). Input: view trades, each id once. Rerun: the same trades give the same runs.
WITH numbered AS (
  SELECT
    source,
    symbol,
    agg_trade_id,
    -- The same for all ids of a run: both grow by one.
    agg_trade_id - row_number() OVER (PARTITION BY source, symbol ORDER BY agg_trade_id) AS run
  FROM trades
)
SELECT
  source,
  symbol,
  min(agg_trade_id)                                      AS first_id,
  max(agg_trade_id)                                      AS last_id
FROM numbered
GROUP BY source, symbol, run
""",
    "lake_minutes": r"""
-- lake_minutes: the minutes in [:since, :until) as the lake has them, for crypto.rebuild_minutes to hold against the bars.
-- Grain: (source, symbol, window_start); also minutes of which the lake has nothing and the warehouse has something.
-- Input: views trades (each counted id once, with the neighbours of the range) · countable (the same with every occurrence) ·
-- known_minutes (source, symbol, window_start: minutes with a bar or a counted trade). Parameters :since and :until, in UTC.
-- The bar's columns are NULL where nothing was traded. ids is the text of an INT8MULTIRANGE; ids and content are of neutralised
-- trades, too. before_id is the highest id of all earlier minutes, after_id the lowest of all later ones.
-- Rerun: the same trades give the same rows.
WITH several AS (
  SELECT source, symbol, agg_trade_id
  FROM countable
  GROUP BY source, symbol, agg_trade_id
  HAVING count(DISTINCT first_trade_id, last_trade_id, event_time, price, quantity, buyer_is_maker) > 1
),
placed AS (
  SELECT
    trades.*,
    date_trunc('MINUTE', event_timestamp)                AS window_start,
    last_trade_id - first_trade_id + 1                   AS raw_trades,
    price * quantity                                     AS quote_quantity,
    several.agg_trade_id IS NOT NULL                     AS has_several_contents,
    -- 60 bits of the trade's content, as crypto.content_of has them; amounts as whole numbers of 10^-8.
    CAST(conv(left(md5(concat_ws(
      ',',
      trades.agg_trade_id,
      first_trade_id,
      last_trade_id,
      event_time,
      CAST(price * 100000000 AS DECIMAL(20, 0)),
      CAST(quantity * 100000000 AS DECIMAL(20, 0)),
      CAST(buyer_is_maker AS INT)
    )), 15), 16, 10) AS DECIMAL(19, 0))                  AS content
  FROM trades
  LEFT JOIN several
    ON several.source = trades.source
   AND several.symbol = trades.symbol
   AND several.agg_trade_id = trades.agg_trade_id
),
bars AS (
  SELECT
    source,
    symbol,
    window_start,
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
    true                                                 AS is_traded
  FROM placed
  WHERE first_trade_id >= 0
  GROUP BY source, symbol, window_start
),
runs AS (
  SELECT
    source,
    symbol,
    window_start,
    min(agg_trade_id)                                    AS first_id,
    max(agg_trade_id)                                    AS last_id,
    sum(content)                                         AS content,
    bool_or(has_several_contents)                        AS has_several_contents
  FROM (
    SELECT
      *,
      agg_trade_id - row_number() OVER (PARTITION BY source, symbol, window_start ORDER BY agg_trade_id) AS run
    FROM placed
  )
  GROUP BY source, symbol, window_start, run
),
spans AS (
  SELECT
    source,
    symbol,
    window_start,
    min(first_id)                                        AS lowest_id,
    max(last_id)                                         AS highest_id,
    concat('{', array_join(sort_array(collect_list(concat('[', first_id, ',', last_id, ']'))), ','), '}') AS ids,
    sum(content)                                         AS content,
    bool_or(has_several_contents)                        AS has_several_contents
  FROM runs
  GROUP BY source, symbol, window_start
),
minutes AS (
  SELECT
    source,
    symbol,
    window_start,
    ids,
    content,
    has_several_contents,
    max(highest_id) OVER (
      PARTITION BY source, symbol ORDER BY window_start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )                                                    AS before_id,
    min(lowest_id) OVER (
      PARTITION BY source, symbol ORDER BY window_start ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    )                                                    AS after_id
  FROM spans
  FULL OUTER JOIN known_minutes USING (source, symbol, window_start)
)
SELECT
  source,
  symbol,
  concat(CAST(window_start AS STRING), 'Z')              AS window_start,
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
  coalesce(is_traded, false)                             AS is_traded,
  coalesce(ids, '{}')                                    AS ids,
  coalesce(CAST(content AS STRING), '0')                 AS content,
  coalesce(has_several_contents, false)                  AS has_several_contents,
  before_id,
  after_id
FROM minutes
LEFT JOIN bars USING (source, symbol, window_start)
WHERE window_start >= CAST(:since AS TIMESTAMP)
  AND window_start < CAST(:until AS TIMESTAMP)
""",
}

COVERED = """
SELECT source, symbol, lower(covered), upper(covered) - 1
FROM crypto.coverage, unnest(ids) AS covered
WHERE source = %s AND symbol = ANY (%s)
"""
CONFLICTS = """
SELECT source, symbol, agg_trade_id, first_trade_id, last_trade_id, event_time, price, quantity, buyer_is_maker
FROM crypto.conflicts
WHERE source = %s AND symbol = ANY (%s)
"""
KNOWN_MINUTES = """
SELECT source, symbol, window_start
FROM crypto.crypto_prices_agg_1min
WHERE source = %(source)s AND symbol = ANY (%(symbols)s) AND window_start >= %(since)s AND window_start < %(until)s
UNION
SELECT source, symbol, date_trunc('minute', event_timestamp, 'UTC')
FROM crypto.crypto_prices_clean
WHERE source = %(source)s AND symbol = ANY (%(symbols)s)
  AND event_timestamp >= %(since)s AND event_timestamp < %(until)s::TIMESTAMPTZ + INTERVAL '1 minute'
"""
REBUILD = """
SELECT window_start, verdict FROM crypto.rebuild_minutes(%s, %s, %s, %s::INT8MULTIRANGE, %s, %s)
"""
COUNTS = "SELECT verdict, reason, count(*) FROM crypto.rebuilt_minutes WHERE run_id = %s GROUP BY verdict, reason"
FIRST = """
SELECT symbol, window_start, verdict, reason, missing_ids::TEXT, differences
FROM crypto.rebuilt_minutes
WHERE run_id = %s AND verdict <> 'equal'
ORDER BY source, symbol, window_start
LIMIT %s
"""
IDS = "source STRING, symbol STRING, first_id BIGINT, last_id BIGINT"
CONTENTS = """
source STRING, symbol STRING, agg_trade_id BIGINT, first_trade_id BIGINT, last_trade_id BIGINT, event_time BIGINT,
price DECIMAL(20, 8), quantity DECIMAL(20, 8), buyer_is_maker BOOLEAN
"""
MINUTES = "source STRING, symbol STRING, window_start TIMESTAMP"
AROUND = ("window_start", "ids", "content", "has_several_contents", "before_id", "after_id")


def run_step(session: SparkSession, name: str, args: dict[str, str] | None = None, **views: DataFrame) -> DataFrame:
    """The result of one SQL step over the given views."""
    for view_name, frame in views.items():
        frame.createOrReplaceTempView(view_name)
    return session.sql(STEPS[name], args=args)


def read_warehouse(session: SparkSession, warehouse: Warehouse) -> dict[str, DataFrame]:
    """What the warehouse knows of the symbols, as the views of the steps."""
    one = {"source": SOURCE, "symbols": SYMBOLS, "since": SINCE, "until": UNTIL}
    ids = [SOURCE, SYMBOLS]

    def frame(statement: str, values: list | dict, schema: str) -> DataFrame:
        rows = warehouse.transact(lambda connection: connection.execute(statement, values).fetchall())
        return session.createDataFrame(rows, schema)

    return {
        "covered": frame(COVERED, ids, IDS),
        "conflicts": frame(CONFLICTS, ids, CONTENTS),
        "known_minutes": frame(KNOWN_MINUTES, one, MINUTES),
    }


def minute_of(row: Row) -> dict:
    """A minute of the lake as crypto.rebuild_minutes takes it."""
    fields = row.asDict()
    return {name: fields[name] for name in AROUND} | {"bar": fields if row.is_traded else None}


def read_lake(session: SparkSession, warehouse: Warehouse) -> tuple[dict[str, str], dict[str, list[dict]]]:
    """By symbol: the ids that the lake holds around the range, and its minutes in order of time."""
    clean = session.read.parquet(CLEAN_PATH).where((F.col("source") == SOURCE) & F.col("symbol").isin(SYMBOLS))
    known = read_warehouse(session, warehouse)
    window = {"since": SINCE, "until": UNTIL}
    countable = run_step(
        session, "countable", window, clean=clean, covered=known["covered"], conflicts=known["conflicts"]
    ).persist()
    trades = run_step(session, "deduplicated", clean=countable).persist()
    held: dict[str, str] = {}
    for row in run_step(session, "held_ids", trades=trades).orderBy("symbol", "first_id").collect():
        held[row.symbol] = held.get(row.symbol, "") + f",[{row.first_id},{row.last_id}]"
    minutes: dict[str, list[dict]] = {}
    lake = run_step(session, "lake_minutes", window, countable=countable, known_minutes=known["known_minutes"])
    for row in lake.orderBy("symbol", "window_start").collect():
        minutes.setdefault(row.symbol, []).append(minute_of(row))
    return {symbol: "{" + runs.lstrip(",") + "}" for symbol, runs in held.items()}, minutes


def batches_of(minutes: list[dict], size: int) -> list[list[dict]]:
    """In order of time, none over more than one UTC day: the counted trades of a day lie together."""
    days: dict[str, list[dict]] = {}
    for minute in minutes:
        days.setdefault(minute["window_start"][:10], []).append(minute)
    return [day[first : first + size] for day in days.values() for first in range(0, len(day), size)]


def rebuild(warehouse: Warehouse, run: Run, symbol: str, held: str, minutes: list[dict], replace: bool) -> list[dict]:
    """Compares some minutes, or replaces what differs among them, in one transaction; returns those that differed."""
    values = [run.run_id, SOURCE, symbol, held, Jsonb(minutes), replace]
    found = warehouse.transact(lambda connection: connection.execute(REBUILD, values).fetchall())
    different = {at.strftime("%Y-%m-%d %H:%M:%SZ") for at, verdict in found if verdict == "different"}
    return [minute for minute in minutes if minute["window_start"] in different]


def rebuild_symbol(warehouse: Warehouse, run: Run, symbol: str, held: str, minutes: list[dict]) -> None:
    for batch in batches_of(minutes, COMPARED_AT_ONCE):
        run.check()
        different = rebuild(warehouse, run, symbol, held, batch, replace=False)
        for some in batches_of(different, REPLACED_AT_ONCE) if REPLACE else []:
            rebuild(warehouse, run, symbol, held, some, replace=True)
        run.report({"symbol": symbol, "compared_until": batch[-1]["window_start"]})


def result_of(warehouse: Warehouse, run: Run, compared: int) -> dict:
    """How many minutes got which verdict, and the first of those that are not equal."""
    counts = warehouse.transact(lambda connection: connection.execute(COUNTS, [run.run_id]).fetchall())
    first = warehouse.transact(lambda connection: connection.execute(FIRST, [run.run_id, SHOWN]).fetchall())
    numbers = {verdict: 0 for verdict in ("different", "replaced")}
    numbers |= {verdict: count for verdict, _, count in counts if verdict in numbers}
    refused = {reason: count for verdict, reason, count in counts if verdict == "refused"}
    names = ("symbol", "minute", "verdict", "reason", "missing_ids", "differences")
    return {
        "minutes": compared,
        "equal": compared - sum(numbers.values()) - sum(refused.values()),
        **numbers,
        "refused": refused,
        "first": [dict(zip(names, (symbol, at.isoformat(), *rest), strict=True)) for symbol, at, *rest in first],
    }


def raise_unless_sound(run: Run, result: dict) -> None:
    """The run has failed when any minute differs and was not replaced, or was refused."""
    refused = sum(result["refused"].values())
    if result["different"] == 0 and refused == 0:
        return
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(result["refused"].items()))
    # The seconds of a minute say nothing.
    places = [f"{one['symbol']} {one['minute'][:16]}Z" for one in result["first"] if one["verdict"] != "replaced"]
    raise DataError(
        f"{result['different']} of {result['minutes']} minutes differ from the lake and {refused} were refused"
        + (f" ({reasons})" if reasons else "")
        + (f"; first {', '.join(places[:3])}" if places else "")
        + f". Each is a row of crypto.rebuilt_minutes with run_id '{run.run_id}'."
        + (" Run again with replace=true to put the lake's bars in their place." if result["different"] else "")
    )


def work(session: SparkSession, run: Run) -> None:
    """Compares, replaces where told to, and says what was found."""
    if SINCE >= UNTIL:
        raise DataError(f"until {UNTIL} is not after from {SINCE}")
    warehouse = Warehouse("cryptopipe rebuild")
    held, minutes = read_lake(session, warehouse)
    for symbol, theirs in minutes.items():
        rebuild_symbol(warehouse, run, symbol, held.get(symbol, "{}"), theirs)
    result = result_of(warehouse, run, sum(map(len, minutes.values())))
    run.result(result)
    unknown = [symbol for symbol in SYMBOLS if symbol not in minutes]
    if unknown:
        raise DataError(
            f"Neither the lake nor the warehouse has a minute of {', '.join(unknown)} ({SOURCE}) from {SINCE} until {UNTIL}."
        )
    raise_unless_sound(run, result)


if __name__ == "__main__":
    sys.exit(run_job(work))

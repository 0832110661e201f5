# Rendered by cryptopipe from templates/sql.py.hbs; edit the template, not this file.
"""CryptoSqlJob: the rows of one statement of Spark SQL, printed, or into a table of PostgreSQL, or into Parquet on HDFS.

Input    views of the lake (clean, clean_messages, raw, rejected) and of the tables in PostgreSQL's schema crypto, read-only.
         Only what the statement names is opened. Its :names are bound, never pasted.
Output   stdout: the first rows, in crypto.job_runs. postgres: rows updated by key, or partitions replaced, in one
         transaction. hdfs: partitions replaced, or a new folder.
Rerun    the same input gives the same table and the same files, however often it runs.

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


import re  # noqa: E402
from datetime import date, datetime  # noqa: E402
from decimal import Decimal  # noqa: E402

from psycopg import sql  # noqa: E402
from pyspark import StorageLevel  # noqa: E402
from pyspark.errors import AnalysisException, ParseException, PySparkException  # noqa: E402
from pyspark.sql import types  # noqa: E402

STATEMENT = (
    "-- :day date\n"
    "SELECT count(*) AS trades\n"
    "FROM clean WHERE CAST(event_timestamp AS DATE) = :day"
)
ARGUMENTS = json.loads("{\"day\":{\"date\":\"2026-01-01\"}}")
OUTPUT = json.loads("{\"kind\":\"stdout\"}")
LAKE = {"raw": "hdfs://localhost:8020/datalake/raw/crypto", "clean": "hdfs://localhost:8020/datalake/clean/crypto", "rejected": "hdfs://localhost:8020/datalake/rejected/crypto" }

DEDUPLICATED = r"""
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
"""


TRADE_FIELDS = (
    "source STRING, symbol STRING, agg_trade_id BIGINT, first_trade_id BIGINT, last_trade_id BIGINT, event_time BIGINT, "
    "event_timestamp TIMESTAMP, price DECIMAL(20, 8), quantity DECIMAL(20, 8), buyer_is_maker BOOLEAN"
)
POSITION_FIELDS = "topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP"
# dt and hr are the day and hour of arrival, in UTC; batch is <generation>-<batch id>.
LEAF_FIELDS = "dt DATE, hr STRING, batch STRING"
LAKE_FIELDS = {
    "raw": f"key BINARY, value BINARY, {POSITION_FIELDS}, {LEAF_FIELDS}",
    "clean": f"{POSITION_FIELDS}, {TRADE_FIELDS}, {LEAF_FIELDS}",
    "rejected": f"key BINARY, value BINARY, {POSITION_FIELDS}, reject_reason STRING, {LEAF_FIELDS}",
}
WAREHOUSE_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'crypto'"


def hadoop_path(session: SparkSession, address: str) -> tuple:
    """An address as Hadoop's Path, with the file system that it belongs to."""
    path = session._jvm.org.apache.hadoop.fs.Path(address)
    return path, path.getFileSystem(session._jsc.hadoopConfiguration())


def lake_frame(session: SparkSession, area: str) -> DataFrame:
    """All Parquet of an area of the lake; without rows where nothing was written yet."""
    path, files = hadoop_path(session, LAKE[area])
    if not files.exists(path):
        return session.createDataFrame([], LAKE_FIELDS[area])
    return session.read.schema(LAKE_FIELDS[area]).parquet(LAKE[area])


def trades_frame(session: SparkSession) -> DataFrame:
    """Each trade of the lake once, by the shipped step."""
    lake_frame(session, "clean").createOrReplaceTempView("clean")
    return session.sql(DEDUPLICATED)


def warehouse_frame(session: SparkSession, table: str) -> DataFrame:
    """A table or view of the schema crypto. The select on top keeps Spark from writing into it, the session PostgreSQL."""
    host = f"[{POSTGRES['host']}]" if ":" in POSTGRES["host"] else POSTGRES["host"]
    return (
        session.read.format("jdbc")
        .option("url", f"jdbc:postgresql://{host}:{POSTGRES['port']}/{POSTGRES['dbname']}?ApplicationName=cryptopipe+sql")
        .option("driver", "org.postgresql.Driver")
        .option("dbtable", f'crypto."{table}"')
        .option("user", POSTGRES["user"])
        .option("password", read_password())  # Spark redacts an option of this name wherever it shows one
        .option("sessionInitStatement", "SET default_transaction_read_only = on")
        .option("fetchsize", 10_000)
        .load()
        .select("*")
    )


def make_views(session: SparkSession, statement: str) -> None:
    """Temporary views of what the statement names: a word that is the name of one opens it."""
    words = set(re.findall(r"\w+", statement.lower()))
    warehouse = Warehouse("cryptopipe sql")
    tables = warehouse.transact(lambda connection: connection.execute(WAREHOUSE_TABLES).fetchall())
    warehouse.close()
    for (table,) in tables:
        if table in words:
            warehouse_frame(session, table).createOrReplaceTempView(table)
    lake = {
        "raw": lambda: lake_frame(session, "raw"),
        "rejected": lambda: lake_frame(session, "rejected"),
        "clean_messages": lambda: lake_frame(session, "clean"),
        "clean": lambda: trades_frame(session),
    }
    for name, frame in lake.items():
        if name in words:
            frame().createOrReplaceTempView(name)


MAX_PRINTED_ROWS = 1_000
MAX_PRINTED_BYTES = 1_000_000
MAX_JSON_INTEGER = 2**53


def plain(value: object, kind: types.DataType) -> object:
    """A value as JSON holds it without loss: decimals and large integers are texts, times ISO in UTC, bytes hexadecimal."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= MAX_JSON_INTEGER:
        return value
    if isinstance(value, float) and value - value == 0:  # neither infinite nor no number
        return value
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")  # PostgreSQL's JSON takes no NUL
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat() + ("Z" if isinstance(kind, types.TimestampType) else "")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(kind, types.ArrayType):
        return [plain(item, kind.elementType) for item in value]
    if isinstance(kind, types.MapType):
        return {str(plain(key, kind.keyType)): plain(item, kind.valueType) for key, item in value.items()}
    if isinstance(kind, types.StructType):
        return {field.name: plain(item, field.dataType) for field, item in zip(kind.fields, value, strict=True)}
    return str(value)


def print_rows(session: SparkSession, rows: DataFrame) -> dict:
    """The first rows, as far as they are few and small."""
    printed, size, is_cut = [], 0, False
    first = rows.limit(MAX_PRINTED_ROWS + 1).persist()
    first.count()  # an iterator would lose Spark's words for what goes wrong on the way
    for row in first.toLocalIterator():
        values = [plain(value, field.dataType) for value, field in zip(row, rows.schema.fields, strict=True)]
        size += len(json.dumps(values))
        is_cut = len(printed) == MAX_PRINTED_ROWS or size > MAX_PRINTED_BYTES
        if is_cut:
            break
        printed.append(values)
    columns = [{"name": field.name, "type": field.dataType.simpleString()} for field in rows.schema.fields]
    return {"columns": columns, "rows": printed, "is_cut": is_cut}


PG_TYPES = {
    "string": "text", "boolean": "boolean", "tinyint": "smallint", "smallint": "smallint", "int": "integer",
    "bigint": "bigint", "float": "real", "double": "double precision", "date": "date", "timestamp": "timestamptz",
    "timestamp_ntz": "timestamp", "binary": "bytea",
}
TABLE_COLUMNS = """
SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""
# A write may take longer than a question.
LONG_WRITE = "SET LOCAL statement_timeout = '1h'"


def pg_type(column: str, kind: types.DataType) -> str:
    """PostgreSQL's type of a column of the result."""
    if isinstance(kind, types.ArrayType) and not isinstance(kind.elementType, types.ArrayType):
        return pg_type(column, kind.elementType) + "[]"
    if isinstance(kind, types.DecimalType):
        return f"numeric({kind.precision}, {kind.scale})"
    if isinstance(kind, types.StringType):
        return "text"
    if kind.simpleString() not in PG_TYPES:
        raise DataError(f"PostgreSQL has no type for column {column}, which is {kind.simpleString()}: make it a text by to_json({column})")
    return PG_TYPES[kind.simpleString()]


def names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def write_table(session: SparkSession, rows: DataFrame) -> dict:
    """Updates rows by their key, or replaces the partitions that there are rows for, in one transaction."""
    columns = {field.name: pg_type(field.name, field.dataType) for field in rows.schema.fields}
    missing = [column for column in OUTPUT["key"] + OUTPUT["partitionBy"] if column not in columns]
    if missing or len(columns) != len(rows.columns):
        raise DataError(f"the result has the columns {', '.join(rows.columns)}: {', '.join(missing) or 'one of them twice'}" + (" is missing" if missing else ""))
    rows = rows.persist(StorageLevel.MEMORY_AND_DISK)  # a transaction that is tried again writes the same rows
    warehouse = Warehouse("cryptopipe sql")
    try:
        rows.count()
        count = warehouse.transact(lambda connection: store(connection, rows, columns))
        return {"table": f"{OUTPUT['schema']}.{OUTPUT['table']}", "rows": count}
    except (psycopg.errors.DataError, psycopg.errors.IntegrityError, psycopg.errors.ProgrammingError) as error:
        raise DataError(f"PostgreSQL: {error}") from None
    finally:
        warehouse.close()
        rows.unpersist()


def store(connection: psycopg.Connection, rows: DataFrame, columns: dict[str, str]) -> int:
    """Copies the rows beside the table, checks them, and moves them in; returns how many."""
    connection.execute(LONG_WRITE)
    target = sql.Identifier(OUTPUT["schema"], OUTPUT["table"])
    ensure_table(connection, target, columns)
    connection.execute(sql.SQL("CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(names(columns), target))
    with connection.cursor() as cursor:
        with cursor.copy(sql.SQL("COPY incoming ({}) FROM STDIN").format(names(columns))) as copy:
            for row in rows.toLocalIterator(prefetchPartitions=True):
                copy.write_row(row)
        count = cursor.rowcount
    move = update_by_key if OUTPUT["key"] else replace_partitions
    move(connection, target, list(columns))
    return count


def ensure_table(connection: psycopg.Connection, target: sql.Identifier, columns: dict[str, str]) -> None:
    """Makes the table where there is none; one that is there must have every column of the result."""
    there = {column for (column,) in connection.execute(TABLE_COLUMNS, [f"{OUTPUT['schema']}.{OUTPUT['table']}"])}
    if there and not there.issuperset(columns):
        raise DataError(f"{OUTPUT['schema']}.{OUTPUT['table']} has no column {', '.join(set(columns) - there)}")
    if there:
        return
    if connection.execute("SELECT to_regnamespace(%s)", [OUTPUT["schema"]]).fetchone()[0] is None:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(OUTPUT["schema"])))
    parts = [sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in columns.items()]
    if OUTPUT["key"]:
        parts.append(sql.SQL("PRIMARY KEY ({})").format(names(OUTPUT["key"])))
    connection.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(target, sql.SQL(", ").join(parts)))


def update_by_key(connection: psycopg.Connection, target: sql.Identifier, columns: list[str]) -> None:
    key = names(OUTPUT["key"])
    twice = connection.execute(sql.SQL("SELECT {0} FROM incoming GROUP BY {0} HAVING count(*) > 1 LIMIT 1").format(key)).fetchone()
    if twice is not None:
        raise DataError(f"the result has more than one row with ({', '.join(OUTPUT['key'])}) = ({', '.join(map(str, twice))})")
    rest = [column for column in columns if column not in OUTPUT["key"]]
    changes = sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(column)) for column in rest)
    action = sql.SQL("UPDATE SET {}").format(changes) if rest else sql.SQL("NOTHING")
    connection.execute(
        sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM incoming ORDER BY {2} ON CONFLICT ({2}) DO {3}").format(target, names(columns), key, action)
    )


def replace_partitions(connection: psycopg.Connection, target: sql.Identifier, columns: list[str]) -> None:
    """Readers see the old rows or the new ones; a second writer waits."""
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(target))
    nameless = sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(sql.Identifier(column)) for column in OUTPUT["partitionBy"])
    if connection.execute(sql.SQL("SELECT 1 FROM incoming WHERE {} LIMIT 1").format(nameless)).fetchone() is not None:
        raise DataError(f"the result has a row that belongs to no partition: {' or '.join(OUTPUT['partitionBy'])} is NULL")
    same = sql.SQL(" AND ").join(sql.SQL("old.{0} = part.{0}").format(sql.Identifier(column)) for column in OUTPUT["partitionBy"])
    parts = sql.SQL("SELECT DISTINCT {} FROM incoming").format(names(OUTPUT["partitionBy"]))
    connection.execute(sql.SQL("DELETE FROM {} AS old USING ({}) AS part WHERE {}").format(target, parts, same))
    connection.execute(sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM incoming").format(target, names(columns)))


def require_room(session: SparkSession) -> None:
    """Refuses to write over files that are no partition of the result."""
    path, files = hadoop_path(session, OUTPUT["path"])
    if OUTPUT["overwrite"] or not files.exists(path):
        return
    if not OUTPUT["partitionBy"]:
        raise DataError(f"{OUTPUT['path']} is there already: name a new path, write partitions with --partition-by, or say --overwrite")
    begins = (f"{OUTPUT['partitionBy'][0]}=", "_", ".")
    strange = [status.getPath().getName() for status in files.listStatus(path) if not status.getPath().getName().startswith(begins)]
    if strange:
        raise DataError(f"{OUTPUT['path']} holds {strange[0]}, which is no partition by {OUTPUT['partitionBy'][0]}: name another path")


def write_files(session: SparkSession, rows: DataFrame) -> dict:
    """Parquet in zstd: replaces exactly the partitions that there are rows for, or makes a folder of its own."""
    require_room(session)
    columns = OUTPUT["partitionBy"]
    rows = rows.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        count = rows.count()
        spread = rows.repartition(*columns) if columns else rows  # few files: a partition is written by one task
        writer = spread.write.mode("overwrite" if columns or OUTPUT["overwrite"] else "errorifexists").option("compression", "zstd")
        if columns:
            writer = writer.partitionBy(*columns).option("partitionOverwriteMode", "dynamic")
        writer.parquet(OUTPUT["path"])
        return {"path": OUTPUT["path"], "rows": count}
    finally:
        rows.unpersist()


class StatementError(DataError):
    """What Spark says of the statement: it cannot be parsed, names what is not there, or divides by zero."""


# How each type of argument is bound; times have a zone, so they mean the same wherever this runs.
BINDERS = {
    "text": str,
    "integer": int,
    "boolean": bool,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "time": lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")),
}


def bound() -> dict[str, object]:
    """The typed values of the statement's parameters."""
    return {name: BINDERS[kind](value) for name, typed in ARGUMENTS.items() for kind, value in typed.items()}


def said_of(error: PySparkException) -> str:
    """Spark's words for the person who wrote the statement: without the plan that it appends to an analysis error."""
    text = str(error).strip()
    has_plan = isinstance(error, AnalysisException) and not isinstance(error, ParseException)
    return text.split(";\n", 1)[0] if has_plan else text


def work(session: SparkSession, run: Run) -> None:
    """The rows of the statement, to where they are told; what became of them is the run's result."""
    writers = {"stdout": print_rows, "postgres": write_table, "hdfs": write_files}
    session.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        make_views(session, STATEMENT)
        rows = session.sql(STATEMENT, args=bound())
        run.result(writers[OUTPUT["kind"]](session, rows))
    except PySparkException as error:
        if error.getCondition() is None:
            raise
        raise StatementError(said_of(error)) from None


if __name__ == "__main__":
    os.environ["TZ"] = "UTC"  # pyspark hands out times in the zone of the process
    time.tzset()
    sys.exit(run_job(work))

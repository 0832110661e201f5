"""Puts the Warehouse of every job into the outages that PostgreSQL can have, on a real server; prints what was found as JSON."""

import json
import os
import socket
import threading
import time

import frame
import psycopg

found: dict[str, dict] = {}
printed: list[str] = []
frame.say = printed.append
frame.is_jvm_gone = lambda: False


def other(**options) -> psycopg.Connection:
    return psycopg.connect(**frame.POSTGRES, password=os.environ["POSTGRES_PASSWORD"], autocommit=True, **options)


def case(name, work, patience=30.0):
    printed.clear()
    warehouse = frame.Warehouse(name, patience)
    entry = found[name] = {}
    try:
        entry["result"] = warehouse.transact(work)
    except psycopg.Error as error:
        entry["error"] = type(error).__name__
    finally:
        warehouse.close()
        entry["printed"] = list(printed)


def first_time(act):
    """Work that does `act` the first time, and is done the second."""
    tries = []

    def work(connection):
        tries.append(1)
        if len(tries) == 1:
            act(connection)
        return "done" if len(tries) > 1 else "not tried again"

    return work


def raised(state):
    """Has the server raise an error of that state: psycopg gives it the class that it gives to the real one."""
    text = f"DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '{state}'; END $$"
    return lambda connection: connection.execute(text)


def terminate(connection):
    with other() as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
    connection.execute("SELECT 1")


def write_read_only(connection):
    connection.execute("SET TRANSACTION READ ONLY")
    connection.execute("CREATE TABLE never (id INT)")


def wait_for_lock(connection):
    connection.execute("SET LOCAL lock_timeout = 100")
    with other() as holder, holder.transaction():
        holder.execute("LOCK TABLE held")
        connection.execute("SELECT * FROM held")


def idle(connection):
    connection.execute("SET LOCAL idle_in_transaction_session_timeout = 50")
    time.sleep(0.3)
    connection.execute("SELECT 1")


def deadlock(connection):
    connection.execute("SET LOCAL deadlock_timeout = 100")
    with other() as holder:
        with holder.transaction():
            holder.execute("LOCK TABLE held")
            connection.execute("LOCK TABLE second")
            waits = threading.Thread(target=lambda: holder.execute("LOCK TABLE second"))
            waits.start()
            try:
                connection.execute("LOCK TABLE held")
            finally:
                connection.close()
                waits.join()


def time_out(connection):
    connection.execute("SET LOCAL statement_timeout = 50")
    connection.execute("SELECT pg_sleep(5)")


def away_for(seconds):
    """The address of a port at which nothing listens before so many seconds are over; then the real server stands there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    real = dict(frame.POSTGRES)
    frame.POSTGRES.update(host="127.0.0.1", port=port)
    return threading.Timer(seconds, lambda: frame.POSTGRES.update(real))


with other() as admin:
    admin.execute("CREATE TABLE held (id INT PRIMARY KEY)")
    admin.execute("CREATE TABLE second ()")

case("terminated", first_time(terminate))
case("read-only", first_time(write_read_only))
case("lock timeout", first_time(wait_for_lock))
case("deadlock", first_time(deadlock))
case("disk full", first_time(raised("53100")))
case("too many connections", first_time(raised("53300")))
case("idle in transaction", first_time(idle))
case("canceled once", first_time(time_out))
case("canceled each time", time_out)
case("wrong", lambda connection: connection.execute("SELECT * FROM nowhere"))
case("impossible", lambda connection: connection.execute("INSERT INTO held VALUES (1), (1)"))

timer = away_for(0.5)
timer.start()
case("refused", lambda connection: "done")
timer = away_for(60)
case("patience", lambda connection: "done", patience=1.0)
timer.function()

timer = away_for(5)
timer.start()
beside = frame.Warehouse("beside")
other_waiter = threading.Thread(target=lambda: beside.transact(lambda connection: None))
other_waiter.start()
case("outage", lambda connection: "done")
other_waiter.join()
found["outage"]["printed"] = list(printed)

waits = [[frame.backoff(attempt) for _ in range(100)] for attempt in range(30)]
full = [min(15.0, 0.25 * 2**attempt) for attempt in range(30)]
is_right = all(top / 2 <= one <= top for some, top in zip(waits, full, strict=True) for one in some)
found["backoff"] = {"result": "done" if is_right else waits, "printed": []}
print(json.dumps(found))

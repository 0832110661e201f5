"""One cryptopipe command as one task of Airflow.

Input: the words of the command, which may hold templates; the environment of Airflow says which stack it speaks to, and
CRYPTOPIPE_COMMAND which program it is (default: `cryptopipe` on the PATH).
Output: the JSON document that the command prints with --json, as the task's result (XCom), whatever its exit code.
Rerun: as safe as the command is, and every command that a DAG here calls may be called twice.

Exit codes (`cryptopipe --help`): 0 is success. 4, a system did not answer, and a command that a signal ended may go well
the next time: Airflow tries again. 1, 2, 3 and 5 (a bug, wrong usage, wrong configuration, a failed job or wrong data)
would only fail again: the task fails at once.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from tempfile import TemporaryFile
from typing import IO, Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

LASTING_FAILURES = {1: "a bug", 2: "wrong usage", 3: "wrong configuration", 5: "a failed job, or data as they should not be"}

# How long a command may take to end by itself: it flushes and disconnects within 10 s.
END_TIMEOUT_S = 15

# What stderr said last goes into the error, and so into the alarm.
LAST_WORDS = 20


class CryptopipeOperator(BaseOperator):
    """Runs one command to its end: stderr is the task's log, the JSON on stdout its result.

    Once its time is over, or when somebody ends the task, the command ends with it.
    https://airflow.apache.org/docs/apache-airflow/stable/howto/custom-operator.html
    """

    template_fields: Sequence[str] = ("arguments",)

    def __init__(self, *, arguments: Sequence[str], left_out: Sequence[str] = (), **kwargs: Any) -> None:
        """`left_out` names fields, at any depth, that are too large for Airflow's database and lie elsewhere anyway."""
        super().__init__(**kwargs)
        self.arguments = arguments
        self.left_out = left_out
        self._child: subprocess.Popen[str] | None = None

    def execute(self, context: Context) -> Any:
        command = [os.environ.get("CRYPTOPIPE_COMMAND", "cryptopipe"), *self.arguments, "--json"]
        exit_code, document, last_words = self._run(command)
        if exit_code == 0:
            return document
        if document is not None:
            context["ti"].xcom_push("return_value", document)
        raise failure_of(self.arguments, exit_code, last_words)

    def on_kill(self) -> None:
        end(self._child)

    def _run(self, command: Sequence[str]) -> tuple[int, Any, str]:
        self.log.info("%s", " ".join(command))
        words: list[str] = []
        with TemporaryFile("w+", encoding="utf-8") as out, start(command, out) as child:
            self._child = child
            try:
                for line in child.stderr or ():
                    self.log.info("%s", line.rstrip())
                    words.append(line)
                exit_code = child.wait()
            finally:
                end(child)
            out.seek(0)
            return exit_code, self._document(out.read()), "".join(words[-LAST_WORDS:]).strip()

    def _document(self, text: str) -> Any:
        return without(json.loads(text), self.left_out) if text.strip() else None


def start(command: Sequence[str], out: IO[str]) -> subprocess.Popen[str]:
    """In the task's process group, so that Airflow's last signal to a task that does not end reaches the command too."""
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        raise AirflowFailException(f"{command[0]} could not be started: {error}; set CRYPTOPIPE_COMMAND") from error


def end(child: subprocess.Popen[str] | None) -> None:
    """Ends a command that still runs; a second call does nothing."""
    if child is None or child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def failure_of(arguments: Sequence[str], exit_code: int, last_words: str) -> AirflowException:
    """What Airflow makes of an exit code: a plain exception is tried again, the other one is not."""
    what = f"cryptopipe {' '.join(arguments)}"
    if exit_code in LASTING_FAILURES:
        return AirflowFailException(f"{what}: exit code {exit_code}, {LASTING_FAILURES[exit_code]}\n{last_words}")
    return AirflowException(f"{what}: exit code {exit_code}, which may go well the next time\n{last_words}")


def without(value: Any, names: Sequence[str]) -> Any:
    """The document less the fields of these names."""
    if isinstance(value, dict):
        return {name: without(inner, names) for name, inner in value.items() if name not in names}
    return [without(inner, names) for inner in value] if isinstance(value, list) else value


def moment_of(dag_run: Any) -> datetime:
    """When a run is due; one that somebody triggers by hand may have no logical date, and is about now."""
    return dag_run.logical_date or dag_run.run_after


def tell_failure(context: Context) -> None:
    """The alarm, after the last try: one line in the task's log, and CRYPTOPIPE_ALARM_COMMAND gets it on its stdin."""
    ti = context["ti"]
    words = f"{ti.dag_id}.{ti.task_id} of run {ti.run_id} has failed: {context.get('exception')}"
    logging.getLogger(__name__).error("%s", words)
    command = os.environ.get("CRYPTOPIPE_ALARM_COMMAND")
    if command:
        subprocess.run([command], input=words, text=True, timeout=60, check=True)


def settings(**own: Any) -> dict[str, Any]:
    """The DAG arguments that all have in common.

    https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/dags.html
    """
    macros: dict[str, Callable[..., Any]] = {"moment_of": moment_of, **own.pop("user_defined_macros", {})}
    return {
        "start_date": datetime(2024, 1, 1, tzinfo=timezone.utc),
        "catchup": False,
        "max_active_runs": 1,
        "tags": ["cryptopipe"],
        "user_defined_macros": macros,
        "default_args": {
            "owner": "cryptopipe",
            "retries": 3,
            "retry_delay": timedelta(seconds=20),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=10),
            "on_failure_callback": tell_failure,
        },
        **own,
    }

"""What a task makes of a command, with a stand-in for cryptopipe; needs Airflow, but none that runs.

AIRFLOW__CORE__UNIT_TEST_MODE=True PYTHONPATH=airflow/dags python -m unittest discover airflow/tests
"""

import os
import threading
import time
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from unittest.mock import patch

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowTaskTimeout
from airflow.sdk.execution_time.timeout import timeout
from check_lake import hours_ended
from cryptopipe_command import CryptopipeOperator, moment_of, tell_failure
from prove_day import day_before


class TaskInstance(SimpleNamespace):
    def __init__(self):
        super().__init__(dag_id="dag", task_id="task", run_id="run", pushed={})

    def xcom_push(self, key, value):
        self.pushed[key] = value


class WithStandIn(unittest.TestCase):
    def setUp(self):
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.ti = TaskInstance()

    def command(self, script: str) -> str:
        path = self.folder / "cryptopipe"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    def run_task(self, script: str, **arguments):
        self.operator = CryptopipeOperator(task_id="task", **{"arguments": ["status"], **arguments})
        with patch.dict(os.environ, CRYPTOPIPE_COMMAND=self.command(script)):
            return self.operator.execute({"ti": self.ti})


class ExitCodes(WithStandIn):
    def test_success_gives_the_document(self):
        self.assertEqual(self.run_task("""echo "{\\"words\\": \\"$*\\"}" """), {"words": "status --json"})
        self.assertEqual(self.ti.pushed, {})

    def test_lasting_failures_are_not_tried_again_and_keep_the_document(self):
        for code in (1, 2, 3, 5):
            with self.subTest(code=code):
                self.ti.pushed.clear()
                with self.assertRaises(AirflowFailException) as caught:
                    self.run_task(f"""echo '{{"isHealthy": false}}'; echo 'data: 90 s old' >&2; exit {code}""")
                self.assertIn(f"exit code {code}", str(caught.exception))
                self.assertIn("data: 90 s old", str(caught.exception))
                self.assertEqual(self.ti.pushed, {"return_value": {"isHealthy": False}})

    def test_a_silent_system_is_tried_again(self):
        with self.assertRaises(AirflowException) as caught:
            self.run_task("echo 'Kafka did not answer' >&2; exit 4")
        self.assertNotIsInstance(caught.exception, AirflowFailException)
        self.assertIn("Kafka did not answer", str(caught.exception))
        self.assertEqual(self.ti.pushed, {})

    def test_a_command_that_a_signal_ended_is_tried_again(self):
        with self.assertRaises(AirflowException) as caught:
            self.run_task("kill -KILL $$")
        self.assertNotIsInstance(caught.exception, AirflowFailException)

    def test_a_program_that_is_not_there_is_not_tried_again(self):
        operator = CryptopipeOperator(task_id="task", arguments=["status"])
        with patch.dict(os.environ, CRYPTOPIPE_COMMAND="/nonexistent/cryptopipe"):
            with self.assertRaisesRegex(AirflowFailException, "/nonexistent/cryptopipe could not be started"):
                operator.execute({"ti": self.ti})


class Output(WithStandIn):
    def test_stderr_is_the_log(self):
        with patch.object(CryptopipeOperator, "log") as log:
            self.run_task("echo one >&2; echo two >&2; echo null")
        self.assertEqual([call.args[1] for call in log.info.call_args_list][1:], ["one", "two"])

    def test_more_than_a_pipe_holds_comes_through(self):
        document = self.run_task("""printf '"'; head -c 300000 /dev/zero | tr '\\0' x; printf '"'; head -c 300000 /dev/zero | tr '\\0' y >&2""")
        self.assertEqual(document, "x" * 300_000)

    def test_large_fields_are_left_out_at_any_depth(self):
        script = """echo '{"symbols": [{"symbol": "BTCUSDT", "minutes": [1, 2]}], "isProven": true}'"""
        document = self.run_task(script, left_out=["minutes"])
        self.assertEqual(document, {"symbols": [{"symbol": "BTCUSDT"}], "isProven": True})


class Ends(WithStandIn):
    """The stand-in writes its pid, then stands still."""

    def still(self) -> str:
        return f"echo $$ > {self.folder}/pid; exec sleep 60"

    def pid(self) -> int:
        for _ in range(200):
            if (self.folder / "pid").exists() and (self.folder / "pid").read_text().strip():
                return int((self.folder / "pid").read_text())
            time.sleep(0.05)
        raise AssertionError("the stand-in did not start")

    def assert_gone(self, pid: int) -> None:
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)

    def test_with_the_task_that_somebody_ends(self):
        killer = threading.Thread(target=lambda: (self.pid(), self.operator.on_kill()))
        killer.start()
        with self.assertRaises(AirflowException):
            self.run_task(self.still())
        killer.join()
        self.assert_gone(self.pid())

    def test_with_the_time_of_the_task(self):
        with self.assertRaises(AirflowTaskTimeout), timeout(2):
            self.run_task(self.still())
        self.assert_gone(self.pid())

    def test_by_force_where_it_does_not_listen(self):
        script = f"""trap '' TERM; echo $$ > {self.folder}/pid; while :; do sleep 0.1; done"""
        with patch("cryptopipe_command.END_TIMEOUT_S", 1), self.assertRaises(AirflowTaskTimeout), timeout(2):
            self.run_task(script)
        self.assert_gone(self.pid())


class Alarm(WithStandIn):
    def test_gets_the_words(self):
        alarm = self.command(f"cat > {self.folder}/words")
        with patch.dict(os.environ, CRYPTOPIPE_ALARM_COMMAND=alarm):
            tell_failure({"ti": self.ti, "exception": AirflowFailException("data: 90 s old")})
        words = (self.folder / "words").read_text()
        self.assertEqual(words, "dag.task of run run has failed: data: 90 s old")


class Times(unittest.TestCase):
    now = datetime(2024, 8, 9, 13, 10, tzinfo=timezone.utc)

    def test_a_run_without_a_logical_date_is_about_the_moment_that_it_is_due(self):
        scheduled = SimpleNamespace(logical_date=self.now, run_after=self.now + timedelta(hours=5))
        self.assertEqual(moment_of(scheduled), self.now)
        self.assertEqual(moment_of(SimpleNamespace(logical_date=None, run_after=self.now)), self.now)

    def test_the_hour_that_ended(self):
        expected = ("2024-08-09T12:00:00Z", "2024-08-09T13:00:00Z")
        self.assertEqual(hours_ended(self.now, None), expected)
        self.assertEqual(hours_ended(self.now, self.now - timedelta(hours=1)), expected)
        self.assertEqual(hours_ended(self.now, self.now), expected)

    def test_the_hours_since_the_last_success_but_a_day_at_most(self):
        self.assertEqual(hours_ended(self.now, self.now - timedelta(hours=3))[0], "2024-08-09T10:00:00Z")
        self.assertEqual(hours_ended(self.now, self.now - timedelta(days=9))[0], "2024-08-08T13:00:00Z")

    def test_the_day_before_over_the_end_of_a_month(self):
        self.assertEqual(day_before(datetime(2024, 3, 1, 0, 30, tzinfo=timezone.utc)), ("2024-02-29", "2024-03-01"))

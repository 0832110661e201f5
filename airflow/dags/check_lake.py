"""Hourly checks of the lake; see doc_md below."""

from datetime import datetime, timedelta

from airflow.sdk import DAG
from cryptopipe_command import CryptopipeOperator, settings

HOUR = timedelta(hours=1)
MOST_HOURS = 24


def hours_ended(moment: datetime, succeeded: datetime | None) -> tuple[str, str]:
    """The full hours since the last success before this run, at least one and a day at most: [from, until)."""
    until = moment.replace(minute=0, second=0, microsecond=0)
    since = until - HOUR if not succeeded else succeeded.replace(minute=0, second=0, microsecond=0)
    begin = max(min(since, until - HOUR), until - MOST_HOURS * HOUR)
    return begin.strftime("%Y-%m-%dT%H:%M:%SZ"), until.strftime("%Y-%m-%dT%H:%M:%SZ")


HOURS = "hours_ended(moment_of(dag_run), prev_data_interval_end_success)"

with DAG(
    dag_id="check_lake",
    dag_display_name="Check the lake",
    description="The shipped and your own SQL checks over what arrived in the lake in the hours that ended",
    # Ten past: by then the lake holds what Kafka took before the hour ended.
    schedule="10 * * * *",
    dagrun_timeout=timedelta(minutes=50),
    doc_md="""
### Check the lake

Ten minutes past every hour: `cryptopipe submit quality --wait` over the hours that ended since the last success, one at
least and a day at most, by time of arrival. Every check of `spark-sql/checks/`, and those of your own folder of jobs, is
made; what violates one stands in `crypto.quality_results` under the run's id.

The checks only read the lake, so a run may be repeated, and a repeat checks the same hours. A check that finds a violation
fails the task at once; it is not tried again, since the data would be the same.

**When it fails**: the violated checks stand in the task's log; `crypto.quality_results` has rows that show each.
""",
    **settings(user_defined_macros={"hours_ended": hours_ended}),
):
    CryptopipeOperator(
        task_id="quality",
        arguments=[
            *["submit", "quality", "--wait", "--timeout", "1500"],
            *["--param", f"from={{{{ {HOURS}[0] }}}}", "--param", f"until={{{{ {HOURS}[1] }}}}"],
        ],
        execution_timeout=timedelta(minutes=30),
    )

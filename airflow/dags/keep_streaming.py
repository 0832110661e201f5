"""Keeps the streaming job running and healthy; see doc_md below."""

from datetime import timedelta

from airflow.sdk import DAG
from cryptopipe_command import CryptopipeOperator, settings

with DAG(
    dag_id="keep_streaming",
    dag_display_name="Keep the streaming job running",
    description="Submits the streaming job where it does not run, and fails when the pipeline is not healthy",
    schedule="*/5 * * * *",
    dagrun_timeout=timedelta(minutes=15),
    doc_md="""
### Keep the streaming job running

Every five minutes:

1. **submit**: `cryptopipe submit streaming`. A job that runs is left as it is; one that died or was stopped is submitted
   again and goes on from its checkpoint. There is never a second one, not even when an earlier call broke off half-way.
2. **status**: `cryptopipe status`. It fails when anything is not as it should be: a run that stands still, a dead producer,
   data that are stale, holes. What it found stands in the task's log and in the alarm.

**By hand**: trigger it whenever you like. To stop the job for longer, pause this DAG first, or it comes back.

**When it fails**: `status` says what is wrong and on which system; `cryptopipe logs streaming` shows the job's own words.
""",
    **settings(),
):
    submit = CryptopipeOperator(
        task_id="submit",
        arguments=["submit", "streaming", "--timeout", "180"],
        execution_timeout=timedelta(minutes=4),
    )
    status = CryptopipeOperator(
        task_id="status",
        arguments=["status"],
        execution_timeout=timedelta(minutes=2),
    )
    submit >> status

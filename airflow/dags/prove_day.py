"""Nightly heal and verify of the day before; see doc_md below."""

from datetime import datetime, timedelta

from airflow.sdk import DAG
from cryptopipe_command import CryptopipeOperator, settings


def day_before(moment: datetime) -> tuple[str, str]:
    """The UTC day before the one of this moment: [from, to)."""
    day = moment.date()
    return str(day - timedelta(days=1)), str(day)


RANGE = [
    *["--from", "{{ day_before(moment_of(dag_run))[0] }}"],
    *["--to", "{{ day_before(moment_of(dag_run))[1] }}"],
]

with DAG(
    dag_id="prove_day",
    dag_display_name="Heal and prove the day before",
    description="Fetches by id what is missing of the day before, then holds its bars against the exchange's",
    # Half past midnight (UTC): the last minute has long ended at the exchange, and its last trades are counted.
    schedule="30 0 * * *",
    dagrun_timeout=timedelta(hours=3),
    doc_md="""
### Heal and prove the day before

Every night at 00:30 UTC, for the UTC day before the run's logical date:

1. **heal**: `cryptopipe heal --from DAY --to NEXT` fetches the trades that are missing, in that day and in every hole, and
   waits until the streaming job has counted them. What is there already is not fetched again.
2. **verify**: `cryptopipe verify --from DAY --to NEXT` gives each minute a verdict against the exchange's own bar; they
   stand in `crypto.reconciliations`, where a repeat replaces them. It is made whatever became of heal, so the colour of the
   run says whether the day is proven.

A day of your choice: trigger it with a logical date on the day after, or backfill.

**When it fails**: the log says which ids are missing and why, or which minutes differ in what. Repeat the run once the
cause is gone; `cryptopipe heal --max-weight` takes more at once.
""",
    **settings(user_defined_macros={"day_before": day_before}),
):
    heal = CryptopipeOperator(
        task_id="heal",
        arguments=["heal", *RANGE, "--timeout", "1800", "--quiet"],
        execution_timeout=timedelta(hours=1),
    )
    verify = CryptopipeOperator(
        task_id="verify",
        arguments=["verify", *RANGE],
        # Each minute stands in crypto.reconciliations.
        left_out=["minutes"],
        trigger_rule="all_done",
        execution_timeout=timedelta(hours=1),
    )
    heal >> verify

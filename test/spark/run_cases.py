"""Runs every case of the SQL steps and checks on a local Spark and prints what came out, as one JSON document.

Argument: a folder with one rendered `<step>.sql` a step. Cases: `cases/<step>/<case>/` with `<view>.jsonl` (rows of a view;
`input.jsonl` are those of the step's first view; a view without a file is empty) and `args.json` (its parameters, optional).
Output: {"<step>/<case>": [rows]}, decimals as text, NULL fields left out.
"""

import json
import re
import sys
from decimal import Decimal
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

TRADE = """
source STRING, symbol STRING, agg_trade_id BIGINT, first_trade_id BIGINT, last_trade_id BIGINT, event_time BIGINT,
event_timestamp TIMESTAMP, price DECIMAL(20, 8), quantity DECIMAL(20, 8), buyer_is_maker BOOLEAN
"""
POSITION = "topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, "
PARSED = POSITION + "reject_reason STRING, " + TRADE
LEAF = ", dt STRING, hr STRING, batch STRING, generation STRING"
IDS = "source STRING, symbol STRING, first_id BIGINT, last_id BIGINT"
RECORD = "key BINARY, value BINARY, " + POSITION.rstrip(", ")
VIEWS = {
    "raw": RECORD + LEAF,
    "raw_ever": RECORD + LEAF,
    "rejected": RECORD + ", reject_reason STRING" + LEAF,
    "messages": "value STRING, hex STRING, " + POSITION.rstrip(", "),
    "parsed": PARSED,
    "marked": PARSED + ", id_bucket BIGINT, occurrence INT, is_repeat BOOLEAN",
    "clean": POSITION + TRADE + LEAF,
    "clean_ever": POSITION + TRADE + LEAF,
    "counted_ids": IDS,
    "booked": "generation STRING, batch_id BIGINT, batch STRING, topic STRING, partition INT, first_offset BIGINT, "
    "last_offset BIGINT, committed_at TIMESTAMP",
    "committed": "query STRING, topic STRING, partition INT, generation STRING, next_offset BIGINT, committed_at TIMESTAMP",
    "covered": IDS,
    "conflicts": TRADE,
    "trades": TRADE,
    "countable": "topic STRING, partition INT, offset BIGINT, " + TRADE,
    "known_minutes": "source STRING, symbol STRING, window_start TIMESTAMP",
}
INPUTS = {
    "parsed": ["messages"],
    "marked": ["parsed"],
    "partial_bars": ["marked"],
    "deduplicated": ["clean"],
    "countable": ["clean", "covered", "conflicts"],
    "held_ids": ["trades"],
    "lake_minutes": ["trades", "countable", "known_minutes"],
}
# Every check may ask all of them.
CHECK_INPUTS = ["raw", "clean", "rejected", "raw_ever", "clean_ever", "counted_ids", "booked", "committed"]


def session() -> SparkSession:
    return (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.decimalOperations.allowPrecisionLoss", "false")
        .getOrCreate()
    )


def rows_of(spark: SparkSession, case: Path, view: str, is_first: bool) -> DataFrame:
    names = [f"{view}.jsonl", *(["input.jsonl"] if is_first else [])]
    files = [str(case / name) for name in names if (case / name).exists()]
    rows = spark.read.schema(VIEWS[view]).json(files) if files else spark.createDataFrame([], VIEWS[view])
    if view != "messages":
        return rows
    return rows.selectExpr("coalesce(unhex(hex), CAST(value AS BINARY)) AS value", "topic", "partition", "offset", "timestamp")


def run_case(spark: SparkSession, step: str, sql: str, case: Path) -> list[dict]:
    asked = [view for view in CHECK_INPUTS if re.search(rf"\b{view}\b", sql)]
    for number, view in enumerate(INPUTS.get(step, asked)):
        rows_of(spark, case, view, number == 0).createOrReplaceTempView(view)
    file = case / "args.json"
    values = json.loads(file.read_text()) if file.exists() else {}
    args = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in values.items()}
    return [json.loads(row, parse_float=Decimal) for row in spark.sql(sql, args=args).toJSON().collect()]


def main() -> None:
    rendered, cases = Path(sys.argv[1]), Path(__file__).parent / "cases"
    spark = session()
    spark.sparkContext.setLogLevel("ERROR")
    found = {}
    for case in sorted(file.parent for file in cases.rglob("expected.jsonl")):
        step = str(case.parent.relative_to(cases))
        found[f"{step}/{case.name}"] = run_case(spark, step, (rendered / f"{step}.sql").read_text(), case)
    print(json.dumps(found, default=str))


if __name__ == "__main__":
    main()

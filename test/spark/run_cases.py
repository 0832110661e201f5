"""Runs every case of the SQL steps on a local Spark and prints what came out, as one JSON document.

Argument: a folder with one rendered `<step>.sql` a step. Cases: `cases/<step>/<case>/input.jsonl` (rows of the step's view),
`args.json` (its parameters, optional). Output: {"<step>/<case>": [rows]}, decimals as text, NULL fields left out.
"""

import json
import sys
from decimal import Decimal
from pathlib import Path

from pyspark.sql import SparkSession

PARSED = """
topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP, reject_reason STRING, source STRING, symbol STRING,
agg_trade_id BIGINT, first_trade_id BIGINT, last_trade_id BIGINT, event_time BIGINT, event_timestamp TIMESTAMP,
price DECIMAL(20, 8), quantity DECIMAL(20, 8), buyer_is_maker BOOLEAN
"""
INPUTS = {
    "parsed": ("messages", "value STRING, hex STRING, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP"),
    "marked": ("parsed", PARSED),
    "partial_bars": ("marked", PARSED + ", id_bucket BIGINT, occurrence INT, is_repeat BOOLEAN"),
    "deduplicated": ("clean", PARSED.replace("reject_reason STRING, ", "")),
}


def session() -> SparkSession:
    return (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.decimalOperations.allowPrecisionLoss", "false")
        .getOrCreate()
    )


def run_case(spark: SparkSession, sql: str, case: Path) -> list[dict]:
    view, schema = INPUTS[case.parent.name]
    rows = spark.read.schema(schema).json(str(case / "input.jsonl"))
    if view == "messages":
        rows = rows.selectExpr("coalesce(unhex(hex), CAST(value AS BINARY)) AS value", "topic", "partition", "offset", "timestamp")
    rows.createOrReplaceTempView(view)
    args_file = case / "args.json"
    args = {name: json.dumps(value) for name, value in json.loads(args_file.read_text()).items()} if args_file.exists() else None
    return [json.loads(row, parse_float=Decimal) for row in spark.sql(sql, args=args).toJSON().collect()]


def main() -> None:
    steps = {path.stem: path.read_text() for path in Path(sys.argv[1]).glob("*.sql")}
    spark = session()
    spark.sparkContext.setLogLevel("ERROR")
    cases = sorted(Path(__file__).parent.joinpath("cases").glob("*/*"))
    found = {f"{case.parent.name}/{case.name}": run_case(spark, steps[case.parent.name], case) for case in cases}
    print(json.dumps(found, default=str))


if __name__ == "__main__":
    main()

"""What `cryptopipe check` asks of Python and of Spark's own parser: JSON on stdin, JSON on stdout, nothing is run.

Request   {"jars": folder of Spark's jars or null, "java": path, "cache": folder or null,
           "texts": [{"id", "kind": "python" | "sql", "text", "given": names of parameters or null}]}
Answer    {"python": version, "problems": [{"id", "kind", "message", "line", "column", "parameter"}],
           "statements": how many SQL texts were parsed, "parser": {"archive": bool} or {"error": why it did not start}}

`--archive FILE JAVA JARS` writes the archive of the parser's classes with which a JVM is ready in a third of the time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path

from sql_in_python import SqlText, sql_texts_of

# One core compiles, one collects: what a JVM that lives for a second needs. `-Xlog:disable` because a JVM that finds its
# archive too old says so on stdout, where py4j waits for a port.
JVM_OPTIONS = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xlog:disable", "-Xss8m", "-Xmx512m"]
# Loads what most texts need: a step, a script, a marker, an expression, an error.
SAMPLES = [
    "WITH a AS (SELECT b, sum(c) OVER (PARTITION BY d ORDER BY e) AS f FROM g WHERE h = :i) SELECT * FROM a ORDER BY 1 LIMIT 2",
    "BEGIN DECLARE a INT DEFAULT 0; SET a = 1; SELECT CASE WHEN a > 0 THEN 'x' ELSE DATE'2026-01-01' END; END",
    "SELECT a::decimal(20, 8), b.c RLIKE r'\\d', from_json(d, 'e STRING') FROM f JOIN g ON f.h = g.h GROUP BY ALL",
    "INSERT INTO a SELECT * FROM",
]


def compile_problem(text: str) -> dict | None:
    """What keeps Python from compiling the text; compiling runs nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "job", "exec", dont_inherit=True)
        except SyntaxError as error:
            return {"kind": "python", "message": error.msg, "line": error.lineno, "column": error.offset}
        except ValueError as error:
            return {"kind": "python", "message": str(error), "line": None, "column": None}
    return None


def texts_of(entry: dict) -> list[SqlText]:
    if entry["kind"] == "python":
        return sql_texts_of(entry["text"])
    given = entry.get("given")
    return [SqlText("statement", [entry["text"]], 1, 0, True, None if given is None else frozenset(given))]


def check(request: dict) -> dict:
    problems: list[dict] = []
    statements: list[tuple[dict, SqlText]] = []
    for entry in request["texts"]:
        problem = compile_problem(entry["text"]) if entry["kind"] == "python" else None
        if problem is not None:
            problems.append({"id": entry["id"], **problem})
        else:
            statements.extend((entry, text) for text in texts_of(entry))
    answer = {"python": sys.version.split()[0], "problems": problems, "statements": len(statements), "parser": None}
    if request["jars"] is not None and statements:
        answer["parser"] = parse_all(request, statements, answer)
    return answer


def parse_all(request: dict, statements: list[tuple[dict, SqlText]], answer: dict) -> dict:
    """Adds what Spark's parser refuses to `answer`; says how the parser was started."""
    java = shutil.which(request["java"])
    if java is None:
        return {"error": f"there is no {request['java']}"}
    jars = Path(request["jars"])
    archive = archive_path(request["cache"], java, jars)
    is_there = archive is not None and archive.exists()
    try:
        with start_parser(java, jars, [*JVM_OPTIONS, *([f"-XX:SharedArchiveFile={archive}"] if is_there else [])]) as parser:
            for entry, text in statements:
                answer["problems"].extend({"id": entry["id"], **problem} for problem in parser.problems_of(text))
    except Exception as error:  # whatever it is, the check was not made, and that is said
        return {"error": f"{type(error).__name__}: {error}".strip().splitlines()[0][:500]}
    if archive is not None and not is_there:
        write_archive_later(archive, java, jars)
    return {"archive": is_there}


def start_parser(java: str, jars: Path, options: list[str]):  # noqa: ANN201 - known only once py4j is found
    """Spark's parser; py4j is the one that lies beside the jars where this Python has none."""
    sys.path += [str(path) for path in jars.parent.glob("python/lib/py4j-*-src.zip")]
    from spark_parser import SparkParser

    return SparkParser(java, jars, options)


def archive_path(cache: str | None, java: str, jars: Path) -> Path | None:
    """One file for each pair of JVM and jars: a JVM takes no archive that another wrote, or whose jars have changed."""
    if cache is None:
        return None
    parts = [os.path.realpath(java), os.stat(java).st_mtime_ns, str(jars), jars.stat().st_mtime_ns, JVM_OPTIONS]
    return Path(cache) / f"{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}.jsa"


def write_archive_later(archive: Path, java: str, jars: Path) -> None:
    """Starts a process of its own, so that nobody waits for the seconds that it takes."""
    subprocess.Popen(
        [sys.executable, __file__, "--archive", str(archive), java, str(jars)],
        start_new_session=True,
        **{stream: subprocess.DEVNULL for stream in ("stdin", "stdout", "stderr")},
    )


def write_archive(archive: Path, java: str, jars: Path) -> None:
    """Writes the archive under a name of its own first: a JVM never sees half of one. Gives up where another writes it."""
    archive.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = archive.with_suffix(".lock")
    if lock.exists() and time.time() - lock.stat().st_mtime > 300:
        lock.unlink(missing_ok=True)
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    written = archive.with_suffix(f".{os.getpid()}")
    try:
        with start_parser(java, jars, [*JVM_OPTIONS, f"-XX:ArchiveClassesAtExit={written}"]) as parser:
            for sample in SAMPLES:
                parser.problems_of(SqlText("statement", [sample], 1, 0, True, None))
            parser.problems_of(SqlText("expression", ["CASE WHEN a THEN 1 END AS b"], 1, 0, True, None))
            parser.end(timeout=120)
        written.rename(archive)
    finally:
        written.unlink(missing_ok=True)
        lock.unlink(missing_ok=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--archive"]:
        os.nice(10)
        write_archive(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
    else:
        json.dump(check(json.load(sys.stdin)), sys.stdout)

"""Spark's own SQL parser in a JVM of its own: no session, no cluster, nothing is run.

The JVM is py4j's gateway, on loopback with a token, over the jars of an installed Spark; it ends with the process that started it.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import TracebackType

from py4j.java_gateway import GatewayParameters, JavaGateway, JavaObject, launch_gateway
from py4j.protocol import Py4JJavaError
from sql_in_python import SqlText

# Words that Spark takes for a name where a person has left out what belongs before them: `SELECT a, FROM t` reads a column
# FROM with the alias t. Left out are those that somebody may call a column (`order`, `limit`, `end`).
NO_NAMES = {"SELECT", "FROM", "WHERE", "HAVING", "JOIN", "ON", "USING", "UNION", "AND", "OR", "CASE", "WHEN", "THEN"}
# The grammar's rules for a keyword that stands where a name does (SqlBaseParser.g4).
NAME_RULES = ("//nonReserved", "//strictNonReserved")
# Spark binds parameters before it parses; where a marker may stand only then, nothing is known of its value.
MARKER = re.compile(r"parameter.?marker", re.IGNORECASE)


class SparkParser:
    """Parses one text after the other; to be used in a `with`."""

    def __init__(self, java: str, jars: Path, options: list[str]) -> None:
        gateway_jar = next(iter(jars.glob("py4j-*.jar")), None)
        if gateway_jar is None:
            raise FileNotFoundError(f"no py4j jar in {jars}")
        port, token, self.process = launch_gateway(
            jarpath=str(gateway_jar),
            classpath=str(jars / "*"),
            javaopts=options,
            java_path=java,
            die_on_exit=True,
            enable_auth=True,
            return_proc=True,
        )
        # Without memory management: its finalizers would go on speaking to a JVM that has ended.
        parameters = GatewayParameters(port=port, auth_token=token, enable_memory_management=False)
        self.gateway = JavaGateway(gateway_parameters=parameters)
        # Looked up once: each step of a class's name is a question to the JVM.
        self.parser = self.gateway.jvm.org.apache.spark.sql.execution.SparkSqlParser()
        catalyst = self.gateway.jvm.org.apache.spark.sql.catalyst.parser
        self.lexer, self.tree_parser, self.upper_case = catalyst.SqlBaseLexer, catalyst.SqlBaseParser, catalyst.UpperCaseCharStream
        self.marker_finder = catalyst.SubstituteParmsAstBuilder
        antlr = self.gateway.jvm.org.antlr.v4.runtime
        self.characters, self.tokens, self.find_all = antlr.CharStreams.fromString, antlr.CommonTokenStream, antlr.tree.xpath.XPath.findAll

    def __enter__(self) -> SparkParser:
        return self

    def __exit__(self, _type: type | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()

    def end(self, timeout: float) -> None:
        """Lets the JVM end by itself, as one must that writes an archive."""
        self.gateway.shutdown()
        self.process.stdin.close()
        self.process.wait(timeout)

    def problems_of(self, text: SqlText) -> list[dict]:
        """What is wrong with every variant of the text; none where Spark takes one of them."""
        first: list[dict] = []
        for variant in text.variants:
            found = self.problems_in(text, variant)
            if not found:
                return []
            first = first or found
        return first

    def problems_in(self, text: SqlText, sql: str) -> list[dict]:
        try:
            self.parser.parsePlan(sql) if text.kind == "statement" else self.parser.parseExpression(sql)
        except Py4JJavaError as error:
            problem = refused(error.java_exception)
            if problem is not None:
                return [placed(text, *problem)]
        return self.problems_of_tree(text, sql) if text.kind == "statement" else []

    def problems_of_tree(self, text: SqlText, sql: str) -> list[dict]:
        """What Spark's parser lets through, and the cluster would not."""
        lexer = self.lexer(self.upper_case(self.characters(sql)))
        lexer.removeErrorListeners()
        parser = self.tree_parser(self.tokens(lexer))
        parser.removeErrorListeners()
        tree = parser.compoundOrSingleStatement()
        keywords = [node for rule in NAME_RULES for node in self.find_all(tree, rule, parser)]
        problems = [placed(text, *taken_for_a_name(node)) for node in keywords if node.getText().upper() in NO_NAMES]
        if text.given is not None:
            markers = self.marker_finder().extractParameterLocations(tree).namedParameterLocations()
            keys = markers.keys().toList()
            names = [keys.apply(at) for at in range(keys.size())]
            first = {name: markers.apply(name).head().start() for name in names if name not in text.given}
            problems += [not_given(text, sql, name, start) for name, start in first.items()]
        return problems


def taken_for_a_name(node: JavaObject) -> tuple[str, int, int]:
    start = node.getStart()
    word = node.getText()
    return f"{word} is taken for a name: something is missing or too much before it", start.getLine(), start.getCharPositionInLine()


def not_given(text: SqlText, sql: str, name: str, start: int) -> dict:
    """A marker that nobody gives a value; `start` is where it first stands."""
    line, position = sql.count("\n", 0, start) + 1, start - (sql.rfind("\n", 0, start) + 1)
    return {**placed(text, f":{name} is used and not given", line, position), "parameter": name}


def refused(error: JavaObject) -> tuple[str, int, int] | None:
    """Spark's message without its decoration, line from 1 and position from 0; None where only a marker is in the way."""
    message = str(error.getMessage() or error.toString()).split("\n\n== SQL")[0].strip()
    if MARKER.search(message):
        return None
    place = re.search(r"\(line (\d+), pos (\d+)\)", message)
    message = re.sub(r"\s*\(line \d+, pos \d+\)|\s*SQLSTATE: \w+", "", message)
    message = re.sub(r"^\[[A-Z0-9_.]+\]\s*", "", message)
    return message, int(place[1]) if place else 1, int(place[2]) if place else 0


def placed(text: SqlText, message: str, line: int, position: int) -> dict:
    """The problem at its place in the file, as exactly as that is known."""
    problem = {"kind": "sql", "message": message, "line": text.line, "column": None, "parameter": None}
    if text.is_exact:
        problem["line"] = text.line + line - 1
        problem["column"] = position + 1 + (text.column if line == 1 else 0)
    return problem

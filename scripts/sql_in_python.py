"""The SQL texts that a Python program hands to Spark, found in its syntax tree; nothing is run.

Looked at: the arguments of `.sql(…)`, `expr(…)` and `selectExpr(…)`: texts, f-strings, sums of texts, and names and entries
of dictionaries that stand for them. What cannot be known before the program runs is left out, never guessed to be wrong.
"""

from __future__ import annotations

import ast
import itertools
import re
from dataclasses import dataclass
from typing import Literal

# What an unknown part of an f-string may stand for: a name that is also a type, nothing, a number (a month, a precision), an
# operator, a unit.
FILLINGS = ["int", "", "1", "38", "=", "DAY"]
# So many ways to fill in an f-string are tried; beyond that nothing is known about it.
MOST_VARIANTS = 216
DEEPEST = 8


@dataclass(frozen=True)
class SqlText:
    """One SQL text: it is right when Spark takes one of its variants."""

    kind: Literal["statement", "expression"]
    variants: list[str]
    line: int  # of the text's first character in the program, from 1
    column: int  # before the text's first character, from 0
    is_exact: bool  # a line of the text is a line of the program
    given: frozenset[str] | None  # names of parameters, where they are known


@dataclass(frozen=True)
class Piece:
    """A text with what it may stand for, and where it stands."""

    variants: tuple[str, ...]
    node: ast.expr
    is_complete: bool = True


class Program:
    """A program's assignments, to look up what a name stands for."""

    def __init__(self, source: str) -> None:
        self.lines = source.splitlines()
        self.tree = ast.parse(source)
        self.values: dict[str, list[ast.expr]] = {}
        self.changed: set[str] = set()
        for node in ast.walk(self.tree):
            self.note(node)

    def note(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self.assign(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            self.assign(node.target, node.value)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self.changed.add(node.target.id)
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.List | ast.Tuple):
            for element in node.iter.elts:
                self.assign(node.target, element)

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.values.setdefault(target.id, []).append(value)

    def assigned(self, name: str) -> list[ast.expr]:
        return [] if name in self.changed else self.values.get(name, [])

    def pieces(self, node: ast.expr, depth: int = 0) -> list[Piece]:
        """Every text that the expression may stand for; none where nothing is known."""
        if depth > DEEPEST:
            return []
        match node:
            case ast.Constant(value=str(text)):
                return [Piece((text,), node)]
            case ast.JoinedStr():
                return [self.joined(node, depth)]
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return [
                    Piece(tuple(a + b for a in first.variants for b in second.variants)[:MOST_VARIANTS], first.node, False)
                    for first in self.pieces(left, depth + 1)
                    for second in self.pieces(right, depth + 1)
                ]
            case ast.Name(id=name):
                return self.all_pieces(self.assigned(name), depth)
            case ast.IfExp(body=body, orelse=orelse):
                return self.all_pieces([body, orelse], depth)
            case ast.Subscript(value=ast.Name(id=name), slice=key):
                return self.all_pieces(self.entries(name, key), depth)
            case ast.Call(func=ast.Attribute(value=inner, attr="strip"), args=[]):
                return self.pieces(inner, depth + 1)
            case ast.Call(func=ast.Attribute(attr="dedent") | ast.Name(id="dedent"), args=[inner]):
                return self.pieces(inner, depth + 1)
        return []

    def all_pieces(self, nodes: list[ast.expr], depth: int) -> list[Piece]:
        return [piece for node in nodes for piece in self.pieces(node, depth + 1)]

    def entries(self, name: str, key: ast.expr) -> list[ast.expr]:
        """What `name[key]` may be: the entry of that key, or all where the key is not known."""
        pairs = [
            (known, value)
            for assigned in self.assigned(name)
            if isinstance(assigned, ast.Dict)
            for known, value in zip(assigned.keys, assigned.values, strict=True)
        ]
        if isinstance(key, ast.Constant):
            return [value for known, value in pairs if isinstance(known, ast.Constant) and known.value == key.value]
        return [value for _known, value in pairs]

    def joined(self, node: ast.JoinedStr, depth: int) -> Piece:
        """An f-string, each of its unknown parts filled in by what it may be; the same part always in the same way."""
        parts = [part.value if isinstance(part, ast.Constant) else ast.dump(part) for part in node.values]
        holes = {ast.dump(part): self.fillings(part, depth) for part in node.values if isinstance(part, ast.FormattedValue)}
        ways = itertools.product(*holes.values())
        variants = []
        for way in itertools.islice(ways, MOST_VARIANTS):
            filled = dict(zip(holes, way, strict=True))
            variants.append("".join(filled.get(part, part) for part in parts))
        count = 1
        for fillings in holes.values():
            count *= len(fillings)
        return Piece(tuple(variants), node, count <= MOST_VARIANTS)

    def fillings(self, hole: ast.FormattedValue, depth: int) -> list[str]:
        known = [variant for piece in self.pieces(hole.value, depth + 1) for variant in piece.variants]
        return [*known, *FILLINGS] if hole.format_spec is None else FILLINGS


def argument_texts(call: ast.Call) -> tuple[Literal["statement", "expression"], list[ast.expr]] | None:
    """The arguments of a call in which Spark expects SQL."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else None
    if name == "sql" and isinstance(call.func, ast.Attribute):
        named = [keyword.value for keyword in call.keywords if keyword.arg == "sqlQuery"]
        return "statement", [*call.args[:1], *named]
    if name == "expr":
        return "expression", call.args[:1]
    if name == "selectExpr":
        lists = [argument.elts if isinstance(argument, ast.List | ast.Tuple) else [argument] for argument in call.args]
        return "expression", [element for elements in lists for element in elements]
    return None


def given_names(program: Program, call: ast.Call) -> frozenset[str] | None:
    """The names of the parameters that `.sql(…)` gets; None where they are not written down in the call."""
    arguments = [keyword.value for keyword in call.keywords if keyword.arg in ("args", None)] + call.args[1:2]
    if not arguments:
        # `**views` and keywords are frames for `{name}` in the text, not parameters.
        return frozenset()
    names: set[str] = set()
    for argument in arguments:
        if isinstance(argument, ast.Name) and len(program.assigned(argument.id)) == 1:
            (argument,) = program.assigned(argument.id)
        if not isinstance(argument, ast.Dict):
            return None
        for key in argument.keys:
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                return None
            names.add(key.value)
    return frozenset(names)


def sql_texts_of(source: str) -> list[SqlText]:
    """Every SQL text of a program that compiles, each once, in the order of the program."""
    program = Program(source)
    found: dict[tuple[object, ...], SqlText] = {}
    for call in (node for node in ast.walk(program.tree) if isinstance(node, ast.Call)):
        looked_at = argument_texts(call)
        if looked_at is None:
            continue
        kind, arguments = looked_at
        given = given_names(program, call) if kind == "statement" else None
        for piece in (piece for argument in arguments for piece in program.pieces(argument)):
            if piece.is_complete or len(piece.variants) < MOST_VARIANTS:
                text = located(program, kind, piece, given)
                found[(kind, text.line, text.column, *text.variants, given)] = text
    return sorted(found.values(), key=lambda text: (text.line, text.column))


def located(program: Program, kind: Literal["statement", "expression"], piece: Piece, given: frozenset[str] | None) -> SqlText:
    """The text with its place: exact where each of its lines is one of the program."""
    node = piece.node
    line = program.lines[node.lineno - 1].encode()[node.col_offset :].decode()
    opening = re.match(r"[rRbBuUfF]*(\"\"\"|'''|\"|')", line)
    before = len(program.lines[node.lineno - 1].encode()[: node.col_offset].decode())
    is_exact = len({variant.count("\n") for variant in piece.variants}) == 1 and piece.variants[0].count("\n") == (
        (node.end_lineno or node.lineno) - node.lineno
    )
    return SqlText(kind, list(piece.variants), node.lineno, before + (len(opening[0]) if opening else 0), is_exact, given)

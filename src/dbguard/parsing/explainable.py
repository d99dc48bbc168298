"""What may be planned: one statement that reads or changes rows. Text in; the text with `$n`, and what is known of it, out."""

from __future__ import annotations

import re

from dbguard.errors import UsageError
from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.model.syntax import Body
from dbguard.parsing import lexer
from dbguard.parsing.query import read_query

_EXPLAIN = re.compile(r"\s*EXPLAIN\b\s*(?:\([^()]*\)|(?:(?:ANALY[ZS]E|VERBOSE)\b\s*)*)", re.IGNORECASE)
_LIST = re.compile(r"\bIN\s+(\$\d+|%s|%\(\w+\)s|:\w+|\?)(?!\s*\))", re.IGNORECASE)  # psycopg2 and SQLAlchemy fill a list in
_COMMANDS = frozenset({"select", "values", "union", "union all", "intersect", "except", "insert", "update", "delete", "merge"})
_WRITES = frozenset({"insert", "update", "delete", "merge"})


class Explainable(Record):
    """One statement for EXPLAIN."""

    sql: str
    parameters: int = 0  # $1 to this
    writes: bool = False  # it or one of its CTEs changes rows
    locks: bool = False  # FOR UPDATE and the like
    functions: tuple[Name, ...] = ()  # that the text calls


def explainable(text: str) -> Explainable:
    """The statement in a text, `EXPLAIN` before it left out. Raises UsageError for anything that is not one plain query."""
    match = _EXPLAIN.match(text)
    text = _LIST.sub(r"IN (\1)", text[match.end() :] if match is not None else text)
    read = read_query(text)
    if read.unread or read.body is None:
        raise UsageError(f"this is no query that can be planned: {read.unread or 'nothing was understood'}")
    if read.wrapped or read.body.command not in _COMMANDS:
        what = f"{read.wrapped} of a query" if read.wrapped else "a statement that is no query"
        raise UsageError(f"only SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES are planned, and this is {what}")
    sql = read.sql
    numbers = [int(sql[start + 1 : end]) for start, end in parameters_in(sql)]
    if max(numbers, default=0) > 1000:
        raise UsageError(f"a query with {max(numbers):,} parameters is not planned")
    bodies = list(_bodies(read.body))
    return Explainable(
        sql=sql,
        parameters=max(numbers, default=0),
        writes=any(one.command in _WRITES for one in bodies),
        locks=any(one.locks for one in bodies),
        functions=tuple(dict.fromkeys(_functions(read.body))),
    )


def parameters_in(sql: str) -> list[tuple[int, int]]:
    """Where `$n` stand, literals, names and comments left out."""
    spans = []
    for _, start, end in lexer.tokens(sql):
        if sql[start] == "$" and sql[start + 1 : end].isascii() and sql[start + 1 : end].isdigit() and end - start < 8:
            spans.append((start, end))
    return spans


def with_casts(sql: str, casts: dict[int, str]) -> str:
    """The text with `$n::type` for the parameters that have one."""
    parts, position = [], 0
    for start, end in parameters_in(sql):
        kind = casts.get(int(sql[start + 1 : end]))
        if kind is not None and not sql[end:].lstrip().startswith("::"):
            parts += [sql[position:end], f"::{kind}"]
            position = end
    return "".join((*parts, sql[position:]))


def _bodies(body: Body) -> list[Body]:
    found = [body]
    for one in _inside(body):
        if isinstance(one, Body):
            found.append(one)
    return found


def _functions(body: Body) -> list[Name]:
    return [one[1] for one in _inside(body) if len(one) > 1 and one[0] == "call" and isinstance(one[1], Name)]


def _inside(body: Body) -> list[tuple[object, ...]]:
    """Every tuple in a body, itself not included."""
    found: list[tuple[object, ...]] = []
    pending: list[tuple[object, ...]] = [body]
    while pending and len(found) < 1_000_000:
        for part in pending.pop():
            if isinstance(part, tuple):
                found.append(part)
                pending.append(part)
    return found

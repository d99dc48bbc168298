"""What may be planned: one statement that reads or changes rows. Text in; the text with `$n`, and what is known of it, out.

Of `EXPLAIN`, `PREPARE name AS`, `DECLARE name CURSOR FOR` and `CREATE TABLE name AS` the query inside is taken.
"""

from __future__ import annotations

import re

from dbguard.errors import UsageError
from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.model.syntax import Body, Text
from dbguard.parsing import lexer
from dbguard.parsing.query import read_query

_EXPLAIN = re.compile(r"\s*EXPLAIN\b\s*(?:\([^()]*\)|(?:(?:ANALY[ZS]E|VERBOSE)\b\s*)*)", re.IGNORECASE)
_LIST = re.compile(r"\bIN\s+(\$\d+|%s|%\(\w+\)s|:\w+|\?)(?!\s*\))", re.IGNORECASE)  # psycopg2 and SQLAlchemy fill a list in
_BEGINNINGS = frozenset({"(", "select", "with", "values", "table", "insert", "update", "delete", "merge"})
_UNWRAPPED = frozenset({"prepare", "cursor", "create table as"})
_MOST_BEGINNINGS = 20
_WITH_DATA = re.compile(r"\bWITH\s+(?:NO\s+)?DATA\s*\Z", re.IGNORECASE)
_COMMANDS = frozenset({"select", "values", "union", "union all", "intersect", "except", "insert", "update", "delete", "merge"})
_WRITES = frozenset({"insert", "update", "delete", "merge"})


class Explainable(Record):
    """One statement for EXPLAIN."""

    sql: str
    parameters: int = 0  # $1 to this
    writes: bool = False  # it or one of its CTEs changes rows, or it is a SELECT INTO
    locks: bool = False  # FOR UPDATE and the like
    functions: tuple[Name, ...] = ()  # that the text calls


def explainable(text: str) -> Explainable:
    """The statement in a text, without `EXPLAIN` and the like before it. Raises UsageError for anything that is not one plain query."""
    match = _EXPLAIN.match(text)
    text = _LIST.sub(r"IN (\1)", text[match.end() :] if match is not None else text)
    read = _unwrapped(read_query(text))
    if read.unread or read.body is None:
        raise UsageError(_refusal(read.unread))
    if read.wrapped or read.body.command not in _COMMANDS:
        raise UsageError(f"only SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES have a plan, and this is {_words_of(read.sql)}")
    sql = read.sql
    numbers = [int(sql[start + 1 : end]) for start, end in parameters_in(sql)]
    if max(numbers, default=0) > 1000:
        raise UsageError(f"a query with {max(numbers):,} parameters is not planned")
    bodies = list(_bodies(read.body))
    return Explainable(
        sql=sql,
        parameters=max(numbers, default=0),
        writes=any(one.command in _WRITES for one in bodies) or _has_into(sql),
        locks=any(one.locks for one in bodies),
        functions=tuple(dict.fromkeys(_functions(read.body))),
    )


def _unwrapped(read: Text) -> Text:
    """The query inside PREPARE, DECLARE and CREATE TABLE AS: the first word from which on the rest is one."""
    if read.wrapped not in _UNWRAPPED:
        return read
    text = _WITH_DATA.sub("", read.sql)
    starts = [start for _, start, end in lexer.tokens(text) if text[start:end].lower() in _BEGINNINGS]
    for start in starts[:_MOST_BEGINNINGS]:
        inner = read_query(text[start:])
        if inner.body is not None and not inner.unread and not inner.wrapped and inner.body.command in _COMMANDS:
            return inner
    return read


def _has_into(sql: str) -> bool:
    """Whether a table is made of what is selected. EXPLAIN ANALYZE does so even in a READ ONLY transaction. INTO is a reserved word."""
    return any(kind == lexer.WORD and sql[start:end].lower() == "into" for kind, start, end in lexer.tokens(sql))


def _refusal(reason: str) -> str:
    if reason.endswith("statements in one text"):
        return f"{reason}: only one is planned at a time; put them into a file, or give each as an argument of its own"
    return f"this is no query that can be planned: {reason or 'nothing was understood'}"


def _words_of(sql: str) -> str:
    """`VACUUM`, `CREATE INDEX`: the first words of a statement, in capitals as far as they are keywords."""
    words = re.match(r"\s*([A-Za-z]+)(?:\s+(TABLE|INDEX|VIEW|MATERIALIZED VIEW|FUNCTION|UNIQUE INDEX|EXTENSION)\b)?", sql, re.IGNORECASE)
    return " ".join(filter(None, words.groups())).upper() if words is not None else "another statement"


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

"""A recipe as the migrations that it consists of.

In: SQL with comments such as `-- next migration, outside a transaction`. Out: a `Part` per migration, whose lines are
comments and statements in their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.model.keys import IndexKey
from dbguard.model.names import Name
from dbguard.model.operations import (
    AddConstraint,
    Begin,
    Commit,
    CreateIndex,
    Delete,
    DetachPartition,
    DropIndex,
    Insert,
    Operation,
    Reindex,
    Update,
    Vacuum,
)
from dbguard.model.record import Record
from dbguard.model.schema import Table
from dbguard.model.sql import constraint_clause, index_statement
from dbguard.parsing import lexer, parse_text

_OUTSIDE = r"\boutside (?:a|any|the) transaction\b"
_NEXT = r"\b(?:next|later|another|separate|own|second|third) (?:migration|transaction|release)\b"
_REPEATED = r"\buntil it \w+ no(?:thing)?\b"
_NOWHERE = Table(Name(None, ""))


class Line(Record):
    """A comment, or a statement with the one thing that it does (None if it does several, or is not understood)."""

    text: str
    operation: Operation | None = None
    comment: bool = False


class Part(Record):
    """One migration of a recipe."""

    lines: tuple[Line, ...]
    alone: bool = False  # runs outside a transaction
    repeated: bool = False  # again and again, until it changes no row

    @property
    def before(self) -> tuple[Line, ...]:
        """The comments that lead."""
        return self.lines[: next((n for n, line in enumerate(self.lines) if not line.comment), len(self.lines))]

    @property
    def statements(self) -> tuple[Line, ...]:
        """From the first statement to the last, with the comments between them."""
        places = [number for number, line in enumerate(self.lines) if not line.comment]
        return self.lines[places[0] : places[-1] + 1] if places else ()

    @property
    def after(self) -> tuple[Line, ...]:
        """The comments that follow the last statement."""
        return self.lines[len(self.before) + len(self.statements) :]


def parts(sql: str) -> tuple[Part, ...]:
    """The migrations of a recipe. A comment at the start of a line that names another one, or a place outside a transaction, begins it."""
    made: list[list[Line]] = [[]]
    for line, starts in _lines(sql):
        if starts and made[-1]:
            made.append([])
        made[-1].append(line)
    return tuple(_part(lines) for lines in made if lines)


def _lines(sql: str) -> Iterator[tuple[Line, bool]]:
    """Every comment and statement, and whether a migration begins there."""
    position = 0
    for statement in parse_text(sql):
        yield from _between(sql, position, statement.start)
        known = statement.operations[0] if len(statement.operations) == 1 and not statement.unread else None
        yield Line(sql[statement.start : statement.end], known), False
        position = statement.end
    yield from _between(sql, position, len(sql))


def _between(sql: str, start: int, end: int) -> Iterator[tuple[Line, bool]]:
    """The comments between two statements, and as comments whatever else stands there."""
    for kind, first, last in lexer.tokens(sql, start, end):
        text = sql[first:last]
        if kind != lexer.COMMENT:
            if text != ";":
                yield Line(text, comment=True), False
            continue
        leads = not sql[sql.rfind("\n", 0, first) + 1 : first].strip()
        for line in text.removeprefix("--").removeprefix("/*").removesuffix("*/").strip().splitlines():
            yield Line(line.strip(), comment=True), leads and re.search(f"{_OUTSIDE}|{_NEXT}", line) is not None


def _part(lines: list[Line]) -> Part:
    words = " ".join(line.text for line in lines if line.comment)
    alone = re.search(_OUTSIDE, words) is not None or any(map(_forbids_transaction, lines))
    return Part(tuple(lines if alone else _without_frame(lines)), alone, re.search(_REPEATED, words) is not None)


def _without_frame(lines: list[Line]) -> list[Line]:
    """The lines without BEGIN and COMMIT: the frameworks open and close the transaction themselves."""
    kinds = [type(line.operation) for line in lines]
    if Begin not in kinds or Commit not in kinds or kinds.index(Begin) > kinds.index(Commit):
        return lines
    return [line for line in lines if not isinstance(line.operation, Begin | Commit)]


def _forbids_transaction(line: Line) -> bool:
    match line.operation:
        case CreateIndex(concurrently=True) | DropIndex(concurrently=True) | Reindex(concurrently=True) | DetachPartition(concurrently=True):
            return True
    return isinstance(line.operation, Vacuum)


def comment_text(text: str, *, begun: bool) -> str:
    """A comment as a line of Python. What cannot run in a transaction does not share a migration with what came before it."""
    if begun and text.startswith("outside "):
        text = f"next migration, {text}"
    return f"# {' '.join(text.splitlines())}".rstrip()


def is_batch(line: Line) -> bool:
    """Whether the statement can be repeated until it changes no row."""
    return isinstance(line.operation, Update | Delete | Insert)


def says_all(line: Line) -> bool:
    """Whether the operation of the line holds everything that its text says: written out again, it is the same text."""
    match line.operation:
        case CreateIndex(name=str()) as index:
            again = index_statement(index, _NOWHERE)
        case AddConstraint(table, constraint, only=False) if constraint.name is not None:
            again = f"ALTER TABLE {table} ADD {constraint_clause(constraint, _NOWHERE)}"
        case _:
            return False
    return _words(again) == _words(line.text)


def key_sql(key: IndexKey) -> str:
    """A key as it stands between the parentheses of CREATE INDEX."""
    frame = CreateIndex(Name(None, "t"), (key,), "i")
    return index_statement(frame, _NOWHERE).removeprefix("CREATE INDEX i ON t (")[:-1]


def _words(sql: str) -> list[str]:
    return [_folded(kind, sql[start:end]) for kind, start, end in lexer.tokens(sql) if kind != lexer.COMMENT]


def _folded(kind: int, text: str) -> str:
    return text.lower() if kind in {lexer.WORD, lexer.NUMBER} else text

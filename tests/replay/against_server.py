"""Runs SQL on a real server and through the replay, statement by statement, and compares what is there afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dbguard.model.schema import Created, Schema
from dbguard.model.state import State
from dbguard.parsing import parse_text
from dbguard.postgres.catalog import read_schema
from dbguard.replay.advance import advance
from dbguard.replay.describe import compare, describe_schema

CASES = Path(__file__).parent / "cases"
_CASE = re.compile(r"^-- case: *(.*)$", re.MULTILINE)


class Case(NamedTuple):
    file: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.title}"


def read_cases(folder: Path = CASES) -> Iterator[Case]:
    for path in sorted(folder.glob("*.sql")):
        _, *parts = _CASE.split(path.read_text())
        for title, text in zip(parts[::2], parts[1::2], strict=True):
            yield Case(path.stem, title.strip(), text)


def after(text: str, state: State = State(schema=Schema(complete=True))) -> State:  # noqa: B008 - a value
    """The state after every operation of the text; outside transactions each statement is one of its own."""
    for statement in parse_text(text):
        assert not statement.unread, statement.unread
        for operation in statement.operations:
            state = advance(state, operation)
        if state.transaction is None:
            state = state._replace(now=Created(state.now.script, state.now.transaction + 1))
    return state


def execute(connection: Any, text: str) -> None:
    for statement in parse_text(text):
        connection.execute(text[statement.start : statement.end].encode())


def differences(connection: Any, text: str) -> list[str]:
    execute(connection, text)
    return compare(read_schema(connection), describe_schema(after(text).schema))

"""Runs DDL from files on a throw-away database, as a role without superuser: text in, sentences about what did not run out.

The text goes to the server in pieces: as a whole where that works, statement by statement where it does not, so that one statement
that fails (an extension that is not there) costs only itself and what needs it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dbguard.errors import ServerError
from dbguard.parsing.split import SQL, spans

if TYPE_CHECKING:
    from psycopg import Connection, Error

SECONDS = 300.0
_EXTENSION = re.compile(
    r'^[ \t]*CREATE EXTENSION (?:IF NOT EXISTS )?("(?:[^"]|"")+"|[\w-]+)(?: WITH)?(?: SCHEMA ("(?:[^"]|"")+"|[\w$]+))?[^;\n]*;', re.MULTILINE
)

Meet = Callable[["Error"], bool]
CreateExtension = Callable[[str, str], None]


def run_schema(connection: Connection[Any], text: str, create_extension: CreateExtension, meet: Meet) -> list[str]:
    """Runs the DDL of a snapshot. `create_extension` is called for each extension with its name and schema; `meet` may do something about an
    error, and says whether the statement is worth another try.
    """
    lost: list[str] = []
    position = 0
    deadline = time.monotonic() + SECONDS
    for extension in _EXTENSION.finditer(text):
        lost += _run_piece(connection, text[position : extension.start()], meet, deadline)
        create_extension(_plain(extension[1]), _plain(extension[2] or "public"))
        position = extension.end()
    return lost + _run_piece(connection, text[position:], meet, deadline)


def statements_of(texts: Sequence[str]) -> list[str]:
    """Every statement of the texts, without commands of psql."""
    return [text[start:end] for text in texts for start, end, kind in spans(text) if kind == SQL]


class RefusedError(ServerError):
    """`statement` does not run on a ghost."""

    def __init__(self, message: str, statement: str) -> None:
        super().__init__(f"{message}\n{shortened(statement, 400)}")
        self.statement = statement


def run_all(connection: Connection[Any], statements: Sequence[str]) -> None:
    """Runs candidate DDL, statement by statement. Raises RefusedError with the one that fails."""
    import psycopg

    for statement in statements:
        try:
            connection.execute(statement.encode())
        except psycopg.Error as error:
            raise RefusedError(f"this does not run on the ghost: {error.diag.message_primary or error}", statement) from None


def _run_piece(connection: Connection[Any], text: str, meet: Meet, deadline: float) -> list[str]:
    import psycopg

    if not text.strip():
        return []
    try:
        with connection.transaction():
            connection.execute(text.encode())
    except psycopg.OperationalError:
        raise
    except psycopg.Error:
        return _run_each(connection, statements_of([text]), meet, deadline)
    return []


def _run_each(connection: Connection[Any], statements: list[str], meet: Meet, deadline: float) -> list[str]:
    """Statement by statement. What fails is tried again once something else has run that it may have waited for."""
    import psycopg

    failed: list[tuple[str, psycopg.Error]] = []
    while statements:
        progress = False
        failed = []
        for statement in statements:
            error = _run_one(connection, statement, meet, deadline)
            if error is None:
                progress = True
            else:
                failed.append((statement, error))
        if not progress or len(failed) == len(statements) or time.monotonic() > deadline:
            break
        statements = [statement for statement, _ in failed]
    return [f"{shortened(statement)} did not run: {error.diag.message_primary or type(error).__name__}" for statement, error in failed]


def _run_one(connection: Connection[Any], statement: str, meet: Meet, deadline: float) -> Error | None:
    import psycopg

    error: Error | None = None
    for _ in range(20):  # a statement can name several types or functions that are missing
        try:
            connection.execute(statement.encode())
        except psycopg.OperationalError as failure:
            if connection.closed:
                raise
            return failure
        except psycopg.Error as failure:
            error = failure
            if time.monotonic() > deadline or not meet(failure):
                return failure
        else:
            return None
    return error


def shortened(statement: str, width: int = 100) -> str:
    """The statement on one line."""
    line = " ".join(statement.split())
    return line if len(line) <= width else f"{line[: width - 3]}..."


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name

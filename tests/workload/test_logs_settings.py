"""Other settings of the same server: who logs what, and calls are still counted once."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from dbguard.model.calls import Call, Unit
from dbguard.postgres.embedded import start
from dbguard.workload import Workload, read_workload
from tests.workload.conftest import SETTINGS, wait_for


class Running(NamedTuple):
    server: Any

    def log_of(self, work: Callable[[Any], None], **settings: str) -> dict[str, bytes]:
        """What the server writes into each of its logs while `work` runs on a connection with these settings."""
        import psycopg

        folder = self.server.folder / "data" / "log"
        before = {path.name: path.stat().st_size for path in folder.iterdir()}
        mark = f"the end {sum(before.values())}"
        with psycopg.connect(self.server.dsn(), autocommit=True, application_name="web app") as connection:
            if any(name.startswith("auto_explain") for name in settings):
                connection.execute("LOAD 'auto_explain'")
            for name, value in settings.items():
                connection.execute(f"SET {name} = '{value}'")
            work(connection)
            connection.execute(f"SELECT '{mark}'")
        wait_for(folder, mark)
        return {path.name: path.read_bytes()[before[path.name] :] for path in folder.iterdir()}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    import psycopg

    settings = {
        name: value
        for name, value in SETTINGS.items()
        if name not in {"log_line_prefix", "log_min_duration_statement", "log_connections", "log_disconnections"}
    }
    with start(settings=settings) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET log_line_prefix = '%m [%p] %q%u@%d '")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(
                "CREATE TABLE orders (id int PRIMARY KEY, name text); INSERT INTO orders SELECT n, 'name ' || n FROM generate_series(1, 50) n"
            )
            connection.execute(
                "CREATE FUNCTION nested(int) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM orders WHERE id > $1); END $$"
            )
        yield Running(server)


def read(log: bytes, **options: Any) -> tuple[list[Call], Workload, list[Unit]]:
    workload = read_workload(["-"], io.BytesIO(log), **options)
    units = list(workload.units)
    calls = sorted((call for unit in units for call in unit.calls), key=lambda call: call.number)
    return [call for call in calls if not call.sql.startswith(("SET", "LOAD"))], workload, units


def few(connection: Any) -> None:
    connection.execute("SELECT name FROM orders WHERE id < 4")
    for number in (1, 2):
        connection.execute("SELECT name FROM orders WHERE id = %s", (number,))
    connection.execute("SELECT nested(3)")


FEW = [
    "SELECT name FROM orders WHERE id < $1",
    "SELECT name FROM orders WHERE id = $1",
    "SELECT name FROM orders WHERE id = $1",
    "SELECT nested($1)",
    "SELECT $1",
]


@pytest.mark.parametrize(
    "settings",
    [
        {"log_min_duration_statement": "-1", "log_statement": "all", "log_duration": "on"},
        {"log_min_duration_statement": "0", "log_statement": "all"},
        {"log_min_duration_statement": "-1", "log_statement": "all"},
        {"log_min_duration_statement": "-1", "log_min_duration_sample": "0", "log_statement_sample_rate": "1"},
    ],
    ids=lambda settings: " ".join(f"{key}={value}" for key, value in settings.items()),
)
def test_text_and_duration_may_stand_on_lines_of_their_own(running: Running, settings: dict[str, str]):
    logs = running.log_of(few, **settings)
    timed = settings != {"log_min_duration_statement": "-1", "log_statement": "all"}
    for name in ("server.log", "server.csv", "server.json"):
        calls, workload, _ = read(logs[name])
        assert [call.sql for call in calls] == FEW
        assert all((call.seconds is not None) == timed for call in calls)
        assert [len(call.parameters or ()) for call in calls] == [1] * 5
        assert not workload.skipped


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("durations", ["0", "-1"])
def test_plans_of_auto_explain_give_rows_and_no_calls_of_their_own(running: Running, form: str, durations: str):
    settings = {
        "auto_explain.log_min_duration": "0",
        "auto_explain.log_analyze": "on",
        "auto_explain.log_format": form,
        "auto_explain.log_nested_statements": "on",
        "log_min_duration_statement": durations,
    }
    logs = running.log_of(few, **settings)
    for name in ("server.log", "server.csv", "server.json"):
        calls, workload, _ = read(logs[name])
        assert [call.sql for call in calls] == FEW, name
        assert [call.rows for call in calls] == [3, 1, 1, 1, 1]
        assert all(call.seconds is not None for call in calls)
        assert [len(call.parameters or ()) for call in calls] == [1] * 5
        assert set(workload.skipped) <= {"plans of statements that a function ran"}


PREFIXES = (
    "%m [%p] ",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t:%r:%u@%d:[%p]:",
    "%t-%c-",
    "%n %c %v %x %e ",
    "[%p] %u %d %m: ",
    "%a|%b|%p|%P|%Q|%i|%s|%l|%c| ",
    "< %m %-10u %5p %q%a >",
    "%m %c %u@%d/%a %v: ",
    "time=%m pid=%p user=%u db=%d app=%a sqlstate=%e ",
    "",
)


def failing(connection: Any) -> None:
    import psycopg

    few(connection)
    with pytest.raises(psycopg.Error):
        connection.execute("SELECT *\nFROM missing")


@pytest.fixture(scope="module")
def by_prefix(running: Running) -> dict[str, bytes]:
    """One server, whose prefix changes between runs."""
    import psycopg

    found = {}
    for prefix in PREFIXES:
        with psycopg.connect(running.server.dsn(), autocommit=True) as admin:
            admin.execute(f"ALTER SYSTEM SET log_line_prefix = '{prefix}'")
            admin.execute("SELECT pg_reload_conf()")
        time.sleep(0.05)
        found[prefix] = running.log_of(failing, log_min_duration_statement="0")["server.log"]
    return found


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("given", [True, False])
def test_any_prefix_is_read_given_or_guessed(by_prefix: dict[str, bytes], prefix: str, given: bool):
    calls, workload, units = read(by_prefix[prefix], **({"log_line_prefix": prefix} if given and prefix else {}))
    assert [call.sql for call in calls] == [*FEW[:4], "SELECT *\nFROM missing", "SELECT $1"], by_prefix[prefix].decode()
    assert not workload.skipped
    if "%m" in prefix or "%t" in prefix or "%n" in prefix:
        assert all(call.started is not None for call in calls)
        assert len(units) == 1
    if "%d" in prefix and (given or "db=" in prefix or "@" in prefix):
        assert {call.database for call in calls} == {"postgres"}
    if "%e" in prefix or not prefix:
        assert calls[4].error == "42P01"


def test_a_prefix_that_does_not_fit_is_named(by_prefix: dict[str, bytes]):
    calls, workload, _ = read(by_prefix["%m [%p] "], log_line_prefix="%t-%c-")
    assert not calls
    assert workload.skipped["lines that are no entry of the log"] > 5
    assert workload.notes

"""`dbguard trace --database`: scripts run on a copy with data that its owner calls disposable, by default in a transaction that is rolled back.

In: as for `trace`, and a connection string. Out: a `Trace` with real durations. What cannot be rolled back is refused before
anything runs, unless it may stay.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

from dbguard.config import Config
from dbguard.errors import UsageError
from dbguard.model.operations import Begin, Commit, PrepareTransaction, Rollback
from dbguard.model.source import Lines, Parsed, Statement
from dbguard.pipelines.trace import asked, traced
from dbguard.pipelines.trace_history import HistoryTrace
from dbguard.pipelines.traced import Options, Trace, Traced
from dbguard.postgres.trace import Session
from dbguard.postgres.trace_sessions import on_database
from dbguard.reading import StandardInput
from dbguard.replay import forbids_transaction


def trace_database(
    config: Config,
    paths: Iterable[str],
    options: Options,
    *,
    dsn: str,
    disposable: bool,
    keep: bool = False,
    lock_timeout: str = "5s",
    stdin: StandardInput | None = None,
    since: str | None = None,
    staged: bool = False,
) -> Trace:
    """Run the migrations at `paths` on the database. Without `disposable` it is not even connected to.

    `keep` commits, as their tool would, and runs what cannot be rolled back. Raises `UsageError` and `ServerError`.
    """
    began = time.perf_counter()
    if not disposable:
        raise UsageError("--database runs the migrations there: say --disposable if that database is a copy that may be changed and lost")
    if options.down or options.programs or config.snapshot:
        raise UsageError("--down, --postgres-bin and --snapshot are for throw-away servers: they do not go with --database")
    paths = tuple(paths)
    if not paths and since is None and not staged:
        raise UsageError("--database needs to know which migrations are to run: name files, or give --since REF or --staged")
    reading = asked(config, paths, stdin=stdin, since=since, staged=staged)
    with on_database(dsn, lock_timeout, options.time_limit, keep=keep) as session:
        major = session.connection.info.server_version // 10000
        return traced(reading, config, options, major=major, run=lambda history: _run(history, session), began=began)


def _run(history: HistoryTrace, session: Session) -> Iterator[Traced]:
    connection = session.connection
    history.notes += _superuser(connection)
    if session.keep:
        yield from map(_without_values, history.on_database(session))
        return
    for one in history.wanted():
        _refuse(one)
    history.notes.append("run in one transaction, which was rolled back")
    before = _sequences(connection)
    connection.execute("BEGIN")
    yield from map(_without_values, history.on_database(session))
    if not connection.closed:
        connection.execute("ROLLBACK")
        if used := sorted(name for name, last in _sequences(connection).items() if name in before and before[name] != last):
            history.notes.append(f"values taken from sequences stay taken: {', '.join(used)}")


def _without_values(found: Traced) -> Traced:
    """Errors about data, and those that the migration raises itself, can quote what stands in rows."""
    error = found.error
    if error is None or not error.sqlstate.startswith(("22", "P0")):
        return found
    message = "the migration raised an error of its own" if error.sqlstate.startswith("P0") else _QUOTED.sub("...", error.message)
    observed = None if found.observed is None else found.observed._replace(fails=message)
    differences = tuple(line.replace(error.message, message) for line in found.differences)
    return found._replace(error=error._replace(message=message, context="", hint=""), observed=observed, differences=differences)


_QUOTED = re.compile(r"\"[^\"]*\"?|'[^']*'?")


def _superuser(connection: Any) -> list[str]:
    row = connection.execute("SELECT pg_catalog.current_setting('is_superuser')").fetchone()
    return ["run as a superuser: a migration could have done anything that the server's operating-system user can"] if row and row[0] == "on" else []


def _sequences(connection: Any) -> dict[str, int | None]:
    return dict(connection.execute("SELECT pg_catalog.format('%I.%I', schemaname, sequencename), last_value FROM pg_catalog.pg_sequences"))


def _refuse(one: Parsed) -> None:
    """Raises UsageError for the first statement that a rollback would not undo, or that cannot run in a transaction."""
    for statement in one.statements:
        if (reason := _lasting(statement)) is not None:
            line, _ = Lines(one.script.source.text).at(statement.start)
            raise UsageError(f"{one.script.source.path}:{line}: {reason}; give --keep to run it and let everything stay")


def _lasting(statement: Statement) -> str | None:
    for operation in statement.operations:
        if isinstance(operation, Begin | Commit | Rollback | PrepareTransaction):
            return "the migration begins or ends transactions itself, so it cannot be rolled back as a whole"
        if forbids_transaction(operation):
            return "this statement cannot run in a transaction, so it cannot be rolled back"
    if statement.alone:
        return "this part runs outside a transaction, so it cannot be rolled back"
    return None

"""`dbguard trace`: run migrations on a throw-away server, and compare what happens with what was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dbguard.cli.options import comparison, load, settings, standard_input
from dbguard.cli.output import emit, is_colored, write
from dbguard.errors import UsageError

if TYPE_CHECKING:
    from dbguard.pipelines.traced import Trace


@click.command("trace")
@click.argument("paths", nargs=-1)
@click.option("--format", "form", type=click.Choice(["full", "json"]), default="full", show_default=True, help="How the trace is shown.")
@click.option("--output", "output", metavar="FILE", help="Write the trace as JSON to a file too.")
@click.option("--postgres-bin", "programs", metavar="FOLDER", help="The `bin` folder of another PostgreSQL to run on.")
@click.option("--snapshot", metavar="FILE", help="Start from the schema of a snapshot, and run what it does not have applied.")
@click.option("--down", is_flag=True, help="Run each migration up, down and up again, and compare the schemas.")
@click.option("--workload", multiple=True, metavar="FILE", help="Captures, logs or query files: which queries wait at which step, and which break.")
@click.option("--time-limit", type=click.FloatRange(min=0.1), default=60.0, show_default=True, metavar="SECONDS", help="Stop a statement after this.")
@click.option("--database", metavar="DSN", help="Run on this database instead, in a transaction that is rolled back. Needs --disposable.")
@click.option("--disposable", is_flag=True, help="Say that the database may be changed and lost.")
@click.option("--keep", is_flag=True, help="With --database: commit, and run what cannot be rolled back.")
@click.option("--lock-timeout", default="5s", show_default=True, metavar="TIME", help="With --database: give up a lock after this.")
@comparison
@click.option("--stdin-filename", metavar="PATH", help="What to call the text read with `-`.")
@settings
@click.pass_context
def command(
    context: click.Context,
    /,
    paths: tuple[str, ...],
    *,
    form: str,
    output: str | None,
    programs: str | None,
    down: bool,
    workload: tuple[str, ...],
    time_limit: float,
    database: str | None,
    disposable: bool,
    keep: bool,
    lock_timeout: str,
    stdin_filename: str | None,
    since: str | None,
    staged: bool,
    config_file: str | None,
    **overrides: object,
) -> None:
    """Run migrations on a throw-away PostgreSQL and tell what really happens.

    Each statement of PATHS runs as its tool would run it, after the earlier migrations of the same history, as a role without superuser.
    Shown are its locks and what they block, rewrites, scans, index builds, time, errors, and every difference from the prediction of
    `dbguard locks`; a difference exits with 1. The same checks as in `dbguard check` judge it.

    \b
    dbguard trace migrations/0043_index.sql
    dbguard trace --since origin/main --down
    dbguard trace --schema db/structure.sql --postgres-bin /usr/lib/postgresql/15/bin change.sql
    dbguard trace --workload tests.capture --since origin/main
    dbguard trace --database "service=copy" --disposable migrations/0043_index.sql
    """
    from dbguard.pipelines.trace import trace
    from dbguard.pipelines.traced import Options

    if database is None and (disposable or keep):
        raise UsageError("--disposable and --keep go with --database DSN")
    config = load(config_file, **overrides)
    options = Options(programs or "", down, workload, time_limit)
    stdin = standard_input(paths, stdin_filename)
    if database is not None:
        from dbguard.pipelines.trace_database import trace_database

        found = trace_database(
            config, paths, options, dsn=database, disposable=disposable, keep=keep, lock_timeout=lock_timeout, stdin=stdin, since=since, staged=staged
        )
    else:
        found = trace(config, paths, options, stdin=stdin, since=since, staged=staged)
    _report(found, form, output)
    context.exit(found.exit_code)


def _report(found: Trace, form: str, output: str | None) -> None:
    if output is not None or form == "json":
        from pathlib import Path

        from dbguard.report.trace_json import render as render_json

        text = render_json(found)
        if output is not None:
            write(Path(output), text)
        if form == "json":
            emit(text)
    if form == "full":
        from dbguard.report.trace_text import render as render_text

        emit(render_text(found, color=is_colored()))

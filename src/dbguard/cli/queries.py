"""`dbguard queries`: the workload, shape by shape, with what was found on each."""

from __future__ import annotations

import click

from dbguard.cli.options import load, settings
from dbguard.cli.output import emit
from dbguard.errors import UsageError


@click.command("queries")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--database", metavar="DSN", help="Read pg_stat_statements of this database too, in a read-only session.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How shapes are shown.")
@settings
def command(paths: tuple[str, ...], *, database: str | None, form: str, config_file: str | None, **overrides: object) -> None:
    """List what an application sends: shapes by time or calls, where from, and what was found.

    PATHS are captures (or the folder `.dbguard`), PostgreSQL logs, exports of pg_stat_statements, traces, and files of queries.
    Of two exports of one server, what was executed between them is listed.

    \b
    dbguard queries .dbguard
    dbguard queries postgresql.log --format json
    dbguard queries --database postgresql://reader@db.example.org/shop
    """
    if not paths and database is None:
        raise UsageError("what should be listed? Give captures, logs, exports or files of queries, or --database")
    from dbguard.pipelines.workload import list_queries
    from dbguard.report.queries import render_json, render_text

    listed = list_queries(load(config_file, **overrides), paths, database)
    emit(render_json(listed) if form == "json" else render_text(listed))

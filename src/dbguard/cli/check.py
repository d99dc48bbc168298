"""`dbguard check`: read, parse, replay, inspect, judge, and report."""

from __future__ import annotations

import click

from dbguard.cli.options import comparison, load, rendering, settings, standard_input, words
from dbguard.cli.output import emit, is_colored, parse_outputs, write
from dbguard.cli.progress import Progress
from dbguard.errors import UsageError
from dbguard.model.finding import Result
from dbguard.report import FORMATS, renderer


@click.command("check")
@click.argument("paths", nargs=-1)
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="full", show_default=True, help="How findings are shown.")
@click.option("--output", "outputs", multiple=True, metavar="FORMAT=FILE", help="Write a report to a file too; may be repeated.")
@click.option("--select", multiple=True, callback=words, metavar="RULES", help="Only these rules, categories, or `all`.")
@click.option("--extend-select", multiple=True, callback=words, metavar="RULES", help="These too.")
@click.option("--ignore", multiple=True, callback=words, metavar="RULES", help="Not these.")
@click.option("--fail-on", type=click.Choice(["error", "warning", "advice"]), help="Lowest severity that exits 1 (default error).")
@click.option("--strict/--no-strict", default=None, help="Exit 1 for statements that could not be read, too.")
@click.option("--baseline", metavar="FILE", help="Findings on queries that are known: `dbguard baseline write` makes it.")
@click.option("--snapshot", metavar="FILE", help="Snapshot of production: sizes and rates, and which migrations are applied.")
@click.option("--start-after", metavar="VERSION", help="No findings for migrations up to this version.")
@comparison
@click.option("--stdin-filename", metavar="PATH", help="What to call the text read with `-`.")
@rendering
@settings
@click.pass_context
def command(
    context: click.Context,
    /,
    paths: tuple[str, ...],
    *,
    form: str,
    outputs: tuple[str, ...],
    stdin_filename: str | None,
    since: str | None,
    staged: bool,
    render: bool,
    config_file: str | None,
    **overrides: object,
) -> None:
    """Find what would hurt in migrations and queries.

    PATHS are files, folders or globs of migrations, queries, captures and logs, or `-` for standard input. Without PATHS
    the project's migrations are found.
    Earlier migrations of the same history are read to know the schema; only PATHS give findings.

    \b
    dbguard check
    dbguard check migrations/0043_index.sql --postgres 16
    dbguard check --since origin/main
    dbguard check --staged
    dbguard check .dbguard
    dbguard check --render --python .venv/bin/python
    dbguard check --format github --output sarif=dbguard.sarif
    git show HEAD:m/3.sql | dbguard check - --stdin-filename m/3.sql

    Allow a finding with a comment above the statement: `-- dbguard: allow RULE - reason`.
    """
    from dbguard.pipelines.check import check

    files = parse_outputs(outputs, FORMATS)
    if not render and (given := next((key for key in ("python", "django_settings", "alembic_config") if overrides[key] is not None), None)):
        raise UsageError(f"--{given.removeprefix('django_').replace('_', '-')} goes with --render")
    config = load(config_file, **overrides)
    stdin = standard_input(paths, stdin_filename)
    brief = {form, *(name for name, _ in files)} == {"json"}
    with Progress() as progress:
        result = check(config, paths, stdin=stdin, progress=progress, since=since, staged=staged, render=render, brief=brief)
    for name, path in files:
        write(path, renderer(name)(result))
    _report(result, form)
    context.exit(result.exit_code)


def _report(result: Result, form: str) -> None:
    if form == "full" and is_colored():
        from dbguard.report.full import render

        emit(render(result, color=True))
    else:
        emit(renderer(form)(result))

"""`dbguard gate`: what the pending migrations do to production and to the queries of the application, and one verdict."""

from __future__ import annotations

import os
from pathlib import Path

import click

from dbguard.cli.options import load, settings
from dbguard.cli.output import emit, is_colored, parse_outputs, write
from dbguard.model.verdict import Gate
from dbguard.report.gate_formats import FORMATS, renderer


@click.command("gate")
@click.argument("paths", nargs=-1)
@click.option("--snapshot", metavar="FILE", help="Snapshot of production, as `dbguard snapshot` writes it.")
@click.option("--workload", multiple=True, metavar="FILE", help="Captures, logs or exports whose queries are planned (default: .dbguard).")
@click.option("--postgres-bin", metavar="FOLDER", help="The `bin` folder of a PostgreSQL of production's major, to plan as it does.")
@click.option("--since", metavar="REF", help="Pending is what changed since HEAD and REF went apart, where the snapshot does not tell.")
@click.option("--fail-on", type=click.Choice(["review", "stop"]), help="The verdict that exits 1 (default stop).")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="full", show_default=True, help="How the gate is shown.")
@click.option("--output", "outputs", multiple=True, metavar="FORMAT=FILE", help="Write a report to a file too; may be repeated.")
@click.option("--html", metavar="FILE", help="Write the HTML report: short for --output html=FILE.")
@click.option("--comment", is_flag=True, help="Post the report to the pull request that this job runs for, or update it there.")
@click.option("--baseline", metavar="FILE", help="Findings on queries that are known: `dbguard baseline write` makes it.")
@settings
@click.pass_context
def command(
    context: click.Context,
    /,
    paths: tuple[str, ...],
    *,
    workload: tuple[str, ...],
    since: str | None,
    fail_on: str | None,
    form: str,
    outputs: tuple[str, ...],
    html: str | None,
    comment: bool,
    config_file: str | None,
    **overrides: object,
) -> None:
    """Tell what pending migrations do to production: who waits for how long, which queries fail or get slower.

    Pending are the migrations that the snapshot does not have, else those that changed since --since, else PATHS that are files, else those
    that changed since the branch that the CI names or that others build on.

    \b
    dbguard gate --snapshot prod.dbguard
    dbguard gate --snapshot prod.dbguard --workload .dbguard --since origin/main
    dbguard gate --html gate.html --output junit=gate.xml --fail-on review

    Exit code: 0 safe or to be reviewed, 1 stop (with --fail-on review: or to be reviewed), 3 something could not be looked at.
    """
    from dbguard.pipelines.gate import gate

    files = parse_outputs(outputs, FORMATS)
    if html is not None:
        files.append(("html", Path(html)))
    result = gate(load(config_file, **overrides), paths, workload=workload, since=since, fail_on=fail_on)
    for name, path in files:
        write(path, renderer(name)(result))
    _report(result, form)
    if comment:
        _publish(result)
    context.exit(result.exit_code)


def _report(result: Gate, form: str) -> None:
    if form == "full" and is_colored():
        from dbguard.report.gate_text import render

        emit(render(result, color=True))
    else:
        emit(renderer(form)(result))


def _publish(result: Gate) -> None:
    from dbguard.pipelines.publish import publish
    from dbguard.report.gate_markdown import render

    click.echo(publish(render(result), os.environ), err=True)

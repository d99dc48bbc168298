"""`dbguard baseline`: adopt what is wrong with queries today, so that only what is new is told."""

from __future__ import annotations

from pathlib import Path

import click

from dbguard.cli.options import load, settings
from dbguard.cli.output import write

Paths = tuple[str, ...]


@click.group("baseline")
def command() -> None:
    """Adopt the findings on queries that are there already.

    \b
    pytest --dbguard                 record what the application sends
    dbguard baseline write           its findings so far to dbguard-baseline.json
    dbguard check .dbguard           tells what is new
    dbguard baseline prune           forget what was mended

    The file is named by `baseline` in the configuration. Migrations are adopted with `start-after`.
    """


@command.command("write")
@click.argument("paths", nargs=-1)
@click.option("-o", "--output", "baseline", metavar="FILE", help="Where to write it (default: as configured, else dbguard-baseline.json).")
@settings
def write_baseline(paths: Paths, *, config_file: str | None, **overrides: object) -> None:
    """Write a baseline of all findings on queries.

    PATHS are captures, logs, exports and files of queries; without them the folder `.dbguard` and the files that `queries` names.
    """
    from dbguard.pipelines.baseline import adopt
    from dbguard.report.words import counted

    config = load(config_file, **overrides)
    adopted = adopt(config, paths)
    baseline = adopted.baseline
    write(Path(adopted.path), baseline.text())
    click.echo(f"{baseline.path}: {counted(len(baseline.entries), 'finding')} known, {adopted.new} of them new, {len(adopted.gone)} left out.")
    if adopted.without_costs:
        click.echo(f"Without costs of queries: {adopted.without_costs}", err=True)
    if config.given.get("baseline") in {None, "the command line"}:
        click.echo(f'Name it in the configuration: baseline = "{baseline.path}"')


@command.command("prune")
@click.argument("paths", nargs=-1)
@click.option("--baseline", metavar="FILE", help="The baseline (default: as configured, else dbguard-baseline.json).")
@settings
def prune_baseline(paths: Paths, *, config_file: str | None, **overrides: object) -> None:
    """Remove what is no longer found from the baseline.

    PATHS are as for `write`, and must be all of what the baseline was made of: what is not found in them is forgotten.
    """
    from dbguard.pipelines.baseline import prune
    from dbguard.report.words import counted, one_line

    pruned = prune(load(config_file, **overrides), paths)
    for entry in sorted(pruned.gone):
        place = " in ".join(filter(None, (entry.function, entry.path)))
        click.echo(f"gone  {entry.rule}  {one_line(place) or entry.shape}")
    if pruned.gone:
        write(Path(pruned.path), pruned.baseline.text())
    left = len(pruned.baseline.entries)
    click.echo(f"{pruned.baseline.path}: {counted(len(pruned.gone), 'entry', 'entries')} removed, {counted(left, 'entry', 'entries')} left.")

"""`dbguard config`: the effective settings, and what was recognised."""

from __future__ import annotations

import click

from dbguard.cli.options import load, settings
from dbguard.cli.output import emit


@click.command("config")
@click.argument("paths", nargs=-1)
@settings
def command(paths: tuple[str, ...], config_file: str | None, **overrides: object) -> None:
    """Show the effective settings, where each comes from, and which migrations were recognised.

    \b
    dbguard config
    dbguard config db/migrations
    """
    from dbguard.config import describe
    from dbguard.errors import UsageError
    from dbguard.reading import read_all
    from dbguard.rulebook.select import from_config

    config = load(config_file, **overrides)
    from_config(config)
    emit(describe(config))
    try:
        reading = read_all(config, paths)
    except UsageError as error:
        if paths:
            raise
        emit(f"\n# {error}\n")
        return
    lines = [history.description for history in reading.histories if history.description]
    lines += [*reading.notes, *(f"{part.path}: {part.reason}" for part in reading.unreadable)]
    emit("\n" + "".join(f"# {line}\n" for line in lines))

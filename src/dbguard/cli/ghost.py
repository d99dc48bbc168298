"""`dbguard ghost`: a PostgreSQL that plans as the database of a snapshot does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from dbguard.cli.output import emit
from dbguard.errors import UsageError

if TYPE_CHECKING:
    from dbguard.postgres.ghost import Ghost

_MOST_LOST = 10


@click.command("ghost")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="FILE [-- COMMAND ...]")
@click.option("--scale", multiple=True, metavar="N|TABLE=N", help="The same database grown: all of it, or this table.")
@click.option("--postgres-bin", "programs", metavar="FOLDER", help="The `bin` folder of production's major: plans are the same on it only.")
@click.option("--detach", is_flag=True, help="Leave the ghost running, and print its connection string.")
@click.option("--stop", "ends", is_flag=True, help="End all ghosts that were left running.")
@click.option("--cache/--no-cache", default=True, help="Keep the ghost for the next time (default: yes).")
@click.pass_context
def command(
    context: click.Context, /, arguments: tuple[str, ...], *, scale: tuple[str, ...], programs: str | None, detach: bool, ends: bool, cache: bool
) -> None:
    """Serve a PostgreSQL that plans as the database of a snapshot does: same schema, statistics, sizes and settings, no rows.

    Prints a connection string and serves until it is interrupted. With a command, runs that with DATABASE_URL and the PG* variables set, and
    ends with its exit code. Callers can plan everything (EXPLAIN) and write nothing.

    \b
    dbguard ghost prod.dbguard
    dbguard ghost prod.dbguard --scale 10 -- psql -c 'EXPLAIN SELECT ...'
    dbguard ghost prod.dbguard --scale orders=100 --scale events=1000
    dbguard ghost prod.dbguard --detach; dbguard ghost --stop
    """
    from dbguard.pipelines import ghost as pipeline

    if ends:
        if arguments or detach or scale:
            raise UsageError("--stop ends all detached ghosts and takes nothing else")
        stopped = pipeline.stop()
        click.echo(f"dbguard: {'no ghost was running' if not stopped else '1 ghost ended' if stopped == 1 else f'{stopped} ghosts ended'}", err=True)
        return
    if not arguments:
        raise UsageError("give a snapshot: dbguard ghost prod.dbguard (`dbguard snapshot` makes one)")
    file, *rest = arguments
    wanted = pipeline.Wanted(file, pipeline.parse_scale(scale), programs, cache)
    if rest and detach:
        raise UsageError("--detach runs no command")
    if rest:
        context.exit(pipeline.lend(wanted, rest, lambda ghost: _tell(ghost.lost)))
    if detach:
        emit(pipeline.detach(wanted, _tell) + "\n")
        return
    pipeline.serve(wanted, _announce)


def _announce(ghost: Ghost) -> None:
    _tell(ghost.lost)
    emit(ghost.uri() + "\n")
    if sys.stderr.isatty():
        click.echo("dbguard: serving until you press Ctrl-C", err=True)


def _tell(lost: Sequence[str]) -> None:
    """What the ghost does not plan as production does, on standard error."""
    for sentence in lost[:_MOST_LOST]:
        click.echo(f"dbguard: {sentence}", err=True)
    if len(lost) > _MOST_LOST:
        click.echo(f"dbguard: and {len(lost) - _MOST_LOST} more", err=True)

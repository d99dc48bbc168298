"""`dbguard snapshot`: what the planner knows about a database, as a file without rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dbguard.cli.options import load, words
from dbguard.cli.output import emit
from dbguard.errors import UsageError

if TYPE_CHECKING:
    from dbguard.model.snapshot import Snapshot
    from dbguard.pipelines.snapshot import Taken

_MOST_HIDDEN, _MOST_HINTS = 10, 8
_FEW = 20  # distinct values


@click.command("snapshot")
@click.argument("dsn", required=False, metavar="[DSN]")
@click.option("-o", "--output", metavar="FILE", help="Where it goes: text, compressed if the name ends with .gz; `-` for standard output.")
@click.option(
    "--values", type=click.Choice(["none", "masked", "full"]), default="masked", show_default=True, help="What becomes of values in statistics."
)
@click.option("--mask", multiple=True, metavar="TABLE.COLUMN", callback=words, help="Mask this column, whatever its type; `*` for any.")
@click.option("--keep", multiple=True, metavar="TABLE.COLUMN", callback=words, help="Keep the values of this column.")
@click.option("--sample", type=click.FloatRange(0.1, 3600), metavar="SECONDS", help="Count reads and writes over so long, not since the last reset.")
@click.option("--statements", type=click.IntRange(0, 5000), default=500, show_default=True, help="How many of pg_stat_statements, by time.")
@click.option("--config", "config_file", metavar="FILE", help="Configuration file, instead of the nearest one.")
def command(
    dsn: str | None,
    *,
    output: str | None,
    values: str,
    mask: tuple[str, ...] | None,
    keep: tuple[str, ...] | None,
    sample: float | None,
    statements: int,
    config_file: str | None,
) -> None:
    """Write what the planner knows about a database to a file: schema, statistics, sizes, settings, counters, applied migrations.

    The database is only read, in a read-only transaction with short timeouts. No rows are read, but statistics hold values of
    columns: words are masked by default. DSN is a connection string; without it DBGUARD_DATABASE, the PG* variables and
    service files count. A password belongs in PGPASSWORD or ~/.pgpass.

    \b
    dbguard snapshot postgresql://reader@db.example.org/shop -o prod.dbguard
    PGSERVICE=shop dbguard snapshot -o prod.dbguard.gz --mask 'orders.total'
    """
    from dbguard.pipelines.snapshot import as_text, snapshot
    from dbguard.postgres.masking import Choice
    from dbguard.postgres.snapshot import Wishes

    if output is None:
        raise UsageError("where shall it go? Give -o FILE, or `-o -` for standard output")
    config = load(config_file)
    choice = Choice((*config.snapshot_mask, *(mask or ())), (*config.snapshot_keep, *(keep or ())))
    path = None if output == "-" else Path(output)
    taken = snapshot(dsn, path, Wishes(values, choice, sample, statements))
    if path is None:
        emit(as_text(taken.snapshot))
    click.echo(_summary(taken, output), err=True)


def _summary(taken: Taken, output: str) -> str:
    snapshot = taken.snapshot
    tables = sum(1 for relation in snapshot.relations if relation.kind in {"r", "p", "m"})
    size = "" if taken.size is None else f"{taken.size / 1e6:.1f} MB, " if taken.size > 1e6 else f"{-(-taken.size // 1000)} kB, "
    head = (
        f"{snapshot.database} (PostgreSQL {snapshot.server_version.split()[0]}) -> {'standard output' if output == '-' else output}: "
        f"{tables} tables, statistics of {len({(c.relation, c.column) for c in snapshot.columns})} columns (values {snapshot.values}), "
        f"{size}{taken.seconds:.1f} s"
    )
    lines = [head, *(f"applied: {len(applied.versions)} migrations of {applied.tool} ({applied.table})" for applied in snapshot.applied)]
    if few := _with_few_values(snapshot):
        shown = ", ".join(few[:_MOST_HINTS]) + (f" and {len(few) - _MOST_HINTS} more" if len(few) > _MOST_HINTS else "")
        lines.append(f"masked, with few values: {shown}")
        lines.append("  if these are states or kinds and no secrets, keep them with --keep: queries that name one are then planned as in production")
    if snapshot.hidden:
        lines.append("not seen:")
        lines += [f"  {sentence}" for sentence in snapshot.hidden[:_MOST_HIDDEN]]
        more = len(snapshot.hidden) - _MOST_HIDDEN
        lines += [f"  and {more} more: lines `hidden` of the file"] if more > 0 else []
    return "\n".join(lines)


def _with_few_values(snapshot: Snapshot) -> list[str]:
    """Masked columns of tables that look like states: a literal of a query is in no list of tokens, and so taken for a rare value."""
    indexes = {relation.name for relation in snapshot.relations if relation.kind in {"i", "I"}}
    return [
        f"{one.relation.name}.{one.column}"
        for one in snapshot.columns
        if one.masked and not one.inherited and 1 < one.n_distinct <= _FEW and one.most_common_vals and one.relation not in indexes
    ]

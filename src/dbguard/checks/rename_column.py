"""RENAME COLUMN on a table in use."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import columns_added, replacement
from dbguard.model.names import Name, quote
from dbguard.model.operations import CreateView, DropColumn, RenameColumn, RenameTable
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:
    covered = _behind_views(script.steps)
    for position, one in enumerate(script.steps):
        rename = one.operation
        if not isinstance(rename, RenameColumn) or rename.kind != "table" or one.is_new(rename.table):
            continue
        full = one.before.resolve(rename.table)
        if full in covered or _is_swapped(full, rename, script.steps[:position], step):
            continue
        table = one.table(rename.table)
        column = table.columns.get(rename.column)
        seen = flag(
            at=one.statement,
            variant="" if column is not None else "unknown",
            table=rename.table,
            column=quote(rename.column),
            to=quote(rename.to),
            type=str(column.type) if column is not None else f"<type of {quote(rename.column)}>",
        )
        yield seen._replace(facts={**seen.facts, **replacement(one.before, rename.table, rename.column, rename.to, keeps_name=False)})


def _behind_views(steps: tuple[Step, ...]) -> set[Name]:
    """Tables, by old and new name, that the script renames and replaces by a view of the old name: the view can keep the old columns."""
    views = {one.before.target(one.operation.name) for one in steps if isinstance(one.operation, CreateView)}
    covered = set()
    for one in steps:
        if isinstance(one.operation, RenameTable):
            old = one.before.resolve(one.operation.table)
            if old in views:
                covered |= {old, Name(old.schema, one.operation.to)}
    return covered


def _is_swapped(table: Name, rename: RenameColumn, earlier: tuple[Step, ...], end: Step) -> bool:
    """Whether another column has the old name at the end, or had the new one at the start: one column takes another's place."""
    if rename.column in end.after.schema.table(table).columns or (table, rename.column) in columns_added(earlier):
        return True
    if any(
        isinstance(one.operation, DropColumn) and one.before.resolve(one.operation.table) == table and one.operation.column == rename.to
        for one in earlier
    ):
        return True
    start = next((one for one in earlier), None)
    return start is not None and rename.to in start.before.schema.table(table).columns

"""DROP COLUMN ... CASCADE: views and foreign keys of other tables go as well."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name, quote
from dbguard.model.operations import DropColumn
from dbguard.model.state import Step


def check(drop: DropColumn, step: Step) -> Iterator[Flag]:
    table = step.table(drop.table)
    if not drop.cascade or step.is_new(drop.table):
        return
    if not table.known:
        yield flag(variant="unknown", table=drop.table, column=quote(drop.column))
        return
    dropped = tuple(_dependents(table.name, drop.column, step))
    if dropped:
        yield flag(table=drop.table, column=quote(drop.column), dropped=", ".join(dropped))


def _dependents(root: Name, column: str, step: Step) -> Iterator[str]:
    schema = step.before.schema
    for view in schema.tables.values():
        uses = view.uses
        if uses is None or root not in map(step.before.resolve, uses.reads):
            continue
        if uses.star or column in uses.columns:
            yield f"{view.kind} `{step.display(view.name)}`"
    primary = schema.table(root).primary_key
    for child, key in schema.referencing(root):
        if column in (key.referenced_columns or (primary.columns if primary is not None else ())) and child.name != root:
            yield f"foreign key `{quote(key.name)}` of `{step.display(child.name)}`"
    for other in schema.table(root).columns.values():
        if other.generated and other.default is not None and column in other.default.columns:
            yield f"generated column `{quote(other.name)}`"

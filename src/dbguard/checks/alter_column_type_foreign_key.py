"""ALTER COLUMN TYPE of a column on either side of a foreign key: the table on the other side is locked as well."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.columns import as_defined, free_name, replacement
from dbguard.model.names import Name, quote, quote_all
from dbguard.model.operations import ChangeColumnType
from dbguard.model.schema import Constraint, Table
from dbguard.model.sql import constraint_clause, default_text
from dbguard.model.state import Step


def check(change: ChangeColumnType, step: Step) -> Iterator[Flag]:
    table, root = step.table(change.table), step.before.resolve(change.table)
    new = free_name(table, f"{change.column}_new")
    if step.is_new(change.table):
        return
    for child, key in _keys(root, change.column, step):
        other = child.name if child.name != root else key.references
        if other is None or other == root or step.is_new(other) or step.effects.mode(other) is None:
            continue
        definition = as_defined(key, step.before)
        seen = flag(
            variant="rewritten" if step.effects.rewrites else "",
            table=change.table,
            column=quote(change.column),
            type=str(change.type),
            using=f" USING {change.using.sql}" if change.using is not None else "",
            other=step.display(other),
            key=quote(key.name),
            child=step.display(child.name),
            columns=quote_all(key.columns),
            add_key=constraint_clause(definition._replace(valid=False), child),
        )
        facts = replacement(
            step.before, change.table, change.column, new, value=None if change.using is None else default_text(change.using), to=change.type
        )
        yield seen._replace(facts={**seen.facts, **facts})
        return


def _keys(root: Name, column: str, step: Step) -> Iterator[tuple[Table, Constraint]]:
    """Foreign keys of the table that contain the column, and those that point at it."""
    table = step.before.schema.table(root)
    for key in table.foreign_keys():
        if column in key.columns:
            yield table, key
    primary = table.primary_key
    for child, key in step.before.schema.referencing(root):
        referenced = key.referenced_columns or (primary.columns if primary is not None else ())
        if column in referenced and child.name != root:
            yield child, key

"""ALTER COLUMN TYPE that keeps the rows but builds indexes again under its lock."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.column_types import is_zone_change
from dbguard.model.columns import free_name, index_as_created, replacement
from dbguard.model.names import Name, quote
from dbguard.model.operations import ChangeColumnType
from dbguard.model.sql import default_text, index_statement
from dbguard.model.state import Step


def check(change: ChangeColumnType, step: Step) -> Iterator[Flag]:
    if not step.effects.builds or step.effects.rewrites or step.is_new_or_empty(change.table):
        return
    table = step.table(change.table)
    found = [step.before.schema.find_index(name) for name in step.effects.builds]
    plain = [index for index in found if index is not None and index.constraint is None and index.parent is None and index.table == table.name]
    new = free_name(table, f"{change.column}_new")
    create = (index_statement(index_as_created(index, change.table)._replace(concurrently=True), table) for index in plain)
    collation = f" COLLATE {change.collation}" if change.collation is not None else ""
    seen = flag(
        variant="" if len(plain) == len(found) else "constraint",
        table=change.table,
        column=quote(change.column),
        type=f"{change.type}{collation}",
        setting="SET LOCAL timezone = 'UTC';\n" if is_zone_change(table.columns.get(change.column), change) else "",
        using=f" USING {change.using.sql}" if change.using is not None else "",
        indexes="`, `".join(quote(name.name) for name in step.effects.builds),
        drop_indexes="\n".join(f"DROP INDEX CONCURRENTLY {Name(change.table.schema, index.name.name)};" for index in plain),
        create_indexes="\n".join(f"{statement};" for statement in create),
    )
    yield seen._replace(
        facts={
            **seen.facts,
            **replacement(
                step.before, change.table, change.column, new, value=None if change.using is None else default_text(change.using), to=change.type
            ),
        }
    )

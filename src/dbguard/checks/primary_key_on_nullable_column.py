"""PRIMARY KEY USING INDEX on a column that is not NOT NULL yet."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddConstraint
from dbguard.model.questions import bare_constraint_name
from dbguard.model.state import Step


def check(addition: AddConstraint, step: Step) -> Iterator[Flag]:
    definition = addition.constraint
    if definition.kind != "primary key" or definition.using_index is None or step.is_new_or_empty(addition.table) or not step.effects.scans:
        return
    table = step.table(addition.table)
    index = table.indexes.get(definition.using_index)
    if index is None:
        return
    nullable = [name for name in index.columns if name in table.columns and not table.columns[name].not_null]
    if nullable:
        column = nullable[0]
        yield flag(
            table=addition.table,
            constraint=quote(bare_constraint_name(definition, table)),
            column=quote(column),
            proof=quote(f"{table.name.name[:25]}_{column[:25]}_not_null"),
        )

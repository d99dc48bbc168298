"""DROP TYPE, DROP DOMAIN of a type in use."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.finding import Severity
from dbguard.model.names import quote
from dbguard.model.operations import DropType
from dbguard.model.state import Step


def check(drop: DropType, step: Step) -> Iterator[Flag]:
    schema = step.before.schema
    for name in drop.names:
        full = step.before.resolve_type(name)
        known = schema.types.get(full)
        if known is not None and known.created is not None and known.created.script == step.before.now.script:
            continue
        users = [
            (table, column)
            for table in schema.tables.values()
            for column in table.columns.values()
            if column.type.name.name == full.name and step.before.resolve_type(column.type.name) == full
        ]
        if drop.cascade and users:
            table, column = users[0]
            yield flag(type=name, table=step.display(table.name), column=quote(column.name))
        elif drop.cascade and (known is None or not known.created):
            yield flag(type=name, variant="unseen", severity=Severity.WARNING)

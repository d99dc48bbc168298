"""DROP SCHEMA, DROP DATABASE, DROP OWNED: everything inside goes."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.finding import Severity
from dbguard.model.names import quote
from dbguard.model.operations import DropObject, DropOwned, DropSchema
from dbguard.model.state import Step


def check(drop: DropSchema | DropOwned | DropObject, step: Step) -> Iterator[Flag]:
    match drop:
        case DropSchema(names=names, cascade=cascade):
            for name in names:
                inside = [table for full, table in step.before.schema.tables.items() if full.schema == name]
                if inside and all(step.is_new(table.name) for table in inside):
                    continue
                yield flag(name=quote(name), variant="" if cascade else "empty", severity=None if cascade else Severity.WARNING)
        case DropOwned(reassign=False):
            yield flag(variant="owned")
        case DropObject(kind="database", names=names):
            yield flag(name=names[0], variant="database")

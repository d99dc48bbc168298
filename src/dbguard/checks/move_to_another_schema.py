"""A table, view or whole schema in use gets another qualified name."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import RenameObject, SetSchema
from dbguard.model.state import Step


def check(move: SetSchema | RenameObject, step: Step) -> Iterator[Flag]:
    if isinstance(move, SetSchema):
        if not step.is_new(move.table) and move.kind not in {"index", "sequence"}:
            yield flag(kind=move.kind, object=move.table, to=quote(move.schema))
    elif (move.kind == "schema" and move.name.name not in step.before.schema.namespaces - {"public"}) or (
        move.kind == "schema" and any(not step.is_new(name) for name in step.before.schema.tables if name.schema == move.name.name)
    ):
        yield flag(kind="schema", object=quote(move.name.name), to=quote(move.to), variant="schema")

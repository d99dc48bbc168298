"""An index whose keys are the first keys of another: the longer one serves its queries."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import CreateIndex
from dbguard.model.questions import indexes_added, key_shape, where_shape
from dbguard.model.schema import Index, Table
from dbguard.model.state import EndOfScript, Step


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:
    for one in end.steps:
        if not isinstance(one.operation, CreateIndex):
            continue
        for added in indexes_added(one):
            by_then = one.after.schema.table(added.table).indexes
            if len(by_then) < 2:
                continue
            kept = {name: index for name, index in step.after.schema.table(added.table).indexes.items() if name in by_then}
            index = kept.get(added.name.name)
            if index is None or index.parent is not None or (one.script.tool == "django" and _is_join_table(step.after.schema.table(added.table))):
                continue
            for other in kept.values():
                short, long = (index, other) if len(index.keys) < len(other.keys) else (other, index)
                if _is_prefix(short, long):
                    yield flag(
                        at=one.statement,
                        table=one.display(added.table),
                        index=quote(short.name.name),
                        other=quote(long.name.name),
                        full_name=one.display(short.name),
                    )
                    break


def _is_join_table(table: Table) -> bool:
    """A table that Django makes for a ManyToManyField: its indexes are not the user's to choose."""
    keys = {column for key in table.constraints.values() if key.references is not None for column in key.columns}
    return len(keys) == 2 and set(table.columns) - keys == {"id"}


def _is_prefix(short: Index, long: Index) -> bool:
    if short.unique or short.constraint is not None or short.method != "btree" or long.method != "btree" or not (short.valid and long.valid):
        return False
    if (
        len(short.keys) >= len(long.keys)
        or short.keys[0].column != long.keys[0].column
        or where_shape(short) != where_shape(long)
        or not set(short.include) <= set(long.include)
    ):
        return False
    return [key_shape(key) for key in short.keys] == [key_shape(key) for key in long.keys[: len(short.keys)]]

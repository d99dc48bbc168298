"""A foreign key whose columns have another type than the columns they refer to."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, AddConstraint, CreateTable
from dbguard.model.questions import foreign_keys_added
from dbguard.model.state import Step
from dbguard.model.types import DataType

_INTEGERS = {"int2": 2, "int4": 4, "int8": 8}
_LIMITS = {"int2": "32767", "int4": "2147483647"}
_TEXTS = frozenset({"text", "varchar"})


def check(addition: AddColumn | AddConstraint | CreateTable, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the step knows what it adds
    if step.effects.fails:
        return
    for table, key in foreign_keys_added(step):
        if key.references is None:
            continue
        parent = step.after.schema.table(key.references)
        primary = parent.primary_key
        referenced = key.referenced_columns or (primary.columns if primary is not None else ())
        for column, target in zip(key.columns, referenced, strict=False):
            mine, theirs = table.columns.get(column), parent.columns.get(target)
            if mine is not None and theirs is not None and (variant := _mismatch(mine.type, theirs.type)) is not None:
                yield flag(
                    variant=variant,
                    table=step.display(table.name),
                    column=quote(column),
                    type=str(mine.type),
                    parent=step.display(parent.name),
                    target=quote(target),
                    wanted=str(theirs.type),
                    limit=_LIMITS.get(mine.type.name.name, ""),
                )


def _mismatch(mine: DataType, theirs: DataType) -> str | None:
    """How the types differ, None where it does no harm: a wider integer only waits for the key to grow."""
    own, other = mine.builtin, theirs.builtin
    if own is None or other is None or own == other or {own, other} <= _TEXTS:
        return None
    if own in _INTEGERS and other in _INTEGERS:
        return "narrow" if _INTEGERS[own] < _INTEGERS[other] else None
    return ""

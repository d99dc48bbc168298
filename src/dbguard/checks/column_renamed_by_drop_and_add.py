"""One column dropped and another of its type added in the same migration: a rename that loses the data."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name, quote
from dbguard.model.operations import AddColumn, DropColumn, Update
from dbguard.model.schema import Column
from dbguard.model.state import EndOfScript, Step
from dbguard.model.types import DataType


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:
    for table in dict.fromkeys(one.before.resolve(one.operation.table) for one in script.steps if isinstance(one.operation, DropColumn)):
        yield from _of_table(table, script.steps, step)


def _of_table(table: Name, steps: tuple[Step, ...], end: Step) -> Iterator[Flag]:
    dropped: list[tuple[Step, Column]] = []
    added: dict[str, DataType] = {}
    for one in steps:
        match one.operation:
            case DropColumn(table=name, column=column) if one.before.resolve(name) == table and not one.is_new(name):
                known = one.table(name).columns.get(column)
                if known is not None and column not in added:
                    dropped.append((one, known))
            case AddColumn(table=name, column=definition) if one.before.resolve(name) == table and not definition.generated:
                added[definition.name] = definition.type
            case Update(table=name) if one.before.resolve(name) == table:
                return
    final = end.after.schema.table(table).columns
    for one, old in dropped:
        same_type = [name for name, data_type in added.items() if data_type == old.type and name in final]
        if old.name in added and old.name in final:
            yield _flag(one, old, old.name, "again")
        elif len(same_type) == 1 and sum(other.type == old.type for _, other in dropped) == 1:
            yield _flag(one, old, same_type[0], "")


def _flag(one: Step, old: Column, new: str, variant: str) -> Flag:
    return flag(at=one.statement, variant=variant, table=one.operation.table, column=quote(old.name), to=quote(new), type=str(old.type))

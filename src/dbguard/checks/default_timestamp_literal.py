"""A default of 'now', 'today' and their like: computed once, when the statement runs."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.expression import Expression
from dbguard.model.names import Name, quote
from dbguard.model.operations import AddColumn, CreateTable, SetDefault
from dbguard.model.sql import column_clause
from dbguard.model.state import Step
from dbguard.model.types import DataType

MOVING = {"now": "now()", "today": "CURRENT_DATE", "tomorrow": "CURRENT_DATE + 1", "yesterday": "CURRENT_DATE - 1"}
TIMES = {"timestamp", "timestamptz", "date", "time", "timetz"}


def check(operation: AddColumn | CreateTable | SetDefault, step: Step) -> Iterator[Flag]:
    for table, column, data_type, default in _defaults(operation, step):
        word = _moving_word(default, data_type)
        if word is None:
            continue
        seen = flag(table=table, column=quote(column), word=word, expression=MOVING[word])
        if isinstance(operation, SetDefault):
            yield seen
        else:
            yield seen._replace(
                variant="table" if isinstance(operation, CreateTable) else "column", facts={**seen.facts, **_rewritten(operation, word)}
            )


def _rewritten(operation: AddColumn | CreateTable, word: str) -> dict[str, str]:
    """The new column with the call instead of the literal."""
    if isinstance(operation, CreateTable):
        return {}
    return {"new_column": column_clause(operation.column._replace(default=Expression(MOVING[word], ("call", Name(None, word)))))}


def _defaults(operation: AddColumn | CreateTable | SetDefault, step: Step) -> Iterator[tuple[Name, str, DataType | None, Expression]]:
    match operation:
        case SetDefault(table=table, column=name, default=default):
            known = step.table(table).columns.get(name)
            yield table, name, known.type if known is not None else None, default
        case AddColumn(table=table, column=column):
            if column.default is not None:
                yield table, column.name, column.type, column.default
        case CreateTable(name=table, columns=columns):
            for column in columns:
                if column.default is not None:
                    yield table, column.name, column.type, column.default


def _moving_word(default: Expression, data_type: DataType | None) -> str | None:
    """The literal, if it becomes a time before it is stored: by a cast, or because the column is one."""
    tree, kind = default.tree, data_type.builtin if data_type is not None else None
    while tree[0] == "cast":
        kind = tree[1].builtin
        tree = tree[2]
    if tree[0] != "const" or kind not in TIMES:
        return None
    word = str(tree[1]).strip().lower()
    return word if word in MOVING else None

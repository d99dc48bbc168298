"""money: its meaning depends on the server's locale."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, columns_of, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddColumn, ChangeColumnType, CreateTable
from dbguard.model.state import Step


def check(operation: AddColumn | ChangeColumnType | CreateTable, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the statement says it all
    for table, column in columns_of(operation):
        if column.type.builtin == "money":
            yield flag(table=table, column=quote(column.name))

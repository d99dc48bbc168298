"""A column of type json, which has no equality."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name, quote
from dbguard.model.operations import AddColumn, ChangeColumnType, CreateTable
from dbguard.model.state import Step
from dbguard.model.types import DataType


def check(operation: AddColumn | ChangeColumnType | CreateTable, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the text decides
    for table, column, data_type in _columns(operation):
        if data_type.builtin == "json":
            yield flag(table=table, column=quote(column), type=str(data_type), better="jsonb[]" if data_type.array else "jsonb")


def _columns(operation: AddColumn | ChangeColumnType | CreateTable) -> Iterator[tuple[Name, str, DataType]]:
    match operation:
        case AddColumn(table=table, column=column):
            yield table, column.name, column.type
        case ChangeColumnType(table=table, column=name, type=data_type):
            yield table, name, data_type
        case CreateTable(name=table, kind="table", columns=columns):
            for one in columns:
                yield table, one.name, one.type

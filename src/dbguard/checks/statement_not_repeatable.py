"""DDL outside a transaction without IF [NOT] EXISTS: after a failure half way, the migration cannot simply run again."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import AddColumn, CreateIndex, CreateTable, DropColumn, DropConstraint, DropIndex, DropTable
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    if len({one.statement.start for one in script.steps}) < 2:
        return
    for one in script.steps:
        if one.before.transaction is None and (form := _missing(one.operation)):
            yield flag(at=one.statement, form=form)


def _missing(operation: object) -> str:
    match operation:
        case DropColumn(if_exists=False) | DropConstraint(if_exists=False) | DropIndex(if_exists=False) | DropTable(if_exists=False):
            return "IF EXISTS"
        case AddColumn(if_not_exists=False) | CreateTable(if_not_exists=False, kind="table"):
            return "IF NOT EXISTS"
        case CreateIndex(if_not_exists=False, concurrently=False):
            return "IF NOT EXISTS"
    return ""

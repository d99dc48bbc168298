"""SQL that a revision runs itself in, blocks out: `op.execute`, `op.get_bind().execute`, `op.bulk_insert`."""

from __future__ import annotations

import ast
import re

from dbguard.reading.alembic import facts, plugins
from dbguard.reading.alembic.constructs import Builder, NotKnown, shown
from dbguard.reading.alembic.output import Output
from dbguard.reading.alembic.printer import Printer
from dbguard.reading.python.values import Called, Unknown, Value, is_known

_STATEMENT = ("sqltext", "statement", "sql")
_PARAMETERS = frozenset(["parameters", "params", "multiparams"])
_UNCONSUMED = re.compile(r"Unconsumed column names: ([\w, ]+)")


def execute(call: Called, output: Output, builder: Builder, printer: Printer, alone: bool = False) -> Value:
    """The rows that a statement gives back, which nobody knows."""
    statement = call.args[0] if call.args else next((call.kwargs[name] for name in _STATEMENT if name in call.kwargs), None)
    given = (*call.args[1:], *(one for name, one in call.kwargs.items() if name in _PARAMETERS))
    is_repeated = facts.is_in_loop(output.current.module, call.node)
    try:
        sql, node = _sql(statement, call, output, builder, printer)
    except NotKnown as error:
        if is_repeated:
            output.program(call.node, "what it runs depends on the rows that it reads", output.written(call.node))
        elif not output.has_program:
            output.add(call.node, unread=f"the SQL is not known: {error}")
        return Unknown("rows that it reads", call.node)
    except Exception as error:  # noqa: BLE001 - whatever SQLAlchemy says of a statement belongs into the report
        output.add(call.node, unread=refused(error))
        return Unknown("rows that it reads", call.node)
    output.add(call.node, sql, place=output.literal_place(node, sql), alone=alone, unread=builder.taken_notes())
    if is_repeated and (builder.has_parameters or not all(map(is_known, given))):
        output.program(call.node, "it runs once for each row that was read", output.written(call.node))
    return Unknown("rows that it reads", call.node)


def _sql(statement: Value, call: Called, output: Output, builder: Builder, printer: Printer) -> tuple[str, ast.AST | None]:
    """The SQL of `execute`'s argument, and the literal that it is, if it is one."""
    builder.notes.clear()
    builder.has_parameters = False
    node = facts.argument(call.node)
    if isinstance(statement, Called) and facts.is_text(statement) and len(statement.args) == 1:
        node = facts.argument(statement.node)
        statement = statement.args[0]
    if isinstance(statement, str):
        return printer.text(str(statement)), facts.literal(output.module.module, node, statement)
    sql = plugins.statement(statement)
    if sql:
        return sql, None
    made = builder.leniently(statement)
    if isinstance(made, str):
        return printer.text(made), None
    if not hasattr(made, "compile") or isinstance(made, type) or facts.is_parameter(made):
        raise NotKnown(statement.reason if isinstance(statement, Unknown) else f"`{shown(statement)}` is not known")
    try:
        return printer.compiled(made), None
    except Exception as error:
        found = _UNCONSUMED.search(str(error))
        if found is None or not builder.widen(found[1].split(", ")):
            raise
    return printer.compiled(made), None


def bulk_insert(call: Called, output: Output, builder: Builder, printer: Printer) -> None:
    """One INSERT for all rows: each of them is sent alike."""
    table = call.args[0] if call.args else call.kwargs.get("table")
    rows = call.args[1] if len(call.args) > 1 else call.kwargs.get("rows")
    builder.notes.clear()
    columns = facts.columns_of(rows)
    if columns is None:
        output.add(call.node, unread="the rows that are inserted are not known")
        return
    try:
        sql = printer.insert(builder.real(table), columns) if columns else ""
    except Exception as error:  # noqa: BLE001 - whatever SQLAlchemy says of a call belongs into the report
        output.add(call.node, unread=refused(error))
        return
    output.add(call.node, sql, unread=builder.taken_notes())


def refused(error: Exception) -> str:
    """Why a call cannot be printed: it is not known, or Alembic and SQLAlchemy refuse it."""
    if isinstance(error, NotKnown):
        return str(error)
    text = str(error).split("\n", 1)[0]
    if "it has no name" in text:
        return "Alembic refuses this call: a constraint without a name cannot be dropped"
    return f"Alembic refuses this call: {text[:200]}" if text else f"Alembic refuses this call ({type(error).__name__})"

"""Places and facts that stand in a revision's syntax tree: literals, loops, conditions, defaults of added columns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name
from dbguard.model.operations import MissingDowngrade, PythonDefault
from dbguard.reading.python.interpret import Interpreter
from dbguard.reading.python.values import Called, Local, Symbol, Value

if TYPE_CHECKING:
    from dbguard.reading.alembic.printer import Batch

_QUIET = frozenset(["print", "info", "warning", "debug", "warn", "error", "exception", "log", "write"])
_CONNECTIONS = frozenset(
    ["op", "batch_op", "context", "ctx", "bind", "conn", "connection", "session", "db", "db_session", "cursor", "cur", "engine", "s", "sess"]
)
_ACTIONS = frozenset(["execute", "exec_driver_sql", "executemany", "bulk_insert", "batch_alter_table", "autocommit_block", "create_all", "drop_all"])


def argument(node: ast.AST) -> ast.AST | None:
    """The first argument of a call, as written."""
    if not isinstance(node, ast.Call):
        return None
    if node.args:
        return node.args[0]
    return next((keyword.value for keyword in node.keywords if keyword.arg in {"sqltext", "text", "statement", "sql"}), None)


def is_text(call: Called) -> bool:
    return isinstance(call.target, Symbol) and call.target.path.startswith("sqlalchemy.") and call.target.path.endswith(".text")


def literal(module: ast.Module, node: ast.AST | None, value: str) -> ast.AST | None:
    """The literal that a text is, directly or through a name that is bound once."""
    if isinstance(node, ast.Call):
        node = argument(node)
    if isinstance(node, ast.Name):
        node = _constants(module).get(node.id)
    return node if isinstance(node, ast.Constant) and node.value == value else None


@lru_cache(maxsize=2)
def _constants(module: ast.Module) -> dict[str, ast.AST | None]:
    found: dict[str, ast.AST | None] = {}
    for node in _statements(module.body):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        if isinstance(value, ast.Call):
            value = _argument_of_text(value)
        for target in targets:
            if isinstance(target, ast.Name):
                found[target.id] = None if target.id in found else value
    return found


def _argument_of_text(call: ast.Call) -> Any:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    return argument(call) if name == "text" else call


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements, without looking into expressions, of which there are twenty times as many."""
    waiting = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        for name in ("body", "orelse", "finalbody"):
            waiting += reversed(getattr(node, name, ()))
        for handler in getattr(node, "handlers", ()):
            waiting += reversed(handler.body)


@lru_cache(maxsize=2)
def _loops(module: ast.Module) -> tuple[tuple[int, int], ...]:
    """First and last lines of loops."""
    return tuple((node.lineno, node.end_lineno or node.lineno) for node in _statements(module.body) if isinstance(node, ast.For | ast.AsyncFor))


def is_in_loop(module: ast.Module, node: ast.AST) -> bool:
    line = getattr(node, "lineno", 0)
    return any(first < line <= last for first, last in _loops(module))


@lru_cache(maxsize=8)
def _conditions(module: ast.Module) -> dict[int, ast.If]:
    return {id(node.test): node for node in _statements(module.body) if isinstance(node, ast.If)}


def guessed(module: ast.Module, node: ast.AST) -> str:
    """What hangs on a guess: `schema`, `rows`, or nothing but messages, errors and values."""
    condition = _conditions(module).get(id(node))
    if condition is None:
        return "" if isinstance(node, ast.ImportFrom) else "schema"
    statements = (*condition.body, *condition.orelse)
    if any(isinstance(statement, ast.Return) for statement in statements):
        return "schema"
    functions = acting(module)
    if not any(_acts(statement, functions) for statement in statements):
        return ""
    calls = [call for statement in statements for call in ast.walk(statement) if isinstance(call, ast.Call)]
    return "schema" if any(_root(call.func) in {"op", "batch_op"} and _is_operation(call) for call in calls) else "rows"


def _is_operation(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr not in {"get_bind", "get_context", "f", "execute"}


@lru_cache(maxsize=8)
def acting(module: ast.Module) -> frozenset[str]:
    """Functions of a module that may send SQL, themselves or through another one."""
    bodies = {node.name: node for node in _statements(module.body) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    found: frozenset[str] = frozenset()
    for _ in range(len(bodies) + 1):
        more = frozenset(name for name, node in bodies.items() if name in found or _acts(node, found))
        if more == found:
            break
        found = more
    return found


def may_act(node: ast.AST, module: ast.Module) -> bool:
    """Whether a call of something that is not known may send SQL: `getattr(op, name)(...)`, `globals()[name]()`, `run(bind)`."""
    if _acts(node, acting(module)):
        return True
    names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    return not names.isdisjoint({"op", "globals", "locals"})


def _acts(node: ast.AST, functions: frozenset[str]) -> bool:
    for inner in ast.walk(node):
        if not isinstance(inner, ast.Call):
            continue
        function = inner.func
        if isinstance(function, ast.Name):
            if function.id in functions:
                return True
        elif isinstance(function, ast.Attribute) and (function.attr in _ACTIONS or _root(function) in _CONNECTIONS):
            return True
        if any(isinstance(one, ast.Name) and one.id in _CONNECTIONS for one in inner.args):
            return True
    return False


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return node.id if isinstance(node, ast.Name) else ""


def is_parameter(made: Any) -> bool:
    return type(made).__name__ == "BindParameter"


def columns_of(rows: Value) -> tuple[str, ...] | None:
    """The columns that `bulk_insert` writes: those of its first row. None if the rows are not known."""
    if type(rows) is not list:
        return None
    if not rows:
        return ()
    return tuple(rows[0]) if isinstance(rows[0], dict) and all(isinstance(name, str) for name in rows[0]) else None


def python_defaults(call: Called, batch: Batch | None, module: Interpreter) -> tuple[PythonDefault, ...]:
    """`default=` of a column that is added, which SQLAlchemy does not put into existing rows."""
    column = next((one for one in (*call.args, *call.kwargs.values()) if _is_column(one)), None)
    if column is None or "default" not in column.kwargs or column.kwargs["default"] is None:
        return ()
    if column.kwargs.get("server_default") is not None or any(_is_made(one) for one in column.args):
        return ()
    table = batch.table if batch is not None else call.args[0] if call.args else call.kwargs.get("table_name")
    schema = batch.schema if batch is not None else call.kwargs.get("schema")
    name = column.args[0] if column.args else column.kwargs.get("name")
    if not isinstance(table, str) or not isinstance(name, str):
        return ()
    node = column.node
    written = next((word.value for word in node.keywords if word.arg == "default"), None) if isinstance(node, ast.Call) else None
    return (
        PythonDefault(
            Name(schema if isinstance(schema, str) else None, str(table)),
            str(name),
            module.source(written) if written is not None else "",
            unique=column.kwargs.get("unique") is True,
            applied=False,
            not_null=column.kwargs.get("nullable", column.kwargs.get("primary_key") is not True) is False,
        ),
    )


def _is_column(value: Value) -> bool:
    return (
        isinstance(value, Called)
        and isinstance(value.target, Symbol)
        and value.target.path.startswith("sqlalchemy.")
        and value.target.path.endswith(".Column")
    )


def _is_made(value: Value) -> bool:
    """`sa.Computed(...)` and `sa.Identity(...)` fill existing rows."""
    return isinstance(value, Called) and isinstance(value.target, Symbol) and value.target.path.endswith((".Computed", ".Identity"))


def missing_downgrade(downgrade: Value) -> MissingDowngrade | None:
    """`downgrade()` that is not there, or does nothing. One that raises says so on purpose."""
    if not isinstance(downgrade, Local) or downgrade.is_class:
        return MissingDowngrade(missing=True)
    body = getattr(downgrade.node, "body", [])
    if isinstance(body, list) and all(_does_nothing(statement) for statement in body):
        return MissingDowngrade()
    return None


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Return):
        return statement.value is None or isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))

"""The operation of a Django migration that a recipe replaces, from its text.

In: `migrations.AddField(model_name="order", name="state", field=...)` as it stands in the file. Out: an `Own`, which knows
the statement of a recipe that does the same: there the model's state changes as the author wrote it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from dbguard.model.operations import (
    AddColumn,
    AddConstraint,
    AddIdentity,
    ChangeColumnType,
    CreateIndex,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropIndex,
    DropNotNull,
    Operation,
    RenameColumn,
    RenameTable,
    SetDefault,
    SetNotNull,
)
from dbguard.model.record import Record
from dbguard.reading.recipes.layout import Expr, Group, Keyword, Text, quoted

LONGEST = 20_000

_POSITIONAL = {
    "AddField": ("model_name", "name", "field"),
    "AlterField": ("model_name", "name", "field"),
    "RemoveField": ("model_name", "name"),
    "RenameField": ("model_name", "old_name", "new_name"),
    "AddIndex": ("model_name", "index"),
    "RemoveIndex": ("model_name", "name"),
    "AddConstraint": ("model_name", "constraint"),
    "RemoveConstraint": ("model_name", "name"),
    "AlterUniqueTogether": ("name", "unique_together"),
    "AlterIndexTogether": ("name", "index_together"),
    "RenameModel": ("old_name", "new_name"),
    "AlterModelTable": ("name", "table"),
    "DeleteModel": ("name",),
}
_NAMING = frozenset({"AddIndex", "RemoveIndex", "AddConstraint", "RemoveConstraint"})


class Own(Record):
    """One operation as its author wrote it. `kind` is its class: `AddField`."""

    kind: str
    node: ast.Call
    arguments: dict[str, ast.expr]

    def text(self, argument: str) -> str:
        """An argument that is a literal string, else nothing."""
        value = self.arguments.get(argument)
        return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""

    def argument(self, name: str) -> Expr | None:
        """An argument as it is written."""
        return expression(self.arguments[name]) if name in self.arguments else None

    @property
    def field(self) -> str:
        return self.text("new_name" if self.kind == "RenameField" else "name") if self.kind.endswith("Field") else ""

    @property
    def columns(self) -> frozenset[str]:
        """What the column of its field can be called: foreign keys end in `_id`, and `db_column` says it."""
        if not self.field:
            return frozenset()
        written = self.arguments.get("field")
        keywords = written.keywords if isinstance(written, ast.Call) else []
        stated = next((one.value for one in keywords if one.arg == "db_column"), None)
        if isinstance(stated, ast.Constant) and isinstance(stated.value, str):
            return frozenset({stated.value})
        return frozenset({self.field, f"{self.field}_id"})

    @property
    def label(self) -> str:
        """The name of its index or constraint."""
        if self.kind not in _NAMING:
            return ""
        made = self.arguments.get("index", self.arguments.get("constraint"))
        if not isinstance(made, ast.Call):
            return self.text("name")
        name = next((one.value for one in made.keywords if one.arg == "name"), None)
        return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""


def class_name(node: ast.Call) -> str:
    """`AddField` of `migrations.AddField(...)`."""
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def own_call(call: str) -> Own | None:
    """The operation that stands in the text, if it is one of those that change a model's state and the database."""
    if not call or len(call) > LONGEST:
        return None
    try:
        node = ast.parse(call, mode="eval").body
        expression(node)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(node, ast.Call):
        return None
    kind = class_name(node)
    if kind not in _POSITIONAL or any(isinstance(one, ast.Starred) for one in node.args) or any(one.arg is None for one in node.keywords):
        return None
    given = dict(zip(_POSITIONAL[kind], node.args, strict=False))
    return Own(kind, node, given | {one.arg: one.value for one in node.keywords if one.arg is not None})


def place(own: Own, operations: Sequence[Operation]) -> int | None:
    """Which of the recipe's operations does what the author's does: of the surest the last, but the first for a column that comes."""
    ranks = [_rank(own, one) for one in operations]
    best = max(ranks, default=0)
    if best == 0:
        return None
    found = [number for number, rank in enumerate(ranks) if rank == best]
    return found[0] if own.kind in {"AddField", "RenameField"} else found[-1]


def _rank(own: Own, one: Operation) -> int:
    """How surely an operation is the author's, 0 if it is another one."""
    match own.kind, one:
        case "AddField" | "RenameField", AddColumn(column=column):
            return 3 * (column.name in own.columns)
        case "AlterField" | "RenameField", RenameColumn(to=to):
            return 2 * (to in own.columns)
        case "AlterField", SetNotNull() | DropNotNull() | SetDefault() | DropDefault() | ChangeColumnType() | AddIdentity():
            return 2 * (one.column in own.columns)
        case "RemoveField", DropColumn(column=column):
            return 2 * (column in own.columns)
        case "AlterField" | "AlterUniqueTogether" | "AlterIndexTogether", AddConstraint(constraint=constraint):
            return 1 * (constraint.kind in {"unique", "primary key", "foreign key"})
        case "AlterField", CreateIndex(keys=keys):
            return 1 * all(key.column in own.columns for key in keys)
        case "AddConstraint", AddConstraint(constraint=constraint):
            return 2 * (constraint.name == own.label)
        case "AddIndex" | "AddConstraint" | "AlterUniqueTogether" | "AlterIndexTogether", CreateIndex(name=name):
            return 1 * (not own.label or name == own.label)
        case "RemoveIndex", DropIndex(names=names):
            return 1 * any(name.name == own.label for name in names)
        case "RemoveConstraint", DropConstraint(name=name):
            return 1 * (name == own.label)
        case "RenameModel" | "AlterModelTable" | "DeleteModel", RenameTable(kind="table"):
            return 1
    return 0


def expression(node: ast.expr) -> Expr:
    """The author's expression, laid out anew. Comments in it are lost."""
    match node:
        case ast.Call(func, arguments, keywords):
            named: list[Expr] = [Keyword(one.arg, expression(one.value)) if one.arg else f"**{ast.unparse(one.value)}" for one in keywords]
            return Group(f"{ast.unparse(func)}(", (*map(expression, arguments), *named))
        case ast.List(elements):
            return Group("[", tuple(map(expression, elements)), "]")
        case ast.Tuple([one]):
            return f"({quoted(one.value)},)" if isinstance(one, ast.Constant) and isinstance(one.value, str) else ast.unparse(node)
        case ast.Tuple([_, *_] as elements):
            return Group("(", tuple(map(expression, elements)), ")")
        case ast.Constant(str() as text):
            return Text(text)
    return ast.unparse(node)

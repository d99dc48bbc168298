"""What an expression of a Python migration means to somebody who does not run it.

Literals are themselves. Everything that would need the program to run is one of the values below.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, TypeAlias

from dbguard.model.record import Record

if TYPE_CHECKING:
    from dbguard.reading.python.interpret import Interpreter

Value: TypeAlias = Any
"""A literal, or one of the classes below."""


class Symbol(Record):
    """Something imported: `models.CharField` after `from django.db import models` is "django.db.models.CharField"."""

    path: str


class Attribute(Record):
    """An attribute of a value that is no symbol: `op.get_context().autocommit_block`."""

    base: Value
    name: str


class Called(Record):
    """A call that was not made. `args` and `kwargs` are evaluated; `Spread` stands for `*rest` and key "**" for `**rest` of unknown content."""

    target: Value  # Symbol, Attribute, Local class, Unknown
    args: tuple[Value, ...]
    kwargs: dict[str, Value]
    node: ast.AST


class Operator(Record):
    """`a & b`, `~a`, `a + b` where an operand is no literal. `name` is Python's: "&", "|", "~", "+", "not", "==" ..."""

    name: str
    operands: tuple[Value, ...]
    node: ast.AST


class Item(Record):
    """`base[key]` of a value that is no literal."""

    base: Value
    key: Value


class Unknown(Record):
    """What depends on the database, the clock, the environment, or on Python that is not followed."""

    reason: str
    node: ast.AST | None = None


class Local:
    """A function, lambda or class that the module defines."""

    __slots__ = ("interpreter", "name", "node", "scope")

    def __init__(self, node: ast.AST, scope: dict[str, Value], interpreter: Interpreter) -> None:
        self.node = node
        self.scope = scope
        self.interpreter = interpreter
        self.name: str = getattr(node, "name", "<lambda>")

    @property
    def is_class(self) -> bool:
        return isinstance(self.node, ast.ClassDef)

    def __repr__(self) -> str:
        return f"Local({self.name})"


SYMBOLIC = frozenset([Symbol, Attribute, Called, Operator, Item, Unknown, Local])
_SCALARS = frozenset([str, int, float, bool, bytes, type(None), complex, range])


def is_known(value: Value) -> bool:
    """Whether a value is a literal through and through."""
    kind = type(value)
    if kind in _SCALARS:
        return True
    if kind in SYMBOLIC:
        return False
    if kind is dict:
        return all(map(is_known, value)) and all(map(is_known, value.values()))
    return kind in {list, tuple, set, frozenset} and all(map(is_known, value))

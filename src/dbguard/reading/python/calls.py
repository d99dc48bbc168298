"""Calls that are made: methods of literals, a few builtins and pure functions. What they give is bounded in size."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dbguard.reading.python.values import Attribute, Called, Symbol, Unknown, Value, is_known

if TYPE_CHECKING:
    from dbguard.reading.python.interpret import Interpreter

LARGEST = 1_000_000  # characters or elements of one value

_NOT_FOLLOWED = (
    "print isinstance getattr hasattr open map filter super type exec eval __import__ globals locals iter next vars object Exception ValueError "
    "RuntimeError NotImplementedError AssertionError TypeError KeyError"
)
BUILTINS: dict[str, Callable[..., Any] | None] = {
    **dict.fromkeys(_NOT_FOLLOWED.split()),
    **{
        one.__name__: one
        for one in (len, range, list, tuple, dict, set, frozenset, sorted, str, int, float, bool, min, max, sum, any, all, abs, repr)
    },
    "reversed": lambda rows: list(reversed(rows)),
    "enumerate": lambda *given: list(enumerate(*given)),
    "zip": lambda *rows: list(zip(*rows, strict=False)),
}
_ORDERLY = frozenset(["list", "tuple", "reversed", "enumerate", "zip", "len", "dict"])  # these work on parts that are not known

METHODS: dict[type, frozenset[str]] = {
    kind: frozenset(names.split())
    for kind, names in (
        (
            str,
            "format join strip lstrip rstrip lower upper title capitalize replace split rsplit splitlines partition rpartition startswith endswith",
        ),
        (dict, "items keys values get copy pop update setdefault"),
        (list, "append extend insert index count copy pop remove reverse sort"),
        (tuple, "index count"),
        (set, "add union copy update difference intersection"),
        (bytes, "decode"),
    )
}
METHODS[str] |= {"removeprefix", "removesuffix", "format_map", "count", "find", "index", "isdigit", "isalpha", "encode", "zfill"}
WIDE = re.compile(r"%[^a-zA-Z%]*(?:\d{4,}|\*)|[:{][^{}]*\d{4,}")


def method(target: Attribute, args: tuple[Value, ...], kwargs: dict[str, Value], node: ast.Call) -> Value:
    base = target.base
    if isinstance(base, str):
        if target.name in {"format", "format_map"} and (WIDE.search(base) or re.search(r"\{[^}]*[.\[!]", base)):
            return Unknown("a format that is not followed", node)
        if not all(map(is_known, args)) or not all(map(is_known, kwargs.values())):
            return Unknown("a text with parts that are not known", node)
        if target.name == "zfill" or (target.name == "replace" and _too_long(base, args)):
            return Unknown("a very long text", node)
        if target.name == "join" and sum(len(str(one)) for one in args[0]) > LARGEST:
            return Unknown("a very long text", node)
    if isinstance(base, list | dict | set) and len(base) > LARGEST:
        return Unknown("a very long list", node)
    found = guarded(getattr(base, target.name), args, kwargs, node)
    return list(found) if type(found).__name__ in {"dict_items", "dict_keys", "dict_values"} else found


def _too_long(base: str, args: tuple[Value, ...]) -> bool:
    return len(args) > 1 and isinstance(args[1], str) and (len(base) + 1) * len(args[1]) > LARGEST


def builtin(interpreter: Interpreter, name: str, args: tuple[Value, ...], kwargs: dict[str, Value], node: ast.Call) -> Value:
    function = BUILTINS[name]
    if name == "print":
        return None
    if name in {"exec", "eval", "__import__"}:
        interpreter.hooks.doubt(node, f"`{name}` is not followed")
    if (
        name == "isinstance"
        and len(args) == 2
        and is_known(args[0])
        and isinstance(args[1], Symbol)
        and args[1].path in {"str", "list", "dict", "int", "tuple"}
    ):
        return type(args[0]).__name__ == args[1].path
    if name == "open":
        return interpreter.hooks.called(Called(Symbol("open"), args, kwargs, node))
    if function is None:
        return Unknown(f"`{name}` is not followed", node)
    if name in _ORDERLY:
        if not all(type(one) in {list, tuple, dict, set, str, range, int} for one in args):
            return Unknown(f"`{interpreter.source(node)}` is not known", node)
    elif not all(map(is_known, args)) or not all(map(is_known, kwargs.values())):
        return Unknown(f"`{interpreter.source(node)}` is not known", node)
    if any(isinstance(one, range) and len(one) > LARGEST for one in args):
        return Unknown("a very long list", node)
    if name in {"str", "repr", "int"} and any(isinstance(one, int) and abs(one) >= 1 << 64 for one in args):
        return Unknown("a very large number", node)
    return guarded(function, args, kwargs, node)


def guarded(function: Callable[..., Any], args: tuple[Value, ...], kwargs: dict[str, Value], node: ast.AST) -> Value:
    try:
        found = function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - any error of the interpreted program: it would raise there, too
        return Unknown(f"raises {type(error).__name__}", node)
    if isinstance(found, str | list | tuple | dict | set | bytes) and len(found) > LARGEST:
        return Unknown("a very long value", node)
    return found


def _dedent(text: str) -> str:
    import textwrap

    return textwrap.dedent(text)


def _chained(rows: Any) -> list[Value]:
    if not all(type(row) in {list, tuple} for row in rows):
        raise TypeError
    return [one for row in rows for one in row]


PURE: dict[str, Callable[..., Any]] = {
    "textwrap.dedent": _dedent,
    "itertools.chain": lambda *rows: _chained(rows),
    "itertools.chain.from_iterable": _chained,
}

"""A Python migration's text in, its calls out, without running it.

The syntax tree is walked: literals, names, loops over known values, branches with known conditions and functions of the same
module are followed; a call of anything imported reaches `Hooks.called`. What cannot be known becomes `Unknown`.
Nothing of the module is executed, and time and memory are bounded.
"""

from __future__ import annotations

import ast
import warnings
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from dbguard.reading.python import calls, evaluate
from dbguard.reading.python.statements import STATEMENTS, Leave
from dbguard.reading.python.values import Called, Local, Symbol, Unknown, Value, is_known

MOST_STEPS = 300_000
DEEPEST = 40


class Interrupted(Exception):  # noqa: N818 - reads better where it is caught
    """Reading cannot go on: the text is no Python of a version that we know, or the program is too long."""

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


class Hooks:
    """What a reader does with what it meets. The defaults do nothing."""

    def called(self, call: Called) -> Value:
        """The value of a call of something imported, or of a method of a value that is no literal."""
        return call

    def enter(self, value: Value) -> Value:
        """What `with value as name` binds."""
        return value

    def leave(self, value: Value) -> None:
        """The end of a `with` block."""

    def doubt(self, node: ast.AST, reason: str) -> None:
        """Something whose outcome was guessed."""


class Interpreter:
    """One module. Module level is walked at once: `names` holds what it binds."""

    def __init__(self, text: str, hooks: Hooks | None = None, name: str = "") -> None:
        self.text = text
        self.name = name
        self.hooks = hooks or Hooks()
        self.steps = 0
        self.depth = 0
        self._lines: list[str] | None = None
        self._starts: list[int] = []
        self.module = _parse(text)
        self.names: dict[str, Value] = {"__name__": name, "__file__": Symbol("__file__")}
        try:
            self.run(self.module.body, self.names)
        except Leave:
            pass
        except RecursionError:
            raise Interrupted("nested too deeply") from None

    def call(self, function: Local, args: Iterable[Value] = (), kwargs: dict[str, Value] | None = None) -> Value:
        """The value of a call of a function of this module; its body is walked."""
        node = function.node
        if isinstance(node, ast.ClassDef):
            return Called(function, tuple(args), dict(kwargs or {}), node)
        if self.depth >= DEEPEST:
            return Unknown("calls nested too deeply", node)
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        scope = {**function.scope} if function.scope is not self.names else {}
        scope |= _bound(node.args, tuple(args), kwargs or {}, self, function)
        self.depth += 1
        try:
            if isinstance(node, ast.Lambda):
                return self.value(node.body, scope)
            self.run(node.body, scope)
        except Leave as leave:
            if leave.kind == "raise":
                raise
            return leave.value
        except RecursionError:
            raise Interrupted("nested too deeply") from None
        finally:
            self.depth -= 1
        return None

    def start(self, function: Local, args: Iterable[Value] = ()) -> Value:
        """`call` from outside: a `raise` ends it quietly."""
        try:
            return self.call(function, args)
        except Leave:
            return None

    def members(self, local: Local) -> dict[str, Value]:
        """What the body of a class binds, evaluated."""
        assert isinstance(local.node, ast.ClassDef)
        scope: dict[str, Value] = {}
        try:
            self.run(local.node.body, scope)
        except Leave:
            pass
        except RecursionError:
            raise Interrupted("nested too deeply") from None
        return scope

    def bases(self, local: Local) -> list[Value]:
        """The base classes of a class, evaluated."""
        assert isinstance(local.node, ast.ClassDef)
        return [self.value(base, local.scope) for base in local.node.bases]

    def value(self, node: ast.expr, scope: dict[str, Value]) -> Value:
        self.tick(node)
        return evaluate.value(self, node, scope)

    def lookup(self, name: str, scope: dict[str, Value], node: ast.AST) -> Value:
        if name in scope:
            return scope[name]
        if name in self.names:
            return self.names[name]
        if name in calls.BUILTINS:
            return Symbol(name)
        return Unknown(f"`{name}` is not defined here", node)

    def tick(self, node: ast.AST) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Interrupted("the program is too long to follow", self.span(node)[0])

    def run(self, body: Iterable[ast.stmt], scope: dict[str, Value]) -> None:
        for statement in body:
            self.tick(statement)
            runner = STATEMENTS.get(type(statement))
            if runner is not None:
                runner(self, statement, scope)

    def source(self, node: ast.AST) -> str:
        """The text of a node, on one line and cut when long."""
        start, end = self.span(node)
        text = " ".join(self.text[start:end].split())
        return text if len(text) <= 80 else text[:77] + "..."

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Offsets of a node's text, in code points."""
        line = getattr(node, "lineno", None)
        if line is None:
            return 0, 0
        end_line = getattr(node, "end_lineno", None) or line
        return self.offset(line, node.col_offset), self.offset(end_line, node.end_col_offset or 0)  # type: ignore[attr-defined]

    def offset(self, line: int, column: int) -> int:
        """The offset of a place that the syntax tree gives: line from 1, column in bytes of UTF-8."""
        if self._lines is None:
            self._lines = self.text.split("\n")
            self._starts = [0, *accumulate(len(one) + 1 for one in self._lines)]
        line = min(max(line, 1), len(self._lines))
        text = self._lines[line - 1]
        if not text.isascii():
            column = len(text.encode()[:column].decode(errors="ignore"))
        return self._starts[line - 1] + column

    def line(self, offset: int) -> int:
        self.offset(1, 0)
        return bisect_right(self._starts, offset)

    def literal_place(self, node: ast.AST) -> int | None:
        """Where the value of a plain string literal stands verbatim in the text; None if it does not."""
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            return None
        start, end = self.span(node)
        found = self.text.find(node.value, start, end)
        return found if found >= 0 and end - found - len(node.value) <= 3 else None  # the closing quotes

    def assign(self, target: ast.expr, value: Value, scope: dict[str, Value]) -> None:
        match target:
            case ast.Name():
                scope[target.id] = value
            case ast.Tuple() | ast.List():
                self._unpack(target, value, scope)
            case ast.Subscript():
                base, key = self.value(target.value, scope), self.value(target.slice, scope)
                if (isinstance(base, dict) and is_known(key) and _hashable(key)) or (
                    isinstance(base, list) and isinstance(key, int) and -len(base) <= key < len(base)
                ):
                    base[key] = value
            case ast.Starred():
                self.assign(target.value, value, scope)
            case _:
                pass

    def _unpack(self, target: ast.Tuple | ast.List, value: Value, scope: dict[str, Value]) -> None:
        names = target.elts
        if not isinstance(value, list | tuple) or type(value) not in {list, tuple}:
            for name in names:
                self.assign(name, Unknown("part of a value that is not known", target), scope)
            return
        star = next((i for i, name in enumerate(names) if isinstance(name, ast.Starred)), None)
        if star is not None:
            after = len(names) - star - 1
            value = [*value[:star], list(value[star : len(value) - after]), *value[len(value) - after :]]
        for index, name in enumerate(names):
            self.assign(name, value[index] if index < len(value) else Unknown("too few values", target), scope)


def _parse(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        lines = text.split("\n")
        offset = sum(len(line) + 1 for line in lines[: (error.lineno or 1) - 1])
        raise Interrupted(_syntax(text, error), min(offset, len(text))) from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise Interrupted(f"cannot be parsed as Python ({type(error).__name__})") from None


def _syntax(text: str, error: SyntaxError) -> str:
    import re
    import sys

    if re.search(r"^\s*print\s+[\"'\w]|except \w+, \w+:|\bexec\s+[\"']", text, re.MULTILINE):
        return "Python 2, or not Python: " + (error.msg or "syntax error")
    return f"not Python that {sys.version_info.major}.{sys.version_info.minor} understands: {error.msg or 'syntax error'}"


def _hashable(value: Value) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _bound(given: ast.arguments, args: tuple[Value, ...], kwargs: dict[str, Value], interpreter: Interpreter, function: Local) -> dict[str, Value]:
    """Parameters by name: what was passed, else their defaults, else unknown."""
    names = [one.arg for one in (*given.posonlyargs, *given.args)]
    scope: dict[str, Value] = dict(zip(names, args, strict=False))
    defaults = dict(zip(reversed(names), reversed(given.defaults), strict=False))
    defaults |= {one.arg: default for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is not None}
    names += [one.arg for one in given.kwonlyargs]
    for name in names:
        if name in kwargs:
            scope[name] = kwargs[name]
        elif name not in scope:
            scope[name] = interpreter.value(defaults[name], function.scope) if name in defaults else Unknown(f"parameter `{name}`", function.node)
    if given.vararg is not None:
        scope[given.vararg.arg] = tuple(args[len(given.posonlyargs) + len(given.args) :])
    if given.kwarg is not None:
        scope[given.kwarg.arg] = {name: value for name, value in kwargs.items() if name not in names}
    return scope

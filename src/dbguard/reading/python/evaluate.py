"""Expressions of a Python migration to values. Results are bounded in size; nothing of the module is executed."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dbguard.reading.python.calls import BUILTINS, LARGEST, METHODS, PURE, WIDE, builtin, guarded, method
from dbguard.reading.python.values import Attribute, Called, Item, Local, Operator, Symbol, Unknown, Value, is_known

if TYPE_CHECKING:
    from dbguard.reading.python.interpret import Interpreter

Scope = dict[str, Value]

_BINARY: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul), ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv), ast.Mod: ("%", operator.mod), ast.BitAnd: ("&", operator.and_), ast.BitOr: ("|", operator.or_),
    ast.BitXor: ("^", operator.xor), ast.Pow: ("**", pow), ast.LShift: ("<<", operator.lshift), ast.RShift: (">>", operator.rshift),
}  # fmt: skip
_UNARY: dict[type, tuple[str, Callable[[Any], Any]]] = {
    ast.Not: ("not", operator.not_), ast.USub: ("-", operator.neg), ast.UAdd: ("+", operator.pos), ast.Invert: ("~", operator.invert),
}  # fmt: skip
_COMPARE: dict[type, tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("==", operator.eq), ast.NotEq: ("!=", operator.ne), ast.Lt: ("<", operator.lt), ast.LtE: ("<=", operator.le), ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge), ast.Is: ("is", operator.is_), ast.IsNot: ("is not", operator.is_not), ast.In: ("in", lambda a, b: a in b),
    ast.NotIn: ("not in", lambda a, b: a not in b),
}  # fmt: skip


def truth(value: Value) -> bool | None:
    """Whether a value counts as true; None if that is not known."""
    if is_known(value):
        return bool(value)
    if type(value) in {list, tuple, dict, set}:
        return bool(len(value))
    return True if type(value) is Local else None


def value(interpreter: Interpreter, node: ast.expr, scope: Scope) -> Value:
    evaluator = _EXPRESSIONS.get(type(node))
    if evaluator is None:
        return Unknown(f"`{interpreter.source(node)}` is not followed", node)
    return evaluator(interpreter, node, scope)


def _sequence(interpreter: Interpreter, nodes: list[ast.expr], scope: Scope) -> list[Value]:
    found: list[Value] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            rest = interpreter.value(node.value, scope)
            if type(rest) in {list, tuple, set, frozenset, dict, str, range}:
                found.extend(list(rest)[:LARGEST])
            else:
                found.append(Unknown(f"`{interpreter.source(node)}` is not known", node))
        else:
            found.append(interpreter.value(node, scope))
    return found


def _dict(interpreter: Interpreter, node: ast.Dict, scope: Scope) -> Value:
    found: dict[Any, Value] = {}
    for key, item in zip(node.keys, node.values, strict=True):
        given = interpreter.value(item, scope)
        if key is None:
            if not isinstance(given, dict):
                return Unknown(f"`**{interpreter.source(item)}` is not known", node)
            found |= given
            continue
        name = interpreter.value(key, scope)
        try:
            found[name] = given
        except TypeError:
            return Unknown("a key that is not known", node)
    return found


def _joined(interpreter: Interpreter, node: ast.JoinedStr, scope: Scope) -> Value:
    parts: list[str] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
            continue
        assert isinstance(part, ast.FormattedValue)
        inner = interpreter.value(part.value, scope)
        spec = interpreter.value(part.format_spec, scope) if part.format_spec is not None else ""
        if not is_known(inner) or not isinstance(spec, str) or re.search(r"\d{4,}", spec):
            return Unknown(f"`{interpreter.source(part.value)}` in an f-string is not known", node)
        if part.conversion in {ord("r"), ord("a")}:
            inner = repr(inner)
        elif part.conversion == ord("s"):
            inner = str(inner)
        parts.append(format(inner, spec))
    text = "".join(parts)
    return text if len(text) <= LARGEST else Unknown("a very long text", node)


def _attribute(interpreter: Interpreter, node: ast.Attribute, scope: Scope) -> Value:
    base = interpreter.value(node.value, scope)
    if isinstance(base, Symbol):
        return Symbol(f"{base.path}.{node.attr}")
    if type(base) is Local and base.is_class:
        members = base.interpreter.members(base)
        return members.get(node.attr, Attribute(base, node.attr))
    return Attribute(base, node.attr)


def _call(interpreter: Interpreter, node: ast.Call, scope: Scope) -> Value:
    target = interpreter.value(node.func, scope)
    args = tuple(_sequence(interpreter, node.args, scope))
    kwargs: dict[str, Value] = {}
    for keyword in node.keywords:
        given = interpreter.value(keyword.value, scope)
        if keyword.arg is not None:
            kwargs[keyword.arg] = given
        elif isinstance(given, dict):
            kwargs |= {str(name): item for name, item in given.items()}
        else:
            kwargs["**"] = Unknown(f"`**{interpreter.source(keyword.value)}` is not known", keyword.value)
    if type(target) is Local:
        return target.interpreter.call(target, args, kwargs) if not target.is_class else Called(target, args, kwargs, node)
    if isinstance(target, Attribute) and type(target.base) in METHODS and target.name in METHODS[type(target.base)]:
        return method(target, args, kwargs, node)
    if isinstance(target, Symbol) and target.path in BUILTINS:
        return builtin(interpreter, target.path, args, kwargs, node)
    if isinstance(target, Symbol) and target.path in PURE:
        return guarded(PURE[target.path], args, kwargs, node)
    return interpreter.hooks.called(Called(target, args, kwargs, node))


def _binary(interpreter: Interpreter, node: ast.BinOp, scope: Scope) -> Value:
    name, function = _BINARY.get(type(node.op), ("@", operator.matmul))
    left, right = interpreter.value(node.left, scope), interpreter.value(node.right, scope)
    if type(left) is Unknown or type(right) is Unknown:
        return Unknown(f"`{interpreter.source(node)}` is not known", node)
    plain = type(left) in {list, tuple} and type(right) is type(left) and name == "+"
    if not plain and not (is_known(left) and is_known(right)):
        return Operator(name, (left, right), node)
    if name in {"**", "<<", "@"} or (name == "%" and isinstance(left, str | bytes) and WIDE.search(str(left))):
        return Unknown(f"`{interpreter.source(node)}` is not followed", node)
    if name == "*":
        size = max(_size(left), 1) * (right if isinstance(right, int) else 1), max(_size(right), 1) * (left if isinstance(left, int) else 1)
        if (_size(left) or _size(right)) and max(size) > LARGEST:
            return Unknown("a very long value", node)
    if any(isinstance(one, int) and abs(one) >= 1 << 64 for one in (left, right)):
        return Unknown("a very large number", node)
    return guarded(function, (left, right), {}, node)


def _size(value: Value) -> int:
    return len(value) if isinstance(value, str | bytes | list | tuple) else 0


def _unary(interpreter: Interpreter, node: ast.UnaryOp, scope: Scope) -> Value:
    name, function = _UNARY[type(node.op)]
    inner = interpreter.value(node.operand, scope)
    if name == "not":
        known = truth(inner)
        return Operator(name, (inner,), node) if known is None else not known
    return guarded(function, (inner,), {}, node) if is_known(inner) else Operator(name, (inner,), node)


def _boolean(interpreter: Interpreter, node: ast.BoolOp, scope: Scope) -> Value:
    stops = isinstance(node.op, ast.Or)
    unknown = None
    last: Value = None
    for one in node.values:
        last = interpreter.value(one, scope)
        known = truth(last)
        if known is stops and unknown is None:
            return last
        if known is stops:
            return stops
        if known is None:
            unknown = last
    return last if unknown is None else Unknown(f"`{interpreter.source(node)}` is not known", node)


def _compare(interpreter: Interpreter, node: ast.Compare, scope: Scope) -> Value:
    left = interpreter.value(node.left, scope)
    result: Value = True
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = interpreter.value(right_node, scope)
        name, function = _COMPARE[type(op)]
        if not (is_known(left) and is_known(right)):
            if name in {"is", "is not"} and (left is None or right is None) and not any(map(_may_be_none, (left, right))):
                result = (left is right) is (name == "is")
                continue
            return Operator(name, (left, right), node)
        result = guarded(function, (left, right), {}, node)
        if result is not True:
            return result
        left = right
    return result


def _may_be_none(value: Value) -> bool:
    """Whether a value that is not known could be None. What a class makes is not."""
    if isinstance(value, Called) and isinstance(value.target, Symbol | Attribute | Local):
        name = value.target.path.rpartition(".")[2] if isinstance(value.target, Symbol) else value.target.name
        return not name[:1].isupper()
    return isinstance(value, Unknown | Operator | Called | Item)


def _choice(interpreter: Interpreter, node: ast.IfExp, scope: Scope) -> Value:
    known = truth(interpreter.value(node.test, scope))
    if known is None:
        return Unknown(f"`{interpreter.source(node)}` depends on `{interpreter.source(node.test)}`", node)
    return interpreter.value(node.body if known else node.orelse, scope)


def _subscript(interpreter: Interpreter, node: ast.Subscript, scope: Scope) -> Value:
    base = interpreter.value(node.value, scope)
    key: Value
    if isinstance(node.slice, ast.Slice):
        bounds = _slice(interpreter, node.slice, scope)
        key = slice(*bounds) if all(bound is None or type(bound) is int for bound in bounds) else Unknown("a part that is not known", node)
    else:
        key = interpreter.value(node.slice, scope)
    if type(base) in {list, tuple, dict, str, bytes, range} and (isinstance(key, slice) or is_known(key)):
        return guarded(operator.getitem, (base, key), {}, node)
    return Unknown(f"`{interpreter.source(node)}` is not known", node) if isinstance(key, slice) else Item(base, key)


def _slice(interpreter: Interpreter, node: ast.Slice, scope: Scope) -> list[Value]:
    return [None if part is None else interpreter.value(part, scope) for part in (node.lower, node.upper, node.step)]


def _comprehension(interpreter: Interpreter, node: Any, scope: Scope) -> Value:
    rows: list[Value] = []

    def level(index: int, inner: Scope) -> bool:
        if index == len(node.generators):
            if isinstance(node, ast.DictComp):
                rows.append((interpreter.value(node.key, inner), interpreter.value(node.value, inner)))
            else:
                rows.append(interpreter.value(node.elt, inner))
            return True
        generator = node.generators[index]
        found = interpreter.value(generator.iter, inner)
        if type(found) not in {list, tuple, dict, set, frozenset, range, str}:
            return False
        for one in found:
            interpreter.assign(generator.target, one, inner)
            tests = [truth(interpreter.value(test, inner)) for test in generator.ifs]
            if None in tests:
                return False
            if all(tests) and not level(index + 1, inner):
                return False
        return True

    if not level(0, dict(scope)):
        return Unknown(f"`{interpreter.source(node)}` is not known", node)
    try:
        return dict(rows) if isinstance(node, ast.DictComp) else set(rows) if isinstance(node, ast.SetComp) else rows
    except TypeError:
        return Unknown("keys that are not known", node)


def _lambda(interpreter: Interpreter, node: ast.Lambda, scope: Scope) -> Value:
    return Local(node, scope, interpreter)


def _named(interpreter: Interpreter, node: ast.NamedExpr, scope: Scope) -> Value:
    found = interpreter.value(node.value, scope)
    interpreter.assign(node.target, found, scope)
    return found


def _set(interpreter: Interpreter, node: ast.Set, scope: Scope) -> Value:
    try:
        return set(_sequence(interpreter, node.elts, scope))
    except TypeError:
        return Unknown("elements that are not known", node)


_EXPRESSIONS: dict[type, Callable[[Any, Any, Any], Value]] = {
    ast.Constant: lambda _interpreter, node, _scope: node.value,
    ast.Name: lambda interpreter, node, scope: interpreter.lookup(node.id, scope, node),
    ast.List: lambda interpreter, node, scope: _sequence(interpreter, node.elts, scope),
    ast.Tuple: lambda interpreter, node, scope: tuple(_sequence(interpreter, node.elts, scope)),
    ast.Set: _set,
    ast.Dict: _dict,
    ast.JoinedStr: _joined,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _choice,
    ast.Subscript: _subscript,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.Lambda: _lambda,
    ast.NamedExpr: _named,
    ast.Await: lambda interpreter, node, scope: interpreter.value(node.value, scope),
    ast.Starred: lambda interpreter, node, scope: interpreter.value(node.value, scope),
}

"""What a WHERE clause says about how many rows it matches."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.model.expression import Tree
from dbguard.model.schema import Table


def conjuncts(tree: Tree) -> Iterator[Tree]:
    """The parts of a predicate that must all hold."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if node[0] == "and":
            stack.extend(reversed(node[1:]))
        else:
            yield node


def is_always_true(tree: Tree) -> bool:
    """Whether a predicate is a tautology that people write: true, 1 = 1, id = id, NOT false."""
    match tree:
        case ("const", bool(value)):
            return value
        case ("op", "=", left, right):
            return bool(left == right)
        case ("not", ("const", False)):
            return True
        case ("and", *parts):
            return all(is_always_true(part) for part in parts)
        case ("or", *parts):
            return any(is_always_true(part) for part in parts)
    return False


def pins_rows(tree: Tree, table: Table) -> bool:
    """Whether a WHERE names rows by literal values of a unique key; `id` counts as one where the keys are not known."""
    pinned = set()
    for part in conjuncts(tree):
        match part:
            case ("op", "=", ("column", str(column)), value) | ("op", "=", value, ("column", str(column))) if _is_literal(value):
                pinned.add(column)
            case ("in", ("column", str(column)), *values) if all(_is_literal(value) for value in values):
                pinned.add(column)
            case ("op", "= ANY", ("column", str(column)), value) if _is_literal(value):
                pinned.add(column)
    keys = [set(c.columns) for c in table.constraints.values() if c.kind in {"primary key", "unique"}]
    keys += [set(index.columns) for index in table.indexes.values() if index.unique and index.where is None and len(index.columns) == len(index.keys)]
    if not table.known:
        keys.append({"id"})
    return any(key <= pinned for key in keys if key)


def _is_literal(tree: Tree) -> bool:
    match tree:
        case ("const" | "number", _) | ("other", "ParamRef"):
            return True
        case ("cast", _, inner):
            return _is_literal(inner)
        case ("array", *parts):
            return all(_is_literal(part) for part in parts)
    return False

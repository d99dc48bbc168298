"""Two texts of a Python migration in, the place where they begin to run something else out.

What a syntax tree does not have (comments, layout) is not compared, and neither is what changes nothing in a database: docstrings,
imports, annotations, and the metadata by which a framework orders its migrations.
"""

from __future__ import annotations

import ast
from itertools import zip_longest
from typing import Any

ORDER = frozenset(
    [
        *("revision", "down_revision", "branch_labels", "depends_on"),  # Alembic
        *("dependencies", "replaces", "run_before", "initial", "atomic", "elidable"),  # Django
    ]
)


def first_difference(new: str, old: str, without: frozenset[str] = frozenset()) -> int | None:
    """The offset in `new` from which on it runs something else than `old`, None if nowhere.

    `without` are functions of the module that are left aside, such as `downgrade`.
    """
    try:
        trees = [_tree(text, without) for text in (new, old)]
        node = _differs(*trees)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None if _lines(new) == _lines(old) else 0
    if node is None:
        return None
    if not isinstance(node, ast.expr | ast.stmt):
        return len(new.rstrip())
    line = new.splitlines(keepends=True)
    return sum(map(len, line[: node.lineno - 1])) + len(line[node.lineno - 1].encode()[: node.col_offset].decode(errors="ignore"))


def _tree(text: str, without: frozenset[str]) -> ast.Module:
    tree = ast.parse(text)
    _strip(tree, without)
    return tree


def _strip(node: ast.AST, without: frozenset[str]) -> None:
    """Take away what is not compared, here and in the functions and classes below."""
    body: list[ast.stmt] = getattr(node, "body", [])
    kept: list[ast.stmt] = []
    for one in body:
        match one:
            case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr(value=ast.Constant()) | ast.AnnAssign(value=None):
                continue
            case ast.FunctionDef(name=name) if name in without and isinstance(node, ast.Module):
                continue
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if name in ORDER:
                continue
            case ast.AnnAssign(target=target, value=value) if value is not None:
                plain = ast.copy_location(ast.Assign([target], value), one)
                kept.append(plain)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                one.returns = None
                for argument in ast.walk(one.args):
                    if isinstance(argument, ast.arg):
                        argument.annotation = None
                _strip(one, frozenset())
                kept.append(one)
            case ast.ClassDef():
                _strip(one, frozenset())
                kept.append(one)
            case _:
                kept.append(one)
    body[:] = kept


def _differs(new: Any, old: Any) -> ast.AST | None:
    """The smallest part of `new` in which it first differs; an element that is missing is its container."""
    if type(new) is not type(old):
        return new if isinstance(new, ast.AST) else ast.Pass()
    if not isinstance(new, ast.AST):
        return None if new == old else ast.Pass()
    for name in new._fields:
        if name in {"ctx", "kind", "type_comment"}:
            continue
        one, other = getattr(new, name, None), getattr(old, name, None)
        pairs = list(zip_longest(one, other)) if isinstance(one, list) and isinstance(other, list) else [(one, other)]
        for part, former in pairs:
            found = _differs(part, former)
            if found is not None:
                return found if isinstance(found, ast.expr | ast.stmt) and hasattr(found, "lineno") else new
    return None


def _lines(text: str) -> list[str]:
    """What Python 2 or a broken file says, line by line, without comments on lines of their own."""
    return [line.rstrip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]

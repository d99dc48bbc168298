"""Applies the fix that a finding names to the sources of an application, as its reader would.

In: findings, a copy of the application. Out: the copy, changed. An option of an ORM goes to the query on the line that the fix names;
what no option can do is written out in the application's `fixes.py`, function by function, and takes the place of what is there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from dbguard.model.finding import Finding

_OPTION = re.compile(r"at (?P<path>\S+):(?P<line>\d+), .*: (?P<call>\.(?:options|select_related|prefetch_related)\((?!Prefetch).*\))$")
_SENDS = {"scalars", "scalar", "execute", "stream_scalars", "stream"}
_OF_SQLALCHEMY = {"joinedload", "selectinload", "undefer", "selectin_polymorphic"}


_parsed = lru_cache(maxsize=1)(ast.parse)  # one edit after the other, mostly of the same file


class Edit(NamedTuple):
    path: str
    line: int
    call: str


def edit_of(finding: Finding) -> Edit | None:
    """What a fix says where, if it is an option of the ORM."""
    match = _OPTION.search(finding.instead or "")
    return Edit(match["path"], int(match["line"]), match["call"]) if match is not None else None


def apply(folder: Path, edits: Iterable[Edit]) -> None:
    """Put options into the queries of their lines. Raises AssertionError if there is none."""
    for edit in dict.fromkeys(edits):
        path = folder / edit.path
        text = path.read_text()
        start, end, before = _place(text, edit)
        changed = f"({text[start:end]}){edit.call}" if before else text[start:end] + edit.call
        text = text[:start] + changed + text[end:]
        path.write_text(_imported(text, edit.call))


def _place(text: str, edit: Edit) -> tuple[int, int, bool]:
    """The span of the expression that gets the option behind it, and whether it needs parentheses."""
    lines = [0]
    for line in text.splitlines(keepends=True):
        lines.append(lines[-1] + len(line.encode()))
    raw = text.encode()

    def span(node: ast.expr) -> tuple[int, int]:
        first, last = lines[node.lineno - 1] + node.col_offset, lines[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        return len(raw[:first].decode()), len(raw[:last].decode())

    for node in _around(text, edit.line):
        if edit.call.startswith(".options"):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "select":
                continue
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr in _SENDS and node.args:
                    return *span(node.args[0]), True
                if node.func.attr == "query" or (node.func.attr == "all" and isinstance(node.func.value, ast.Attribute)):
                    return *span(node if node.func.attr == "query" else node.func.value), False
        elif isinstance(node, ast.Attribute) and node.attr == "objects":
            return *span(node), False
    raise AssertionError(f"{edit.path}:{edit.line}: there is no query for {edit.call}")


def _around(text: str, line: int) -> Iterator[ast.expr]:
    """Expressions that begin on a line, or hold it, the ones that begin first in front."""
    tops = [node for node in _parsed(text).body if node.lineno <= line <= (node.end_lineno or 0)]
    nodes = (node for top in tops for node in ast.walk(top) if isinstance(node, ast.expr))
    found = [node for node in nodes if node.lineno <= line <= (node.end_lineno or 0)]
    yield from sorted(found, key=lambda node: (node.lineno != line, node.lineno, node.col_offset))


def _imported(text: str, call: str) -> str:
    """The text with an import of what an option needs, on a line with another so that all lines stay where they are."""
    wanted = [name for name in re.findall(r"\b[A-Za-z_]\w+", re.sub(r"\.\w+", "", call)) if name[0].isupper() or name in _OF_SQLALCHEMY]
    tree = _parsed(text)
    known = {alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    known |= {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    missing = [name for name in dict.fromkeys(wanted) if name not in known]
    if not missing:
        return text
    models = next(
        node.module.split(".")[0] for node in tree.body if isinstance(node, ast.ImportFrom) and node.module and node.module.endswith(".pages")
    )
    last = next(node for node in reversed(tree.body) if isinstance(node, ast.ImportFrom) and node.lineno == node.end_lineno)
    more = "".join(f"; from {'sqlalchemy.orm' if name in _OF_SQLALCHEMY else f'{models}.models'} import {name}" for name in missing)
    lines = text.splitlines(keepends=True)
    lines[last.lineno - 1] = lines[last.lineno - 1].rstrip("\n") + more + "\n"
    return "".join(lines)


def names(folder: Path) -> set[str]:
    """The functions that an application's `fixes.py` writes anew."""
    return {node.name for node in _anew((folder / "fixes.py").read_text())}


def replace(folder: Path) -> None:
    """Put the functions of `fixes.py` in the place of those with the same names."""
    text = (folder / "fixes.py").read_text()
    for node in _anew(text):
        _replace(folder, node.name, "".join(text.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno]))


def _anew(text: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _replace(folder: Path, name: str, written: str) -> None:
    for path in sorted(folder.rglob("*.py")):
        if path.name == "fixes.py":
            continue
        text = path.read_text()
        for node in ast.parse(text).body if f"def {name}(" in text else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                lines = text.splitlines(keepends=True)
                path.write_text("".join([*lines[: node.lineno - 1], written, *lines[node.end_lineno :]]))
                return
    raise AssertionError(f"there is no function {name} to put the fix in the place of")

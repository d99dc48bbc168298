"""Where a Python file has loops, and which function holds a line. In: a path. Out: a `SourceMap`, kept for the life of the process.

A file is read once, when a call first comes from it; one that is missing, too large or no Python has neither loops nor functions.
"""

from __future__ import annotations

import ast
import re
from typing import Any, NamedTuple

MOST_BYTES = 2_000_000
_FUNCTIONS_THAT_REPEAT = {"map", "filter", "sorted", "min", "max", "sort", "groupby", "starmap"}

Position = tuple[int, int]  # line from 1, column in UTF-8 bytes from 0
Span = tuple[Position, Position]


class SourceMap(NamedTuple):
    """Spans of what runs once per round of a loop, and (first line, last line, name) of functions, outer ones first.

    `repeated` are calls such as `map(f, rows)`: what runs below them runs once per row.
    """

    loops: tuple[Span, ...] = ()
    functions: tuple[tuple[int, int, str], ...] = ()
    repeated: tuple[Span, ...] = ()
    is_python: bool = False

    def function_at(self, line: int) -> str:
        name = ""
        for first, last, function in self.functions:
            if first <= line <= last:
                name = function
        return name

    def is_in_loop(self, start: Position, end: Position, *, innermost: bool) -> bool:
        """Whether the piece of source from `start` to `end` runs once per round of a loop."""
        if any(first <= start and end <= last for first, last in self.loops):
            return True
        return not innermost and any(start <= first and last <= end for first, last in self.repeated)

    def is_line_in_loop(self, line: int) -> bool:
        """The same for interpreters that know lines only; the line that opens a loop counts if its body stands on it, too."""
        return any(first[0] <= line <= last[0] for first, last in self.loops)


_maps: dict[str, SourceMap] = {}


def source_map(path: str) -> SourceMap:
    known = _maps.get(path)
    if known is None:
        known = _maps[path] = _read(path)
    return known


_FOR = re.compile(r"\{%[-+]?\s*(for|endfor)\b")
_templates: dict[str, tuple[tuple[int, int], ...]] = {}


def template_loops(path: str) -> tuple[tuple[int, int], ...]:
    """(first line, last line) of what stands between `{% for %}` and `{% endfor %}` in a template."""
    known = _templates.get(path)
    if known is not None:
        return known
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(MOST_BYTES)
    except OSError:
        text = ""
    opened: list[int] = []
    found: list[tuple[int, int]] = []
    for match in _FOR.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match[1] == "for":
            opened.append(line)
        elif opened:
            first = opened.pop()
            found.append((first if first == line else first + 1, line))
    _templates[path] = tuple(found)
    return _templates[path]


def _read(path: str) -> SourceMap:
    try:
        with open(path, "rb") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            return SourceMap()
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return SourceMap()
    loops: list[Span] = []
    functions: list[tuple[int, int, str]] = []
    repeated: list[Span] = []
    todo: list[tuple[Any, str]] = [(tree, "")]
    while todo:
        node, prefix = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            prefix = f"{prefix}.{node.name}" if prefix else node.name
            if not isinstance(node, ast.ClassDef):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                functions.append((first, node.end_lineno or first, prefix))
        else:
            loops += _loops(node)
            repeated += _repeated(node)
        todo += [(child, prefix) for child in ast.iter_child_nodes(node)]
    functions.sort(key=lambda function: (function[0], -function[1]))
    return SourceMap(tuple(loops), tuple(functions), tuple(repeated), is_python=True)


def _loops(node: ast.AST) -> list[Span]:
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return [_span(node.body[0], node.body[-1])]
    if isinstance(node, ast.While):
        return [_span(node.test, node.body[-1])]
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
        produced = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        first, *others = node.generators
        inner = [condition for generator in node.generators for condition in generator.ifs]
        return [_span(part, part) for part in (*produced, first.target, *inner, *(generator.iter for generator in others))]
    if isinstance(node, ast.Call) and _name(node.func) in _FUNCTIONS_THAT_REPEAT:
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        return [_span(argument.body, argument.body) for argument in arguments if isinstance(argument, ast.Lambda)]
    return []


def _repeated(node: ast.AST) -> list[Span]:
    if not isinstance(node, ast.Call) or _name(node.func) not in _FUNCTIONS_THAT_REPEAT:
        return []
    given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "key")]
    return [_span(node, node)] if any(isinstance(argument, (ast.Name, ast.Attribute)) for argument in given) else []


def _name(function: ast.AST) -> str:
    return function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""


def _span(first: Any, last: Any) -> Span:
    return (first.lineno, first.col_offset), (last.end_lineno, last.end_col_offset)

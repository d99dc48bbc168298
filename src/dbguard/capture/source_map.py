"""Where a Python file has loops, and which function holds a line. In: a path. Out: a `SourceMap`, kept for the life of the process.

A file is read once, when a call first comes from it; one that is missing, too large or no Python has neither loops nor functions.
"""

from __future__ import annotations

import ast
import re
from typing import Any, NamedTuple

MOST_BYTES = 2_000_000
_FUNCTIONS_THAT_REPEAT = {
    *("map", "filter", "sorted", "min", "max", "sort", "groupby", "starmap", "reduce", "accumulate", "takewhile", "dropwhile", "filterfalse")
}

Position = tuple[int, int]  # line from 1, column in UTF-8 bytes from 0
NONE, ASKED, LISTED, LOOP = 0, 1, 2, 3
ROUNDS = {ASKED: "asked", LISTED: "listed"}  # of loops that do not follow rows, as capture files say it


class Span(NamedTuple):
    """A piece of source that runs once per round of a loop.

    LISTED if the rounds stand in the source themselves, as in `for x in (a, b)`; ASKED if it decides itself whether there is another
    round, as the test of `while` does.
    """

    first: Position
    last: Position
    kind: int = LOOP


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

    def loop_at(self, start: Position, end: Position, *, innermost: bool, after: int = 0) -> int:
        """Whether the piece of source from `start` to `end` runs once per round of a loop that begins below the line `after`: the
        strongest of NONE, ASKED, LISTED and LOOP."""
        kinds = [span.kind for span in self.loops if span.first <= start and end <= span.last and span.first[0] > after]
        if not innermost:
            kinds += [span.kind for span in self.repeated if start <= span.first and span.last <= end]
        return max(kinds, default=NONE)

    def loop_of_line(self, line: int, *, after: int = 0) -> int:
        """The same for interpreters that know lines only; the line that opens a loop counts if its body stands on it, too."""
        return max([span.kind for span in self.loops if span.first[0] <= line <= span.last[0] and span.first[0] > after], default=NONE)


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
    except (OSError, ValueError):
        return SourceMap()
    return _map_of(text) if len(text) <= MOST_BYTES else SourceMap()


def _map_of(text: bytes | str) -> SourceMap:
    try:
        try:
            tree = ast.parse(text)
        except SystemError:  # Python 3.11 counts the depth of trees once for all threads: another one was parsing
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError):
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
        return [_span(node.body[0], node.body[-1], node.iter)]
    if isinstance(node, ast.While):
        return [_span(node.test, node.test)._replace(kind=ASKED), _span(node.body[0], node.body[-1])]
    if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
        return _of_comprehension(node)
    if isinstance(node, ast.Call) and _name(node.func) in _FUNCTIONS_THAT_REPEAT:
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        rows = next((argument for argument in node.args if not isinstance(argument, ast.Lambda)), None)
        return [_span(argument.body, argument.body, rows) for argument in arguments if isinstance(argument, ast.Lambda)]
    return []


def _of_comprehension(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> list[Span]:
    produced = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    first, *others = node.generators
    rows = None if any(not _is_listed(generator.iter) for generator in node.generators) else first.iter
    inner = [condition for generator in node.generators for condition in generator.ifs]
    spans = [_span(part, part, rows) for part in (*produced, *inner)]
    return spans + [_span(part, part, first.iter) for part in (first.target, *(one for each in others for one in (each.target, each.iter)))]


def _repeated(node: ast.AST) -> list[Span]:
    if not isinstance(node, ast.Call) or _name(node.func) not in _FUNCTIONS_THAT_REPEAT:
        return []
    given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "key")]
    rows = node.args[1] if len(node.args) > 1 else None
    return [_span(node, node, rows)] if any(isinstance(argument, (ast.Name, ast.Attribute)) for argument in given) else []


_CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]+")
_CLASS = re.compile(r"_*[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*")
_OF_CHOICES = {"choices", "values", "labels", "names", "__members__"}


def _is_listed(rows: ast.AST) -> bool:
    """Whether the source itself says how many rounds there are: a list that is written out, a constant, an enumeration, a range of numbers."""
    if isinstance(rows, (ast.Tuple, ast.List, ast.Set)):
        return not any(isinstance(element, ast.Starred) for element in rows.elts)
    if isinstance(rows, (ast.Dict, ast.Constant)):
        return True
    if isinstance(rows, ast.Name):
        return _CONSTANT.fullmatch(rows.id) is not None or _CLASS.fullmatch(rows.id) is not None
    if isinstance(rows, ast.Attribute):
        is_class = isinstance(rows.value, (ast.Name, ast.Attribute)) and _CLASS.fullmatch(_name(rows.value)) is not None
        return _CONSTANT.fullmatch(rows.attr) is not None or _CLASS.fullmatch(rows.attr) is not None or (is_class and rows.attr in _OF_CHOICES)
    if not isinstance(rows, ast.Call):
        return False
    name = _name(rows.func)
    if name == "range":
        return all(isinstance(argument, (ast.Constant, ast.UnaryOp)) for argument in rows.args)
    if name in {"enumerate", "reversed", "sorted", "tuple", "list", "zip"}:
        return any(map(_is_listed, rows.args))
    return name in {"items", "keys", "values", "split"} and isinstance(rows.func, ast.Attribute) and _is_listed(rows.func.value)


def _name(function: ast.AST) -> str:
    return function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""


def _span(first: Any, last: Any, rows: ast.AST | None = None) -> Span:
    kind = LISTED if rows is not None and _is_listed(rows) else LOOP
    return Span((first.lineno, first.col_offset), (last.end_lineno, last.end_col_offset), kind)

"""Names of the project's own modules in, what they stand for out: found by file, walked as a syntax tree, never imported."""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH119, PTH120

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from dbguard.errors import UnreadableSource
from dbguard.reading.files import decode
from dbguard.reading.folders import Files
from dbguard.reading.python.interpret import Interpreter, Interrupted
from dbguard.reading.python.values import Attribute, Local, Symbol, Value

_MOST_MODULES = 200
_LONGEST = 2_000_000  # characters of a module that is worth walking
_DEEPEST = 12
MISSING = Symbol("")


class Project:
    """Modules below the folders from which a program of the project may import."""

    def __init__(self, files: Files, roots: tuple[str, ...], kind: type[Interpreter] = Interpreter) -> None:
        self.files = files
        self.roots = roots
        self.kind = kind
        self._modules: dict[str, Interpreter | None] = {}
        self.places: dict[str, str] = {}  # file of each module that was looked for, "" if there is none
        self.read: dict[str, None] = {}  # files that were read

    def lookup(self, path: str, depth: int = 0) -> Value:
        """What `package.module.name` stands for; MISSING if it is not the project's, or not found by its text alone."""
        if depth > _DEEPEST or path.startswith("."):
            return MISSING
        parts = path.split(".")
        for end in range(len(parts) - 1, 0, -1):
            file = self.file(".".join(parts[:end]))
            if file:
                return self._inside(file, ".".join(parts[:end]), parts[end:], depth)
        return MISSING

    def file(self, module: str) -> str:
        """The file of a module, `""` if none of the project's folders has it."""
        if module not in self.places:
            self.places[module] = next(self._candidates(module), "")
        return self.places[module]

    def module(self, file: str, name: str) -> Interpreter | None:
        if file not in self._modules:
            self._modules[file] = None
            self.read[file] = None
            if len(self._modules) <= _MOST_MODULES:
                self._modules[file] = self._walked(file, name)
        return self._modules[file]

    def _candidates(self, module: str) -> Iterator[str]:
        parts = module.split(".")
        if not all(part.isidentifier() for part in parts):
            return
        for root in self.roots:
            base = os.path.join(root, *parts)
            for file in (base + ".py", os.path.join(base, "__init__.py")):
                if self.files.exists(file):
                    yield file

    def _walked(self, file: str, name: str) -> Interpreter | None:
        try:
            text = decode(self.files.read(file)).text
            return self.kind(text, None, name) if len(text) <= _LONGEST else None
        except (UnreadableSource, Interrupted):
            return None

    def _inside(self, file: str, module: str, rest: list[str], depth: int) -> Value:
        interpreter = self.module(file, module)
        if interpreter is None:
            return MISSING
        value = interpreter.names.get(rest[0], MISSING)
        if value is MISSING:
            value = self._starred(interpreter, file, module, rest[0], depth)
        for name in rest[1:]:
            value = self.followed(value, depth + 1)
            value = self.attribute(value, name, depth)
        return self.followed(value, depth + 1, module, file)

    def _starred(self, interpreter: Interpreter, file: str, module: str, name: str, depth: int) -> Value:
        for node in interpreter.module.body:
            if isinstance(node, ast.ImportFrom) and any(one.name == "*" for one in node.names):
                path = absolute("." * node.level + (node.module or ""), module, file)
                value = self.lookup(f"{path}.{name}", depth + 1)
                if value is not MISSING:
                    return value
        return MISSING

    def followed(self, value: Value, depth: int = 0, module: str = "", file: str = "") -> Value:
        """What an imported name stands for in the module that it comes from; itself if that is not the project's."""
        if not isinstance(value, Symbol) or value is MISSING:
            return value
        path = absolute(value.path, module, file) if value.path.startswith(".") else value.path
        found = self.lookup(path, depth + 1)
        return value if found is MISSING else found

    def attribute(self, value: Value, name: str, depth: int = 0) -> Value:
        if isinstance(value, Symbol):
            return Symbol(f"{value.path}.{name}")
        if isinstance(value, Local) and value.is_class:
            return self.member(value, name, depth)
        return Attribute(value, name)

    def member(self, local: Local, name: str, depth: int = 0) -> Value:
        """An attribute of a class, its own or inherited."""
        members = local.interpreter.members(local)
        if name in members:
            return members[name]
        for written in local.interpreter.bases(local) if depth < _DEEPEST else ():
            base = self.followed(written, depth + 1, local.interpreter.name)
            if isinstance(base, Local) and base.is_class:
                value = self.member(base, name, depth + 1)
                if value is not MISSING:
                    return value
        return MISSING


def absolute(path: str, module: str, file: str) -> str:
    """A relative import as the module that it stands in means it."""
    if not path.startswith("."):
        return path
    level = len(path) - len(path.lstrip("."))
    package = module.split(".") if os.path.basename(file) == "__init__.py" else module.split(".")[:-1]
    kept = package[: len(package) - level + 1]
    return ".".join([*kept, path[level:]] if path[level:] else kept)


def roots_of(files: Files, folder: str, first: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Folders from which code in `folder` may import: those above it up to the repository's, and their `src`."""
    roots = list(first)
    for _ in range(_DEEPEST):
        roots += [folder, os.path.join(folder, "src")]
        above = os.path.dirname(folder)
        if above == folder or files.exists(os.path.join(folder, ".git")):
            break
        folder = above
    return tuple(dict.fromkeys(roots))

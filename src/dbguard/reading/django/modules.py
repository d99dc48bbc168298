"""A dotted path in, what a project's own files define there out: imports are followed in the syntax tree, nothing is imported.

`Modules` knows the folders that a project imports from. Its modules are interpreted (dbguard.reading.python), so that a migration
may take a constant, a field class or a function that makes operations from another file of the project.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118

from __future__ import annotations

import ast
import os
from typing import Any

from dbguard.errors import UnreadableSource
from dbguard.reading import files as reader
from dbguard.reading.folders import Disk
from dbguard.reading.python.interpret import Hooks, Interpreter, Interrupted
from dbguard.reading.python.values import Attribute, Called, Item, Local, Operator, Symbol, Unknown, Value, is_known

MOST_MODULES = 400  # that are read besides migrations: a project's own helpers, fields and settings
LARGEST_MODULE = 2_000_000  # characters
MOST_BASES = 20  # above a class
MOST_HOPS = 20  # from module to module, after one name
MOST_PARTS = 100_000  # of a value that a function of another module gave
_CHAINS = frozenset(["itertools.chain", "itertools.chain.from_iterable"])


class Follower(Hooks):
    """Follows calls of functions that other modules of the project define, and keeps what was guessed."""

    def __init__(self) -> None:
        self.module: Module | None = None
        self.doubts: list[tuple[ast.AST, str]] = []

    def called(self, call: Called) -> Value:
        module = self.module
        if type(call.target) is Symbol and call.target.path in _CHAINS:
            return _chained(call)
        if module is None or type(call.target) is not Symbol or not (module.is_migration or module.depth):
            return call
        modules = module.modules
        function = modules.find(call.target.path) if modules.knows(call.target.path) else None
        if type(function) is Called and type(function.target) is Symbol and function.target.path == "functools.partial" and function.args:
            return Called(function.args[0], (*function.args[1:], *call.args), {**function.kwargs, **call.kwargs}, call.node)
        if type(function) is not Local or function.is_class or modules.hops >= MOST_HOPS:
            return call
        known = len(modules.doubts)
        modules.hops += 1
        try:
            args = tuple(modules.literal(one) for one in call.args)
            found = function.interpreter.call(function, args, {name: modules.literal(one) for name, one in call.kwargs.items()})
        except Interrupted as interrupted:
            found = Unknown(interrupted.reason, call.node)
        except Exception as error:  # noqa: BLE001 - a `raise` in the function that is followed: the call has no value
            found = Unknown(f"raises {type(error).__name__}", call.node)
        finally:
            modules.hops -= 1
        if module.is_migration:
            self.doubts += [(call.node, reason) for reason in dict.fromkeys(modules.doubts[known:])]
        return moved(found, call.node)

    def doubt(self, node: ast.AST, reason: str) -> None:
        if isinstance(node, ast.ImportFrom):  # names that it brings are looked up when they are used
            if self.module is not None:
                self.module.stars.append(self.module.absolute("." * node.level + (node.module or "")))
        elif self.module is not None and self.module.is_migration:
            self.doubts.append((node, reason))
        elif self.module is not None and self.module.depth:
            self.module.modules.doubts.append(reason)


class Module(Interpreter):
    """A file of the project. Names that it imports from beside itself are absolute, and so are those that a star brings."""

    def __init__(self, text: str, dotted: str, modules: Modules, *, is_package: bool = False, is_migration: bool = False) -> None:
        self.dotted = dotted
        self.modules = modules
        self.is_package = is_package
        self.is_migration = is_migration
        self.stars: list[str] = []
        self.follower = Follower()
        self.follower.module = self
        super().__init__(text, self.follower, dotted)

    def absolute(self, path: str) -> str:
        """`..models.Order` as seen from the project."""
        level = len(path) - len(path.lstrip("."))
        if not level:
            return path
        package = self.dotted.split(".")
        package = package[: len(package) - level + self.is_package]
        return ".".join([*package, path[level:]]) if path[level:] else ".".join(package)

    def lookup(self, name: str, scope: dict[str, Value], node: ast.AST) -> Value:
        value = super().lookup(name, scope, node)
        if type(value) is Symbol:
            if value.path.startswith("."):
                value = Symbol(self.absolute(value.path))
            if name.isupper() and "." in value.path:  # a constant that may be iterated or formatted
                found = self.modules.literal(value)
                if is_known(found):
                    return found
                if type(found) in {list, tuple, dict}:
                    return moved(found, node)
        if self.stars and ((type(value) is Unknown and name not in scope and name not in self.names) or _is_builtin(value, name, scope, self.names)):
            return self._from_stars(name, value)
        return value

    def _from_stars(self, name: str, value: Value) -> Value:
        for star in reversed(self.stars):
            found = self.modules.find(f"{star}.{name}") if self.modules.knows(star) else None
            if found is not None:
                return found
        foreign = [star for star in reversed(self.stars) if not self.modules.knows(star)]
        if not foreign or type(value) is not Unknown:
            return value
        return Symbol(f"{next((star for star in foreign if _has(star, name)), foreign[0])}.{name}")


def _has(star: str, name: str) -> bool:
    """Whether a module outside of the project is known to have that class of field or operation."""
    from dbguard.reading.django.arguments import is_operation
    from dbguard.reading.django.kinds import known

    path = f"{star}.{name}"
    return is_operation(path) or known(path, (9, 0)) is not None


class Modules:
    """The modules of a project by their dotted names, each read once, when something asks for it."""

    def __init__(self, disk: Disk, bases: tuple[str, ...]) -> None:
        self.disk = disk
        self.bases = bases
        self.hops = 0
        self.doubts: list[str] = []  # of functions that were followed
        self._tops: dict[str, bool] = {}
        self._modules: dict[str, Module | None] = {}
        self._finding: set[str] = set()

    def knows(self, path: str) -> bool:
        """Whether a dotted path begins at a folder or file of the project."""
        top = path.partition(".")[0]
        found = self._tops.get(top)
        if found is None:
            found = self._tops[top] = any(self._has(base, top) for base in self.bases)
        return found

    def _has(self, folder: str, name: str) -> bool:
        listing = self.disk.listing(folder)
        return name in listing.folders or f"{name}.py" in listing.files

    def file(self, dotted: str) -> str | None:
        """The file of a module or package."""
        parts = dotted.split(".")
        for base in self.bases:
            folder = os.path.join(base, *parts[:-1])
            if all(part in self.disk.listing(os.path.join(base, *parts[:index])).folders for index, part in enumerate(parts[:-1])):
                if parts[-1] in self.disk.listing(folder).folders:
                    package = os.path.join(folder, parts[-1])
                    if "__init__.py" in self.disk.listing(package).files:
                        return os.path.join(package, "__init__.py")
                if f"{parts[-1]}.py" in self.disk.listing(folder).files:
                    return os.path.join(folder, f"{parts[-1]}.py")
        return None

    def module(self, dotted: str) -> Module | None:
        """A module, interpreted; None if the project has none of that name, or if it cannot be read."""
        if dotted not in self._modules:
            self._modules[dotted] = None  # while it is read: modules may import each other
            if len(self._modules) < MOST_MODULES and all(dotted.split(".")) and self.knows(dotted):
                self._modules[dotted] = self._read(dotted)
        return self._modules[dotted]

    def _read(self, dotted: str) -> Module | None:
        path = self.file(dotted)
        if path is None:
            return None
        try:
            text = reader.decode(self.disk.files.read(path)).text
            if len(text) > LARGEST_MODULE:
                return None
            return Module(text, dotted, self, is_package=path.endswith("__init__.py"))
        except (UnreadableSource, Interrupted):
            return None

    def find(self, path: str) -> Value | None:
        """What a dotted path means: a value, a Local class or function, or the Symbol of something outside of the project."""
        if path in self._finding or len(self._finding) > MOST_HOPS or not self.knows(path):
            return None
        self._finding.add(path)
        try:
            parts = path.split(".")
            for end in range(len(parts) - 1, 0, -1):
                module = self.module(".".join(parts[:end]))
                if module is not None:
                    return self._attribute(module, parts[end:])
        finally:
            self._finding.discard(path)
        return None

    def _attribute(self, module: Module, names: list[str]) -> Value | None:
        if names[0] not in module.names:
            for star in reversed(module.stars):
                found = self.find(".".join([star, *names])) if self.knows(star) else None
                if found is not None:
                    return found
            return None
        value: Any = module.names[names[0]]
        for name in names[1:]:
            if type(value) is Symbol:
                value = Symbol(f"{value.path}.{name}")
            elif type(value) is Local and value.is_class:
                value = _members(value).get(name)
            elif type(value) is Called and type(value.target) is Local:  # an instance of a class
                value = _members(value.target).get(name)
            else:
                value = Attribute(value, name)
        if type(value) is Symbol:
            absolute = module.absolute(value.path)
            return self.find(absolute) if self.knows(absolute) else Symbol(absolute)
        return value

    def literal(self, value: Value) -> Value:
        """The value that a symbol of the project stands for, if there is one."""
        if type(value) is not Symbol or not self.knows(value.path):
            return value
        found = self.find(value.path)
        return value if found is None else found


def _chained(call: Called) -> Value:
    """`itertools.chain(a, b)` and `chain.from_iterable(rows)` of lists."""
    rows = call.args[0] if call.target.path.endswith("from_iterable") and call.args else call.args
    if type(rows) not in {list, tuple} or not all(type(row) in {list, tuple} for row in rows):
        return call
    return [one for row in rows for one in row][:MOST_PARTS]


def moved(value: Value, node: ast.AST) -> Value:
    """A value of another module as if it stood at `node`: places in the other text mean nothing here."""
    place = ast.copy_location(ast.Call(ast.copy_location(ast.Name("_", ast.Load()), node), [], []), node)
    return _moved(value, place, [MOST_PARTS])


def _moved(value: Value, place: ast.AST, left: list[int]) -> Value:
    left[0] -= 1
    if left[0] < 0:
        return Unknown("a very long value", place)
    kind = type(value)
    if kind is Called:
        args = tuple([_moved(one, place, left) for one in value.args])
        return Called(value.target, args, {name: _moved(one, place, left) for name, one in value.kwargs.items()}, place)
    if kind is Operator:
        return Operator(value.name, tuple([_moved(one, place, left) for one in value.operands]), place)
    if kind is Unknown:
        return Unknown(value.reason, place)
    if kind is Item:
        return Item(_moved(value.base, place, left), value.key)
    if kind is Attribute:
        return Attribute(_moved(value.base, place, left), value.name)
    if kind is list or kind is tuple:
        return kind([_moved(one, place, left) for one in value])
    if kind is dict:
        return {name: _moved(one, place, left) for name, one in value.items()}
    return value


def _members(local: Local) -> dict[str, Value]:
    try:
        return local.interpreter.members(local)
    except Interrupted:
        return {}


def inherited(local: Local, modules: Modules, seen: set[int] | None = None) -> dict[str, Value]:
    """The attributes of a class, with those of the classes that it is made from as far as the project defines them."""
    seen = set() if seen is None else seen
    seen.add(id(local.node))
    members: dict[str, Value] = {}
    for base in reversed(local.interpreter.bases(local)):
        found = modules.literal(base)
        if type(found) is Local and found.is_class and id(found.node) not in seen and len(seen) < MOST_BASES:
            members |= {name: value for name, value in inherited(found, modules, seen).items() if not name.startswith("__")}
    return members | local.interpreter.members(local)


def _is_builtin(value: Value, name: str, scope: dict[str, Value], names: dict[str, Value]) -> bool:
    return type(value) is Symbol and value.path == name and name not in scope and name not in names

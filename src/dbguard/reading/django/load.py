"""A migration file's text in, its `Migration` class and what it says about other migrations out. Nothing of it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from dbguard.model.record import Record
from dbguard.model.source import Block, Source
from dbguard.reading.django.discover import App
from dbguard.reading.django.graph import Header, Key
from dbguard.reading.django.migration import MigrationModule, Settings
from dbguard.reading.django.modules import Module, Modules, inherited
from dbguard.reading.python.interpret import Interrupted
from dbguard.reading.python.values import Called, Local, Operator, Symbol, Unknown, Value

_PROGRAM = ("__init__", "apply", "unapply", "mutate_state")  # methods of a migration that may do anything
_MOST_PARTS = 1000  # lists that one list is put together from


class Loaded(Record):
    """A migration. `guessed`: what it depends on is not (all) known, so that it is taken to follow the one before it by name.

    One that could not be read at all has no interpreter, but a reason and the offset that it is about.
    """

    module: MigrationModule
    header: Header
    unread: tuple[Block, ...] = ()
    guessed: bool = False
    is_migration: bool = True
    reason: str = ""
    offset: int = 0

    @property
    def atomic(self) -> bool:
        return self.module.members.get("atomic", True) is not False


def load(source: Source, app: App, name: str, modules: Modules, settings: Settings) -> Loaded:
    """One file of an app's migrations. What cannot be understood is among `unread`."""
    try:
        return _load(source, app, name, modules, settings)
    except Interrupted as interrupted:
        start = min(interrupted.offset, len(source.text))
        return _unread(source, app, name, start, interrupted.reason)
    except Exception as error:  # noqa: BLE001 - hostile input must not end the run
        return _unread(source, app, name, 0, f"cannot be followed ({type(error).__name__})")


def _unread(source: Source, app: App, name: str, offset: int, reason: str) -> Loaded:
    module = MigrationModule(app.label, name, source, None, {})
    return Loaded(module, Header((app.label, name)), guessed=True, reason=reason, offset=offset)


def _load(source: Source, app: App, name: str, modules: Modules, settings: Settings) -> Loaded:
    interpreter = Module(source.text, f"{app.module}.{name}", modules, is_migration=True)
    local = interpreter.names.get("Migration")
    if type(local) is not Local or not local.is_class or local.interpreter is not interpreter:
        reason = "no `Migration` class in this file" if local is None else "its `Migration` is not a class of this file"
        return _unread(source, app, name, 0, reason)._replace(is_migration=local is not None)
    members = inherited(local, modules)
    if "operations" in members:
        members["operations"] = list(_flat(members["operations"], modules))
    key = (app.label, name)
    unread = [_block(interpreter, node, reason) for node, reason in interpreter.follower.doubts]
    unread += [
        _block(interpreter, members[method].node, f"the migration defines `{method}`: what it does depends on Python")
        for method in _PROGRAM
        if type(members.get(method)) is Local
    ]
    found: dict[str, tuple[Key, ...]] = {}
    guessed = False
    for what in ("dependencies", "run_before", "replaces"):
        keys = []
        for value in _flat(members.get(what, []), modules):
            one = _key(value, settings, modules)
            if one is not None:
                keys.append(one)
            elif not _is_foreign_swap(value):
                guessed |= what == "dependencies"
                node = getattr(value, "node", None) or _assigned(local, what) or local.node
                unread.append(_block(interpreter, node, f"an entry of `{what}` is not known: {_reason(value)}"))
        found[what] = tuple(keys)
    header = Header(key, found["dependencies"], found["run_before"], found["replaces"])
    blocks = tuple(sorted(dict.fromkeys(unread), key=lambda block: block.start))
    return Loaded(MigrationModule(app.label, name, source, interpreter, members), header, blocks, guessed)


def _flat(value: Value, modules: Modules) -> Iterator[Value]:
    """The elements of a list, also of one that is put together from several."""
    waiting = [modules.literal(value)]
    for _ in range(_MOST_PARTS):  # operands may be shared: `x = x + x`, again and again
        if not waiting:
            return
        one = modules.literal(waiting.pop())
        if type(one) in {list, tuple} and not (type(one) is tuple and one is not value and _is_pair(one)):
            yield from one
        elif type(one) is Operator and one.name == "+":
            waiting += reversed(one.operands)
        else:
            yield one
    yield Unknown("a very long list")


def _is_pair(value: tuple[Value, ...]) -> bool:
    return len(value) == 2 and all(isinstance(part, str) for part in value)


def _key(value: Value, settings: Settings, modules: Modules) -> Key | None:
    """(app label, name) of an entry of `dependencies`; a swappable one is the first migration of the app that has the model."""
    value = modules.literal(value)
    if type(value) in {tuple, list} and len(value) == 2:
        label, name = (modules.literal(part) for part in value)
        return (label, name) if isinstance(label, str) and isinstance(name, str) else None
    if type(value) is Called and type(value.target) is Symbol and value.target.path.endswith("swappable_dependency") and value.args:
        model = _model(modules.literal(value.args[0]), settings)
        return (model.partition(".")[0], "__first__") if model else None
    return None


def _model(value: Value, settings: Settings) -> str:
    if isinstance(value, str):
        return value
    if type(value) is Symbol and value.path.startswith("django.conf.settings."):
        name = value.path.removeprefix("django.conf.settings.")
        if name == "AUTH_USER_MODEL":
            return settings.auth_user_model
        found = settings.swappable.get(name) or settings.values.get(name)
        return found if isinstance(found, str) else ""
    return ""


def _is_foreign_swap(value: Value) -> bool:
    """A swappable model of a package: `swappable_dependency(oauth2_settings.APPLICATION_MODEL)`. Its app is elsewhere."""
    return type(value) is Called and type(value.target) is Symbol and value.target.path.endswith("swappable_dependency")


def _reason(value: Value) -> str:
    return value.reason if type(value) is Unknown else "it is no pair of an app and a name"


def _block(interpreter: Module, node: ast.AST, reason: str) -> Block:
    start, end = interpreter.span(node)
    return Block(start, end, unread=reason)


def _assigned(local: Local, name: str) -> ast.expr | None:
    """The value that a class body gives to an attribute."""
    assert isinstance(local.node, ast.ClassDef)
    for node in reversed(local.node.body):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            return node.value
    return None


def place(loaded: Loaded, about: Key | None) -> tuple[int, int]:
    """Where a migration names another one, else where it says what it depends on, else its class, else its beginning."""
    interpreter = loaded.module.interpreter
    if interpreter is None:
        return loaded.offset, loaded.offset
    local = interpreter.names["Migration"]
    lists = [node for name in ("dependencies", "run_before") if (node := _assigned(local, name)) is not None]
    if about is not None:
        for node in lists:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Tuple | ast.List) and [getattr(one, "value", None) for one in inner.elts] == list(about):
                    return interpreter.span(inner)  # type: ignore[no-any-return]
    found: tuple[int, int] = interpreter.span(lists[0] if lists else local.node)
    return found

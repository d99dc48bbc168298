"""A project's settings, read from the syntax tree of the modules that `manage.py` names: what they say about its migrations.

Values that depend on the environment are not known. A database whose engine is not known is taken for PostgreSQL.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH119

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator

from dbguard.errors import UnreadableSource
from dbguard.model.record import Record
from dbguard.reading import files as reader
from dbguard.reading.django.migration import Settings
from dbguard.reading.django.modules import Module, Modules
from dbguard.reading.folders import Disk
from dbguard.reading.python.interpret import Interrupted
from dbguard.reading.python.values import Called, Local, Operator, Symbol, Value, is_known

_NAMED = re.compile(r"""DJANGO_SETTINGS_MODULE["']?\s*(?:\]\s*=|,|=)\s*["']?([A-Za-z_][\w.]*\w)(?!%|\w|\.%)["']?""")
_WHERE_NAMED = ("pytest.ini", "setup.cfg", "tox.ini", "pyproject.toml", ".env")
_USUAL = ("defaults", "base", "common", "settings", "production", "prod", "local", "dev", "development")
_LOCK_TIMEOUT = re.compile(r"-c\s*lock_timeout\s*=\s*([\w.]*)")
_MOST_PARTS = 10_000  # of INSTALLED_APPS
_MODEL = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*")
_ENGINES = (
    ("cockroach", "CockroachDB"), ("postg", "postgresql"), ("psycopg", "postgresql"), ("psql", "postgresql"), ("tenant", "postgresql"),
    ("pgsql", "postgresql"), ("timescale", "postgresql"), ("redshift", "Redshift"), ("spatialite", "SQLite"), ("sqlite", "SQLite"),
    ("mysql", "MySQL"), ("mariadb", "MySQL"), ("oracle", "Oracle"), ("mssql", "SQL Server"), ("sql_server", "SQL Server"), ("snowflake", "Snowflake"),
    ("clickhouse", "ClickHouse"), ("mongo", "MongoDB"), ("djongo", "MongoDB"), ("spanner", "Spanner"), ("db2", "DB2"), ("dummy", "no database"),
)  # fmt: skip


class Found(Record):
    """What the settings of a project say. `databases` are aliases with the engines that they may have, `""` for one that is not known."""

    settings: Settings = Settings()
    module: str = ""  # dotted name, `""` if there is none
    installed: tuple[str, ...] = ()
    migration_modules: dict[str, Value] = {}  # noqa: RUF012
    databases: dict[str, tuple[str, ...]] = {}  # noqa: RUF012
    routers: tuple[str, ...] = ()
    lock_timeout: str = ""  # that connections are opened with; "runner" if one is, of unknown length

    def engine(self, alias: str) -> str:
        """The database that an alias is about: "postgresql" if that is possible at all."""
        engines = self.databases.get(alias, ("",))
        return "postgresql" if not engines or {"", "postgresql"} & set(engines) else engines[-1]


def read(disk: Disk, root: str, modules: Modules) -> Found:
    """The settings of the project in `root`."""
    name, chain = _chain(disk, root, modules)
    values = {key: modules.literal(value) for module in reversed(chain) for key, value in _attributes(module).items() if key.isupper()}
    routers = values.get("DATABASE_ROUTERS")
    own = values.get("MIGRATION_MODULES")
    databases: dict[str, tuple[str, ...]] = {}
    for module in reversed(chain):
        for alias, engine in _engines(module):
            databases[alias] = tuple(dict.fromkeys((*databases.get(alias, ()), engine)))
    return Found(
        _settings(values),
        name,
        tuple(dict.fromkeys(entry for module in reversed(chain) for entry in _installed(module))),
        own if isinstance(own, dict) else {},
        databases,
        tuple(entry for entry in routers if isinstance(entry, str)) if isinstance(routers, list | tuple) else (),
        next((found for module in chain if (found := _lock_timeout(module))), ""),
    )


def _settings(values: dict[str, Value]) -> Settings:
    auto, user = values.get("DEFAULT_AUTO_FIELD"), values.get("AUTH_USER_MODEL")
    known = {key: value for key, value in values.items() if is_known(value)}
    models = {key: value for key, value in known.items() if key.endswith("_MODEL") and isinstance(value, str) and _MODEL.fullmatch(value)}
    models.pop("AUTH_USER_MODEL", None)
    found = Settings(swappable=models, values=known)
    if values:  # django.conf.global_settings; a project without settings is taken for a new one
        found = found._replace(default_auto_field="django.db.models.AutoField")
    if isinstance(auto, str):
        found = found._replace(default_auto_field=auto)
    if isinstance(user, str) and _MODEL.fullmatch(user):
        found = found._replace(auth_user_model=user)
    space, index_space = known.get("DEFAULT_TABLESPACE"), known.get("DEFAULT_INDEX_TABLESPACE")
    return found._replace(
        default_tablespace=space if isinstance(space, str) else "", default_index_tablespace=index_space if isinstance(index_space, str) else ""
    )


def _chain(disk: Disk, root: str, modules: Modules) -> tuple[str, list[Module]]:
    """The settings module and those whose names it takes over by `import *`, the nearest first."""
    second: tuple[str, list[Module]] = "", []
    for name in dict.fromkeys(_candidates(disk, root)):
        first = modules.module(name)
        if first is None:
            continue
        chain = list(dict.fromkeys(_starred(first, modules)))
        if not any("INSTALLED_APPS" in _attributes(module) for module in chain):
            package = name if first.is_package else name.rpartition(".")[0]
            beside = [module for one in _USUAL if package and (module := modules.module(f"{package}.{one}")) is not None]
            chain = list(dict.fromkeys([*chain, *(inner for module in beside for inner in _starred(module, modules))]))
        defined = {key for module in chain for key in _attributes(module)}
        if "INSTALLED_APPS" in defined:
            return name, chain
        if not second[1] and not defined.isdisjoint(("DATABASES", "DEFAULT_AUTO_FIELD", "AUTH_USER_MODEL")):
            second = name, chain
    return second


def _starred(module: Module, modules: Modules, depth: int = 0) -> Iterator[Module]:
    yield module
    if depth < 6:
        for star in reversed(module.stars):
            below = modules.module(star) if modules.knows(star) else None
            if below is not None:
                yield from _starred(below, modules, depth + 1)


def _attributes(module: Module) -> dict[str, Value]:
    """What a settings module defines, also in the classes of django-configurations."""
    found = dict(module.names)
    for value in module.names.values():
        if type(value) is Local and value.is_class:
            try:
                if any(type(base) is Local or (type(base) is Symbol and base.path.endswith("Configuration")) for base in module.bases(value)):
                    found |= {key: inner for key, inner in module.members(value).items() if key.isupper()}
            except Interrupted:
                continue
    return found


def _candidates(disk: Disk, root: str) -> Iterator[str]:
    """Dotted names that settings may have, the likeliest first."""
    if "manage.py" in disk.listing(root).files:
        yield from _names_in(disk, os.path.join(root, "manage.py"))
    folders = [os.path.join(root, name) for name in disk.listing(root).folders if not name.startswith(".")]
    for folder in (root, *folders):
        for name in ("wsgi.py", "asgi.py"):
            if name in disk.listing(folder).files:
                yield from _names_in(disk, os.path.join(folder, name))
    for name in _WHERE_NAMED:
        if name in disk.listing(root).files:
            yield from _names_in(disk, os.path.join(root, name))
    for folder in (root, *folders):
        prefix = "" if folder == root else os.path.basename(folder) + "."
        if "settings.py" in disk.listing(folder).files or "settings" in disk.listing(folder).folders:
            yield from (f"{prefix}settings", *(f"{prefix}settings.{name}" for name in _USUAL))
        yield from (f"{prefix}{name[:-3]}" for name in disk.listing(folder).files if name.startswith("settings_") and name.endswith(".py"))


def _names_in(disk: Disk, path: str) -> list[str]:
    try:
        text = reader.decode(disk.files.read(path)).text
    except UnreadableSource:
        return []
    return _NAMED.findall(text)


def _installed(module: Module) -> Iterator[str]:
    """Every app that a settings module may install, in whichever branch."""
    for node in _statements(module.module.body):
        if isinstance(node, ast.Expr):
            call = node.value
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not _is_name(call.func.value, "INSTALLED_APPS"):
                continue
            given: list[ast.expr] = call.args
        elif node.value is not None and any(_is_name(target, "INSTALLED_APPS") for target in _targets(node)):
            given = [node.value]
        else:
            continue
        for one in given:
            try:
                yield from _strings(module.value(one, module.names))
            except Interrupted:
                return


def _strings(value: Value) -> Iterator[str]:
    waiting = [value]
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif type(one) in {list, tuple, set, Operator}:
            waiting += reversed(list(one.operands if type(one) is Operator else one))


def _targets(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _engines(module: Module) -> Iterator[tuple[str, str]]:
    """Every (alias, engine) that a settings module may set, in whichever branch."""
    for node in _statements(module.module.body):
        for target in [] if isinstance(node, ast.Expr) else _targets(node):
            keys = _keys(target)
            if keys is None or node.value is None:
                continue
            try:
                value = module.value(node.value, module.names)
            except Interrupted:
                return
            for key in reversed(keys):
                value = {key: value}
            yield from _aliases(value)


def _aliases(databases: Value) -> Iterator[tuple[str, str]]:
    if not isinstance(databases, dict):
        return
    for alias, value in databases.items():
        if not isinstance(alias, str):
            continue
        if isinstance(value, dict):
            if "ENGINE" in value:
                yield alias, _engine(value["ENGINE"])
        else:
            yield alias, _of_url(value)


def _statements(body: list[ast.stmt]) -> Iterator[ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr]:
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr):
            yield node
        for inner in ("body", "orelse", "finalbody"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _statements(getattr(node, inner, []))
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body)


def _keys(target: ast.expr) -> list[str] | None:
    """`DATABASES["default"]["ENGINE"]` is ["default", "ENGINE"]; None for anything else than DATABASES."""
    keys: list[str] = []
    while isinstance(target, ast.Subscript):
        if not isinstance(target.slice, ast.Constant) or not isinstance(target.slice.value, str):
            return None
        keys.insert(0, target.slice.value)
        target = target.value
    return keys if isinstance(target, ast.Name) and target.id == "DATABASES" else None


def _engine(value: Value) -> str:
    if not isinstance(value, str):
        return ""
    name = value.lower()
    return next((kind for word, kind in _ENGINES if word in name), "")


def _of_url(value: Value) -> str:
    """The engine of `dj_database_url.config(default="mysql://...")`; a default for development says nothing about production."""
    if type(value) is not Called:
        return ""
    urls = [one for one in (*value.args, *value.kwargs.values()) if isinstance(one, str) and "://" in one]
    kind = _engine(urls[0].partition("://")[0]) if urls else ""
    return "" if kind == "SQLite" else kind


def _lock_timeout(module: Module) -> str:
    if "lock_timeout" not in module.text:
        return ""
    for node in ast.walk(module.module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and (match := _LOCK_TIMEOUT.search(node.value)):
            return match[1] or "runner"
    return ""


def allowed(modules: Modules, routers: tuple[str, ...], alias: str, label: str) -> bool:
    """Whether the migrations of an app run on a database, as far as `allow_migrate` of the routers is literal enough."""
    for path in routers:
        router = modules.find(path)
        if type(router) is not Local or not router.is_class:
            continue
        try:
            members = router.interpreter.members(router)
            method = members.get("allow_migrate")
            if type(method) is not Local or method.is_class:
                continue
            before = len(modules.doubts)
            answer = router.interpreter.call(method, (router, alias, label), {"model_name": None, "hints": {}})
        except Exception:  # noqa: BLE001, S112 - the router raises, or is too long to follow
            continue
        if len(modules.doubts) == before and isinstance(answer, bool):
            return answer
        if answer is not None:
            return True
    return True

"""Runs in the user's own Python: sets a Django project up, leads its databases to our server, and has each migrated.

manage.py runs up to where it hands over to Django, and the user's settings hold, but for DATABASES: PostgreSQL becomes our
throw-away server, everything else nothing at all. A migration that cannot be imported keeps its place in the graph.
"""

# See driver.py: older Pythons, and other people's internals.
# ruff: noqa: BLE001, PTH113, PTH118, PTH120, SLF001, UP017

from __future__ import annotations

import contextlib
import datetime as dt
import os
import runpy
import sys
import types
from typing import Any

_TIMEOUT = "-c statement_timeout=20000 -c lock_timeout=5000"


class _Reached(BaseException):
    """manage.py has set everything up, and has nothing more to do."""


def run(request: dict[str, Any], tools: Any) -> None:
    root = request["root"]
    os.chdir(root)
    sys.path.insert(0, root)
    if request["settings"]:
        os.environ["DJANGO_SETTINGS_MODULE"] = request["settings"]
    _patch_operations(tools)
    _tame_clock(tools)
    if request["manage"]:
        failure = _through_manage(request["manage"], tools)
        if failure is not None:
            tools.journal.note("manage.py fails before it runs a command (" + tools.reason(failure) + ")")
    if request["settings"]:
        os.environ["DJANGO_SETTINGS_MODULE"] = request["settings"]
    if os.environ.get("DJANGO_CONFIGURATION"):
        with contextlib.suppress(ImportError):
            tools.load("configurations.importer").install()
    aliases = _databases(request, tools)
    tools.load("django").setup()
    _patch_loading(request, tools)
    known: dict[str, set[int]] = {}
    for alias in aliases:
        tools.beside("django_migrator").Migrator(request, tools, alias, known).run()


def _tame_clock(tools: Any) -> None:
    """While migrations run, the clock ticks as it does in every rendering: its time is the default of many a column."""
    zone = tools.load("django.utils.timezone")
    settings = tools.load("django.conf").settings
    real = zone.now

    def now() -> Any:
        if not tools.guard.is_strict:
            return real()
        first = dt.datetime(2001, 1, 1, tzinfo=dt.timezone.utc if settings.USE_TZ else None)
        return first + dt.timedelta(microseconds=tools.guard.draw())

    zone.now = now


def _through_manage(path: str, tools: Any) -> BaseException | None:
    """Run manage.py up to where it hands over to Django: its changes of sys.path and of the environment are the project's."""
    management = tools.load("django.core.management")
    execute = management.execute_from_command_line

    def reached(_arguments: Any = None) -> None:
        raise _Reached

    management.execute_from_command_line = reached
    sys.argv = [path, "sqlmigrate"]
    sys.path.insert(0, os.path.dirname(path))
    try:
        runpy.run_path(path, run_name="__main__")
    except (_Reached, SystemExit):
        return None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return error
    finally:
        management.execute_from_command_line = execute
    return None


def _databases(request: dict[str, Any], tools: Any) -> list[str]:
    """Lead every alias to our server, or nowhere; the aliases to migrate, the default one first."""
    conf = tools.load("django.conf")
    settings, replaced, aliases, seen = conf.settings, {}, [], set()
    for alias, known in dict(settings.DATABASES).items():
        where = tuple(str(known.get(key) or "") for key in ("HOST", "PORT", "NAME"))
        is_twin = bool((known.get("TEST") or {}).get("MIRROR")) or (any(where) and where in seen)
        if _is_postgres(str(known.get("ENGINE") or ""), tools):
            replaced[alias] = _own(known, known["ENGINE"], request)
            seen.add(where)
            if not is_twin:
                aliases.append(alias)
        else:
            replaced[alias] = {"ENGINE": "django.db.backends.dummy"}
    if not aliases:
        tools.journal.note("the settings name no PostgreSQL: rendered as if the default database were one")
        replaced["default"] = _own(settings.DATABASES.get("default") or {}, "django.db.backends.postgresql", request)
        aliases = ["default"]
    settings.DATABASES = replaced
    connections = tools.load("django.db").connections
    vars(connections).pop("settings", None)  # where somebody looked at it already
    connections._settings = None
    for alias in replaced:
        with contextlib.suppress(AttributeError):
            del connections[alias]
    return sorted(aliases, key=lambda alias: alias != "default")


def _is_postgres(engine: str, tools: Any) -> bool:
    try:
        return bool(tools.load(engine + ".base").DatabaseWrapper.vendor == "postgresql")
    except Exception:
        return "postg" in engine


def _own(known: dict[str, Any], engine: str, request: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: known[key] for key in ("ATOMIC_REQUESTS", "AUTOCOMMIT", "TIME_ZONE", "DISABLE_SERVER_SIDE_CURSORS") if key in known}
    server = {"HOST": request["socket_folder"], "PORT": str(request["port"]), "USER": request["user"], "PASSWORD": "", "NAME": "postgres"}
    return dict(kept, ENGINE=engine, OPTIONS={"options": _TIMEOUT}, CONN_MAX_AGE=None, **server)


def _patch_operations(tools: Any) -> None:
    """Every operation remembers the call that made it."""
    base = tools.load("django.db.migrations.operations.base").Operation
    make = base.__new__

    def __new__(cls: Any, *arguments: Any, **options: Any) -> Any:  # noqa: N807
        operation = make(cls, *arguments, **options)
        found = tools.places.here()
        if found is not None:
            operation.__dict__["_dbguard_place"] = found
        return operation

    base.__new__ = __new__


def _patch_loading(request: dict[str, Any], tools: Any) -> None:
    """A migration that cannot be imported keeps its place in the graph, without operations."""
    loader = tools.load("django.db.migrations.loader")
    migration = tools.load("django.db.migrations.migration").Migration
    original = loader.import_module
    broken: set[str] = set()

    def import_module(name: str, *rest: Any) -> Any:
        path = _file_of(name)
        try:
            tools.refuse_skipped(path in request["skip"])
            with tools.limited(request["seconds"]):
                return original(name, *rest)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if path is None or tools.places.path(path) is None:
                raise
            if path not in broken:
                broken.add(path)
                tools.journal.tell("failed", path=path, reason=tools.reason(error))
            known = tools.literals(path, ("dependencies", "replaces", "run_before"), "Migration")
            graph = {key: [tuple(pair) for pair in value or [] if len(pair) == 2] for key, value in known.items()}
            stub = types.ModuleType(name)
            stub.Migration = type("Migration", (migration,), dict(graph, operations=[]))  # type: ignore[attr-defined]
            return stub

    def _file_of(name: str) -> str | None:
        package, _, last = name.rpartition(".")
        for folder in getattr(sys.modules.get(package), "__path__", ()):
            path = os.path.join(folder, last + ".py")
            if os.path.isfile(path):
                return tools.places.path(path)  # type: ignore[no-any-return]
        return None

    loader.import_module = import_module

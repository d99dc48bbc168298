"""Migration files of Django in, one History per project out, in the order in which `migrate` runs them.

A project's apps are one history, as they are one database. All of its migrations are read and build the schema; those that were asked
for give findings. The order is that of an empty database, where a squashed migration stands for those that it replaces. If one of
these was asked for, they get a second history, in which they run and the squashed one does not.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Mapping
from functools import partial

from dbguard.config import Migrations
from dbguard.errors import UsageError
from dbguard.model.finding import UnreadPart
from dbguard.model.operations.programs import HistoryProblem
from dbguard.model.record import Record
from dbguard.model.source import Block, Script, Source
from dbguard.reading.django import discover, fields_in_project, settings, versions
from dbguard.reading.django.discover import App
from dbguard.reading.django.graph import Key, Order, order
from dbguard.reading.django.load import Loaded, load, place
from dbguard.reading.django.migration import Settings
from dbguard.reading.django.modules import Modules
from dbguard.reading.folders import Disk
from dbguard.reading.history import Desk, History, forced_transaction, history_of
from dbguard.reading.names import natural

__all__ = ["histories"]

# Apps of others that are migrated with the project's user model: their place in the order moves that of the project's.
_NEED_USERS = {
    "django.contrib.admin": "admin", "rest_framework.authtoken": "authtoken", "allauth.account": "account", "allauth.socialaccount": "socialaccount",
    "oauth2_provider": "oauth2_provider", "social_django": "social_django", "waffle": "waffle", "reversion": "reversion", "guardian": "guardian",
    "django_otp.plugins.otp_totp": "otp_totp", "django_otp.plugins.otp_static": "otp_static", "knox": "knox", "fcm_django": "fcm_django",
    "mfa": "mfa", "allauth.mfa": "mfa", "django_comments": "django_comments", "easy_thumbnails": "", "auditlog": "auditlog",
}  # fmt: skip


class Project(Record):
    """A project whose migrations are read."""

    root: str  # absolute
    shown: str
    modules: Modules
    found: settings.Found
    settings: Settings
    apps: tuple[App, ...]
    loaded: dict[Key, Loaded]
    left_alone: dict[str, str]  # label of an app -> the database, not PostgreSQL, that it is on


def histories(desk: Desk, disk: Disk, asked: Mapping[str, None]) -> list[History]:
    """The histories of the migration files `asked` (absolute paths)."""
    found: list[History] = []
    enabled = gc.isenabled()
    gc.disable()  # a hundred thousand objects, few of which are garbage
    try:
        for root, members in discover.roots(disk, asked).items():
            found += _of_root(desk, disk, root, members)
    finally:
        if enabled:
            gc.enable()
    return found


def _of_root(desk: Desk, disk: Disk, root: str, asked: list[str]) -> list[History]:
    layout = discover.layout(disk, root, asked)
    modules = Modules(disk, layout.bases)
    found = settings.read(disk, root, modules)
    apps, others = discover.apps(disk, modules, layout, found.installed, found.migration_modules)
    own = {app.folder for app in apps}
    wanted = [path for path in asked if os.path.dirname(path) in own]
    result = []
    if wanted:
        result += _histories(desk, _project(desk, root, modules, found, tuple(apps), wanted), wanted)
    for app in others:  # a second app of the same label: that of a test, of an example
        inside = [path for path in asked if os.path.dirname(path) == app.folder]
        if inside:
            result += _histories(desk, _project(desk, app.folder, modules, found, (app,), inside), inside)
    _note_unseen(desk, [*apps, *others], asked)
    return result


def _note_unseen(desk: Desk, apps: Iterable[App], asked: Iterable[str]) -> None:
    """Files that Django's loader does not take for migrations."""
    names = {app.folder: app.names for app in apps}
    for path in asked:
        folder, name = os.path.split(path)
        if name.removesuffix(".py") not in names.get(folder, ()):
            desk.notes.append(f"{desk.shown(path)}: not in a place where Django looks for migrations")


def _project(desk: Desk, root: str, modules: Modules, found: settings.Found, apps: tuple[App, ...], asked: Iterable[str]) -> Project:  # noqa: PLR0917
    known = found.settings._replace(
        version=versions.stated(modules.disk, root),
        resolve_class=partial(fields_in_project.resolve_class, modules),
        resolve_value=partial(fields_in_project.resolve_value, modules),
    )
    loaded = _loaded(desk, modules, known, apps, set(asked))
    left_alone = {app.label: engine for app in apps if (engine := _other_engine(modules, found, app.label))}
    _note_settings(desk, root, apps, left_alone)
    return Project(root, desk.shown(root), modules, found, known, apps, loaded, left_alone)


def _loaded(desk: Desk, modules: Modules, known: Settings, apps: tuple[App, ...], asked: set[str]) -> dict[Key, Loaded]:
    """The migrations of the apps. What cannot be read keeps its place, after the one before it by name."""
    loaded: dict[Key, Loaded] = {}
    for app in apps:
        before: Key | None = None
        for name in app.names:
            path = os.path.join(app.folder, f"{name}.py")
            text = desk.text(path, path in asked)
            one = load(Source(desk.shown(path), text or ""), app, name, modules, known)
            if text is not None and not one.is_migration and path not in asked:
                continue  # a helper beside the migrations
            if text is not None and one.module.interpreter is None:
                desk.unreadable.append(UnreadPart(desk.shown(path), text.count("\n", 0, one.offset) + 1, one.reason, path in asked))
            if one.guessed and before is not None:
                one = one._replace(header=one.header._replace(dependencies=(*one.header.dependencies, before)))
            before = (app.label, name)
            loaded[before] = one
    return loaded


def _other_engine(modules: Modules, found: settings.Found, label: str) -> str:
    """The database that an app's migrations run on, if none of them is PostgreSQL.

    SQLite as the default is taken for what developers use: a project that runs on nothing else does not ask dbguard.
    """
    aliases = [alias for alias in (found.databases or {"default": ()}) if not found.routers or settings.allowed(modules, found.routers, alias, label)]
    engines = ["postgresql" if alias == "default" and found.engine(alias) == "SQLite" else found.engine(alias) for alias in aliases]
    return "" if not engines or "postgresql" in engines else engines[0]


def _note_settings(desk: Desk, root: str, apps: Iterable[App], left_alone: Mapping[str, str]) -> None:
    for app in apps:
        if not app.has_init:
            desk.notes.append(f"{desk.shown(app.folder)} has no __init__.py: Django does not see its migrations")
    for engine in dict.fromkeys(left_alone.values()):
        labels = sorted(label for label, other in left_alone.items() if other == engine)
        desk.notes.append(f"{desk.shown(root)}: the migrations of {', '.join(labels)} run on {engine}, and are left alone")


def _histories(desk: Desk, project: Project, asked: Iterable[str]) -> list[History]:
    headers = {key: one.header for key, one in project.loaded.items()}
    externals = {
        label: (project.settings.auth_user_model.partition(".")[0],) for entry, label in _NEED_USERS.items() if entry in project.found.installed
    }
    usual = order(headers, {label: needed for label, needed in externals.items() if label})
    shown = {desk.shown(path) for path in asked}
    replaced = {key for key in usual.replaced if project.loaded[key].module.source.path in shown}
    result = []
    if len(shown) > len(replaced):
        result.append(_history(desk, project, usual, shown - {project.loaded[key].module.source.path for key in replaced}))
    if replaced:
        kept = frozenset(usual.replaced[key] for key in replaced)
        result.append(_history(desk, project, order(headers, externals, kept), {project.loaded[key].module.source.path for key in replaced}))
    return [history for history in result if history.scripts]


def _history(desk: Desk, project: Project, ordered: Order, asked: set[str]) -> History:
    scripts = _scripts(desk, project, ordered, asked)
    entry = _entry(desk, project.root)
    if forced := forced_transaction(desk, entry):
        scripts = tuple(script._replace(transaction=forced) for script in scripts)
    sets_timeout = project.found.lock_timeout.strip("0") != ""
    whole = History(project.shown, "django", _describe(project, scripts), scripts, frozenset(asked), runner_lock_timeout=sets_timeout)
    return history_of(desk, entry, whole, _after)


def _entry(desk: Desk, root: str) -> Migrations:
    """What is configured for the project: an entry whose path is its root, or lies in it."""
    for entry in desk.config.migrations:
        path = os.path.normpath(os.path.join(desk.config.root, entry.path))
        if path == root or path.startswith(root.rstrip(os.sep) + os.sep):
            return entry
    return Migrations(path="")


def _scripts(desk: Desk, project: Project, ordered: Order, asked: set[str]) -> tuple[Script, ...]:
    from dbguard.reading.django.operations import Project as Models

    models = Models(project.settings)
    problems = _problems(project, ordered, asked)
    scripts = []
    for key in ordered.keys:
        one = project.loaded[key]
        blocks = (*problems.get(key, ()), *one.unread)
        if one.module.interpreter is not None:
            blocks += _applied(models, one)
        if key[0] in project.left_alone:
            continue
        transaction = "one" if one.atomic else "none"
        scripts.append(Script(one.module.source, (), transaction, "up", ".".join(key), "django", project.shown, blocks, "read"))
    desk.notes += [note for assumed in models.notes if (note := f"{project.shown}: {assumed}") not in desk.notes]
    return tuple(scripts)


def _applied(models: object, one: Loaded) -> tuple[Block, ...]:
    try:
        return tuple(models.apply(one.module))  # type: ignore[attr-defined]
    except Exception as error:  # noqa: BLE001 - hostile input must not end the run
        start, end = place(one, None)
        return (Block(start, end, unread=f"its operations cannot be followed ({type(error).__name__})"),)


def _problems(project: Project, ordered: Order, asked: set[str]) -> dict[Key, list[Block]]:
    """What does not hang together, told at a migration that was asked for where one takes part."""
    found: dict[Key, list[Block]] = {}
    for problem in ordered.problems:
        group = (problem.at, *problem.others) if problem.about is None else (problem.at,)
        told = max((key for key in group if project.loaded[key].module.source.path in asked), default=problem.at)
        others = problem.others if problem.about is not None else tuple(key for key in group if key != told)
        start, end = place(project.loaded[told], problem.about or (others[0] if problem.kind == "cycle" and others else None))
        operation = HistoryProblem(problem.kind, ".".join(told), tuple(".".join(key) for key in others))
        found.setdefault(told, []).append(Block(start, end, operations=(operation,)))
    return found


def _describe(project: Project, scripts: tuple[Script, ...]) -> str:
    count, apps = len(scripts), len({script.version.partition(".")[0] for script in scripts})
    loose = sum(script.transaction == "none" for script in scripts)
    migrations = f"{count} Django migration{'s' if count != 1 else ''} of {apps} app{'s' if apps != 1 else ''} in {project.shown}"
    runs = "each in its own transaction" if count != 1 else "in its own transaction"
    limit = f", lock_timeout {project.found.lock_timeout}" if project.found.lock_timeout not in {"", "runner"} else ""
    return f"{migrations}, {runs}{f' (atomic = False for {loose})' if loose else ''}{limit}"


def _after(scripts: tuple[Script, ...], version: str, key: str, root: str) -> int:
    """The index of the first script after a migration, which is written as `shop.0003_name`, `shop.0003` or `0003_name`."""
    for index in range(len(scripts) - 1, -1, -1):
        label, _, name = scripts[index].version.partition(".")
        if version in {name, f"{label}.{name}", f"{label}.{name.partition('_')[0]}"}:
            return index + 1
    if version.isdecimal() and len({script.version.partition(".")[0] for script in scripts}) == 1:
        numbers = [natural(script.version.partition(".")[2]) for script in scripts]
        return next((index for index, number in enumerate(numbers) if number[:1] > natural(version)), len(scripts))
    hint = ": write it as `app.0003`" if version.isdecimal() else ""
    raise UsageError(f'{key} = "{version}": {root} has no migration of that name{hint}')

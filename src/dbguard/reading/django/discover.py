"""Migration files in, the Django project that they belong to out: its root, its apps, and the folders of their migrations.

A project is what lies below the nearest `manage.py`; without one, below the nearest project file or the top of the repository.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH119, PTH120, PTH206

from __future__ import annotations

import os
from collections.abc import Iterable

from dbguard.model.record import Record
from dbguard.reading.django.modules import Modules, inherited
from dbguard.reading.folders import Disk
from dbguard.reading.python.interpret import Interrupted
from dbguard.reading.python.values import Local, Value

MIGRATIONS = "migrations"
_PROJECT_FILES = frozenset(["pyproject.toml", "setup.py", "setup.cfg", "Pipfile", "requirements.txt"])


class App(Record):
    """An app with migrations. `package` is the dotted name of the app, `folder` holds its migrations."""

    label: str
    package: str
    folder: str  # absolute
    names: tuple[str, ...] = ()  # of its migrations
    has_init: bool = True

    @property
    def module(self) -> str:
        """The dotted name of the migrations package, as far as the folder says."""
        own = os.path.basename(self.folder)
        return f"{self.package}.{own}" if self.package else own


class Config(Record):
    """What an AppConfig says."""

    path: str
    name: str
    label: str
    default: bool | None = None


class Layout(Record):
    """What the folders of a project show before anything is read."""

    root: str
    bases: tuple[str, ...]  # folders that its modules are imported from
    folders: tuple[str, ...]  # that hold migrations


def roots(disk: Disk, asked: Iterable[str]) -> dict[str, list[str]]:
    """The files that were asked for by the root of their project."""
    found: dict[str, list[str]] = {}
    known: dict[str, str] = {}
    for path in asked:
        folder = os.path.dirname(path)
        if folder not in known:
            known[folder] = _root(disk, folder)
        found.setdefault(known[folder], []).append(path)
    return found


def _root(disk: Disk, folder: str) -> str:
    here, marked = folder, ""
    while True:
        listing = disk.listing(here)
        if "manage.py" in listing.files:
            return here
        if not marked and here != folder and not _PROJECT_FILES.isdisjoint(listing.files):
            marked = here
        if ".git" in listing.folders or ".git" in listing.files:
            return marked or here
        above = os.path.dirname(here)
        if above == here:
            return marked or _base(disk, os.path.dirname(folder))
        here = above


def _base(disk: Disk, folder: str) -> str:
    """The folder that the package in `folder` is imported from: the parent of the topmost folder with an `__init__.py`."""
    while "__init__.py" in disk.listing(folder).files and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def layout(disk: Disk, root: str, asked: Iterable[str]) -> Layout:
    """The folders of migrations below a project's root, and those of the files asked for wherever they are."""
    folders: dict[str, None] = {}
    other = ""
    for folder, listing in disk.walk(root):
        if other and folder.startswith(other):
            continue
        if folder != root and "manage.py" in listing.files:
            other = folder + os.sep  # another project within this one
        elif os.path.basename(folder) == MIGRATIONS and names_in(listing.files):
            folders[folder] = None
    for folder in dict.fromkeys(map(os.path.dirname, asked)):
        names = names_in(disk.listing(folder).files)  # a folder of another name, but not one of the app's own modules
        if os.path.basename(folder) == MIGRATIONS or sum(name[0].isdecimal() for name in names) * 2 > len(names):
            folders[folder] = None
    bases = {root: None} | {_base(disk, os.path.dirname(folder)): None for folder in folders}
    if "src" in disk.listing(root).folders:
        bases[os.path.join(root, "src")] = None
    return Layout(root, tuple(bases), tuple(folders))


def names_in(files: Iterable[str]) -> tuple[str, ...]:
    """The names of the migrations among files, as pkgutil.iter_modules and Django's loader choose them."""
    return tuple(sorted(name[:-3] for name in files if name.endswith(".py") and name[0] not in "_~" and "." not in name[:-3]))


def apps(disk: Disk, modules: Modules, found: Layout, installed: tuple[str, ...], migration_modules: dict[str, Value]) -> tuple[list[App], list[App]]:
    """The apps of a project, and those whose label another one has: a migration belongs to one of them."""
    configs = [config for entry in installed if (config := _config_of(modules, entry)) is not None]
    by_name = {config.name: config for config in configs}
    moved = {value: label for label, value in migration_modules.items() if isinstance(value, str)}
    elsewhere = {label for label, value in migration_modules.items() if value is None or isinstance(value, str)}
    extra = [folder for dotted in moved if (folder := _folder(modules, dotted))]
    chosen: dict[str, tuple[tuple[int, int, str], App]] = {}
    others: list[App] = []
    for folder in dict.fromkeys([*found.folders, *extra]):
        app, is_moved, is_installed = _app(disk, modules, found, folder, by_name, moved, installed)
        if not app.names:
            continue
        is_off = app.label in elsewhere and not is_moved
        rank = (is_off * 4 + (not is_installed) * 2 + _is_test(folder[len(found.root) :])), folder.count(os.sep), folder
        before = chosen.get(app.label)
        if before is not None and before[0] < rank:
            others.append(app)
            continue
        if before is not None:
            others.append(before[1])
        chosen[app.label] = rank, app
    return [app for _, app in chosen.values()], others


def _app(  # noqa: PLR0917
    disk: Disk, modules: Modules, found: Layout, folder: str, configs: dict[str, Config], moved: dict[str, str], installed: tuple[str, ...]
) -> tuple[App, bool, bool]:
    above = os.path.dirname(folder)
    listing = disk.listing(folder)
    dotted = [
        ".".join(above[len(base) :].strip(os.sep).split(os.sep)) for base in found.bases if (above + os.sep).startswith(base.rstrip(os.sep) + os.sep)
    ]
    names = sorted(filter(None, dotted), key=len) or [os.path.basename(above)]
    package = next((name for name in names if name in configs or name in installed), names[0])
    rest = App("", package, folder, names_in(listing.files), has_init="__init__.py" in listing.files)
    own = f"{package}.{os.path.basename(folder)}"
    if label := next((moved[f"{name}.{os.path.basename(folder)}"] for name in names if f"{name}.{os.path.basename(folder)}" in moved), ""):
        return rest._replace(label=label), True, True
    config = configs.get(package) or (_config_in(modules, package) if "apps.py" in disk.listing(above).files else None)
    label = config.label if config is not None else package.rpartition(".")[2]
    is_installed = package in configs or package in installed or own in moved
    return rest._replace(label=label), False, is_installed


def _folder(modules: Modules, dotted: str) -> str:
    path = modules.file(dotted)
    if path is not None:
        return os.path.dirname(path) if path.endswith("__init__.py") else ""
    for base in modules.bases:
        folder = os.path.join(base, *dotted.split("."))
        if names_in(modules.disk.listing(folder).files):
            return folder
    return ""


def _is_test(path: str) -> bool:
    return any(part in {"test", "tests", "testing", "testapp", "examples", "example"} or part.startswith("test_") for part in path.split(os.sep))


def _config_of(modules: Modules, entry: str) -> Config | None:
    """The AppConfig that an entry of INSTALLED_APPS means, if the project defines it."""
    if not modules.knows(entry):
        return None
    if entry.rpartition(".")[2][:1].isupper():
        value = modules.find(entry)
        return _config(modules, value, entry) if type(value) is Local else None
    return _config_in(modules, entry) or Config(entry, entry, entry.rpartition(".")[2])


def _config_in(modules: Modules, package: str) -> Config | None:
    """The one AppConfig in an app's apps.py, or the one that says `default = True`, as django.apps.AppConfig.create chooses."""
    module = modules.module(f"{package}.apps")
    if module is None:
        return None
    found = [config for name, value in module.names.items() if type(value) is Local and value.is_class and (config := _config(modules, value, name))]
    found = [config for config in found if config.default is not False]
    if len(found) != 1:
        found = [config for config in found if config.default]
    return found[0] if len(found) == 1 else None


def _config(modules: Modules, local: Local, path: str) -> Config | None:
    try:
        members = inherited(local, modules) if local.is_class else {}
    except Interrupted:
        return None
    name, label, default = (members.get(key) for key in ("name", "label", "default"))
    if not isinstance(name, str) or not name:
        return None
    return Config(
        path,
        name,
        label if isinstance(label, str) and label else name.rpartition(".")[2],
        default if isinstance(default, bool) else None,
    )

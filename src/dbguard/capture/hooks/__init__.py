"""Hooks into the host's libraries. `install` puts them in where a library is loaded, or as soon as it is; `remove` takes them out.

A hook changes nothing about what the host does: it sees arguments and results, and an error inside it is counted and swallowed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from dbguard.capture import faults

Undo = Callable[[], None]

# module of the host -> our module and the function in it that hooks into it
HOOKS = {
    "sqlalchemy": ("dbguard.capture.hooks.sqlalchemy", "install_engine"),
    "sqlalchemy.orm": ("dbguard.capture.hooks.sqlalchemy", "install_orm"),
    "django.db.backends.base.base": ("dbguard.capture.hooks.django", "install_backend"),
    "django.core.handlers.base": ("dbguard.capture.hooks.django", "install_handler"),
    "django.db.models.manager": ("dbguard.capture.hooks.django", "install_manager"),
    "psycopg": ("dbguard.capture.hooks.psycopg", "install"),
    "asyncpg": ("dbguard.capture.hooks.asyncpg", "install"),
    "threading": ("dbguard.capture.hooks.threads", "install_thread"),
    "concurrent.futures.thread": ("dbguard.capture.hooks.threads", "install_executor"),
    "asgiref.current_thread_executor": ("dbguard.capture.hooks.threads", "install_asgiref"),
    "asyncio.base_events": ("dbguard.capture.hooks.threads", "install_tasks"),
}
_undo: dict[str, list[Undo]] = {}
_finder: Any = None


def install() -> None:
    """Hook into what is loaded, and watch for what is not loaded yet."""
    global _finder  # noqa: PLW0603 - one interpreter, one import system
    for name in HOOKS:
        module = sys.modules.get(name)
        if module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False):
            hook_into(name)
    if _finder is None:
        from dbguard.capture.hooks.imports import Finder

        _finder = Finder(set(HOOKS), hook_into)
        sys.meta_path.insert(0, _finder)


def remove() -> None:
    """Take every hook out again."""
    global _finder  # noqa: PLW0603
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    _finder = None
    for name in list(_undo):
        for undo in reversed(_undo.pop(name)):
            try:
                undo()
            except Exception as error:  # noqa: BLE001 - the host must not notice
                faults.note(name, error)


def hook_into(name: str) -> None:
    """Hook into a module of the host that is loaded; once."""
    if name in _undo or name not in sys.modules:
        return
    undo = _undo[name] = []
    home, function = HOOKS[name]
    try:
        getattr(import_module(home), function)(sys.modules[name], undo)
    except Exception as error:  # noqa: BLE001 - a version of the library that we do not know
        faults.note(name, error)


def replace(owner: Any, name: str, make: Callable[[Any], Any], undo: list[Undo]) -> None:
    """Put `make(original)` in the place of a method; nothing happens if this version of the library has none of that name."""
    original = vars(owner).get(name)
    if original is None:
        return
    replacement = make(original)
    setattr(owner, name, replacement)

    def restore() -> None:
        if vars(owner).get(name) is replacement:
            setattr(owner, name, original)

    undo.append(restore)

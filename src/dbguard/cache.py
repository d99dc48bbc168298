"""What was computed before, by the content that it was computed from.

A cache of files in the user's cache folder. It is never in the way: a folder that cannot be written, a file that was cut or
belongs to another version are as good as none. Files are written beside and renamed, so that runs at the same time do not
meet half a file. What is read back can only be values of dbguard, never code: a cache folder may lie in a checkout.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH103, PTH105, PTH108, PTH111, PTH116, PTH117, PTH118, PTH120, PTH123, PTH208

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import Any

from dbguard.version import __version__

MOST_BYTES = 300_000_000
_MODULES = ("dbguard.model.", "dbguard.reading.", "dbguard.pipelines.", "dbguard.judgement.")
_PLAIN = frozenset([("builtins", "frozenset"), ("builtins", "set"), ("builtins", "complex"), ("builtins", "range"), ("datetime", "date")])


def default_folder() -> str:
    """`$XDG_CACHE_HOME/dbguard/replayed`, else below `~/.cache`; on Windows below `%LOCALAPPDATA%`."""
    base = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else "") or os.path.expanduser("~/.cache")
    return os.path.join(base, "dbguard", "replayed") if os.path.isabs(base) else ""


class Cache:
    """Values by key. `folder` is "" for a cache that forgets everything."""

    def __init__(self, folder: str = "") -> None:
        self._root = folder
        self._names: frozenset[str] | None = None

    @staticmethod
    def of_user(on: bool) -> Cache:
        """The user's cache, or one that forgets everything."""
        return Cache(default_folder() if on else "")

    @property
    def is_on(self) -> bool:
        return bool(self._root)

    @cached_property
    def _folder(self) -> str:
        return os.path.join(self._root, _signature()) if self._root else ""

    def has(self, key: str) -> bool:
        """Whether there was a value when the cache was first asked."""
        if self._names is None:
            try:
                self._names = frozenset(os.listdir(self._folder)) if self._folder else frozenset()
            except OSError:
                self._names = frozenset()
        return key in self._names

    def load(self, key: str) -> Any:
        """The value saved under a key, None if there is none that can be read."""
        if not self.has(key):
            return None
        import pickle

        path = os.path.join(self._folder, key)
        try:
            with open(path, "rb") as file:
                value = _unpickler(file).load()
            os.utime(path)
        except (OSError, EOFError, ValueError, TypeError, AttributeError, ImportError, IndexError, KeyError, MemoryError, pickle.UnpicklingError):
            return None
        return value

    def save(self, key: str, value: object) -> None:
        """Keep a value, if the folder lets us."""
        if not self._folder:
            return
        import pickle

        path = os.path.join(self._folder, key)
        beside = f"{path}.{os.getpid()}.tmp"
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            with open(beside, "wb") as file:
                pickle.dump(value, file, protocol=5)
            os.replace(beside, path)
            self._tidy()
        except (OSError, RecursionError, pickle.PicklingError, TypeError, AttributeError):
            try:
                os.unlink(beside)
            except OSError:
                return

    def _tidy(self) -> None:
        """Throw away what was used longest ago, and all that other versions left."""
        files = []
        for folder, _, names in os.walk(self._root):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    status = os.stat(path)
                except OSError:
                    continue
                files.append((folder == self._folder, status.st_mtime, status.st_size, path))
        total = sum(size for _, _, size, _ in files)
        for _, _, size, path in sorted(files):
            if total <= MOST_BYTES:
                return
            os.unlink(path)
            total -= size


def _signature() -> str:
    """What a value depends on besides its key: this dbguard, as it is on disk, and this Python."""
    import hashlib

    found = hashlib.sha256(f"{__version__} {sys.version}".encode())
    for folder, folders, names in os.walk(os.path.dirname(__file__)):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            if name.endswith(".py"):
                status = os.stat(os.path.join(folder, name))
                found.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()[:16]


def _unpickler(file: Any) -> Any:
    import pickle

    class OnlyValues(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) in _PLAIN:
                return super().find_class(module, name)
            if module.startswith(_MODULES) and "." not in name:
                found = super().find_class(module, name)
                if isinstance(found, type):
                    return found
            raise pickle.UnpicklingError(f"{module}.{name} is no value of dbguard")

    return OnlyValues(file)

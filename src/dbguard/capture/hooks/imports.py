"""Tells when a module has been imported. In: names. Out: a call after each of them has run, before its importer goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from typing import Any

from dbguard.capture import faults


class Finder:
    """Stands first in `sys.meta_path` and lets the others find; only the loaders of awaited modules are wrapped, while they run."""

    def __init__(self, awaited: set[str], loaded: Callable[[str], None]) -> None:
        self._awaited = awaited
        self._loaded = loaded

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name not in self._awaited:
            return None
        for finder in list(sys.meta_path):
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(name, path, target)
                if spec is not None:
                    if hasattr(spec.loader, "exec_module"):
                        spec.loader = _Loader(spec.loader, self._loaded)  # type: ignore[assignment]
                    return spec
        return None


class _Loader:
    """Another loader, and a call when it is done. The module is left with its own loader."""

    def __init__(self, loader: Any, loaded: Callable[[str], None]) -> None:
        self._loader = loader
        self._call = loaded

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        try:
            self._call(module.__spec__.name)
        except Exception as error:  # noqa: BLE001 - the host must not notice
            faults.note("imports", error)

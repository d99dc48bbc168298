# ruff: noqa: INP001 - a folder for PYTHONPATH, no package
"""Imported by Python at the start of every process below `dbguard capture`: begins to record, then runs the sitecustomize that it hides.

In: the environment variable DBGUARD_CAPTURE. This folder is on PYTHONPATH for nothing but this file.
"""

from __future__ import annotations

import os
import sys


def _record() -> None:
    """`dbguard` may be installed for another interpreter only; then its package is loaded from where this file lies."""
    if not os.environ.get("DBGUARD_CAPTURE"):
        return
    from importlib.util import find_spec, module_from_spec, spec_from_file_location

    if find_spec("dbguard") is None or find_spec("dbguard.capture") is None:
        folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        spec = spec_from_file_location("dbguard", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
        if spec is None or spec.loader is None:
            return
        package = module_from_spec(spec)
        sys.modules["dbguard"] = package
        spec.loader.exec_module(package)
    from dbguard.capture.session import start_from_environment

    start_from_environment()


def _run_hidden() -> None:
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    here = os.path.dirname(os.path.abspath(__file__))
    spec = PathFinder.find_spec("sitecustomize", [path for path in sys.path if os.path.abspath(path or ".") != here])
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


try:
    _record()
except Exception as error:  # noqa: BLE001 - the host must not notice
    print(f"dbguard capture: nothing of this process is recorded: {type(error).__name__}", file=sys.stderr)  # noqa: T201
_run_hidden()

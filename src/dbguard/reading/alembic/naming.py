"""What `env.py` gives as `target_metadata` in, the naming convention of its constraints out, if it is written down literally."""

from __future__ import annotations

from typing import Any

from dbguard.reading.alembic.project import MISSING, Project
from dbguard.reading.python.values import Attribute, Called, Local, Symbol, Value, is_known

_DEEPEST = 12


def convention_of(value: Value, project: Project, depth: int = 0) -> dict[str, Any] | None:
    """The convention of a `MetaData`, of what holds one (a declarative base, Flask's `db`), or of the first of several."""
    if depth > _DEEPEST:
        return None
    match value:
        case Symbol():
            return _of_symbol(value, project, depth)
        case Called():
            return _of_call(value, project, depth)
        case Attribute(base, "metadata"):
            return convention_of(base, project, depth + 1)
        case Local() if value.is_class:
            return _of_class(value, project, depth)
        case list() | tuple() if type(value) in {list, tuple}:
            return next((found for one in value if (found := convention_of(one, project, depth + 1)) is not None), None)
    return None


def _of_symbol(symbol: Symbol, project: Project, depth: int) -> dict[str, Any] | None:
    found = project.followed(symbol)
    if found is not MISSING and found != symbol:
        return convention_of(found, project, depth + 1)
    base, _, name = symbol.path.rpartition(".")
    return convention_of(Symbol(base), project, depth + 1) if name == "metadata" and base else None


def _of_call(call: Called, project: Project, depth: int) -> dict[str, Any] | None:
    given = call.kwargs.get("naming_convention")
    if given is not None:
        given = project.followed(given)
        return given if isinstance(given, dict) and is_known(given) else None
    metadata = call.kwargs.get("metadata")
    if metadata is not None:
        return convention_of(metadata, project, depth + 1)
    if isinstance(call.target, Local):
        return _of_class(call.target, project, depth)
    return None


def _of_class(local: Local, project: Project, depth: int) -> dict[str, Any] | None:
    metadata = project.member(local, "metadata")
    if metadata is not MISSING:
        return convention_of(metadata, project, depth + 1)
    for base in local.interpreter.bases(local):
        found = convention_of(project.followed(base, 0, local.interpreter.name), project, depth + 1)
        if found is not None:
            return found
    return None

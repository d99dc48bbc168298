"""Which column a name means: PostgreSQL's namespaces of a query level (parse_relation.c), inner levels first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.model.expression import Tree
from dbguard.model.names import Name
from dbguard.model.record import Record

SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


MOST_SOURCES = 500


class TooLargeError(ValueError):
    """The query has more levels, tables or expressions than are looked at."""


class Visible(Record):
    """A name in FROM under which columns are found."""

    alias: str
    number: int | None  # None: a join with an alias of its own
    columns: Mapping[str, Tree]
    known: bool = True
    table: Name | None = None
    hidden: bool = False  # only `alias.column` finds it: EXCLUDED, OLD and NEW, and what a join's alias covers
    catalog: bool = False  # of PostgreSQL itself: its columns are not kept here


class Scope:
    """One level of a query. `items` are in the order of FROM; `merged` are columns of USING, which hide both of theirs."""

    __slots__ = ("ctes", "items", "merged", "merged_sources", "parent")

    def __init__(self, parent: Scope | None, ctes: Mapping[str, Any] | None = None) -> None:
        self.parent = parent
        outer = parent.ctes if parent is not None else {}
        self.ctes: dict[str, Any] = dict(outer if ctes is None else ctes)
        self.items: list[Visible] = []
        self.merged: dict[str, Tree] = {}
        self.merged_sources: dict[str, frozenset[int]] = {}

    def levels(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


class Missing(Record):
    """A name that was not found."""

    reason: str


def find(scope: Scope, parts: tuple[str, ...]) -> Tree | Missing:
    """The column that `parts` mean."""
    if len(parts) == 1:
        return _bare(scope, parts[0])
    *qualifier, column = parts
    return _qualified(scope, tuple(qualifier), column)


def _bare(scope: Scope, name: str) -> Tree | Missing:
    for level in scope.levels():
        found = _in_level(level, name)
        if found is not None:
            return found
    for level in scope.levels():
        for item in level.items:
            if item.alias == name and item.number is not None:
                return ("row of", item.number)
    return Missing(f"column `{name}` was not found")


def _in_level(level: Scope, name: str) -> Tree | Missing | None:
    if name in level.merged:
        return level.merged[name]
    found = list(dict.fromkeys(item.columns[name] for item in level.items if name in item.columns and not item.hidden))
    if len(found) == 1:
        return found[0]
    if found:
        return Missing(f"column {name} is ambiguous")
    if any(item.alias == name and item.number is not None and item.known for item in level.items):
        return None
    unknown = [item for item in level.items if not item.known and not item.hidden and item.number is not None]
    if len(unknown) == 1 or (unknown and all(item.catalog for item in unknown)):
        return ("at", unknown[0].number, name)
    if unknown:
        return Missing(f"column {name} may belong to any of {', '.join(item.alias for item in unknown)}, which are not known")
    system = [item for item in level.items if item.table is not None and not item.hidden]
    if name in SYSTEM_COLUMNS and len(system) == 1:
        return ("at", system[0].number, name)
    return None


def _qualified(scope: Scope, qualifier: tuple[str, ...], column: str) -> Tree | Missing:
    for level in scope.levels():
        for item in level.items:
            if not _is_named(item, qualifier):
                continue
            if column in item.columns:
                return item.columns[column]
            if item.number is not None and (not item.known or column in SYSTEM_COLUMNS):
                return ("at", item.number, column)
            return Missing(f"column `{'.'.join((*qualifier, column))}` was not found")
    return Missing(f"{'.'.join(qualifier)} is not in FROM")


def _is_named(item: Visible, qualifier: tuple[str, ...]) -> bool:
    if len(qualifier) == 1:
        return item.alias == qualifier[0]
    return item.table is not None and item.alias == item.table.name and tuple(item.table) == qualifier[-2:]


def item_named(scope: Scope, qualifier: tuple[str, ...]) -> Visible | None:
    """The item that `t.*` means."""
    return next((item for level in scope.levels() for item in level.items if _is_named(item, qualifier)), None)

"""Indexes for what a plan shows: conditions on tables behind views, policies and functions, which the query's own text does not have.

In: a plan made with VERBOSE, so that columns have their table before them. Out: btrees on one and two columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.model.keys import IndexKey
from dbguard.model.names import Name
from dbguard.model.operations.indexes import CreateIndex
from dbguard.model.plan import Node, Plan, nodes
from dbguard.model.schema import Table
from dbguard.planning.candidates import About, is_sortable
from dbguard.planning.existing_indexes import exists

MOST = 30
_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)'
_COMPARED = re.compile(rf"(?<![\w$.\"])(?P<alias>{_NAME})\.(?P<column>{_NAME})(?:\)::[\w ]+)? (?P<operator>=|<=|>=|<|>) ")
_JOINED = re.compile(rf" = \(*(?P<alias>{_NAME})\.(?P<column>{_NAME})(?![\w$(])")
_CONDITIONS = ("Filter", "Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter")


def from_plan(plan: Plan, about: About) -> tuple[CreateIndex, ...]:
    """Candidates for tables that the plan reads; those that exist are left out."""
    tables = {node.alias: table for node in nodes(plan.root) if (table := _table(node, about)) is not None}
    columns: dict[tuple[Name, str], tuple[dict[str, None], dict[str, None]]] = {}
    for node in nodes(plan.root):
        for alias, column, operator in _compared(node):
            table = tables.get(alias)
            if table is not None and is_sortable(table, column):
                equal, ranged = columns.setdefault((table.name, alias), ({}, {}))
                (equal if operator == "=" else ranged)[column] = None
    found: dict[tuple[Name, tuple[str, ...]], CreateIndex] = {}
    for (name, _), (equal, ranged) in columns.items():
        table = about.state.schema.tables[name]
        for names in _lists(list(equal), list(ranged)):
            short = Name(None, name.name)
            written = short if about.state.resolve(short) == name else name
            made = CreateIndex(table=written, keys=tuple(map(IndexKey, names)), concurrently=table.kind != "partitioned table")
            if not exists(made, table):
                found[name, names] = made
    return tuple(found.values())[:MOST]


def _compared(node: Node) -> Iterator[tuple[str, str, str]]:
    for key in _CONDITIONS:
        text = node.facts.get(key)
        if isinstance(text, str):
            bare = re.sub(r"'(?:[^']|'')*'", "''", text[:20_000])
            for match in _COMPARED.finditer(bare):
                yield _bare(match["alias"]), _bare(match["column"]), match["operator"]
            for match in _JOINED.finditer(bare):
                yield _bare(match["alias"]), _bare(match["column"]), "="


def _lists(equal: list[str], ranged: list[str]) -> Iterator[tuple[str, ...]]:
    for name in (*equal, *ranged):
        yield (name,)
    for first in equal[:4]:
        for second in (*equal[:4], *ranged[:2]):
            if second != first:
                yield (first, second)


def _table(node: Node, about: About) -> Table | None:
    """The table that a scan reads; of a partition the table at the top, which is where an index belongs."""
    schema, _, name = node.relation.rpartition(".")
    table = about.state.schema.tables.get(Name(schema or "public", name)) if name else None
    for _ in range(20):
        if table is None or table.parent is None:
            break
        table = about.state.schema.tables.get(table.parent)
    return table if table is not None and table.known and table.kind in {"table", "partitioned table", "materialized view"} else None


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name

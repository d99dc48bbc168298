"""Indexes that would serve: equality first, then the order of a page or a range; one for many shapes where one is enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dbguard.model.expression import Expression, Tree
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name, quote
from dbguard.model.operations.indexes import CreateIndex
from dbguard.model.query import Candidate, Clause, Source
from dbguard.model.record import Record
from dbguard.model.schema import Index, Table
from dbguard.model.sql import index_statement
from dbguard.model.state import State

MOST_KEYS = 4
_NO_BTREE = frozenset({"json", "xml", "point", "polygon", "box", "circle", "line", "path", "lseg"})


class Proposal(Record):
    """An index for several shapes: the statement, and which shapes it serves."""

    table: Name
    create: CreateIndex
    statement: str
    shapes: tuple[str, ...]


def for_clauses(
    source: Source,
    table: Table,
    wanted: Sequence[Clause],
    all_clauses: Sequence[Clause],
    *,
    order: Sequence[tuple[Tree, bool, bool]],
    state: State,
) -> Candidate | None:
    """An index on the keys of `wanted` (equalities), then the order, else the first range; None if there is nothing to index."""
    equal = _columns([clause for clause in wanted if clause.kind == "equal"], table)
    lists = [name for name in _columns([clause for clause in wanted if clause.kind == "in"], table) if name not in equal]
    keys = [IndexKey(name) for name in (*equal, *lists)][: MOST_KEYS - 1]
    names = {key.column for key in keys}
    added: list[IndexKey] = []
    if order and all(tree[0] == "column" for tree, _, _ in order):
        added = _in_order([one for one in order if one[0][1] not in names])
    elif not order:
        ranges = _columns([clause for clause in all_clauses if clause.kind == "range" and not clause.needs and not clause.spoiled], table)
        added = [IndexKey(name) for name in ranges if name not in names][:1]
    keys = [*keys, *added][:MOST_KEYS]
    if not keys:
        return None
    where = _predicate(all_clauses, {key.column for key in keys})
    index = CreateIndex(table=_written(table.name, state), keys=tuple(keys), concurrently=table.kind == "table", where=where)
    return Candidate(table.name, index, "filter", source.number, tuple(wanted))


def _columns(clauses: Iterable[Clause], table: Table) -> list[str]:
    found: dict[str, None] = {}
    for clause in clauses:
        if clause.key[0] == "column" and clause.key[1] in table.columns:
            column = table.columns[clause.key[1]]
            if column.type.builtin not in _NO_BTREE and not column.type.array:
                found[clause.key[1]] = None
    return list(found)


def _in_order(order: Sequence[tuple[Tree, bool, bool]]) -> list[IndexKey]:
    """Keys for an order; all descending is all ascending read backwards."""
    backwards = all(descending and nulls_first for _, descending, nulls_first in order)
    found = []
    for tree, descending, nulls_first in order:
        if backwards:
            found.append(IndexKey(tree[1]))
        else:
            found.append(IndexKey(tree[1], descending=descending, nulls_first=None if nulls_first == descending else nulls_first))
    return found


def _predicate(clauses: Sequence[Clause], keys: set[str | None]) -> Expression | None:
    """`deleted_at IS NULL`: what every row of the query has and needs no key."""
    for clause in clauses:
        if clause.kind == "null" and not clause.needs and clause.key[0] == "column" and clause.key[1] not in keys:
            return Expression(f"{quote(clause.key[1])} IS NULL", ("is_null", clause.key))
    return None


def _written(name: Name, state: State) -> Name:
    short = Name(None, name.name)
    return short if state.resolve(short) == name else name


def close_indexes(table: Table, clauses: Sequence[Clause]) -> tuple[str, ...]:
    """Indexes of the table that have one of these columns and yet do not serve, and why."""
    columns = [clause.key[1] for clause in clauses if clause.key[0] == "column" and clause.kind in {"equal", "in"}]
    found = []
    for index in table.indexes.values():
        why = _why_not(index, columns)
        if why:
            found.append(f"index {quote(index.name.name)} {why}")
    return tuple(found[:3])


def _why_not(index: Index, columns: Sequence[str]) -> str:
    names = [key.column for key in index.keys]
    column = next((name for name in columns if name in names or any(_mentions(key, name) for key in index.keys)), None)
    if column is None:
        return ""
    if not index.valid:
        return "is not valid"
    if names[0] == column:
        if index.where is not None:
            return f"covers only rows where {index.where.sql}"
        return "" if index.method in {"btree", "hash"} else f"is a {index.method} index"
    if column in names:
        return f"has {quote(column)}, but {quote(names[0]) if names[0] else 'an expression'} comes first"
    return f"is on an expression of {quote(column)}"


def _mentions(key: IndexKey, column: str) -> bool:
    return key.expression is not None and column in key.expression.columns


def merged(found: Iterable[tuple[str, Candidate]], tables: State) -> tuple[Proposal, ...]:
    """Candidates of many shapes to as few indexes as serve them: one that starts with the keys of another serves both."""
    pool: list[tuple[CreateIndex, Name, list[str]]] = []
    for shape, candidate in sorted(found, key=lambda one: -len(one[1].create.keys)):
        for position, (index, table, shapes) in enumerate(pool):
            if table == candidate.table and _covers(index, candidate.create):
                where = index.where if _same_predicate(index, candidate.create) else None
                pool[position] = (index._replace(where=where), table, [*shapes, shape])
                break
        else:
            pool.append((candidate.create, candidate.table, [shape]))
    return tuple(
        [Proposal(table, index, index_statement(index, tables.schema.table(table)), tuple(dict.fromkeys(shapes))) for index, table, shapes in pool]
    )


def _covers(long: CreateIndex, short: CreateIndex) -> bool:
    size = len(short.keys)
    if long.method != short.method or len(long.keys) < size:
        return False
    return long.keys[:size] == short.keys or (
        len(short.keys) > 1 and set(long.keys[:size]) == set(short.keys) and not any(k.descending for k in short.keys)
    )


def _same_predicate(one: CreateIndex, other: CreateIndex) -> bool:
    return (one.where.tree if one.where else None) == (other.where.tree if other.where else None)

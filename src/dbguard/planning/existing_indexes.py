"""New indexes beside those that are there: which one exists already, and which ones a new one makes superfluous."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dbguard.model.keys import IndexKey
from dbguard.model.operations.indexes import CreateIndex
from dbguard.model.schema import Index, Table


def exists(index: CreateIndex, table: Table) -> bool:
    """Whether an index that is there begins with the same keys and has all that this one has."""
    if any(key.expression is not None for key in index.keys):
        return any(_texts(one.keys) == _texts(index.keys) and one.method == index.method for one in table.indexes.values())
    if any(key.opclass is not None or key.descending for key in index.keys):
        return any(one.keys == index.keys and one.method == index.method and one.where is None for one in table.indexes.values())
    return any(_has(one, index) for one in table.indexes.values())


def _has(there: Index, index: CreateIndex) -> bool:
    if there.method != index.method or not there.valid or (there.where is None) != (index.where is None):
        return False
    if there.where is not None and index.where is not None and there.where.tree != index.where.tree:
        return False
    same = [key.column for key in there.keys[: len(index.keys)]] == [key.column for key in index.keys]
    return same and set(index.include) <= {*there.include, *there.columns}


def _texts(keys: Iterable[IndexKey]) -> list[str]:
    return [key.column or (key.expression.sql.strip("()") if key.expression is not None else "") for key in keys]


def redundant(index: CreateIndex, table: Table) -> tuple[str, ...]:
    """Existing indexes that the new one makes superfluous: its first keys, no constraint, no predicate of their own."""
    if index.method != "btree" or index.where is not None:
        return ()
    found = []
    for one in table.indexes.values():
        plain = not one.unique and one.constraint is None and one.method == "btree" and one.where is None and not one.include
        if plain and len(one.keys) < len(index.keys) and _same_keys(one.keys, index.keys[: len(one.keys)]):
            found.append(one.name.name)
    return tuple(found)


def _same_keys(some: Sequence[IndexKey], others: Sequence[IndexKey]) -> bool:
    return all(
        one.column is not None and one.column == other.column and one.opclass == other.opclass and one.descending == other.descending
        for one, other in zip(some, others, strict=True)
    )

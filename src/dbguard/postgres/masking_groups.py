"""Which columns hold the same things: those that foreign keys, inheritance or common values tie together share their tokens.

The planner compares the statistics of the two sides of a join value by value, so equal values have to stay equal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from psycopg import Connection

Item = TypeVar("Item", bound=Hashable)
Column = tuple[int, int]  # OID of the relation, number of the column

_FOREIGN_KEYS = """
SELECT k.conrelid, k.confrelid, k.conkey, k.confkey FROM pg_catalog.pg_constraint k WHERE k.contype = 'f'"""
_INHERITED = """
SELECT h.inhrelid, c.attnum, h.inhparent, p.attnum FROM pg_catalog.pg_inherits h
JOIN pg_catalog.pg_attribute p ON p.attrelid = h.inhparent AND p.attnum > 0 AND NOT p.attisdropped
JOIN pg_catalog.pg_class r ON r.oid = h.inhrelid
JOIN pg_catalog.pg_attribute c ON c.attrelid = h.inhrelid AND NOT c.attisdropped
     AND CASE WHEN r.relkind IN ('i', 'I') THEN c.attnum = p.attnum ELSE c.attname = p.attname END"""
_DERIVED = """
SELECT d.objid, x.attnum, d.refobjid, d.refobjsubid FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_index i ON i.indexrelid = d.objid AND i.indexprs IS NOT NULL
JOIN pg_catalog.pg_attribute x ON x.attrelid = d.objid AND i.indkey[x.attnum - 1] = 0
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0
UNION ALL
SELECT f.adrelid, f.adnum, d.refobjid, d.refobjsubid FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid JOIN pg_catalog.pg_attribute g ON g.attrelid = f.adrelid AND g.attnum = f.adnum
WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0
  AND g.attgenerated <> '' AND d.refobjsubid <> f.adnum"""


def read_ties(connection: Connection[Any]) -> list[tuple[Column, Column]]:
    """Pairs of columns with the same values: both ends of foreign keys, and columns of parents and their children."""
    ties = [
        ((child, column), (parent, referenced))
        for child, parent, columns, others in connection.execute(_FOREIGN_KEYS)
        for column, referenced in zip(columns, others, strict=False)
    ]
    return ties + [((child, column), (parent, other)) for child, column, parent, other in connection.execute(_INHERITED)]


def read_derived(connection: Connection[Any]) -> list[tuple[Column, Column]]:
    """Pairs of a column that is computed (of an index on an expression, or generated) and one that it is computed from."""
    return [((relation, column), (other, source)) for relation, column, other, source in connection.execute(_DERIVED)]


def alike(values: Mapping[Item, frozenset[str]]) -> Iterable[tuple[Item, Item]]:
    """Pairs that share at least half of the most common values of the one that has fewer."""
    by_value: dict[str, list[Item]] = defaultdict(list)
    for item, common in values.items():
        for value in common:
            by_value[value].append(item)
    shared: dict[tuple[Item, Item], int] = defaultdict(int)
    for items in by_value.values():
        first = items[0]  # who shares a value with many shares it with their first, too: pairs stay few
        for item in items[1:]:
            shared[first, item] += 1
    return (pair for pair, count in shared.items() if 2 * count >= min(len(values[pair[0]]), len(values[pair[1]])))


def grouped(items: Iterable[Item], ties: Iterable[tuple[Item, Item]]) -> list[list[Item]]:
    """`items` in groups that the ties join; ties to others than `items` join, too."""
    parent: dict[Item, Item] = {}

    def root(item: Item) -> Item:
        while (above := parent.get(item, item)) != item:
            parent[item] = parent.get(above, above)
            item = above
        return item

    for one, other in ties:
        parent[root(one)] = root(other)
    groups: dict[Item, list[Item]] = defaultdict(list)
    for item in items:
        groups[root(item)].append(item)
    return list(groups.values())


def spread(marked: Iterable[Item], ties: Iterable[tuple[Item, Item]]) -> set[Item]:
    """Everything that ties, taken in both directions, lead to from what is marked."""
    neighbours: dict[Item, list[Item]] = defaultdict(list)
    for one, other in ties:
        neighbours[one].append(other)
        neighbours[other].append(one)
    reached = set(marked)
    waiting = list(reached)
    while waiting:
        for item in neighbours[waiting.pop()]:
            if item not in reached:
                reached.add(item)
                waiting.append(item)
    return reached

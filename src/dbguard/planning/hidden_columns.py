"""Columns whose values a snapshot does not hold, and what literals on them decide besides a number of rows.

In: a snapshot and its schema. Out: `Hidden`, and questions about tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbguard.model import arrays
from dbguard.model.expression import Expression, Tree, walk
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.model.schema import Schema, Table
from dbguard.model.snapshot import Snapshot
from dbguard.queries.implication import plain

Column = tuple[Name, str]
Key = tuple[Name, Tree]
"""A table, and a column or an expression of an index as the schema has it."""


class Hidden(Record):
    """What a snapshot does not tell, and the schemas that queries run on."""

    schema: Schema
    columns: frozenset[Column] = frozenset()  # of which it has no values, or tokens
    expressions: frozenset[Key] = frozenset()  # of indexes, in the same way
    even: frozenset[Key] = frozenset()  # columns and expressions of which no value is more common than the others: equality is known
    masked: bool = True  # whether there are tokens
    c_collation: bool = False  # whether the database sorts by bytes
    later: Schema = Schema()  # as pending migrations leave it: its partial indexes count as well


def hidden_in(snapshot: Snapshot, schema: Schema, later: Schema | None = None) -> Hidden | None:
    """What is hidden in a snapshot whose schema is `schema`; None if nothing is."""
    rows = [one for one in snapshot.columns if one.masked or snapshot.values == "none"]
    if not rows:
        return None
    keys = {key for one in rows for key in _keys_in(schema, one.relation, one.column)}
    uneven = {
        key for one in rows if one.most_common_vals or not (one.masked and one.histogram_bounds) for key in _keys_in(schema, one.relation, one.column)
    }
    columns = frozenset((table, tree[1]) for table, tree in keys if tree[0] == "column")
    expressions = frozenset(key for key in keys if key[1][0] != "column")
    by_bytes = dict(snapshot.locale).get("collate", "") in {"C", "POSIX"}
    return Hidden(schema, columns, expressions, frozenset(keys - uneven), snapshot.values != "none", by_bytes, later or Schema())


def _keys_in(schema: Schema, relation: Name, column: str) -> Iterator[Key]:
    """What a row of statistics is about. The planner asks the parts of a table, where the whole is not analyzed."""
    index = schema.find_index(relation)
    if index is not None:
        yield from ((index.table, plain(key.expression.tree)) for key in index.keys if key.expression is not None)
    table = schema.tables.get(relation)
    for _ in range(20):
        if table is None:
            break
        yield table.name, ("column", column)
        table = schema.tables.get(table.parent or next(iter(table.inherits), relation)) if table.parent or table.inherits else None


def tree_of(key: IndexKey) -> Tree:
    """What an index is on, as `Key` has it."""
    return ("column", key.column) if key.expression is None else plain(key.expression.tree)


def words_of(hidden: Hidden, relation: Name) -> frozenset[str]:
    """Constants in the definition of a table: a snapshot keeps such words, and plans may depend on them."""
    schema = hidden.schema
    found: set[str] = set()
    for table in (schema.table(relation), *schema.descendants(relation), hidden.later.table(relation)):
        for tree in _definitions(table, schema):
            for node in walk(tree):
                if node[0] in {"const", "number"}:
                    found.update((str(node[1]), *elements(str(node[1]))))
    return frozenset(found)


def partition_keys(schema: Schema, relation: Name) -> frozenset[str]:
    """Columns that decide to which part of a table, or of one of its parts, a row belongs."""
    return frozenset(column for table in (schema.table(relation), *schema.descendants(relation)) for column in _keys_of(table))


def _keys_of(table: Table) -> set[str]:
    keys = table.partition_by.keys if table.partition_by is not None else ()
    return {key.column for key in keys if key.column} | {column for key in keys if key.expression for column in key.expression.columns}


def _definitions(table: Table, schema: Schema) -> Iterable[Tree]:
    """Expressions in which a table's definition names values, those of its domains included."""
    expressions: list[Expression | None] = [one.expression for one in table.constraints.values()]
    for column in table.columns.values():
        expressions.append(column.default)
        domain = schema.types.get(column.type.name)
        if domain is not None and domain.kind == "domain":
            expressions += [domain.default, *(one.expression for one in domain.constraints.values())]
    for index in table.indexes.values():
        expressions += [index.where, *(key.expression for key in index.keys)]
    yield from (one.tree for one in expressions if one is not None)
    if table.bound is not None:
        yield from (*table.bound.lower, *table.bound.upper, *table.bound.values)


def elements(value: str) -> list[str]:
    """Of an array in text form; none of other text."""
    if not value.startswith("{"):
        return []
    try:
        return [element for element in arrays.parse(value) if element is not None]
    except ValueError:
        return []

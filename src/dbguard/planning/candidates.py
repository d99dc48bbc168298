"""Indexes that a query might use: from its conditions, order and output. Whether one helps is for a server to say.

In: a resolved query, the schema, statistics of columns. Out: `CreateIndex` values without names. More are made than are good: equality
columns with an order or a range after them, each alone, partial, covering and on expressions; GIN for JSON, arrays and trigrams; BRIN.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dbguard.model.expression import Expression, Tree, walk
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name, quote
from dbguard.model.operations.indexes import CreateIndex
from dbguard.model.query import Clause, Query
from dbguard.model.query_questions import shown
from dbguard.model.record import Record
from dbguard.model.schema import Table
from dbguard.model.state import State
from dbguard.planning.existing_indexes import exists
from dbguard.queries.clauses import clauses_of
from dbguard.queries.regions import Region, regions

MOST_KEYS = 4
MOST_INCLUDED = 3
MOST_PER_TABLE = 40  # of one query
FEW_VALUES = 20  # of a column, so that one of them is worth an index of its own: a status, not a tenant
SELECTIVE = 0.25  # share of rows that a partial index has at most
CORRELATED = 0.9
APPEND_ONLY = 10_000_000.0  # rows from which a block range index is tried
_NO_BTREE = frozenset({"json", "jsonb", "xml", "point", "polygon", "box", "circle", "line", "path", "lseg", "tsvector"})


class Facts(Record):
    """What statistics say of a column."""

    distinct: float = 0.0  # values; 0.0: not known
    common: Mapping[str, float] = {}  # value as text: share of rows
    nulls: float = 0.0
    correlation: float = 0.0
    width: int = 8


class About(Record):
    """What is known besides the query."""

    state: State
    facts: Mapping[tuple[Name, str], Facts] = {}
    rows: Mapping[Name, float] = {}
    extensions: Mapping[str, str] = {}  # name: schema


def candidates(query: Query, about: About) -> tuple[CreateIndex, ...]:
    """Indexes for each table of the query, none that exists already."""
    if query.unread or not query.blocks:
        return ()
    found: dict[tuple[object, ...], CreateIndex] = {}
    for region in regions(query):
        clauses = clauses_of(query, region)
        for number in region.sources:
            source = query.sources[number]
            table = about.state.schema.tables.get(source.table) if source.table is not None and source.kind == "table" else None
            if table is None or not table.known or table.kind not in {"table", "partitioned table", "materialized view"}:
                continue
            of_table = list(_of_table(query, region, table, clauses[number], about))[:MOST_PER_TABLE]
            for made in (*of_table, *_of_beginnings(query, region, number, table, about)):
                key = identity(made)
                if key not in found and not exists(made, table):
                    found[key] = made
    return tuple(found.values())


def identity(index: CreateIndex) -> tuple[object, ...]:
    """Equal for indexes that are the same but for their names."""
    keys = tuple([(key.column, key.expression.sql if key.expression else None, key.descending, key.opclass) for key in index.keys])
    return index.table.name, index.table.schema, index.method, keys, index.include, index.where.sql if index.where else None


class _Columns:
    """The plain columns that conditions of one table are on, by kind of condition."""

    def __init__(self, clauses: Sequence[Clause], table: Table, about: About) -> None:
        self.table, self.about = table, about
        self.equal = self._ordered(one for one in clauses if one.kind in {"equal", "truth"} and not one.needs)
        self.joined = self._ordered(one for one in clauses if one.kind == "equal" and one.needs)
        self.listed = self._ordered(one for one in clauses if one.kind == "in")
        self.ranged = self._ordered(one for one in clauses if one.kind in {"range", "prefix"} and not one.spoiled)

    def _ordered(self, clauses: Iterable[Clause]) -> list[str]:
        """Columns with many values first: they leave the fewest rows."""
        names: dict[str, None] = {}
        for one in clauses:
            if one.key[0] == "column" and not one.spoiled and is_sortable(self.table, one.key[1]):
                names[one.key[1]] = None
        return sorted(names, key=lambda name: -self.about.facts.get((self.table.name, name), Facts()).distinct)


def _of_table(query: Query, region: Region, table: Table, clauses: Sequence[Clause], about: About) -> Iterator[CreateIndex]:
    columns = _Columns(clauses, table, about)
    order = _order(query, region, table) or _groups(query, region, table)
    shapes = dict.fromkeys(tuple(keys[:MOST_KEYS]) for keys in _key_lists(columns, order) if keys)
    wheres = list(_predicates(clauses, table, about))
    output = _output(query, region, table)
    for keys in shapes:
        yield _index(table, keys, about)
    for keys in list(shapes)[:6]:
        names = {key.column for key in keys}
        extra = tuple(name for name in output if name not in names) if output is not None else ()
        if extra and len(extra) <= MOST_INCLUDED:
            yield _index(table, keys, about, include=extra)
        for where in wheres:
            kept = tuple(key for key in keys if key.column not in where.columns)
            if kept:
                yield _index(table, kept, about, where=where)
    yield from _of_expressions(table, clauses, columns, order, about)
    yield from _of_other_methods(table, clauses, about)


def _key_lists(columns: _Columns, order: Sequence[IndexKey]) -> Iterator[list[IndexKey]]:
    equal, joined, listed, ranged = columns.equal, columns.joined, columns.listed, columns.ranged
    bases = [equal, [*equal, *_new(listed, equal)], [*joined, *_new(equal, joined)], [*equal, *_new(joined, equal)]]
    for base in bases:
        keys = _keys(base)
        yield keys
        after = [key for key in order if key.column not in base]
        if after:
            yield [*keys, *after]
        for name in _new(ranged, base):
            yield [*keys, IndexKey(name)]
            if after:
                yield [*keys, *after, IndexKey(name)]
    for name in dict.fromkeys((*equal, *joined, *listed, *ranged)):
        yield [IndexKey(name)]
    together = list(dict.fromkeys((*equal, *joined, *listed, *ranged)))
    for first in together[:6]:
        for second in together[:6]:
            if first != second:
                yield [IndexKey(first), IndexKey(second)]
    yield list(order)


def _keys(names: Iterable[str]) -> list[IndexKey]:
    return [IndexKey(name) for name in names]


def _new(names: Iterable[str], known: Iterable[str]) -> list[str]:
    there = set(known)
    return [name for name in names if name not in there]


def is_sortable(table: Table, name: str) -> bool:
    """Whether a btree can have the column."""
    column = table.columns.get(name)
    return column is not None and not column.type.array and column.type.builtin not in _NO_BTREE


def _order(query: Query, region: Region, table: Table) -> list[IndexKey]:
    """The order wanted, if it is by plain columns of this table alone; all descending is ascending read backwards."""
    keys = []
    for tree, descending, nulls_first in region.order:
        if tree[0] != "at" or query.sources[tree[1]].table != table.name or not is_sortable(table, tree[2]):
            return []
        keys.append((query.sources[tree[1]].renamed.get(tree[2], tree[2]), descending, nulls_first))
    if all(descending and nulls_first for _, descending, nulls_first in keys):
        return [IndexKey(name) for name, _, _ in keys]
    return [IndexKey(name, descending=down, nulls_first=None if first == down else first) for name, down, first in keys]


def _groups(query: Query, region: Region, table: Table) -> list[IndexKey]:
    """The columns that rows are grouped by, if they are plain ones of this table alone: groups come in the order of an index."""
    trees = [tree for number in region.blocks for tree in query.blocks[number].group]
    if any(tree[0] != "at" or query.sources[tree[1]].table != table.name or not is_sortable(table, tree[2]) for tree in trees):
        return []
    return _keys(dict.fromkeys(query.sources[tree[1]].renamed.get(tree[2], tree[2]) for tree in trees))


def _output(query: Query, region: Region, table: Table) -> tuple[str, ...] | None:
    """All columns of the table that the query mentions; None if it is not known which."""
    blocks = [query.blocks[number] for number in region.blocks]
    if any(block.star for block in blocks) or any(block.command != "select" for block in blocks):
        return None
    numbers = {number for number in region.sources if query.sources[number].table == table.name}
    names: dict[str, None] = {}
    for block in blocks:
        trees = [output.tree for output in block.outputs]
        trees += [*block.group, *(one.tree for one in block.order), *(one.tree for one in block.conditions), *block.trees]
        trees += [block.having] if block.having is not None else []
        for tree in trees:
            for node in walk(tree):
                if node[0] == "row of" and node[1] in numbers:
                    return None
                if node[0] == "at" and node[1] in numbers:
                    names[query.sources[node[1]].renamed.get(node[2], node[2])] = None
    return tuple(name for name in names if name in table.columns)


def _predicates(clauses: Sequence[Clause], table: Table, about: About) -> Iterator[Expression]:
    """Conditions with constants that leave few rows: `deleted_at IS NULL`, `status = 'pending'`."""
    for clause in clauses:
        if clause.key[0] != "column" or clause.needs:
            continue
        name, facts = clause.key[1], about.facts.get((table.name, clause.key[1]))
        column = quote(name)
        if clause.kind == "null" and (facts is None or facts.nulls <= SELECTIVE or facts.nulls >= 0.5):
            yield Expression(f"{column} IS NULL", ("is_null", clause.key))
        elif clause.kind == "truth":
            tree = clause.key if clause.value[1] else ("not", clause.key)
            yield Expression(column if clause.value[1] else f"NOT {column}", tree)
        elif facts is None or not 0 < facts.distinct <= FEW_VALUES:
            continue
        elif clause.kind == "equal" and clause.value[0] == "const":
            value = str(clause.value[1])
            rest = max(1.0 - sum(facts.common.values()), 0.0)
            if facts.common.get(value, rest) <= SELECTIVE:
                yield Expression(f"{column} = {shown(clause.value)}", ("op", "=", clause.key, clause.value))
        elif clause.kind == "in" and clause.value[0] == "array" and all(one[0] == "const" for one in clause.value[1:]):
            share = sum(facts.common.get(str(one[1]), 0.0) for one in clause.value[1:])
            if share <= 2 * SELECTIVE:
                yield Expression(f"{column} IN ({', '.join(map(shown, clause.value[1:]))})", ("in", clause.key, *clause.value[1:]))


def _of_expressions(table: Table, clauses: Sequence[Clause], columns: _Columns, order: Sequence[IndexKey], about: About) -> Iterator[CreateIndex]:
    for clause in clauses:
        if clause.kind == "prefix" and clause.key[0] == "call" and not clause.needs and "..." not in shown(clause.key):
            pattern = Name(None, "text_pattern_ops")
            yield _index(table, (IndexKey(None, Expression(shown(clause.key), clause.key), opclass=pattern, name=_called(clause.key)),), about)
        if clause.kind not in {"equal", "in", "range"} or clause.spoiled not in {"function", "json", "arithmetic", "cast"} or clause.needs:
            continue
        text = shown(clause.key)
        if "..." in text or not any(node[0] == "column" for node in walk(clause.key)):
            continue
        key = IndexKey(None, Expression(text, clause.key), name=_called(clause.key))
        yield _index(table, (key,), about)
        if order:
            yield _index(table, (key, *order), about)
        if columns.equal:
            yield _index(table, (*_keys(columns.equal), key), about)


def _called(tree: Tree) -> str:
    """What PostgreSQL calls the column of an index on an expression (FigureIndexColname in parse_target.c)."""
    return str(tree[1].name) if tree[0] == "call" else "coalesce" if tree[0] == "coalesce" else "expr"


def _of_other_methods(table: Table, clauses: Sequence[Clause], about: About) -> Iterator[CreateIndex]:
    for clause in clauses:
        if clause.key[0] != "column" or clause.key[1] not in table.columns:
            continue
        name, kind = clause.key[1], table.columns[clause.key[1]].type
        if clause.kind in {"contains", "array"} and kind.builtin == "jsonb":
            paths = clause.operator in {"@>", "@?", "@@"}
            yield _index(table, (IndexKey(name, opclass=Name(None, "jsonb_path_ops") if paths else None),), about, method="gin")
        elif clause.kind in {"contains", "array"} and (kind.array or kind.builtin == "tsvector"):
            yield _index(table, (IndexKey(name),), about, method="gin")
        elif clause.kind == "contains" and (kind.builtin or "").endswith(("range", "point", "box", "circle", "polygon")):
            yield _index(table, (IndexKey(name),), about, method="gist")
        elif clause.kind in {"like", "prefix"} and (kind.builtin in {"text", "varchar"}):
            if clause.kind == "prefix":
                yield _index(table, (IndexKey(name, opclass=Name(None, "text_pattern_ops")),), about)
            if "pg_trgm" in about.extensions:
                schema = about.extensions["pg_trgm"]
                yield _index(table, (IndexKey(name, opclass=Name(None if schema == "public" else schema, "gin_trgm_ops")),), about, method="gin")
        facts = about.facts.get((table.name, name))
        follows = facts is not None and abs(facts.correlation) >= CORRELATED
        if clause.kind == "range" and follows and about.rows.get(table.name, 0.0) >= APPEND_ONLY:
            yield _index(table, (IndexKey(name),), about, method="brin")


def _of_beginnings(query: Query, region: Region, number: int, table: Table, about: About) -> Iterator[CreateIndex]:
    """For `name ^@ 'ab'` and starts_with(): SP-GiST knows the operator, a btree in the order of bytes does since PostgreSQL 15."""
    for condition in region.conditions:
        match condition.tree:
            case ("op", "^@", ("at", source, str(column)), _):
                pass
            case ("call", Name(_, "starts_with"), ("at", source, str(column)), _):
                pass
            case _:
                continue
        name = query.sources[number].renamed.get(column, column)
        if source != number or name not in table.columns or table.columns[name].type.builtin not in {"text", "varchar"}:
            continue
        yield _index(table, (IndexKey(name, opclass=Name(None, "text_pattern_ops")),), about)
        yield _index(table, (IndexKey(name),), about, method="spgist")


def _index(
    table: Table, keys: tuple[IndexKey, ...], about: About, *, method: str = "btree", include: tuple[str, ...] = (), where: Expression | None = None
) -> CreateIndex:
    short = Name(None, table.name.name)
    name = short if about.state.resolve(short) == table.name else table.name
    return CreateIndex(table=name, keys=keys, method=method, include=include, where=where, concurrently=table.kind != "partitioned table")

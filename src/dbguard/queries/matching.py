"""Which clauses an index serves: equality on its first keys, then a range or an order; operator classes, collations and predicates."""

from __future__ import annotations

from collections.abc import Sequence

from dbguard.model.expression import Tree
from dbguard.model.keys import IndexKey
from dbguard.model.query import Clause, Use
from dbguard.model.record import Record
from dbguard.model.schema import Index, Table
from dbguard.queries.implication import implies, plain

EQUALITIES = frozenset({"equal", "in", "truth", "null"})
_TRIGRAMS = frozenset({"gin_trgm_ops", "gist_trgm_ops"})
_PATTERNS = frozenset({"text_pattern_ops", "varchar_pattern_ops", "bpchar_pattern_ops"})
_JSON_PATHS = frozenset({"@>", "@?", "@@"})
_SEARCHES = frozenset({"%", "<%", "%>"})


class Wanted(Record):
    """What a table is asked: clauses whose values are there, all of its conditions, the order wanted, whether C is its collation."""

    clauses: Sequence[Clause]
    conditions: Sequence[Tree]  # in the names of the table
    order: Sequence[tuple[Tree, bool, bool]] = ()
    c_collation: bool = False


def use(index: Index, table: Table, wanted: Wanted) -> Use | None:
    """How the index serves the table; None if it does not."""
    if not index.valid or (index.where is not None and not implies(wanted.conditions, index.where.tree, table.columns)):
        return None
    match index.method:
        case "btree":
            return _btree(index, table, wanted)
        case "hash":
            clause = _equality(index.keys[0], wanted, table, kinds=frozenset({"equal", "in"}))
            return None if clause is None else Use(index, 1, clauses=(clause,))
        case "brin":
            found = [one for key in index.keys for one in wanted.clauses if _is_key(key, one, table) and one.kind in EQUALITIES | {"range"}]
            return Use(index, clauses=tuple(found)) if found else None
    return _inverted(index, wanted)


def _btree(index: Index, table: Table, wanted: Wanted) -> Use | None:
    equal: list[Clause] = []
    ranged: Clause | None = None
    keys = index.keys
    for key in keys:
        clause = _equality(key, wanted, table)
        if clause is None:
            ranged = next((one for one in wanted.clauses if one.kind in {"range", "prefix"} and _serves_range(key, one, table, wanted)), None)
            break
        equal.append(clause)
    position = len(equal)
    bound = [*equal, ranged] if ranged is not None else equal
    ordered = bool(wanted.order) and _is_ordered(keys, position, equal, wanted)
    if bound or ordered:
        partial = index.where is not None and not bound
        return Use(index, position, ranged is not None, sorted=ordered, first=bool(bound) or ordered or partial, clauses=tuple(bound))
    if index.where is not None and _narrows(index, table):
        return Use(index, clauses=())
    later = [one for key in keys[1:] for one in wanted.clauses if one.kind in EQUALITIES | {"range"} and _is_key(key, one, table)]
    return Use(index, first=False, clauses=tuple(later)) if later else None


def _narrows(index: Index, table: Table) -> bool:
    """Whether the predicate of a partial index picks rows by itself, as that of a queue does; what is not deleted is most of a table."""
    assert index.where is not None
    wanted = plain(index.where.tree)
    parts = wanted[1:] if wanted[0] == "and" else (wanted,)
    picking = [part for part in parts if part[0] not in {"is_null", "not", "truth"} and not implies((), part, table.columns)]
    return bool(picking)


def _equality(key: IndexKey, wanted: Wanted, table: Table, kinds: frozenset[str] = EQUALITIES) -> Clause | None:
    found = [one for one in wanted.clauses if one.kind in kinds and _is_key(key, one, table)]
    return min(found, key=lambda one: ("equal", "truth", "in", "null").index(one.kind)) if found else None


def _serves_range(key: IndexKey, clause: Clause, table: Table, wanted: Wanted) -> bool:
    if not _is_key(key, clause, table):
        return False
    opclass = key.opclass.name if key.opclass is not None else ""
    if clause.kind == "prefix":
        return opclass in _PATTERNS or wanted.c_collation or (key.collation is not None and key.collation.name in {"C", "POSIX"})
    return opclass not in _PATTERNS


def _is_key(key: IndexKey, clause: Clause, table: Table) -> bool:
    """Whether the clause is about this key, with operators and a collation that the index knows."""
    if clause.spoiled == "type":
        return False
    if key.column is not None:
        if clause.key != ("column", key.column) or clause.spoiled:
            return False
        column = table.columns.get(key.column)
        own = None if column is None else column.collation
        any_order = clause.kind in {"prefix", "null"} or clause.operator == "~~"
        return any_order or key.collation is None or key.collation == own or key.collation.name == "default"
    return key.expression is not None and plain(key.expression.tree) == plain(clause.key)


def _is_ordered(keys: Sequence[IndexKey], position: int, equal: Sequence[Clause], wanted: Wanted) -> bool:
    """Whether rows come in the order wanted: keys bound by one value each may be left out of it."""
    single = {clause.key for clause in wanted.clauses if clause.kind in {"equal", "truth"}}
    if any(clause.kind == "in" for clause in equal):
        return False
    rest = [one for one in wanted.order if one[0] not in single and one[0][0] not in {"const", "param", "null"}]
    following = keys[position:]
    if not rest:
        return True
    if len(rest) > len(following):
        return False
    flips = set()
    for (tree, descending, nulls_first), key in zip(rest, following, strict=False):
        own = ("column", key.column) if key.column is not None else key.expression.tree if key.expression is not None else ()
        if plain(own) != plain(tree):
            return False
        own_first = key.nulls_first if key.nulls_first is not None else key.descending
        flips.add((descending != key.descending, nulls_first != own_first))
    return flips <= {(False, False)} or flips <= {(True, True)} or _without_nulls(flips)


def _without_nulls(flips: set[tuple[bool, bool]]) -> bool:
    """Directions agree and only the place of nulls differs: another index would be needed, for a difference that is rarely meant."""
    return len({direction for direction, _ in flips}) == 1


def _inverted(index: Index, wanted: Wanted) -> Use | None:
    """GIN, GiST, SP-GiST and what extensions bring."""
    for key in index.keys:
        opclass = key.opclass.name if key.opclass is not None else ""
        for clause in wanted.clauses:
            if _is_inverted_key(key, clause) and _knows(index.method, opclass, clause):
                return Use(index, clauses=(clause,))
    return None


def _is_inverted_key(key: IndexKey, clause: Clause) -> bool:
    if clause.spoiled == "type":
        return False
    if key.column is not None:
        return plain(clause.key) == ("column", key.column)
    return key.expression is not None and plain(key.expression.tree) == plain(clause.key)


def _knows(method: str, opclass: str, clause: Clause) -> bool:
    if clause.kind in {"like", "prefix"}:
        return opclass in _TRIGRAMS
    if clause.operator in _SEARCHES:
        return opclass in _TRIGRAMS
    if clause.kind == "contains":
        return opclass not in _TRIGRAMS and (opclass != "jsonb_path_ops" or clause.operator in _JSON_PATHS)
    if clause.kind == "range":
        return method == "gist"
    return clause.kind in {"equal", "in"} and opclass != "jsonb_path_ops"  # pg_trgm knows equality since 1.6

"""Conditions of a region to clauses: what each says about one table that an index could use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbguard.model.expression import Tree, walk
from dbguard.model.query import Clause, Condition, Query, Source
from dbguard.model.types import DataType
from dbguard.queries.regions import Region
from dbguard.queries.types import type_of

_MIRROR = {"=": "=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_RANGES = frozenset({"<", ">", "<=", ">="})
CONTAINS = frozenset({"@>", "<@", "?", "?|", "?&", "@?", "@@", "&&", "-|-", "<->", "%", "<%", "%>"})
_LIKES = {"~~": "like", "~~*": "like", "~": "like", "~*": "like"}
_TEXTS = frozenset({"text", "varchar"})
_INTEGERS = frozenset({"int2", "int4", "int8"})
_FLOATS = frozenset({"float4", "float8"})
_NEVER_KEY = frozenset({"null", "const", "number", "param"})


def clauses_of(query: Query, region: Region) -> dict[int, list[Clause]]:
    """Clauses by source, equalities that follow from others included (equivclass.c)."""
    found: dict[int, list[Clause]] = {number: [] for number in region.sources}
    for condition in (*region.conditions, *_derived(region)):
        if condition.full:
            continue
        for clause in clauses(query, condition, region):
            if clause.source in found and (not condition.side or clause.source in condition.side):
                found[clause.source].append(clause)
    return found


def clauses(query: Query, condition: Condition, region: Region) -> Iterator[Clause]:
    """What one condition says about each table it mentions."""
    for clause in _read(query, condition.tree, region):
        yield clause._replace(condition=condition.tree)


def _read(query: Query, tree: Tree, region: Region) -> Iterator[Clause]:
    match tree:
        case ("op", str(symbol), left, right) if symbol in _MIRROR:
            yield from _comparison(query, symbol, left, right, region)
        case ("op", "= ANY", left, right):
            if right[0] == "array":
                yield from _one_side(query, ("in", "="), left, right, region)
            elif _sources(right) & set(region.sources) and not _is_list_of_other(query, right, left):
                yield from _one_side(query, ("array", "= ANY"), right, left, region)
            else:
                yield from _one_side(query, ("in", "="), left, right, region)
        case ("in", left, *values):
            yield from _in_list(query, left, values, region)
        case ("between", low, high):
            yield from _one_side(query, ("range", "between"), low[2], ("row", low[3], high[3]), region)
        case ("op", str(symbol), left, right) if symbol in _LIKES:
            yield from _one_side(query, (_like(symbol, right), symbol), left, right, region)
        case ("op", str(symbol), left, right) if symbol in CONTAINS:
            yield from _one_side(query, ("contains", symbol), left, right, region)
            yield from _one_side(query, ("contains", symbol), right, left, region)
        case ("query", "any", "=", test, _):
            for part in test[1:] if test[0] == "row" else (test,):
                for clause in _one_side(query, ("in", "="), part, tree, region):
                    yield clause._replace(parameter=False)
        case ("is_null", inner):
            yield from _one_side(query, ("null", "is null"), inner, ("null",), region)
        case ("is_not_null", inner):
            yield from _one_side(query, ("not null", "is not null"), inner, ("null",), region)
        case ("at", _, _):
            yield from _one_side(query, ("truth", "="), tree, ("const", True), region)
        case ("not", ("at", _, _) as inner):
            yield from _one_side(query, ("truth", "="), inner, ("const", False), region)
        case ("truth", "is_true" | "is_false" as word, ("at", _, _) as inner):
            yield from _one_side(query, ("truth", "="), inner, ("const", word == "is_true"), region)


def _comparison(query: Query, symbol: str, left: Tree, right: Tree, region: Region) -> Iterator[Clause]:
    if left[0] == right[0] == "row" and len(left) == len(right):
        if symbol == "=":
            for one, other in zip(left[1:], right[1:], strict=True):
                yield from _comparison(query, "=", one, other, region)
            return
        for clause in _one_side(query, ("range", symbol), left[1], right, region):
            yield clause._replace(names=tuple([_key(part, query.sources[clause.source])[0] for part in left[1:]]))
        return
    kind = "equal" if symbol == "=" else "range"
    yield from _one_side(query, (kind, symbol), left, right, region)
    yield from _one_side(query, (kind, _MIRROR[symbol]), right, left, region)


def _in_list(query: Query, left: Tree, values: list[Tree], region: Region) -> Iterator[Clause]:
    if left[0] != "row":
        yield from _one_side(query, ("in", "="), left, ("array", *values), region)
        return
    for position, part in enumerate(left[1:], 1):
        if all(value[0] == "row" and len(value) == len(left) for value in values):
            yield from _one_side(query, ("in", "="), part, ("array", *[value[position] for value in values]), region)


def _is_list_of_other(query: Query, right: Tree, left: Tree) -> bool:
    """`t.id = ANY (other.ids)`: an array that another table brings."""
    mine = _sources(left)
    return bool(mine) and not (mine & _sources(right)) and all(query.sources[number].kind == "table" for number in mine)


def _like(symbol: str, pattern: Tree) -> str:
    if symbol == "~~" and pattern[0] == "const" and isinstance(pattern[1], str) and pattern[1][:1] not in {"%", "_", ""}:
        return "prefix" if pattern[1].endswith("%") or "%" in pattern[1] or "_" in pattern[1] else "equal"
    return "like"


def _one_side(query: Query, how: tuple[str, str], key: Tree, value: Tree, region: Region) -> Iterator[Clause]:
    kind, symbol = how
    numbers = _sources(key)
    if len(numbers) != 1 or key[0] in _NEVER_KEY:
        return
    number = next(iter(numbers))
    others = set() if value[0] == "query" else _sources(value)
    if number not in region.sources or number in others or any(node[0] in {"row of", "query"} for node in walk(key)):
        return
    source = query.sources[number]
    name, spoiled = _key(key, source)
    if not spoiled and kind in {"equal", "in", "range"}:
        spoiled = _forced_cast(type_of(key, lambda n, c: query.sources[n].columns.get(c)), _value_type(query, kind, symbol, value))
    yield Clause(
        number,
        kind,
        name,
        symbol,
        value,
        needs=frozenset(others & set(region.sources)),
        parameter=_is_given(value, others, region),
        spoiled=spoiled,
        joins=bool(others),
    )


def _is_given(value: Tree, others: set[int], region: Region) -> bool:
    """Whether the application gives the value: a parameter, or a value of the query around."""
    if others & set(region.sources):
        return False
    return bool(others) or any(node[0] in {"param", "query"} for node in walk(value))


def _value_type(query: Query, kind: str, symbol: str, value: Tree) -> DataType | None:
    parts = value[1:] if kind == "in" and value[0] == "array" else value[1:] if symbol == "between" or value[0] == "row" else (value,)
    for part in parts:
        found = type_of(part, lambda n, c: query.sources[n].columns.get(c))
        if found is not None:
            return found._replace(array=False) if kind == "in" and value[0] != "array" else found
    return None


def _forced_cast(column: DataType | None, value: DataType | None) -> str:
    """Whether PostgreSQL casts the column, not the value, because their types have no operator in common that the index knows."""
    if column is None or value is None or column.array != value.array:
        return ""
    mine, other = column.builtin, value.builtin
    if (mine in _INTEGERS and other in _FLOATS | {"numeric"}) or (mine == "numeric" and other in _FLOATS):
        return "type"
    if mine == "bpchar" and other in _TEXTS:
        return "type"
    if column.name.name == "citext" and other in _TEXTS:
        return "type"
    return ""


def _key(tree: Tree, source: Source) -> tuple[Tree, str]:
    """The key as an index would name it, and what keeps an index on the bare column from serving it."""
    plain = _named(tree, source)
    if plain[0] == "column":
        return plain, ""
    if plain[0] == "cast":
        return plain, "cast"
    if plain[0] == "op":
        return plain, "json" if plain[1] in {"->", "->>", "#>", "#>>"} else "arithmetic"
    return plain, "function"


def _named(tree: Tree, source: Source) -> Tree:
    """Columns by their names in the table; casts that change nothing left out."""
    match tree:
        case ("at", _, str(name)):
            return ("column", source.renamed.get(name, name))
        case ("cast", DataType() as to, ("at", _, str(name)) as inner) if _is_relabel(source.columns.get(name), to):
            return _named(inner, source)
    return tuple([_named(part, source) if type(part) is tuple and part and type(part[0]) is str else part for part in tree])


def _is_relabel(old: DataType | None, new: DataType) -> bool:
    if old is None or old.array != new.array:
        return False
    if old.name == new.name:
        return not new.modifiers or old.modifiers == new.modifiers
    return old.builtin == "varchar" and new.builtin == "text"


def _sources(tree: Tree) -> set[int]:
    return {node[1] for node in walk(tree) if node[0] in {"at", "row of"}}


def _derived(region: Region) -> Iterator[Condition]:
    """Equalities that follow: a = b and b = $1 give a = $1."""
    groups: list[set[Tree]] = []
    directed: list[tuple[Tree, Tree, frozenset[int]]] = []
    written: set[frozenset[Tree]] = set()
    for condition in region.conditions:
        tree = condition.tree
        for left, right in _equalities(tree):
            written.add(frozenset({left, right}))
            if condition.full:
                continue
            if condition.side:
                directed.append((left, right, condition.side))
            else:
                _join(groups, left, right)
    for group in groups:
        members = sorted(group, key=str)[:40]
        for index, one in enumerate(members):
            for other in members[index + 1 :]:
                if frozenset({one, other}) not in written and (_sources(one) or _sources(other)):
                    yield Condition(("op", "=", one, other))
    for left, right, side in directed:
        for one, other in ((left, right), (right, left)):
            for group in groups:
                if one in group and other not in group:
                    yield from (Condition(("op", "=", other, value), side) for value in group if value != one and not _sources(value) & side)


def _equalities(tree: Tree) -> Iterable[tuple[Tree, Tree]]:
    match tree:
        case ("op", "=", ("row", *left), ("row", *right)) if len(left) == len(right):
            return list(zip(left, right, strict=True))
        case ("op", "=", left, right):
            return [(left, right)]
    return []


def _join(groups: list[set[Tree]], left: Tree, right: Tree) -> None:
    touched = [group for group in groups if left in group or right in group]
    merged = {left, right}.union(*touched)
    groups[:] = [group for group in groups if group not in touched] + [merged]

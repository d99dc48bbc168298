"""Statistics of columns in a database that has grown: which values become more, and what that does to the statistics.

A key has as many values as its table has rows, and a column that refers to it has more values as that table grows. The values of all
other columns stay what they are: a tenfold shop has no more statuses, countries or months.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import exp, log

from dbguard.model.names import Name
from dbguard.model.schema import Schema, Table
from dbguard.model.snapshot import ColumnStatistics, ExtendedStatistics, Relation

_INTEGERS = re.compile(r"\{-?\d+(?:,-?\d+)*\}")
_SHARES = re.compile(r"\{(?:\d*\.?\d+(?:e-?\d{1,2})?)(?:,\d*\.?\d+(?:e-?\d{1,2})?)*\}")
_DISTINCT = re.compile(r'("-?\d+(?:, -?\d+)+"): ?(\d+)')
SAMPLE = 30_000  # rows that ANALYZE reads with default_statistics_target = 100
_MOST_HOPS = 20  # of foreign keys that refer to keys that refer


class Domains:
    """How many times as many values each column has afterwards."""

    def __init__(self, schema: Schema, factors: Mapping[Name, float]) -> None:
        self.factors = factors
        self._schema = schema
        self._by_name = _referred(schema)
        self._known: dict[tuple[Name, str], float] = {}

    def growth(self, table: Name, column: str) -> float:
        """1 for a column whose values are not those of a key that grows."""
        found = self._known.get((table, column))
        if found is None:
            found = self._known[table, column] = self._follow(table, column, _MOST_HOPS)
        return found

    def is_key(self, table: Name, column: str) -> bool:
        return self._refers(table, column) is not None or _identifies(self._family(table), column)

    def _follow(self, name: Name, column: str, hops: int) -> float:
        target = self._refers(name, column)
        if target is not None and hops > 0 and target != (name, column):
            return self._follow(*target, hops - 1)
        return self.factors.get(name, 1.0) if _identifies(self._family(name), column) else 1.0

    def _family(self, name: Name) -> list[Table]:
        """The table and what it is a part of: keys and references may stand at either."""
        table = self._schema.table(name)
        found = [table]
        while table.parent is not None and len(found) < _MOST_HOPS:
            table = self._schema.table(table.parent)
            found.append(table)
        return found

    def _refers(self, name: Name, column: str) -> tuple[Name, str] | None:
        """The column that this one refers to: declared, or declared for columns of the same name and type in other tables."""
        family = self._family(name)
        for table in family:
            for key in table.foreign_keys():
                if column in key.columns and key.references is not None:
                    target = _target(self._schema, key.references, key.referenced_columns, key.columns.index(column))
                    if target is not None:
                        return target
        known = family[0].columns.get(column)
        return self._by_name.get((column, str(known.type))) if known is not None else None


def _target(schema: Schema, name: Name, columns: tuple[str, ...], position: int) -> tuple[Name, str] | None:
    if not columns:
        key = schema.table(name).primary_key
        columns = key.columns if key is not None else ()
    return (name, columns[position]) if position < len(columns) else None


def _referred(schema: Schema) -> dict[tuple[str, str], tuple[Name, str]]:
    """What columns of a name and type refer to, where all that say so agree: a `tenant_id` without a foreign key is one all the same."""
    found: dict[tuple[str, str], set[tuple[Name, str]]] = {}
    for table in schema.tables.values():
        for key in table.foreign_keys():
            for position, column in enumerate(key.columns):
                known = table.columns.get(column)
                if known is not None and key.references is not None:
                    target = _target(schema, key.references, key.referenced_columns, position)
                    if target is not None:
                        found.setdefault((column, str(known.type)), set()).add(target)
    for (_, kind), targets in list(found.items()):  # and `order_id` is the key of `orders`
        for target in targets:
            name = target[0].name
            for stem in (name, name.removesuffix("s"), name.removesuffix("es"), name.removesuffix("ies") + "y"):
                found.setdefault((f"{stem}_id", kind), {target})
    return {place: next(iter(targets)) for place, targets in found.items() if len(targets) == 1}


def _identifies(family: list[Table], column: str) -> bool:
    """Whether the column is a key by itself, or the part of one that no foreign key explains and that counts rows (identity)."""
    for table in family:
        known = table.columns.get(column)
        if known is not None and known.identity:
            return True
        keys = [key.columns for key in table.constraints.values() if key.kind in {"primary key", "unique"}]
        keys += [index.columns for index in table.indexes.values() if index.unique and index.where is None and len(index.columns) == len(index.keys)]
        if (column,) in keys:
            return True
        bounds = {key.column for key in table.partition_by.keys} if table.partition_by is not None else set()
        if any(column in key and set(key) - {column} <= bounds for key in keys if len(key) > 1 and bounds):
            return column not in bounds  # PRIMARY KEY (id, at) of a table partitioned by `at`
    return False


def grow_column(column: ColumnStatistics, domains: Domains, tables: Mapping[Name, Relation]) -> ColumnStatistics:
    """Statistics of one column of a table that has grown; those of an index's expression stay."""
    relation = tables.get(column.relation)
    if relation is None:
        return column
    growth = domains.growth(column.relation, column.column)
    rows = domains.factors.get(column.relation, 1.0)
    if growth == 1 and not domains.is_key(column.relation, column.column):
        return column
    grown = column._replace(n_distinct=_distinct(column.n_distinct, growth, rows, relation.tuples))
    if growth == 1:
        return grown
    diluted = _diluted(grown, column, growth, relation.tuples)
    return diluted._replace(histogram_bounds=_stretched(diluted.histogram_bounds, column, growth))


def _distinct(n_distinct: float, growth: float, rows: float, tuples: float) -> float:
    """stadistinct: a count, or if negative, a share of the rows. Never more values than rows."""
    if n_distinct in {-1.0, 0.0} or tuples <= 0:
        return n_distinct
    now = n_distinct if n_distinct > 0 else -n_distinct * tuples
    then = now * growth * _seen(now * growth, tuples * rows) / _seen(now, tuples)
    if then >= tuples * rows:
        return -1.0
    return -then / (tuples * rows) if n_distinct < 0 else then


def _seen(distinct: float, rows: float) -> float:
    """The share of the values of a column that ANALYZE counts, if all are equally common: the estimator of Haas and Stokes on a sample of
    `SAMPLE` rows (`compute_scalar_stats`, analyze.c), which says less the more rows there are.
    """
    if rows <= SAMPLE or distinct < 1:
        return 1.0
    often = SAMPLE / distinct
    found = distinct * (1 - exp(-often))
    once = SAMPLE * exp(-often)
    return min(1.0, SAMPLE * found / (SAMPLE - once + once * SAMPLE / rows) / distinct)


def _stretched(bounds: str | None, column: ColumnStatistics, growth: float) -> str | None:
    """A histogram of whole numbers over `growth` times its range. Keys of other types keep theirs: it only shows how they spread."""
    if bounds is None or _INTEGERS.fullmatch(bounds) is None:
        return bounds
    values = [int(value) for value in bounds[1:-1].split(",")]
    least = min(values[0], *_common(column)) if _common(column) else values[0]
    return "{" + ",".join(str(least + round((value - least) * growth)) for value in values) + "}"


def _common(column: ColumnStatistics) -> list[int]:
    text = column.most_common_vals
    return [int(value) for value in text[1:-1].split(",")] if text is not None and _INTEGERS.fullmatch(text) else []


def _diluted(grown: ColumnStatistics, before: ColumnStatistics, growth: float, tuples: float) -> ColumnStatistics:
    """The most common values of a key among `growth` times as many.

    A value's share lies between what it was (the largest tenant grows with the business) and a `growth`th of that (a task gets no more comments
    because there are more tasks). Where between follows from how uneven they are now, see `_concentration`. Values that were common by chance,
    less than twice as often as the others, are let go.
    """
    if before.most_common_freqs is None or before.most_common_vals is None:
        return grown
    if _SHARES.fullmatch(before.most_common_freqs) is None:
        return grown
    shares = [float(share) for share in before.most_common_freqs[1:-1].split(",")]
    distinct = before.n_distinct if before.n_distinct > 0 else -before.n_distinct * max(tuples, 1.0)
    others = (1 - before.null_frac - sum(shares)) / (distinct - len(shares)) if distinct > len(shares) + 0.5 else 0.0
    kept = sum(share >= 2 * others for share in shares)
    rarer = growth ** _concentration(shares[:kept], distinct, 1 - before.null_frac) if growth > 1 else 1.0
    less = [share / rarer for share in shares[:kept]]
    histogram = before.histogram_bounds if before.histogram_bounds is not None else _range_of(before)
    if kept == 0:
        return grown._replace(most_common_vals=None, most_common_freqs=None, histogram_bounds=histogram)
    values = before.most_common_vals
    if kept < len(shares) and _INTEGERS.fullmatch(values) is None:
        return grown._replace(most_common_freqs=_array([*less, *(share / growth for share in shares[kept:])]))
    first = values if kept == len(shares) else "{" + ",".join(values[1:-1].split(",")[:kept]) + "}"
    return grown._replace(most_common_vals=first, most_common_freqs=_array(less), histogram_bounds=histogram)


def _concentration(shares: list[float], distinct: float, whole: float) -> float:
    """The exponent of a rank-size law: the most common part x of all values has x to this power of the rows. 0: one has them all; 1: all have alike.

    If large and small stay as unequal as they are while there are g times as many, a value's share falls by g to this power.
    """
    if not (2 <= distinct < 1e18 and whole > 0):
        return 0.5
    first = min(len(shares), int(distinct / 2))
    held = sum(shares[:first]) / whole
    if first < 1 or not 0 < held < 1:
        return 0.5
    return min(log(held) / log(first / distinct), 1.0)


def _range_of(column: ColumnStatistics) -> str | None:
    values = sorted(set(_common(column)))
    return "{" + ",".join(map(str, values)) + "}" if len(values) > 1 else None


def _array(shares: list[float]) -> str:
    return "{" + ",".join(f"{share:.8g}" for share in shares) + "}"


def grow_extended(one: ExtendedStatistics, domains: Domains, schema: Schema) -> ExtendedStatistics:
    """Combinations of columns grow with the column among them that grows most, up to one a row; degrees of dependency stay."""
    if one.n_distinct is None:
        return one
    names = list(schema.table(one.relation).columns)

    def grown(match: re.Match[str]) -> str:
        numbers = [int(number) for number in re.findall(r"-?\d+", match[1])]
        most = max([domains.growth(one.relation, names[number - 1]) for number in numbers if 0 < number <= len(names)], default=1.0)
        return f"{match[1]}: {round(int(match[2]) * most)}"

    return one._replace(n_distinct=_DISTINCT.sub(grown, one.n_distinct))

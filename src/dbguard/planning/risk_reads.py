"""How many rows and pages a scan touches: EXPLAIN tells the rows that are left, the cost tells those that were read.

A filter's victims are in no number of a plan but its cost, so `rows_for` turns `cost_index` and `genericcostestimate` (costsize.c, selfuncs.c)
round. Pages follow from Mackert and Lohman's formula, as the planner takes it, and from the correlation of a column with the order of rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil, isfinite, log, log2

from dbguard.model.record import Record
from dbguard.model.snapshot import Snapshot

INDEX_ROW = 0.0175  # cost of a row without its page: cpu_index_tuple_cost, one cpu_operator_cost, cpu_tuple_cost
OPERATOR = 0.0025  # cpu_operator_cost
_MOST = 1e15  # rows or pages
_FANOUT = 250.0  # entries of an inner page of a btree
_FIRST_COLUMN = re.compile(r"\(*(?:\w+\.)?(\w+)\)?(?:::[\w ]+)? (?:[<>=]|IS|~)")
_SEARCHES = re.compile(r" (?:!?~~?\*?|@>|<@|@@|@\?|&&|->>?|#>>?|\?[|&]?) |\w\"?\(")
_MEMORY = re.compile(r"\s*(\d{1,15})\s*(kB|MB|GB|TB)\s*")
_UNITS = {"kB": 1024.0, "MB": 1024.0**2, "GB": 1024.0**3, "TB": 1024.0**4}


class Index(Record):
    """`method` is btree, gin, brin, ..."""

    method: str = "btree"
    pages: float = 1.0


class Tables(Record):
    """What is known of tables, by the names that EXPLAIN (VERBOSE) gives them, and of their indexes, which it names without a schema."""

    sizes: Mapping[str, tuple[float, float]] = {}  # rows and pages
    correlations: Mapping[tuple[str, str], float] = {}  # of the order of a column's values with that of the rows
    indexes: Mapping[str, Index] = {}
    settings: Mapping[str, str] = {}

    def number(self, setting: str, default: float) -> float:
        try:
            value = float(self.settings.get(setting, default))
        except ValueError:
            return default
        return value if isfinite(value) else default

    def memory(self, setting: str, default: float) -> float:
        """Bytes."""
        match = _MEMORY.fullmatch(self.settings.get(setting, ""))
        return float(match[1]) * _UNITS[match[2]] if match is not None else default


def tables_of(snapshot: Snapshot) -> Tables:
    """Numbers that no PostgreSQL has are taken for the nearest that one may have."""
    stored = [one for one in snapshot.relations if one.kind in "rm"]
    ordered = [one for one in snapshot.columns if one.correlation is not None and isfinite(one.correlation)]
    return Tables(
        {f"{one.name.schema}.{one.name.name}": (_count(one.tuples), _count(one.pages)) for one in stored},
        {(f"{one.relation.schema}.{one.relation.name}", one.column): min(max(one.correlation or 0.0, -1.0), 1.0) for one in ordered},
        {one.name.name: Index(one.method, _count(one.pages)) for one in snapshot.relations if one.kind == "i"},
        dict(snapshot.settings),
    )


def _count(value: float) -> float:
    return float(min(max(value, 0), _MOST)) if value == value else 0.0  # noqa: PLR0124 - NaN alone is not itself


class Access(Record):
    """How an index leads to rows of a table."""

    rows: float  # of the table
    pages: float
    index_pages: float
    correlation: float
    runs: float = 1.0
    random_page: float = 4.0
    each: float = INDEX_ROW  # cost of a row without its page

    def index_cost(self, read: float) -> float:
        """Descent and leaves of one run that reads so many rows."""
        leaves = max(read / max(self.rows, 1.0) * self.index_pages, 1.0)
        pages = distinct_pages(leaves * self.runs, self.index_pages) / self.runs if self.runs > 1 else leaves
        levels = ceil(log(max(self.index_pages, 2.0), _FANOUT))
        return pages * self.random_page + OPERATOR * (ceil(log2(max(self.rows, 2.0))) + 50 * (levels + 1))

    def table_cost(self, read: float) -> float:
        """The pages of the table: between one after the other and each at random, as the correlation says."""
        together = max(read / max(self.rows, 1.0) * self.pages, 1.0)
        scattered = distinct_pages(read * self.runs, self.pages) / self.runs * self.random_page
        ordered = self.random_page + together - 1.0
        if self.runs > 1:
            ordered = distinct_pages(together * self.runs, self.pages) / self.runs * self.random_page
        return scattered + self.correlation**2 * (ordered - scattered)

    def rows_for(self, cost: float, *, table: bool = True) -> float:
        """The rows that one run of this cost reads; without `table`, from the index alone."""
        low, high = 0.0, max(self.rows, 1.0)
        for _ in range(40):
            middle = (low + high) / 2
            spent = self.index_cost(middle) + middle * self.each + (self.table_cost(middle) if table else 0.0)
            low, high = (middle, high) if spent < cost else (low, middle)
        return low

    def jumps(self, read: float) -> float:
        """Pages that are looked up for rows in the order of the index: the page at hand serves the next row if that is on it."""
        together = min(max(read / max(self.rows, 1.0) * self.pages, 1.0), read)
        return read + self.correlation**2 * (together - read)

    def pages_with(self, read: float) -> float:
        """Pages that hold so many rows: what a bitmap visits."""
        together = max(read / max(self.rows, 1.0) * self.pages, 1.0)
        scattered = distinct_pages(read, self.pages)
        return scattered + self.correlation**2 * (min(together, scattered) - scattered)

    def unseen(self, cost: float, read: float) -> float:
        """The part of the rows that an index-only scan of this cost looks up in the table, because their pages are not all-visible."""
        full = self.table_cost(read)
        return min(max((cost - self.index_cost(read) - read * self.each) / full, 0.0), 1.0) if full > 0 else 0.0


def distinct_pages(rows: float, pages: float) -> float:
    """Mackert and Lohman: pages that so many rows picked at random lie on, of a table that fits into memory (`index_pages_fetched`, costsize.c)."""
    return min(2 * pages * rows / (2 * pages + rows), pages) if pages > 0 and rows > 0 else 0.0


def first_column(condition: object) -> str:
    """The column that a condition as EXPLAIN prints it begins with."""
    match = _FIRST_COLUMN.match(str(condition)) if condition else None
    return match[1] if match is not None else ""


def conditions(text: object) -> int:
    return 1 + str(text).count(" AND ") + str(text).count(" OR ") if text else 0


def searches(text: object) -> int:
    """Functions, and operators that walk through a value: patterns, JSON, arrays. The planner rates them as `=`; they take many times as long."""
    return len(_SEARCHES.findall(str(text))) if text else 0

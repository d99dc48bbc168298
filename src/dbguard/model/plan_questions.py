"""Questions that several checks ask about a plan. Pure: no wording but that of names and amounts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.model.names import quote
from dbguard.model.plan import Measure, Node, PlanStep
from dbguard.model.quantities import count

SCANS = frozenset({"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Sample Scan", "Tid Scan", "Tid Range Scan", "Foreign Scan"})
JOINS = frozenset({"Nested Loop", "Hash Join", "Merge Join"})
LARGE = 10_000
"""Rows from which a table is large: they take about a millisecond to read, less than that nobody notices."""

NOTICED = 0.1
"""Share of a plan below which a node is not worth a word."""

DEFAULT_WORK_MEM = 4 * 1024 * 1024


def relation(node: Node) -> str:
    """The table that a node reads, as SQL, `public` left out."""
    schema, _, name = node.relation.rpartition(".")
    return quote(name) if schema in {"", "public"} else f"{quote(schema)}.{quote(name)}"


def partitioned(measure: Measure, step: PlanStep) -> str:
    """The table of which a scan reads one of several partitions, as SQL; "" if it reads none.

    Where the schema is not known, its alias: PostgreSQL calls the partitions of `orders` `orders_1`, `orders_2` and so on.
    """
    if not any(one.node.kind in {"Append", "Merge Append"} for one in step.above(measure)):
        return ""
    known = step.sizes.get(measure.node.relation)
    if known is not None and known.whole:
        return known.whole
    match = re.fullmatch(r"(.+)_\d+", measure.node.alias)
    return quote(match[1]) if match is not None and measure.node.alias != measure.node.relation.rpartition(".")[2] else ""


def scanned(measure: Measure) -> float | None:
    """Rows that an executed scan looked at in one run; None for an estimate, and for a scan that never ran."""
    node = measure.node
    if node.actual_rows is None or not node.loops or measure.removed is None:
        return None
    return node.actual_rows + measure.removed / node.loops


def fact(node: Node, key: str) -> float:
    """A number among the facts of a node; 0.0 if there is none."""
    value = node.facts.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def text(node: Node, key: str) -> str:
    value = node.facts.get(key)
    return value if isinstance(value, str) else ""


def memory(step: PlanStep) -> tuple[float, bool]:
    """Bytes of work_mem, and whether that is known: PostgreSQL's default is taken otherwise."""
    value = step.settings.get("work_mem", "")
    match = re.fullmatch(r"\s*(\d{1,15})\s*(kB|MB|GB|TB)?\s*", value)
    if match is None:
        return DEFAULT_WORK_MEM, False
    return int(match[1]) * {"kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}[match[2] or "kB"], True


def limit_above(step: PlanStep, measure: Measure) -> Measure | None:
    """The LIMIT that ends a node early: none of the nodes between reads all its input first."""
    for one in step.above(measure):
        if one.node.kind == "Limit":
            return one
        if one.node.kind in {"Sort", "Hash", "Aggregate", "Materialize", "ModifyTable", "SetOp"}:
            return None
    return None


def processes(step: PlanStep, measure: Measure) -> float:
    """By how much the rows of a node that is not executed are divided: each worker has its share, and the leader what it has time for.

    get_parallel_divisor in optimizer/path/costsize.c.
    """
    if not measure.node.facts.get("Parallel Aware"):
        return 1.0
    workers = next((fact(one.node, "Workers Planned") for one in step.above(measure) if one.node.kind.startswith("Gather")), 0.0)
    return workers + max(0.0, 1.0 - 0.3 * workers) if workers else 1.0


def columns_in(condition: str) -> Iterator[str]:
    """Names in a condition as EXPLAIN prints it: columns, and words that are none. Literals are left out."""
    for name in re.findall(r'"((?:[^"]|"")+)"|\b([a-z_][a-z0-9_$]*)\b(?!\s*\()', re.sub(r"'(?:[^']|'')*'(?:::[\w \"\[\]]+)?", "''", condition)):
        yield name[0].replace('""', '"') or name[1]


def cost_words(measure: Measure) -> str:
    """`62 % of the time`, `91 % of the cost`."""
    return f"{measure.share:.0%}".replace("%", " %") + (" of the time" if measure.own_seconds is not None else " of the cost")


def rows_words(rows: float) -> str:
    """`1 row`, `48,000 rows`."""
    return "1 row" if round(rows) == 1 else f"{count(round(rows) if rows > 1 else rows)} rows"

"""How many rows an UPDATE, DELETE or INSERT of a migration reaches, and the work that makes; and the share that a condition picks.

Shares come from statistics where they tell (distinct values, nulls), else from the planner's own defaults (src/include/utils/selfuncs.h).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp

from dbguard.model.expression import Tree
from dbguard.model.names import Name
from dbguard.model.operations import Copy, Delete, Insert, Merge, Update
from dbguard.model.schema import Table
from dbguard.model.snapshot import ColumnStatistics
from dbguard.model.state import State, Step
from dbguard.planning.risk_sizes import PAGE, Sizes

EQUAL, RANGE, OTHER = 0.005, 1 / 3, 1 / 3
_RANGES = {"<", ">", "<=", ">="}
Worked = tuple[Mapping[str, float], float, float]  # terms, bytes read, bytes written


def rows_of(step: Step, sizes: Sizes, rows: float | None = None) -> tuple[tuple[Name, Worked | None] | None, float]:
    """The table written and the work, None where a size is not known; and how many times more it may be."""
    operation, state = step.operation, step.before
    if isinstance(operation, Insert | Copy):
        return _inserted(step, sizes, rows)
    if not isinstance(operation, Update | Delete | Merge):
        return None, 1.0
    table = state.table(operation.table)
    if state.is_empty(table.name):
        return None, 1.0
    total, size = sizes.rows(table.name, state.schema), sizes.bytes(table.name, state.schema)
    if total is None or size is None:
        return (table.name, None), 1.0
    count, uncertain = _reached(operation, table, total, sizes)
    if rows is not None:
        count, uncertain = min(rows, total), 1.5
    width = size / max(total, 1.0)
    terms = {"page read": size / PAGE, "row checked": total}
    if isinstance(operation, Delete):
        terms["row deleted"] = count
        terms["page imaged"] = _touched((sizes.heap_bytes(table.name) or size) / PAGE, count)
        _fire(table, count, sizes, state, terms)
        return (table.name, (terms, size, count * 60 + terms["page imaged"] * PAGE)), uncertain
    terms["row updated"] = count
    terms["byte rewritten"] = count * width
    heap = (sizes.heap_bytes(table.name) or size) / PAGE
    images = _touched(heap, count) + count * width / PAGE
    images += _index_entries(table, count, sizes, terms)
    terms["page imaged"] = images
    return (table.name, (terms, size, images * PAGE)), uncertain


def changes_many(step: Step) -> bool:
    """Whether an UPDATE or DELETE may reach more than one row: its condition fixes no unique key."""
    operation = step.operation
    if not isinstance(operation, Update | Delete) or operation.limited or step.before.is_empty(operation.table):
        return False
    if step.script.way:  # of a program, which may send it for each row
        return True
    equal = _equal_columns(operation.where.tree) if operation.where is not None else set()
    indexes = step.before.table(operation.table).indexes.values()
    return not any(one.unique and one.where is None and len(one.columns) == len(one.keys) and equal.issuperset(one.columns) for one in indexes)


def _equal_columns(tree: Tree) -> set[str]:
    """Columns of which a condition takes one value: at most one row of a unique index has those of all its columns."""
    if tree[0] == "and":
        return set[str]().union(*map(_equal_columns, tree[1:]))
    if tree[0] == "op" and tree[1] == "=" and len(tree) == 4:
        columns = [one[1] for one in tree[2:] if one[0] == "column"]
        return set(columns) if len(columns) == 1 else set()
    return set()


def _touched(pages: float, rows: float) -> float:
    """How many of `pages` are hit by `rows` that lie anywhere in them."""
    return pages * (1 - exp(-rows / pages)) if pages > 0 else 0.0


def _index_entries(table: Table, count: float, sizes: Sizes, terms: dict[str, float]) -> float:
    """Every index gets an entry for each new row version, also where no indexed column changes: pages that are full leave no room for
    heap-only tuples (src/backend/access/heap/README.HOT). Returns pages that are written whole into the WAL.
    """
    images = 0.0
    room = 0.3 if table.options.get("fillfactor") is not None else 1.0
    for index in table.indexes.values():
        known = sizes.relation(index.name)
        pages = float(known.pages) if known is not None else count * 20 / PAGE
        statistics = sizes.column(table.name, index.columns[0]) if index.columns else None
        in_order = statistics is not None and statistics.correlation is not None and abs(statistics.correlation) > 0.95
        term = "index entry in order" if in_order else "index entry"
        terms[term] = terms.get(term, 0.0) + count * room
        images += _touched(pages, count * room)
    return images


def _reached(operation: Update | Delete | Merge, table: Table, total: float, sizes: Sizes) -> tuple[float, float]:
    if isinstance(operation, Merge):
        return total * OTHER, 3.0
    if operation.limited:
        return min(total, 1000.0), 10.0
    if operation.where is None:
        return (total * OTHER, 3.0) if operation.joined else (total, 1.0)
    share, known = selectivity(operation.where.tree, table.name, sizes)
    return total * share, 1.2 if known else min(3.0, 1 / max(share, 0.01))


def _inserted(step: Step, sizes: Sizes, rows: float | None) -> tuple[tuple[Name, Worked | None] | None, float]:
    """INSERT ... SELECT reads its tables in full; rows that stand in the text are too few to count."""
    operation, state = step.operation, step.before
    if isinstance(operation, Copy) or not isinstance(operation, Insert) or operation.rows is not None or not operation.uses.reads:
        return None, 1.0
    target = state.table(operation.table)
    if operation.limited:
        return None, 1.0
    sources = [state.resolve(one) for one in operation.uses.reads]
    known = [(sizes.rows(one, state.schema), sizes.bytes(one, state.schema)) for one in sources if not state.is_empty(one)]
    if any(count is None or size is None for count, size in known):
        return (target.name, None), 1.0
    count = rows if rows is not None else max((count or 0.0 for count, _ in known), default=0.0)
    read = sum(size or 0.0 for _, size in known)
    total = sum(count or 0.0 for count, _ in known)
    width = 28 + sizes.row_width(target.name, state.schema)
    terms = {"page read": read / PAGE, "row of a query": total, "row inserted": count, "byte rewritten": count * width}
    terms["page imaged"] = _index_entries(target, count, sizes, terms)
    return (target.name, (terms, read, count * (width + 40 * len(target.indexes)))), 1.5


def _fire(table: Table, count: float, sizes: Sizes, state: State, terms: dict[str, float]) -> None:
    """Each row deleted is looked for in every table that references it: through an index, or by reading all of it (ri_triggers.c)."""
    for child, key in state.schema.referencing(table.name):
        served = any(
            index.valid and index.columns[: len(key.columns)] and set(index.columns[: len(key.columns)]) == set(key.columns)
            for index in child.indexes.values()
        )
        if served or not child.known:
            terms["trigger fired"] = terms.get("trigger fired", 0.0) + count
        else:
            size, rows = sizes.heap_bytes(child.name), sizes.rows(child.name)
            terms["page read"] += count * (size or 0.0) / PAGE
            terms["row checked"] += count * (rows or 0.0)


def selectivity(tree: Tree, table: Name, sizes: Sizes) -> tuple[float, bool]:
    """The share of rows for which a condition holds, and whether statistics told."""
    match tree[0]:
        case "and":
            parts = [selectivity(one, table, sizes) for one in tree[1:]]
            share = 1.0
            for one, _ in parts:
                share *= one
            return share, all(known for _, known in parts)
        case "or":
            parts = [selectivity(one, table, sizes) for one in tree[1:]]
            share = 0.0
            for one, _ in parts:
                share += one - share * one
            return share, all(known for _, known in parts)
        case "not":
            share, known = selectivity(tree[1], table, sizes)
            return 1 - share, known
        case "is_null" | "is_not_null":
            found = _column(tree[1], table, sizes)
            nulls = EQUAL if found is None else found.null_frac
            return (nulls if tree[0] == "is_null" else 1 - nulls), found is not None
        case "in":
            share, known = _equal(tree[1], table, sizes)
            return min(1.0, share * (len(tree) - 2)), known
        case "op" if tree[1] == "=" and len(tree) == 4:
            column = next((one for one in tree[2:] if one[0] == "column"), None)
            return (OTHER, False) if column is None else _equal(column, table, sizes)
        case "op" if tree[1] in {"<>", "!="} and len(tree) == 4:
            share, known = _equal(tree[2], table, sizes)
            return 1 - share, known
        case "op" if tree[1] in _RANGES:
            return RANGE, False
        case "column":
            return 0.5, False
    return OTHER, False


def _equal(tree: Tree, table: Name, sizes: Sizes) -> tuple[float, bool]:
    found = _column(tree, table, sizes)
    if found is None or found.n_distinct == 0:
        return EQUAL, False
    different = found.n_distinct if found.n_distinct > 0 else -found.n_distinct * (sizes.rows(table) or 1.0)
    return (1 - found.null_frac) / max(1.0, different), different > 20


def _column(tree: Tree, table: Name, sizes: Sizes) -> ColumnStatistics | None:
    while tree[0] == "cast":
        tree = tree[2]
    return sizes.column(table, tree[1]) if tree[0] == "column" else None

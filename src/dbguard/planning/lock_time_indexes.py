"""What it takes to build one index: its definition and the sizes of its table in, work and bytes out.

Parallel builds of B-trees follow `plan_create_index_workers` (src/backend/optimizer/plan/planner.c): a worker for each tripling of the
table, as many as the setting allows, as long as each has 32 MB of maintenance_work_mem.
"""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

from dbguard.model.keys import IndexKey
from dbguard.model.schema import Index, Schema, Table
from dbguard.model.types import DataType
from dbguard.planning.risk_sizes import PAGE, Sizes, width_of

if TYPE_CHECKING:
    from dbguard.planning.lock_time import Part

ENTRY = 12  # bytes of an index tuple beside its key: header and line pointer
FULL = 0.9  # default fillfactor of a B-tree
IN_ORDER = 0.95  # correlation from which rows are taken to come in the order of the index
_TEXT = {"text", "varchar", "bpchar", "citext", "name", "char"}
_MANY_ENTRIES = 6  # of a GIN index for one row, without statistics


def build(index: Index, sizes: Sizes, schema: Schema, *, new: bool, concurrently: bool) -> Part | None:
    """None if the size of the table is not known."""
    from dbguard.planning.lock_time import Part

    table = schema.table(index.table)
    rows, heap = sizes.rows(index.table), sizes.heap_bytes(index.table)
    if rows is None or heap is None:
        return None
    share = selected(index, sizes)
    keys = rows * share
    known = sizes.relation(index.name)
    size = float(known.pages * PAGE) if known is not None and known.pages and not new else index_bytes(index, table, keys, sizes)
    reading = {"page read": heap / PAGE, "row checked": rows}
    people = participants(index, heap, sizes)
    terms = _sorting(index, table, keys, sizes, people) if index.method == "btree" else _other_method(index, table, keys, sizes)
    terms["page read"] = heap / PAGE / people
    terms["row checked"] = rows / people
    terms["index byte"] = size
    for key in index.keys:
        if key.expression is not None:
            name = "byte parsed" if any(one.name == "to_tsvector" for one in key.expression.functions) else "function called"
            amount = keys * (key_width(index, key, table, sizes) if name == "byte parsed" else max(1, len(key.expression.functions)))
            terms[name] = terms.get(name, 0.0) + amount / people
    if concurrently:  # a second scan, and every row looked up in the index (validate_index)
        terms["page read"] += reading["page read"]
        terms["row checked"] += rows
        terms["key in order"] = terms.get("key in order", 0.0) + keys
    return Part("index", index.table, terms, read=heap * (2 if concurrently else 1), written=size)


def participants(index: Index, heap: float, sizes: Sizes) -> float:
    """How many times faster than alone the reading and sorting goes."""
    if index.method != "btree":
        return 1.0
    workers = 0
    least = sizes.memory("min_parallel_table_scan_size", 8 * 1024**2)
    size = heap
    while size >= least and workers < 10:
        workers += 1
        size /= 3
    workers = min(workers, sizes.number("max_parallel_maintenance_workers", 2), sizes.number("max_parallel_workers", 8))
    memory = sizes.memory("maintenance_work_mem", 64 * 1024**2)
    while workers > 0 and memory / (workers + 1) < 32 * 1024**2:
        workers -= 1
    return 1 + 0.6 * workers


def _sorting(index: Index, table: Table, keys: float, sizes: Sizes, people: float) -> dict[str, float]:
    """Comparisons in units of a sort of a million keys; text and numeric take longer than what fits a register."""
    unit = keys * max(1.0, log2(max(keys, 2))) / 20 / people
    first = index.keys[0] if index.keys else None
    if first is None or first.column is not None:
        statistics = None if first is None or first.column is None else sizes.column(index.table, first.column)
        if statistics is not None and statistics.correlation is not None and abs(statistics.correlation) > IN_ORDER:
            return {"key in order": keys / people}
    kind = _kind(first, table)
    terms = {"key sorted": unit}
    column = None if first is None or first.column is None else sizes.column(index.table, first.column)
    unit *= 1 if column is None else 1 - column.null_frac
    if kind == "text":
        way = "bytes" if _is_bytewise(first, table) else sizes.collation
        terms["text collated" if way == "libc" else "text compared"] = unit * (2 if way == "icu" else 1)
    elif kind == "number":
        terms["number compared"] = unit
    return terms


def _kind(key: IndexKey | None, table: Table) -> str:
    if key is None:
        return "fixed"
    data_type = _type(key, table)
    if data_type is None:
        return "text" if key.expression is not None else "fixed"
    if data_type.builtin in _TEXT or data_type.name.name == "citext":
        return "text"
    return "number" if data_type.builtin == "numeric" else "fixed"


def _type(key: IndexKey, table: Table) -> DataType | None:
    column = table.columns.get(key.column) if key.column is not None else None
    return None if column is None else column.type


def _is_bytewise(key: IndexKey | None, table: Table) -> bool:
    if key is None:
        return False
    column = table.columns.get(key.column) if key.column is not None else None
    collation = key.collation or (column.collation if column is not None else None)
    return (collation is not None and collation.name in {"C", "POSIX", "ucs_basic"}) or (
        key.opclass is not None and key.opclass.name in {"text_pattern_ops", "varchar_pattern_ops", "bpchar_pattern_ops"}
    )


def _other_method(index: Index, table: Table, keys: float, sizes: Sizes) -> dict[str, float]:
    match index.method:
        case "hash":
            return {"row hashed": keys}
        case "brin":
            return {"row summarized": keys}
        case "gin":
            return {"gin entry": keys * entries(index, table, sizes)}
        case _:  # gist, spgist, and those of extensions
            return {"gist row": keys}


def entries(index: Index, table: Table, sizes: Sizes) -> float:
    """Entries that a row has in a GIN index: three-letter groups, words, elements, keys and values."""
    total = 0.0
    for key in index.keys:
        width = key_width(index, key, table, sizes)
        data_type = _type(key, table)
        if key.opclass is not None and "trgm" in key.opclass.name:
            total += width + 2
        elif data_type is not None and data_type.builtin == "jsonb":
            total += width / 15
        elif key.expression is not None or (data_type is not None and data_type.builtin == "tsvector"):
            total += max(1.0, width / 9)
        else:
            total += max(float(_MANY_ENTRIES), width / 12)
    return total


def key_width(index: Index, key: IndexKey, table: Table, sizes: Sizes) -> float:
    if key.column is not None:
        return sizes.width(index.table, key.column, _type(key, table))
    if key.expression is not None:
        return sum(sizes.width(index.table, name, _of(table, name)) for name in key.expression.columns) or width_of(None)
    return width_of(None)


def _of(table: Table, name: str) -> DataType | None:
    column = table.columns.get(name)
    return None if column is None else column.type


def index_bytes(index: Index, table: Table, keys: float, sizes: Sizes) -> float:
    """Of an index that is not there yet. Equal keys of a B-tree share one tuple (manual section 65.1.4.3, Deduplication)."""
    width = sum(key_width(index, key, table, sizes) for key in index.keys)
    width += sum(sizes.width(index.table, name, _of(table, name)) for name in index.include)
    match index.method:
        case "brin":
            return max(3.0, (sizes.heap_bytes(index.table) or 0) / PAGE / 128 * 24 / PAGE) * PAGE
        case "gin":
            return keys * entries(index, table, sizes) * 2.5
        case "hash":
            return keys * 20 / 0.75
    different = _different(index, keys, sizes)
    if not index.unique and not index.include and different < keys / 3:
        return (different * (width + ENTRY) + keys * 6.3) / FULL
    return keys * (-(-width // 8) * 8 + ENTRY) / FULL


def _different(index: Index, keys: float, sizes: Sizes) -> float:
    """Distinct keys, columns taken to be independent of each other."""
    total = 1.0
    for key in index.keys:
        known = None if key.column is None else sizes.column(index.table, key.column)
        if known is None or known.n_distinct == 0:
            return keys
        total *= known.n_distinct if known.n_distinct > 0 else -known.n_distinct * keys
    return min(total, keys)


def selected(index: Index, sizes: Sizes) -> float:
    """The share of rows that a partial index holds."""
    from dbguard.planning.risk_rows import selectivity

    return 1.0 if index.where is None else selectivity(index.where.tree, index.table, sizes)[0]

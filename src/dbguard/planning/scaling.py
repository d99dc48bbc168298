"""A snapshot grown: `grow(snapshot, 10)` is the same database with ten times the rows. Pure.

What grows: tables, except lookups (`is_fixed`); their indexes; and the columns that tell rows apart, see `scaling_columns`. What stays: shares
of values, of nulls, widths, the span of time. A database whose business is ten times as large has ten times the orders in a month.
"""

from __future__ import annotations

from collections.abc import Mapping

from dbguard.errors import UsageError
from dbguard.model.names import Name, quote
from dbguard.model.schema import Schema, Table
from dbguard.model.snapshot import Activity, Relation, Snapshot
from dbguard.model.source import Script, Source
from dbguard.model.state import State
from dbguard.planning.scaling_columns import Domains, grow_column, grow_extended

LOOKUP_ROWS = 500  # a table of no more rows, whose rows say nothing of when they were made, is a list that people keep
_IDLE_SECONDS = 86400.0  # that counters must cover to say that a table does not grow
_IDLE_ROWS = 10_000
_SMALLEST, _LARGEST = 0.001, 1e6


def grow(snapshot: Snapshot, scale: float | Mapping[str, float]) -> Snapshot:
    """The snapshot with every table `scale` times as large, or each of those named in it.

    A name is that of a table, with or without its schema; a partitioned table stands for its partitions. Raises UsageError for a name
    that the snapshot does not have, a name that several schemas have, and for a factor out of 0.001 to 1,000,000.
    """
    if not isinstance(scale, Mapping) and scale == 1:
        return snapshot
    schema = _schema(snapshot)
    factors = _factors(snapshot, schema, scale)
    if all(factor == 1 for factor in factors.values()):
        return snapshot
    domains = Domains(schema, factors)
    tables = {relation.name: relation for relation in snapshot.relations if relation.kind in "rpmf"}
    return snapshot._replace(
        relations=tuple(_grow_relation(relation, factors) for relation in snapshot.relations),
        columns=tuple(grow_column(column, domains, tables) for column in snapshot.columns),
        extended=tuple(grow_extended(one, domains, schema) for one in snapshot.extended),
    )


def _schema(snapshot: Snapshot) -> Schema:
    from dbguard.parsing import parse
    from dbguard.replay import final_state

    start = State()
    start = start._replace(schema=start.schema._replace(complete=True))
    text = snapshot.schema
    parsed = parse(Script(Source("snapshot", text), ((0, len(text)),), transaction="none"))
    return final_state([parsed], start, snapshot.major).schema


def _factors(snapshot: Snapshot, schema: Schema, scale: float | Mapping[str, float]) -> dict[Name, float]:
    """How many times as large each table becomes."""
    tables = {relation.name: relation for relation in snapshot.relations if relation.kind in "rpmf"}
    if isinstance(scale, Mapping):
        factors = dict.fromkeys(tables, 1.0)
        for text, factor in scale.items():
            name = _find(text, tables)
            for one in (name, *(table.name for table in schema.descendants(name))):
                factors[one] = _checked(factor)
    else:
        wanted = _checked(scale)
        activity = {one.relation: one for one in snapshot.activity}
        idle = snapshot.seconds is not None and snapshot.seconds >= _IDLE_SECONDS
        factors = {
            name: 1.0 if is_fixed(relation, schema.table(name), activity.get(name) if idle else None, idle=idle) else wanted
            for name, relation in tables.items()
        }
        for name in tables:  # a partition grows as its siblings do, however few rows it has
            for child in schema.descendants(name):
                factors[child.name] = max(factors[name], factors.get(child.name, 1.0))
                factors[name] = factors[child.name]
    for name, relation in tables.items():
        uses = schema.table(name).uses
        if relation.kind == "m" and uses is not None and not (isinstance(scale, Mapping) and factors[name] != 1):
            factors[name] = max([factors.get(read, 1.0) for read in _reads(schema, name)], default=1.0)
    return factors


def _reads(schema: Schema, view: Name) -> set[Name]:
    """Tables below a materialized view, through other views."""
    found: set[Name] = set()
    level = [view]
    while level:
        uses = schema.table(level.pop()).uses
        if uses is None:
            continue
        for name in uses.reads:
            if name not in found:
                found.add(name)
                level.append(name)
    return found


def is_fixed(relation: Relation, table: Table, activity: Activity | None, *, idle: bool) -> bool:
    """Whether a table is a lookup that does not grow with the business: countries, plans, states.

    Counters decide where they cover a day: no row came or went. Else it has at most `LOOKUP_ROWS` rows, and no column that is filled when a
    row is made (a time, an identity, a sequence, a random uuid): tables that rows are added to mostly have one.
    """
    if relation.kind == "p":
        return False
    if idle and relation.tuples <= _IDLE_ROWS:
        return activity is None or (activity.inserts == 0 and activity.deletes == 0)
    if relation.tuples > LOOKUP_ROWS:
        return False
    return not any(column.identity or (column.default is not None and _is_made(column.default.functions)) for column in table.columns.values())


def _is_made(functions: tuple[Name, ...]) -> bool:
    return bool(_MADE.intersection(name.name for name in functions))


_MADE = frozenset(
    ["now", "current_timestamp", "localtimestamp", "current_date", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "nextval",
     "gen_random_uuid", "uuid_generate_v4", "uuid_generate_v1", "uuidv4", "uuidv7"]
)  # fmt: skip


def _find(text: str, tables: Mapping[Name, Relation]) -> Name:
    found = [name for name in tables if text in {str(name), f"{name.schema}.{name.name}", name.name, quote(name.name)}]
    if not found:
        raise UsageError(f"--scale {text}: the snapshot has no table of that name")
    if len(found) > 1:
        raise UsageError(f"--scale {text}: give the schema as well: {', '.join(map(str, found))}")
    return found[0]


def _checked(factor: float) -> float:
    if not _SMALLEST <= factor <= _LARGEST:
        raise UsageError(f"--scale {factor:g}: give a factor from {_SMALLEST:g} to {_LARGEST:,.0f}")
    return float(factor)


def _grow_relation(relation: Relation, factors: Mapping[Name, float]) -> Relation:
    """Pages and rows. A btree has its metapage once; its height follows from its pages."""
    factor = factors.get(relation.table if relation.kind in "iI" and relation.table is not None else relation.name, 1.0)
    if factor == 1:
        return relation
    pages = relation.pages
    if relation.kind == "i" and pages > 1:
        pages = 1 + max(1, round((pages - 1) * factor))
    elif pages:
        pages = max(1, round(pages * factor))
    return relation._replace(
        pages=pages,
        tuples=relation.tuples * factor if relation.tuples > 0 else relation.tuples,
        all_visible=min(pages, round(relation.all_visible * factor)),
        all_frozen=min(pages, round(relation.all_frozen * factor)),
        height=None,
        analyzed_pages=None if relation.analyzed_pages is None else round(relation.analyzed_pages * factor),
        relation_bytes=round(relation.relation_bytes * factor),
    )

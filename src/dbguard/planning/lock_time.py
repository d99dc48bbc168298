"""How long PostgreSQL works on one statement of a migration: first the work in units, then seconds.

In: the steps of one statement (operations with their predicted effects) and the sizes of relations. Out: `Work`, which adds up terms such as
"rows checked" and "bytes of an index written", and an estimate in seconds from what each term costs on the machine on which the model was
fitted (`COSTS`). docs/risk.md explains the model and how accurate it was on tables that it was not fitted to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import exp, log

from dbguard.model.expression import Expression
from dbguard.model.names import Name
from dbguard.model.operations import (
    AddColumn,
    AddConstraint,
    AlterConstraint,
    Analyze,
    AttachPartition,
    ChangeColumnType,
    Cluster,
    ConstraintDefinition,
    Copy,
    CreateIndex,
    Delete,
    Insert,
    Merge,
    Refresh,
    Reindex,
    SetTablespace,
    Update,
    Vacuum,
    ValidateConstraint,
)
from dbguard.model.record import Record
from dbguard.model.schema import Constraint, Schema
from dbguard.model.state import Step
from dbguard.model.verdict import Seconds
from dbguard.planning.lock_time_indexes import build
from dbguard.planning.risk_rows import rows_of
from dbguard.planning.risk_sizes import Sizes
from dbguard.replay.effects import merge

COSTS: Mapping[str, float] = {
    "statement": 0.003,
    "page read": 1.2e-06,
    "row checked": 3.6e-08,
    "row rewritten": 8.8e-08,
    "byte rewritten": 4e-09,
    "key sorted": 2.8e-07,
    "key in order": 1.1e-07,
    "text compared": 2.3e-07,
    "text collated": 2.8e-06,
    "number compared": 3.5e-07,
    "index byte": 6.2e-09,
    "row hashed": 9e-07,
    "gin entry": 1.9e-07,
    "gist row": 3.3e-05,
    "row excluded": 2e-05,
    "row summarized": 9.8e-09,
    "reference checked": 2.3e-07,
    "key looked up": 2.9e-07,
    "row of a query": 2.9e-07,
    "row updated": 3.4e-07,
    "row deleted": 6.7e-08,
    "row inserted": 1.5e-06,
    "index entry": 7.2e-06,
    "function called": 1.5e-07,
    "random value": 3.8e-06,
    "byte parsed": 8.3e-08,
    "page imaged": 1.6e-05,
    "index entry in order": 2.2e-06,
    "reference in order": 7.7e-08,
    "row moved": 9.2e-08,
    "trigger fired": 1e-05,
}
"""Seconds of one unit of each term. Measured by benchmarks/lock_time.py; `fit` there prints them."""

SPREAD = 2.5  # p90 over p50, while nothing was measured on the machine itself
ROW_OVERHEAD = 28  # bytes: header of a tuple and its line pointer (manual section 66.6, Database Page Layout)


REPLAYED = 100e6
"""Bytes of WAL that a replica replays in a second: it does so in one process. Measured as redo after a crash, which is the same code
(xlogrecovery.c): 70 to 330 MB/s for index builds, rewrites and changed rows."""


class Part(Record):
    """Work of one kind on one relation. Bytes read and written are those of its table and indexes."""

    kind: str  # scan, rewrite, index, foreign key, rows, query, maintenance, moment
    relation: Name
    terms: Mapping[str, float] = {}
    read: float = 0.0
    written: float = 0.0
    wal: float | None = None  # None: as much as is written


class Work(Record):
    """All work of one statement. `unknown` names relations whose size is not known: then there is no estimate."""

    parts: tuple[Part, ...] = ()
    unknown: tuple[Name, ...] = ()
    uncertain: float = 1.0  # how many times more rows than at p50 it may be

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(part.kind for part in self.parts)

    @property
    def read(self) -> int:
        return round(sum(part.read for part in self.parts))

    @property
    def written(self) -> int:
        return round(sum(part.written for part in self.parts))

    @property
    def wal(self) -> int:
        return round(sum(part.written if part.wal is None else part.wal for part in self.parts))


class Calibration(Record):
    """What was measured on a machine: how many times longer than estimated, in all and per kind of work, and the spread around that."""

    factor: float = 1.0
    spread: float = SPREAD
    by_kind: Mapping[str, float] = {}
    pairs: int = 0


def seconds(work: Work, calibration: Calibration | None = None, costs: Mapping[str, float] = COSTS) -> Seconds | None:
    """The time that a statement takes once it has its locks; None where a size is not known."""
    if work.unknown:
        return None
    calibration = calibration or Calibration()
    p50 = costs["statement"] * calibration.factor
    for part in work.parts:
        factor = calibration.by_kind.get(part.kind, calibration.factor)
        p50 += factor * sum(costs[term] * amount for term, amount in part.terms.items())
    return Seconds(p50, p50 * calibration.spread * work.uncertain)


def replica_lag(work: Work, taken: Seconds | None) -> float | None:
    """Seconds that a replica has still to replay when the statement is done, if WAL reaches it as it is written."""
    return None if taken is None or work.unknown else max(0.0, work.wal / REPLAYED - taken.p50)


def calibrate(pairs: Sequence[tuple[str, float, float]]) -> Calibration | None:
    """From (kind of work, seconds estimated, seconds measured) of statements; None if none took long enough to tell."""
    ratios = [
        (kind, log(measured / estimated)) for kind, estimated, measured in pairs if min(estimated, measured) > 0 and max(estimated, measured) >= 0.05
    ]
    if not ratios:
        return None
    middle = _middle([ratio for _, ratio in ratios])
    by_kind = {kind: [ratio for other, ratio in ratios if other == kind] for kind, _ in ratios}
    own = {kind: _middle(found) for kind, found in by_kind.items() if len(found) >= 3}
    off = sorted(ratio - own.get(kind, middle) for kind, ratio in ratios)
    spread = max(1.5, exp(off[min(len(off) - 1, int(len(off) * 0.9))])) if len(off) >= 5 else SPREAD
    return Calibration(exp(middle), spread, {kind: exp(value) for kind, value in own.items()}, len(ratios))


def _middle(values: Sequence[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def work_of(steps: Sequence[Step], sizes: Sizes, rows: float | None = None) -> Work:
    """The work of one statement; `rows` is how many an UPDATE, DELETE or INSERT reaches, where a planner told."""
    before, after = steps[0].before, steps[-1].after
    effects = merge([step.effects for step in steps], before, after)
    found = _Collected(sizes)
    for name in effects.rewrites:
        found.add(name, _rewrite(name, steps, sizes))
    keys = list(_foreign_key_checks(steps))
    referencing = {name for name, _ in keys}
    for name, key in keys:
        found.add(name, _foreign_key(name, key, sizes, after.schema))
        if key.parent is not None and sizes.rows(name) != 0:
            found.need(key.parent, sizes.rows(key.parent, after.schema))
    others = [step for step in steps if step.effects.scans and not _is_key_check(step)]
    for name in effects.scans:
        if name not in referencing or any(name in step.effects.scans for step in others):
            found.add(name, _scan(name, sizes, max(1, len(others))))
    for name in effects.builds:
        index = after.schema.find_index(name) or before.schema.find_index(name)
        if index is None:
            found.unknown.append(name)
        else:
            new = sizes.relation(name) is None
            concurrently = any(isinstance(step.operation, CreateIndex | Reindex) and step.operation.concurrently for step in steps)
            found.add(index.table, build(index, sizes, before.schema, new=new, concurrently=concurrently))
    for step in steps:
        _other(step, sizes, found, rows)
    return Work(tuple(found.parts), tuple(dict.fromkeys(found.unknown)), found.uncertain)


class _Collected:
    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.parts: list[Part] = []
        self.unknown: list[Name] = []
        self.uncertain = 1.0

    def add(self, relation: Name, part: Part | None) -> None:
        if part is None:
            self.unknown.append(relation)
        else:
            self.parts.append(part)

    def need(self, relation: Name, amount: float | None) -> None:
        if amount is None:
            self.unknown.append(relation)


def _scan(name: Name, sizes: Sizes, checks: int) -> Part | None:
    """Phase 3 of ALTER TABLE reads a table once, whatever it verifies (ATRewriteTable)."""
    rows, size = sizes.rows(name), sizes.heap_bytes(name)
    if rows is None or size is None:
        return None
    return Part("scan", name, {"page read": size / 8192, "row checked": rows * checks}, read=size)


def _rewrite(name: Name, steps: Sequence[Step], sizes: Sizes) -> Part | None:
    """A new file is written row by row. What its indexes take is counted as their builds."""
    rows, size = sizes.rows(name), sizes.bytes(name)
    if rows is None or size is None:
        return None
    if any(isinstance(step.operation, SetTablespace) for step in steps):
        return Part("rewrite", name, {"page read": size / 8192, "byte rewritten": size}, read=size, written=size)
    terms = {"page read": size / 8192, "row rewritten": rows, "byte rewritten": max(size, rows * ROW_OVERHEAD)}
    for step in steps:
        for function in _functions_called(step):
            term = "random value" if function in RANDOM else "function called"
            terms[term] = terms.get(term, 0.0) + rows
    moved = [step.operation for step in steps if isinstance(step.operation, Cluster | Vacuum)]
    if moved:
        live = rows * (ROW_OVERHEAD + sizes.row_width(name, steps[0].before.schema))
        heap = sizes.heap_bytes(name) or size
        terms["byte rewritten"] = min(size, live + size - heap)
        terms["row moved"] = rows if isinstance(moved[0], Cluster) else 0.0
    return Part("rewrite", name, terms, read=size, written=terms["byte rewritten"])


RANDOM = {"gen_random_uuid", "uuid_generate_v4", "gen_random_bytes", "uuidv4", "uuidv7"}
"""Functions that ask the operating system for random bytes, which takes several times longer than a computation."""


def _functions_called(step: Step) -> Iterator[str]:
    """The functions that each row calls to make the value of a new or changed column."""
    operation = step.operation
    expressions: tuple[Expression | None, ...] = ()
    if isinstance(operation, AddColumn):
        expressions = (operation.column.default, operation.column.generated_expression)
    if isinstance(operation, ChangeColumnType):
        expressions = (operation.using,)
    for one in expressions:
        if one is not None:
            yield from (name.name for name in one.functions)


def _is_key_check(step: Step) -> bool:
    return next(_foreign_key_checks((step,)), None) is not None


FEWER = 100
"""Times as many rows in the referenced table, from which on the planner takes its index instead of reading all of it."""


class Key(Record):
    """A foreign key whose rows are checked. `parent` is None where it is not known."""

    parent: Name | None
    columns: tuple[str, ...]


def _foreign_key_checks(steps: Sequence[Step]) -> Iterator[tuple[Name, Key]]:
    """Tables whose rows are held against a table they reference."""
    for step in steps:
        for key in _checked(step):
            parent = None if key.references is None else step.before.resolve(key.references)
            yield from ((name, Key(parent, key.columns)) for name in step.effects.scans)


def _checked(step: Step) -> Iterator[Constraint | ConstraintDefinition]:
    operation = step.operation
    if isinstance(operation, AddConstraint):
        if operation.constraint.kind == "foreign key":
            yield operation.constraint
    elif isinstance(operation, ValidateConstraint | AlterConstraint):
        known = step.table(operation.table).constraints.get(operation.name)
        if known is not None and known.kind == "foreign key":
            yield known
    elif isinstance(operation, AddColumn):
        yield from (one for one in operation.column.constraints if one.kind == "foreign key")
    elif isinstance(operation, AttachPartition):
        yield from step.table(operation.table).foreign_keys()


def _foreign_key(name: Name, key: Key, sizes: Sizes, schema: Schema) -> Part | None:
    """One query joins both tables in full (RI_Initial_Check in src/backend/utils/adt/ri_triggers.c), along indexes where both have one. A table
    that has few rows or none, as one has that was just created, is looked up row by row in the primary key of the other.
    """
    parent = key.parent
    rows, size = sizes.rows(name), sizes.heap_bytes(name)
    if rows is None or size is None:
        return None
    others = (sizes.rows(parent, schema) or 0.0) if parent is not None else rows
    if rows * FEWER < others or not rows:
        return Part("foreign key", name, {"page read": size / 8192, "reference checked": rows, "key looked up": rows}, read=size)
    read = size + (sizes.bytes(parent, schema) or 0.0 if parent is not None else 0.0)
    served = any(index.columns[: len(key.columns)] == key.columns for index in schema.table(name).indexes.values()) if key.columns else False
    terms = (
        {"reference in order": rows, "key looked up": others}
        if served
        else {"page read": read / 8192, "reference checked": rows, "key looked up": others}
    )
    return Part("foreign key", name, terms, read=read)


def _other(step: Step, sizes: Sizes, found: _Collected, rows: float | None) -> None:
    """Work that is neither a scan, nor a rewrite, nor a build: rows written, rows read by a query."""
    operation, schema = step.operation, step.before.schema
    if isinstance(operation, Update | Delete | Insert | Merge | Copy):
        part, uncertain = rows_of(step, sizes, rows)
        found.uncertain = max(found.uncertain, uncertain)
        if part is not None:
            found.add(part[0], None if part[1] is None else Part("rows", part[0], *part[1]))
    elif isinstance(operation, Vacuum | Analyze) and not (isinstance(operation, Vacuum) and operation.full):
        for lock in step.effects.locks:
            size, count = sizes.bytes(lock.relation, None), sizes.rows(lock.relation)
            if schema.table(lock.relation).has_storage:
                least = 0.0 if size is None else size if isinstance(operation, Vacuum) else min(size, 30_000 * 8192)
                found.add(
                    lock.relation,
                    None
                    if size is None or count is None
                    else Part("maintenance", lock.relation, {"page read": least / 8192, "row checked": count}, read=least),
                )
    elif step.effects.rewrites and isinstance(operation, Refresh):
        view = step.table(step.effects.rewrites[0])
        for read in view.uses.reads if view.uses is not None else ():
            base = step.before.resolve(read)
            count, size = sizes.rows(base, schema), sizes.bytes(base, schema)
            if base in schema.tables and schema.table(base).kind == "view":
                continue
            found.add(
                base, None if count is None or size is None else Part("query", base, {"page read": size / 8192, "row of a query": count}, read=size)
            )

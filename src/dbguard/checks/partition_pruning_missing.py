"""All partitions of a table are read, because no condition is on the key that tells them apart."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name
from dbguard.model.plan import Measure, Plan, PlanStep
from dbguard.model.plan_questions import NOTICED, SCANS, columns_in
from dbguard.model.schema import Table

PARTITIONS = 4
STOPS = 0.5  # of the rows, below which a LIMIT is taken to spare most of the partitions
CONDITIONS = ("Index Cond", "Filter", "Recheck Cond", "TID Cond")


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    if step.schema is None:
        return
    for measure in step.measures:
        if measure.node.kind not in {"Append", "Merge Append"} or measure.node.facts.get("Subplans Removed"):
            continue
        if measure.part < STOPS:
            continue  # a LIMIT has enough after a few partitions, or after a few rows of each
        scans = [one for child in step.below(measure) for one in (child, *step.below(child)) if one.node.kind in SCANS and one.node.relation]
        parents = [_root(step, one) for one in scans]
        parent = parents[0] if parents and all(one is parents[0] for one in parents) else None
        if parent is None or sum(one.share for one in scans) < NOTICED:
            continue
        yield from _of_table(measure, parent, scans, step)


def _of_table(measure: Measure, parent: Table, scans: list[Measure], step: PlanStep) -> Iterator[Flag]:
    assert step.schema is not None
    read = {one.node.relation for one in scans if one.node.loops != 0}
    whole = len(step.schema.leaves(parent.name))
    if len(read) <= PARTITIONS or len(read) < whole:
        return
    conditions = [str(node.facts[key]) for node in [one.node for one in scans] for key in CONDITIONS if key in node.facts]
    keys = [key.column for key in parent.partition_by.keys if key.column] if parent.partition_by is not None else []
    if not conditions or not keys or len(keys) != len(parent.partition_by.keys if parent.partition_by else ()):
        return  # all rows are asked for, or the key is an expression
    used = {name for condition in conditions for name in columns_in(condition)}
    if not used & set(keys):
        short = parent.name._replace(schema=None) if parent.name.schema == "public" else parent.name
        yield flag(about=measure, table=short, partitions=str(len(read)), key=Name(None, keys[0]))


def _root(step: PlanStep, measure: Measure) -> Table | None:
    """The partitioned table at the top of the partition that a scan reads."""
    table = step.table(measure.node)
    seen = 0
    while table is not None and table.parent is not None and step.schema is not None and seen < 50:
        table = step.schema.tables.get(table.parent)
        seen += 1
    return table if table is not None and table.partition_by is not None else None

"""ATTACH PARTITION that reads the new partition, or the DEFAULT one, under ACCESS EXCLUSIVE."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AttachPartition
from dbguard.model.partition_sql import bound_clause, bound_condition
from dbguard.model.questions import default_partition
from dbguard.model.state import Step


def check(attach: AttachPartition, step: Step) -> Iterator[Flag]:
    parent = step.table(attach.table)
    partition = step.before.resolve(attach.partition)
    if step.is_new(attach.table):
        return
    condition = bound_condition(parent.partition_by, attach.bound)
    bound = bound_clause(attach.bound)
    proof = quote(f"{partition.name[:45]}_is_in_bounds")
    family = {partition, *(child.name for child in step.before.schema.descendants(partition))}
    if not step.is_new_or_empty(attach.partition) and any(name in family for name in step.effects.scans):
        yield flag(
            variant="" if condition is not None and bound is not None else "unproven",
            table=attach.partition,
            parent=attach.table,
            condition=condition or "",
            bound=bound or "",
            proof=proof,
        )
    default = default_partition(parent.name, step.before)
    if default is not None and default.name in step.effects.scans and not step.is_new_or_empty(default.name):
        yield flag(
            variant="default" if condition is not None else "default unproven",
            table=step.display(default.name),
            parent=attach.table,
            partition=attach.partition,
            condition=condition or "",
            proof=proof.replace("_is_in_bounds", "_is_elsewhere"),
        )

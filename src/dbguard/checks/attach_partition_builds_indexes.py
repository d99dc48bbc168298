"""ATTACH PARTITION of a table that lacks an index of the parent."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name, quote
from dbguard.model.operations import AttachPartition
from dbguard.model.partition_sql import as_created
from dbguard.model.questions import index_shape
from dbguard.model.schema import Index
from dbguard.model.sql import index_name, index_statement
from dbguard.model.state import Step


def check(attach: AttachPartition, step: Step) -> Iterator[Flag]:
    if step.is_new_or_empty(attach.partition) or not step.effects.builds:
        return
    missing = list(_missing(attach, step))
    yield flag(
        table=attach.partition,
        parent=attach.table,
        indexes="`, `".join(quote(index.name.name) for index in missing) or quote(step.effects.builds[0].name),
        builds="\n".join(_build(index, attach.partition, step) for index in missing),
        constraints="".join(_constraint(index, attach.partition, step) for index in missing if index.constraint is not None),
    )


def _missing(attach: AttachPartition, step: Step) -> Iterator[Index]:
    """Indexes of the parent that the partition has no equal of; one behind a constraint needs the constraint as well."""
    own = [(index_shape(index), index.unique, index.constraint is not None) for index in step.table(attach.partition).indexes.values() if index.valid]
    for index in step.table(attach.table).indexes.values():
        if not any(shape == index_shape(index) and unique == index.unique and (backs or index.constraint is None) for shape, unique, backs in own):
            yield index


def _build(index: Index, partition: Name, step: Step) -> str:
    return index_statement(as_created(index, partition)._replace(concurrently=True), step.table(partition)) + ";"


def _constraint(index: Index, partition: Name, step: Step) -> str:
    constraint = step.before.schema.table(index.table).constraints.get(index.constraint or "")
    word = "PRIMARY KEY" if constraint is not None and constraint.kind == "primary key" else "UNIQUE"
    name = index_name(as_created(index, partition), step.table(partition))
    return f"-- next migration\nALTER TABLE {partition} ADD CONSTRAINT {name} {word} USING INDEX {name};\n"

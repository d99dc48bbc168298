"""CREATE INDEX on a partitioned table: it is built on all partitions at once, and never concurrently."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name, quote
from dbguard.model.operations import CreateIndex
from dbguard.model.schema import Table
from dbguard.model.sql import chosen_index_name, index_name, index_statement
from dbguard.model.state import Step


def check(index: CreateIndex, step: Step) -> Iterator[Flag]:
    table = step.table(index.table)
    if index.only or table.kind != "partitioned table" or (step.is_new_or_empty(index.table) and not index.concurrently):
        return
    plain = index._replace(concurrently=False, if_not_exists=False)
    yield flag(
        variant="concurrently" if index.concurrently else "",
        table=index.table,
        index=index_name(index, table),
        only=index_statement(plain._replace(only=True), table),
        on_partitions="\n".join(_on_partitions(plain, table, Name(table.name.schema, chosen_index_name(index, table)), step))
        or "-- for every partition: CREATE INDEX CONCURRENTLY, then ALTER INDEX ... ATTACH PARTITION",
        assumes=() if step.before.schema.partitions(table.name) else (f"`{step.display(table.name)}` has partitions that were not created here",),
    )


def _on_partitions(index: CreateIndex, parent: Table, parent_index: Name, step: Step) -> Iterator[str]:
    """The index of each partition, built on its own and then attached; a partition that is partitioned goes the same way."""
    for child in step.before.schema.partitions(parent.name):
        if child.kind not in {"table", "partitioned table"}:
            continue
        own = index._replace(table=step.display(child.name), name=None)
        name = Name(child.name.schema, chosen_index_name(own, child))
        if child.kind == "partitioned table":
            yield index_statement(own._replace(only=True), child) + ";"
            yield from _on_partitions(own, child, name, step)
        else:
            yield index_statement(own._replace(concurrently=True), child) + ";"
        yield f"ALTER INDEX {_shown(parent_index, step)} ATTACH PARTITION {_shown(name, step)};"


def _shown(index: Name, step: Step) -> str:
    return quote(index.name) if index.schema in step.before.search_path else str(index)

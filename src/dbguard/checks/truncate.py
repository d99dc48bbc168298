"""TRUNCATE of a table in use."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name
from dbguard.model.operations import Truncate
from dbguard.model.state import Step


def check(truncate: Truncate, step: Step) -> Iterator[Flag]:
    for table in truncate.tables:
        if not step.is_new(table):
            below = [str(step.display(name)) for name in _below(step.before.resolve(table), step)] if truncate.cascade else []
            deletes = "\n".join(map(_in_batches, (*below, str(table))))
            yield flag(table=table, variant="cascade" if truncate.cascade else "", deletes=deletes)


def _in_batches(table: str) -> str:
    return f"-- outside a transaction, until it deletes nothing\nDELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} LIMIT 10000));"


def _below(table: Name, step: Step) -> list[Name]:
    """The tables that refer to the table, directly or not; those that others refer to come after these."""
    seen, order = {table}, []
    path = [(table, iter(step.before.schema.referencing(table)))]
    while path:
        name, keys = path[-1]
        child = next((child.name for child, _ in keys if child.name not in seen), None)
        if child is not None:
            seen.add(child)
            path.append((child, iter(step.before.schema.referencing(child))))
        else:
            path.pop()
            order.append(name)
    return order[:-1]

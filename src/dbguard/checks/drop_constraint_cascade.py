"""DROP CONSTRAINT ... CASCADE of a key that foreign keys point at."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import DropConstraint
from dbguard.model.state import Step

_SEPARATOR = "\n-- next migration\nSET lock_timeout = '2s';\n"


def check(drop: DropConstraint, step: Step) -> Iterator[Flag]:
    if not drop.cascade or step.is_new(drop.table):
        return
    table = step.table(drop.table)
    constraint = table.constraints.get(drop.name)
    if constraint is not None and constraint.kind not in {"primary key", "unique"}:
        return
    key = constraint.columns if constraint is not None else ()
    primary = () if table.primary_key is None else table.primary_key.columns
    dropped = [
        (child, reference)
        for child, reference in step.before.schema.referencing(table.name)
        if constraint is not None and (reference.referenced_columns or primary) == key
    ]
    if not dropped and table.known:
        return
    children = dict.fromkeys(str(step.display(child.name)) for child, _ in dropped)
    yield flag(
        variant="" if dropped else "unknown",
        table=drop.table,
        constraint=quote(drop.name),
        keys="`, `".join(quote(reference.name) for _, reference in dropped),
        children="`, `".join(children),
        drops=_SEPARATOR.join(f"ALTER TABLE {step.display(child.name)} DROP CONSTRAINT {quote(reference.name)};" for child, reference in dropped),
    )

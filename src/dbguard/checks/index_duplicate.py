"""A new index that is equal to another of the table."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.questions import index_shape, indexes_added
from dbguard.model.schema import Index
from dbguard.model.state import EndOfScript, Step


def check(end: EndOfScript, step: Step) -> Iterator[Flag]:
    told: set[frozenset[str]] = set()
    for one in end.steps:
        for added in indexes_added(one):
            by_then = one.after.schema.table(added.table).indexes
            if len(by_then) < 2:
                continue
            kept = {name: index for name, index in step.after.schema.table(added.table).indexes.items() if name in by_then}
            index = kept.get(added.name.name)
            if index is None or index.parent is not None:
                continue
            for other in kept.values():
                pair = frozenset({index.name.name, other.name.name})
                if len(pair) == 2 and pair not in told and _serve_alike(other, index):
                    told.add(pair)
                    spare, better = _spare(index, other)
                    yield flag(
                        at=one.statement,
                        variant="" if spare.unique == better.unique else "unique",
                        table=one.display(added.table),
                        index=quote(spare.name.name),
                        other=quote(better.name.name),
                        drop=_drop(spare, one),
                    )
                    break  # one other tells it: a thousand equal indexes are a thousand findings, not half a million


def _serve_alike(one: Index, other: Index) -> bool:
    """Two unique indexes that treat nulls differently refuse different rows."""
    if len(one.keys) != len(other.keys) or one.keys[0].column != other.keys[0].column:  # most pairs, told cheaply
        return False
    return index_shape(one) == index_shape(other) and not (one.unique and other.unique and one.nulls_not_distinct != other.nulls_not_distinct)


def _spare(new: Index, old: Index) -> tuple[Index, Index]:
    """Which of the two is not needed: never the one behind a constraint, never the only unique one."""
    if (old.constraint is None and new.constraint is not None) or (old.constraint is None and new.unique and not old.unique):
        return old, new
    return new, old


def _drop(index: Index, step: Step) -> str:
    if index.constraint is not None:
        return f"ALTER TABLE {step.display(index.table)} DROP CONSTRAINT {quote(index.constraint)}"
    return f"DROP INDEX CONCURRENTLY {step.display(index.name)}"

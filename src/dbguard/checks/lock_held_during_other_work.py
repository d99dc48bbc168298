"""A lock that makes others wait is kept while the same transaction does slow work on something else."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, blocking_locks, flag
from dbguard.model.names import Name
from dbguard.model.operations import Copy, Delete, Insert, Refresh, Update
from dbguard.model.predicates import pins_rows
from dbguard.model.questions import new_name, validated_where_added
from dbguard.model.state import EndOfTransaction, Lock, Step


def check(transaction: EndOfTransaction, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    if len(transaction.steps) < 2:
        return
    held: dict[Name, tuple[Lock, Step, Name]] = {}  # with the name that others know it by until the commit
    for one in transaction.steps:
        work = slow_work(one) if held else ""
        for relation, (lock, earlier, known_as) in held.items() if work else ():
            if relation not in one.before.schema.tables and earlier.before.schema.table(relation).kind == "view":
                continue  # it has to be dropped before its tables change, and its readers are theirs
            waits = "" if _is_told_already(relation, one) else _made_worse(lock, one)
            if waits and earlier.statement is not one.statement:
                yield flag(at=one.statement, table=earlier.display(known_as), waits=waits, work=work, mode=str(lock.mode))
                return
        for lock in blocking_locks(one):
            if lock.relation not in held or held[lock.relation][0].mode < lock.mode:
                held[lock.relation] = (lock, one, held[lock.relation][2] if lock.relation in held else lock.relation)
        if (names := new_name(one)) is not None and names[0] in held:
            lock, earlier, known_as = held.pop(names[0])
            held[names[1]] = (lock._replace(relation=names[1]), earlier, known_as)


def _is_told_already(relation: Name, step: Step) -> bool:
    """Whether constraint-validated-in-same-transaction says who waits for the locks that adding the constraint took."""
    constraint = validated_where_added(step)
    return constraint is not None and relation in {step.before.resolve(step.operation.table), constraint.references}


def _made_worse(held: Lock, step: Step) -> str:
    """Who waits for the lock held from before and would not wait for the statement's own."""
    own = step.effects.mode(held.relation)
    blocked = set(held.mode.blocks) - set(own.blocks if own is not None else ())
    return (
        "every read and write"
        if "read" in blocked and "write" in blocked
        else "every read"
        if "read" in blocked
        else "every write"
        if "write" in blocked
        else ""
    )


def slow_work(step: Step) -> str:
    """What takes time in proportion to a table that is in use, in words; empty if nothing does."""
    effects = step.effects
    for verb, relations in (("the rewrite of", effects.rewrites), ("the scan of", effects.scans)):
        for relation in relations:
            if not step.before.is_empty(relation):
                return f"{verb} `{step.display(relation)}`"
    for index in effects.builds:
        table = step.before.schema.index_tables.get(index) or getattr(step.operation, "table", None)
        if table is None or not step.before.is_empty(table):
            return f"the build of `{step.display(index)}`"
    match step.operation:
        case Update(table=table) if not step.is_new_or_empty(table) and not _pinned(step):
            return f"the UPDATE of `{table}`"
        case Delete(table=table) if not step.is_new_or_empty(table) and not _pinned(step):
            return f"the DELETE from `{table}`"
        case Insert(table=table, rows=None, default_values=False, limited=False, uses=uses) if not all(map(step.is_new_or_empty, uses.reads)):
            return f"the INSERT ... SELECT into `{table}`"
        case Copy(table=table, to=False) if table is not None:
            return f"the COPY into `{table}`"
        case Refresh(name=name, with_data=True) if not step.is_new(name):
            return f"the refresh of `{name}`"
    return ""


def _pinned(step: Step) -> bool:
    """Whether the WHERE names the rows by key."""
    where = step.operation.where
    return where is not None and pins_rows(where.tree, step.table(step.operation.table))

"""A statement that PostgreSQL refuses in the state that the migrations before it leave."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name
from dbguard.model.operations import AddColumn, CreateIndex, DetachPartition, Do, DropIndex
from dbguard.model.questions import default_partition
from dbguard.model.state import Step


def check(operation: object, step: Step) -> Iterator[Flag]:
    reason = step.effects.fails
    if reason is None or any(isinstance(one, Do) for one in step.statement.operations):  # a body can test first, or catch the error
        return
    if not _has_a_rule_of_its_own(operation, step) and not (step.script.tool == "files" and _rests_on_order(operation, reason, step)):
        yield flag(reason=reason)


def _rests_on_order(operation: object, reason: str, step: Step) -> bool:
    """Whether a name is taken by another file, of files that nothing puts in order: perhaps they never meet in one database."""
    if " exists" not in reason:
        return False
    state, schema = step.before, step.before.schema
    name, table = getattr(operation, "name", None), getattr(operation, "table", None)
    if isinstance(name, str) and table is not None:
        name = Name(state.resolve(table).schema, name)
    names = [state.target(name)] if isinstance(name, Name) else [] if table is None else [state.resolve(table)]
    known = [found for one in names for found in (schema.tables.get(one), schema.sequences.get(one), schema.types.get(one), schema.find_index(one))]
    return not any(one is not None and one.created is not None and one.created.script == state.now.script for one in known)


def _has_a_rule_of_its_own(operation: object, step: Step) -> bool:
    """Whether another rule says what to do instead: NOT NULL without a default, CONCURRENTLY where PostgreSQL does not take it."""
    if (step.effects.fails or "").startswith("unsafe use of new value"):
        return True
    match operation:
        case AddColumn():
            return (step.effects.fails or "").endswith("contains null values")
        case CreateIndex(table=table, concurrently=True, only=False):
            return step.table(table).kind == "partitioned table"
        case DropIndex(names=names, concurrently=True, cascade=cascade):
            index = step.before.schema.find_index(step.before.resolve(names[0]))
            refused = index is not None and (index.constraint is not None or step.table(index.table).kind == "partitioned table")
            return refused or cascade or len(names) > 1
        case DetachPartition(table=table, concurrently=True):
            return default_partition(step.before.resolve(table), step.before) is not None
    return False

"""What tables get from other tables: partitions and children from parents, and LIKE from its source."""

from __future__ import annotations

from collections.abc import Iterable

from dbguard.model.names import Name
from dbguard.model.operations.tables import CreateTable, LikeTable
from dbguard.model.schema import Column, Constraint
from dbguard.replay.advance.define import add_owned_sequence, build_index, definition_of, inherit_foreign_key, inherit_index
from dbguard.replay.advance.draft import Draft


def parent_columns(draft: Draft, operation: CreateTable) -> dict[str, Column]:
    """Columns that come from OF, PARTITION OF and INHERITS, in that order."""
    state = draft.state
    columns: dict[str, Column] = {}
    if operation.of_type is not None:
        source = draft.tables.get(state.resolve_type(operation.of_type))
        columns.update(source.columns if source is not None else {})
    partition = operation.partition_of is not None
    for written in (operation.partition_of, *operation.inherits) if operation.partition_of is not None else operation.inherits:
        parent = draft.find(written)
        for column in parent.columns.values() if parent is not None else ():
            if column.name in columns:
                merged = columns[column.name]
                columns[column.name] = merged._replace(not_null=merged.not_null or column.not_null)
            else:
                columns[column.name] = column._replace(inherited=True, identity=column.identity if partition else "")
    return columns


def parent_checks(draft: Draft, parents: Iterable[Name]) -> dict[str, Constraint]:
    """CHECK constraints that children get when they are created."""
    found: dict[str, Constraint] = {}
    for name in parents:
        parent = draft.tables.get(name)
        for constraint in parent.constraints.values() if parent is not None else ():
            if constraint.kind in {"check", "not null"} and not constraint.no_inherit:
                found[constraint.name] = constraint._replace(inherited=True)
    return found


def adopt(draft: Draft, parent: Name, child: Name) -> None:
    """A partition gets the indexes, foreign keys and row triggers of its parent (DefineRelation, ATExecAttachPartition)."""
    source = draft.tables.get(parent)
    if source is None:
        return
    for index in source.indexes.values():
        inherit_index(draft, index, definition_of(draft, index), draft.tables[child])
    for constraint in source.foreign_keys():
        inherit_foreign_key(draft, parent, constraint, onto=child)
    inherited = {name: trigger for name, trigger in source.triggers.items() if trigger.row}
    if inherited:
        table = draft.tables[child]
        draft.put(table._replace(triggers={**table.triggers, **inherited}))


def like_columns(draft: Draft, name: Name, like: LikeTable) -> dict[str, Column]:
    """The columns that LIKE copies (transformTableLikeClause in parse_utilcmd.c)."""
    source = draft.find(like.source)
    columns: dict[str, Column] = {}
    for original in source.columns.values() if source is not None else ():
        column = Column(original.name, original.type, original.not_null, collation=original.collation)
        if original.generated:
            if "generated" in like.including:
                column = column._replace(default=original.default, generated=original.generated)
        elif "defaults" in like.including:
            column = column._replace(default=original.default)
        if original.identity and "identity" in like.including:
            column = add_owned_sequence(draft, name, column._replace(identity=original.identity), identity=True)
        if "storage" in like.including:
            column = column._replace(storage=original.storage)
        if "compression" in like.including:
            column = column._replace(compression=original.compression)
        columns[column.name] = column
    return columns


def like_rest(draft: Draft, name: Name, like: LikeTable) -> None:
    """Checks keep their names; indexes get new ones (expandTableLikeClause)."""
    source = draft.find(like.source)
    if source is None:
        return
    if "constraints" in like.including:
        for constraint in source.constraints.values():
            if constraint.kind == "check":
                draft.put_constraint(name, constraint._replace(inherited=False, valid=constraint.enforced))
    if "indexes" in like.including:
        for index in source.indexes.values():
            build_index(draft, name, definition_of(draft, index))

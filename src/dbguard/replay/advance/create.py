"""CREATE TABLE, CREATE TABLE AS and views."""

from __future__ import annotations

from collections.abc import Iterable

from dbguard.model.expression import Uses
from dbguard.model.names import Name
from dbguard.model.operations.objects import CreateMaterializedView, CreateView
from dbguard.model.operations.tables import ColumnDefinition, ConstraintDefinition, CreateTable, CreateTableAs
from dbguard.model.schema import Column, PartitionKey, Table
from dbguard.model.state import State
from dbguard.replay.advance import naming
from dbguard.replay.advance.define import UNKNOWN, add_constraint, add_owned_sequence, column_from
from dbguard.replay.advance.draft import Advances, Draft
from dbguard.replay.advance.inherit import adopt, like_columns, like_rest, parent_checks, parent_columns


def target(state: State, name: Name, persistence: str) -> Name:
    return Name("pg_temp", name.name) if persistence == "temporary" else state.target(name)


def create_table(state: State, operation: CreateTable) -> State:
    name = target(state, operation.name, operation.persistence)
    draft = Draft(state)
    existing = draft.tables.get(name)
    if draft.takes(name) and (existing is None or existing.known or operation.if_not_exists):
        return state
    kind = "partitioned table" if operation.partition_strategy else operation.kind
    parent = state.resolve(operation.partition_of) if operation.partition_of is not None else None
    inherits = tuple(state.resolve(one) for one in operation.inherits)
    for one in inherits if parent is None else (parent, *inherits):
        if draft.is_below(one, name):
            return state
        if not draft.takes(one):
            draft.put(Table(one, "table" if parent is None else "partitioned table", known=False))
    columns = _columns(draft, name, operation)
    table = Table(
        name,
        kind,
        columns,
        parent_checks(draft, (*inherits, parent) if parent is not None else inherits),
        {},
        "temporary" if name.schema == "pg_temp" else operation.persistence,
        PartitionKey(operation.partition_strategy, naming.index_keys(operation.partition_keys)) if operation.partition_strategy else None,
        parent,
        operation.bound,
        inherits,
        options=dict(operation.options) if operation.options else {},
        access_method=operation.access_method or "heap",
        tablespace=operation.tablespace or "",
        of_type=state.resolve_type(operation.of_type) if operation.of_type is not None else None,
        created=state.now,
    )
    draft.put(table)
    if parent is not None:
        adopt(draft, parent, name)
    for like in operation.like:
        like_rest(draft, name, like)
    _add_constraints(draft, name, operation)
    return draft.done()


def _columns(draft: Draft, name: Name, operation: CreateTable) -> dict[str, Column]:
    """Columns of parents first, then those of LIKE and the own ones as they were written (MergeAttributes in tablecmds.c)."""
    columns = parent_columns(draft, operation)
    likes = sorted(operation.like, key=lambda like: like.position)
    for position, definition in enumerate((*operation.columns, None)):
        while likes and (definition is None or likes[0].position <= position):
            columns.update(like_columns(draft, name, likes.pop(0)))
        if definition is not None:
            columns[definition.name] = _own_column(draft, name, definition, columns.get(definition.name), operation)
    for column in _key_columns(operation):
        if column in columns and not columns[column].not_null:
            columns[column] = columns[column]._replace(not_null=True)
    return columns


def _own_column(draft: Draft, name: Name, definition: ColumnDefinition, inherited: Column | None, operation: CreateTable) -> Column:
    column = column_from(draft, definition)
    if definition.serial or definition.identity:
        column = add_owned_sequence(draft, name, column, identity=bool(definition.identity), persistence=operation.persistence)
    if inherited is None:
        return column
    return inherited._replace(
        not_null=inherited.not_null or column.not_null,
        default=column.default if column.default is not None else inherited.default,
        inherited=operation.partition_of is not None,
    )


def _constraints(operation: CreateTable) -> Iterable[ConstraintDefinition]:
    for column in operation.columns:
        yield from column.constraints
    yield from operation.constraints


def _key_columns(operation: CreateTable) -> Iterable[str]:
    for definition in _constraints(operation):
        if definition.kind in {"primary key", "not null"}:
            yield from definition.columns


def _add_constraints(draft: Draft, name: Name, operation: CreateTable) -> None:
    """Checks, then indexes with the primary key first, then foreign keys (transformCreateStmt in parse_utilcmd.c)."""
    definitions = list(_constraints(operation))
    if not definitions:
        return
    checks = [d for d in definitions if d.kind in {"check", "not null"}]
    keys = merged(d for d in definitions if d.kind in {"primary key", "unique"})
    exclusions = [d for d in definitions if d.kind == "exclusion"]
    references = [d for d in definitions if d.kind == "foreign key"]
    for definition in (*checks, *keys, *exclusions, *references):
        add_constraint(draft, name, definition)


def merged(definitions: Iterable[ConstraintDefinition]) -> list[ConstraintDefinition]:
    """Keys as they are built: the primary key first, and `UNIQUE PRIMARY KEY` is one index (transformIndexConstraints)."""
    found: list[ConstraintDefinition] = []
    for one in sorted(definitions, key=lambda d: d.kind != "primary key"):
        for position, prior in enumerate(found):
            if _key(prior) == _key(one):
                found[position] = prior._replace(name=prior.name or one.name)
                break
        else:
            found.append(one)
    return found


def _key(one: ConstraintDefinition) -> ConstraintDefinition:
    return one._replace(name=None, kind="")


def create_table_as(state: State, operation: CreateTableAs) -> State:
    name = target(state, operation.name, operation.persistence)
    draft = Draft(state)
    if draft.takes(name):
        return state
    written = operation.outputs
    outputs = (*operation.columns, *written[len(operation.columns) :])
    columns, known = outputs_of(draft, outputs, operation.uses)
    known = known and bool(written or operation.columns)
    draft.put(Table(name, columns=columns, persistence=operation.persistence, created=state.now, known=known))
    return draft.done()


def create_view(state: State, operation: CreateView) -> State:
    name = target(state, operation.name, "temporary" if operation.temporary else "permanent")
    draft = Draft(state)
    existing = draft.tables.get(name)
    if draft.takes(name) and not (operation.replace and existing is not None and (existing.kind == "view" or not existing.known)):
        return state
    columns, known = outputs_of(draft, operation.columns, operation.uses)
    view = Table(name, "view", options=dict(operation.options), created=state.now)
    if existing is not None and existing.known:
        view = existing._replace(options=dict(operation.options))
    draft.put(view._replace(columns=columns, known=known, uses=resolved(state, operation.uses), definition=operation.text))
    return draft.done()


def create_materialized_view(state: State, operation: CreateMaterializedView) -> State:
    name = state.target(operation.name)
    draft = Draft(state)
    if draft.takes(name):
        return state
    columns, known = outputs_of(draft, operation.columns, operation.uses)
    uses = resolved(state, operation.uses)
    draft.put(Table(name, "materialized view", columns, uses=uses, created=state.now, known=known))
    return draft.done()


def outputs_of(draft: Draft, names: Iterable[str | None], uses: Uses) -> tuple[dict[str, Column], bool]:
    """Columns of a query's result, and whether they are all known.

    `*` over one known table is that table's columns. A query that names columns as well may have them in a sub-query, which `*` then is about.
    """
    source = draft.find(uses.reads[0]) if len(uses.reads) == 1 and not uses.columns else None
    columns: dict[str, Column] = {}
    known = True
    for name in names:
        if name is not None:
            columns[name] = Column(name, UNKNOWN)
        elif source is not None and source.known:
            columns.update({c: Column(c, column.type) for c, column in source.columns.items()})
        else:
            known = False
    return columns, known


def resolved(state: State, uses: Uses) -> Uses:
    """What a view reads, with complete names: it is bound when it is created."""
    return uses._replace(
        reads=tuple(state.resolve(one) for one in uses.reads),
        row_locks=tuple(state.resolve(one) for one in uses.row_locks),
        sequences=tuple(state.resolve(one) for one in uses.sequences),
        only=frozenset(state.resolve(one) for one in uses.only) if uses.only else uses.only,
    )


ADVANCE: Advances = {
    CreateTable: create_table,
    CreateTableAs: create_table_as,
    CreateView: create_view,
    CreateMaterializedView: create_materialized_view,
}

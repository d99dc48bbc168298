"""Why the server would refuse to add a constraint, where the schema is known well enough to say so."""

from __future__ import annotations

from dbguard.model.operations import ColumnDefinition, ConstraintDefinition
from dbguard.model.postgres import Server
from dbguard.model.schema import Index, Table
from dbguard.model.state import State
from dbguard.model.types import DataType
from dbguard.replay.effects.common import SYSTEM_COLUMNS
from dbguard.replay.effects.types import base_type

# Built-in types between which no = operator exists, by group: a foreign key needs one (ATAddForeignKeyConstraint).
_GROUPS = {
    **dict.fromkeys(("int2", "int4", "int8", "numeric", "float4", "float8"), "number"),
    **dict.fromkeys(("text", "varchar", "bpchar"), "text"),
    **dict.fromkeys(("date", "timestamp", "timestamptz"), "time"),
    **{name: name for name in ("uuid", "bool", "bytea", "inet", "jsonb")},
}
_WIDTHS = {"int2": 0, "int4": 0, "int8": 0, "numeric": 1, "float4": 2, "float8": 2}


def why_no_constraint(constraint: ConstraintDefinition, table: Table, state: State, server: Server, *, only: bool = False) -> str | None:
    """The reason to refuse `constraint` on `table`, None if there is none to be seen."""
    if (reason := _too_new(constraint, server)) is not None:
        return reason
    if constraint.kind in {"unique", "primary key", "exclusion"} and not constraint.valid:
        return f"{constraint.kind.upper()} constraints cannot be marked NOT VALID"
    if not table.known:
        return None
    existing = table.constraints.get(constraint.name or "")
    if existing is not None and not (existing.inherited and existing.kind == constraint.kind == "check"):  # that one is merged
        return f'constraint "{constraint.name}" for relation `{table.name}` already exists'
    missing = _mentioned(constraint, table) - table.columns.keys() - SYSTEM_COLUMNS - {table.name.name}
    if missing:
        return f'column "{min(missing)}" does not exist'
    match constraint.kind:
        case "check" | "not null":
            children = state.schema.partitions(table.name)
            if constraint.no_inherit and constraint.kind == "check" and table.partition_by is not None:
                return f"cannot add NO INHERIT constraint to partitioned table `{table.name}`"
            if constraint.kind == "not null" and (reason := _second_not_null(constraint, table)) is not None:
                return reason
            return "constraint must be added to child tables too" if only and children and not constraint.no_inherit else None
        case "foreign key":
            if only and table.partition_by is not None:
                return f"cannot use ONLY for foreign key on partitioned table `{table.name}`"
            return _no_foreign_key(constraint, table, state, server)
        case _:
            return _no_key(constraint, table, state, server)


def _second_not_null(constraint: ConstraintDefinition, table: Table) -> str | None:
    """A column has one NOT NULL constraint, under one name (AdjustNotNullInheritance in catalog/pg_constraint.c)."""
    column = table.columns.get(constraint.columns[0])
    own = next((c.name for c in table.constraints.values() if c.kind == "not null" and c.columns == constraint.columns), None)
    if column is None or not column.not_null or constraint.name is None or own is not None:
        return None
    if constraint.name == f"{table.name.name}_{column.name}_not_null":
        return None
    return f'cannot create not-null constraint "{constraint.name}" on column "{column.name}": it has one'


def column_too_new(column: ColumnDefinition, server: Server) -> str | None:
    """Why that version cannot read the definition of a new column."""
    if column.generated in {"virtual", "unstated"} and not server.since(18):
        return "virtual generated columns need PostgreSQL 18"
    if column.storage and not server.since(16):
        return "STORAGE in the definition of a column needs PostgreSQL 16"
    if column.compression and not server.since(14):
        return "COMPRESSION needs PostgreSQL 14"
    return None


def _too_new(constraint: ConstraintDefinition, server: Server) -> str | None:
    if constraint.kind == "not null" and not server.since(18):
        return "NOT NULL as a table constraint needs PostgreSQL 18"
    if not constraint.enforced and not server.since(18):
        return "NOT ENFORCED needs PostgreSQL 18"
    if constraint.without_overlaps and not server.since(18):
        return "WITHOUT OVERLAPS needs PostgreSQL 18"
    if constraint.nulls_not_distinct and not server.since(15):
        return "NULLS NOT DISTINCT needs PostgreSQL 15"
    return None


def _mentioned(constraint: ConstraintDefinition, table: Table) -> set[str]:
    mentioned = set(constraint.columns) | set(constraint.include)
    if constraint.expression is not None and constraint.kind == "check":
        mentioned |= constraint.expression.columns
    return mentioned


def _no_foreign_key(key: ConstraintDefinition, table: Table, state: State, server: Server) -> str | None:
    if table.kind == "partitioned table" and not key.valid and not server.since(18):
        return f"cannot add NOT VALID foreign key on partitioned table `{table.name}`"
    if key.references is None:
        return None
    parent = state.table(key.references)
    if not parent.known:
        return f"relation `{parent.name}` does not exist" if state.schema.complete and parent.name not in state.schema.tables else None
    if (table.persistence == "temporary") is not (parent.persistence == "temporary") or (table.persistence, parent.persistence) == (
        "permanent",
        "unlogged",
    ):
        return f"constraints on {table.persistence} tables may not reference the {parent.persistence} table `{parent.name}`"
    columns = key.referenced_columns or (parent.primary_key.columns if parent.primary_key is not None else ())
    if not columns:
        return f"there is no primary key for referenced table `{parent.name}`"
    if len(columns) != len(key.columns):
        return "number of referencing and referenced columns for foreign key disagree"
    unique = (index for index in parent.indexes.values() if index.unique and index.where is None)
    if key.referenced_columns and not any(len(i.keys) == len(columns) and set(i.columns) == set(columns) for i in unique):
        return f"there is no unique constraint matching given keys for referenced table `{parent.name}`"
    for own, other in zip(key.columns, columns, strict=True):
        if not _comparable(table, own, parent, other, state):
            types = f"`{own}` is {table.columns[own].type}, `{other}` of `{parent.name}` is {parent.columns[other].type}"
            return f"foreign key constraint cannot be implemented: {types}, and no = compares them"
    return None


def _comparable(table: Table, own: str, parent: Table, other: str, state: State) -> bool:
    if own not in table.columns or other not in parent.columns:
        return True
    mine, theirs = (base_type(one, state) for one in (table.columns[own].type, parent.columns[other].type))
    return comparable(mine, theirs)


def comparable(own: DataType, referenced: DataType) -> bool:
    """Whether a foreign key may tie a column of type `own` to one of type `referenced`; true if that is not known here."""
    groups = _GROUPS.get(own.builtin or ""), _GROUPS.get(referenced.builtin or "")
    if own.array or referenced.array or None in groups:
        return True
    if groups == ("number", "number"):
        return _WIDTHS[str(own.builtin)] <= _WIDTHS[str(referenced.builtin)]  # one way only: the cast has to be implicit
    return groups[0] == groups[1]


def _no_key(key: ConstraintDefinition, table: Table, state: State, server: Server) -> str | None:
    from dbguard.replay.effects.opclasses import why_no_index, why_no_key

    if key.kind == "primary key" and table.primary_key is not None:
        return f"multiple primary keys for table `{table.name}` are not allowed"
    if key.using_index is not None:
        return _no_index(key.using_index, table)
    if table.partition_by is not None:
        if key.kind == "exclusion" and not server.since(17):
            return "exclusion constraints are not supported on partitioned tables"
        columns = set(key.columns) | {one.column for one in key.keys}
        parted = (one.partition_by for one in (table, *state.schema.descendants(table.name)) if one.partition_by is not None)
        if any(one.column is None or one.column not in columns for by in parted for one in by.keys):
            return "unique constraint on partitioned table must include all partitioning columns"
    if key.kind in {"unique", "primary key"} and (reason := why_no_key(key.columns, table.columns.values(), state)) is not None:
        return reason
    if key.kind == "exclusion" and (reason := why_no_index(key.method, key.keys, table, state)) is not None:
        return reason
    unproved = (c for c in table.constraints.values() if c.kind == "not null" and not c.valid)
    if key.kind == "primary key" and (bad := next((c for c in unproved if set(c.columns) & set(key.columns)), None)) is not None:
        return f'cannot create primary key on column "{bad.columns[0]}": its NOT NULL is not valid'
    return None


def _no_index(name: str, table: Table) -> str | None:
    """transformIndexConstraint in src/backend/parser/parse_utilcmd.c."""
    if table.kind == "partitioned table":
        return "ALTER TABLE / ADD CONSTRAINT USING INDEX is not supported on partitioned tables"
    index: Index | None = table.indexes.get(name)
    if index is None:
        return f'index "{name}" does not exist'
    if index.constraint is not None:
        return f'index "{name}" is already associated with a constraint'
    if not index.unique:
        return f'"{name}" is not a unique index'
    if index.where is not None:
        return f'"{name}" is a partial index'
    if any(key.column is None for key in index.keys):
        return f'index "{name}" contains expressions'
    if not index.valid:
        return f'index "{name}" is not valid'
    if any(key.descending or key.nulls_first or key.opclass is not None for key in index.keys):
        return f'index "{name}" does not have default sorting behavior'
    return None

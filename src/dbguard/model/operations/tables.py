"""Operations on the definition of a table."""

from __future__ import annotations

from dbguard.model.expression import Expression, Uses
from dbguard.model.keys import IndexKey, PartitionBound
from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.model.types import DataType

__all__ = [
    "AddColumn",
    "AddConstraint",
    "AddIdentity",
    "AlterConstraint",
    "AttachPartition",
    "ChangeColumnOptions",
    "ChangeColumnType",
    "ChangeOwner",
    "ColumnDefinition",
    "ConstraintDefinition",
    "CreateTable",
    "CreateTableAs",
    "DetachPartition",
    "DropColumn",
    "DropConstraint",
    "DropDefault",
    "DropExpression",
    "DropIdentity",
    "DropNotNull",
    "DropTable",
    "Inherit",
    "LikeTable",
    "RenameColumn",
    "RenameConstraint",
    "RenameTable",
    "SetAccessMethod",
    "SetClustered",
    "SetCompression",
    "SetDefault",
    "SetExpression",
    "SetIdentity",
    "SetNotNull",
    "SetOfType",
    "SetPersistence",
    "SetReplicaIdentity",
    "SetRowSecurity",
    "SetRule",
    "SetSchema",
    "SetStatistics",
    "SetStorage",
    "SetTableOptions",
    "SetTablespace",
    "SetTrigger",
    "ValidateConstraint",
]


class ConstraintDefinition(Record):
    """A constraint as written. `name` is None where PostgreSQL will choose one."""

    kind: str  # check, not null, unique, primary key, exclusion, foreign key
    name: str | None = None
    columns: tuple[str, ...] = ()
    keys: tuple[IndexKey, ...] = ()  # of an exclusion constraint
    include: tuple[str, ...] = ()
    method: str = "btree"
    where: Expression | None = None
    expression: Expression | None = None
    references: Name | None = None
    referenced_columns: tuple[str, ...] = ()
    on_delete: str = "no action"
    on_update: str = "no action"
    match_full: bool = False
    valid: bool = True  # False: NOT VALID was written
    enforced: bool = True  # False: NOT ENFORCED was written
    deferrable: bool = False
    deferred: bool = False
    no_inherit: bool = False
    nulls_not_distinct: bool = False
    without_overlaps: bool = False
    using_index: str | None = None


class ColumnDefinition(Record):
    """A column as written. `serial` columns have type int2/int4/int8 and `serial` set; they are not null."""

    name: str
    type: DataType
    not_null: bool = False
    default: Expression | None = None
    generated: str = ""  # "", "stored", "virtual", "unstated" (no keyword: virtual from 18, a syntax error before)
    generated_expression: Expression | None = None
    identity: str = ""  # "", "always", "by default"
    serial: bool = False
    constraints: tuple[ConstraintDefinition, ...] = ()  # inline ones, `columns` filled in; NOT NULL too if it is named
    collation: Name | None = None
    storage: str = ""
    compression: str = ""
    null_written: bool = False  # an explicit NULL


class LikeTable(Record):
    """LIKE source INCLUDING ... inside CREATE TABLE."""

    source: Name
    including: frozenset[str] = frozenset()  # comments, compression, constraints, defaults, generated, identity, indexes, statistics, storage
    position: int = 0  # number of columns written before it


class CreateTable(Record):
    """CREATE TABLE, also CREATE FOREIGN TABLE (kind) and CREATE TYPE ... AS (kind "composite type")."""

    name: Name
    columns: tuple[ColumnDefinition, ...] = ()
    constraints: tuple[ConstraintDefinition, ...] = ()
    kind: str = "table"  # table, foreign table, composite type
    persistence: str = "permanent"  # permanent, unlogged, temporary
    if_not_exists: bool = False
    like: tuple[LikeTable, ...] = ()
    inherits: tuple[Name, ...] = ()
    partition_strategy: str = ""  # range, list, hash
    partition_keys: tuple[IndexKey, ...] = ()
    partition_of: Name | None = None
    bound: PartitionBound | None = None
    of_type: Name | None = None
    options: tuple[tuple[str, str], ...] = ()
    access_method: str | None = None
    tablespace: str | None = None


class CreateTableAs(Record):
    """CREATE TABLE AS, SELECT INTO. `columns` is the list written after the name, empty if none.

    `outputs` are the names of the target list; None inside: not known (`*`).
    """

    name: Name
    uses: Uses
    columns: tuple[str, ...] = ()
    persistence: str = "permanent"
    if_not_exists: bool = False
    with_data: bool = True
    outputs: tuple[str | None, ...] = ()


class DropTable(Record):
    """DROP TABLE, DROP FOREIGN TABLE."""

    names: tuple[Name, ...]
    if_exists: bool = False
    cascade: bool = False
    kind: str = "table"


class RenameTable(Record):
    """ALTER TABLE/VIEW/INDEX/SEQUENCE/MATERIALIZED VIEW/FOREIGN TABLE/TYPE ... RENAME TO."""

    table: Name
    to: str
    kind: str = "table"  # table, view, index, sequence, materialized view, foreign table, composite type
    if_exists: bool = False


class SetSchema(Record):
    """ALTER TABLE/VIEW/SEQUENCE/MATERIALIZED VIEW/FOREIGN TABLE ... SET SCHEMA."""

    table: Name
    schema: str
    kind: str = "table"
    if_exists: bool = False


class AddColumn(Record):
    table: Name
    column: ColumnDefinition
    if_not_exists: bool = False
    only: bool = False
    if_exists: bool = False  # ALTER TABLE IF EXISTS
    verified: bool = False  # another action of the statement makes PostgreSQL verify inline foreign keys, too


class DropColumn(Record):
    table: Name
    column: str
    if_exists: bool = False  # DROP COLUMN IF EXISTS
    cascade: bool = False
    only: bool = False


class RenameColumn(Record):
    table: Name
    column: str
    to: str
    kind: str = "table"  # table, view, materialized view, composite type, foreign table
    only: bool = False


class ChangeColumnType(Record):
    """ALTER COLUMN TYPE. `using` is None where no USING was written."""

    table: Name
    column: str
    type: DataType
    using: Expression | None = None
    collation: Name | None = None
    only: bool = False


class SetDefault(Record):
    table: Name
    column: str
    default: Expression
    only: bool = False


class DropDefault(Record):
    table: Name
    column: str
    only: bool = False


class SetNotNull(Record):
    table: Name
    column: str
    only: bool = False


class DropNotNull(Record):
    table: Name
    column: str
    only: bool = False


class SetExpression(Record):
    """ALTER COLUMN SET EXPRESSION AS, from 17."""

    table: Name
    column: str
    expression: Expression
    only: bool = False


class DropExpression(Record):
    table: Name
    column: str
    if_exists: bool = False
    only: bool = False


class AddIdentity(Record):
    table: Name
    column: str
    identity: str  # always, by default
    only: bool = False


class SetIdentity(Record):
    """ALTER COLUMN SET GENERATED ..., SET sequence option, RESTART."""

    table: Name
    column: str
    identity: str | None = None
    only: bool = False


class DropIdentity(Record):
    table: Name
    column: str
    if_exists: bool = False
    only: bool = False


class SetStatistics(Record):
    """ALTER COLUMN SET STATISTICS; `of_index` if it was ALTER INDEX."""

    table: Name
    column: str
    of_index: bool = False
    only: bool = False


class SetStorage(Record):
    table: Name
    column: str
    storage: str
    only: bool = False


class SetCompression(Record):
    table: Name
    column: str
    method: str
    only: bool = False


class ChangeColumnOptions(Record):
    """ALTER COLUMN SET (n_distinct = ...) or RESET (...); OPTIONS of a foreign table's column."""

    table: Name
    column: str


class AddConstraint(Record):
    table: Name
    constraint: ConstraintDefinition
    only: bool = False


class ValidateConstraint(Record):
    table: Name
    name: str
    only: bool = False


class DropConstraint(Record):
    table: Name
    name: str
    if_exists: bool = False
    cascade: bool = False
    only: bool = False


class AlterConstraint(Record):
    """ALTER CONSTRAINT ... DEFERRABLE / [NOT] ENFORCED (18) / [NO] INHERIT (18); None where it was not written."""

    table: Name
    name: str
    deferrable: bool | None = None
    deferred: bool | None = None
    enforced: bool | None = None
    inherit: bool | None = None


class RenameConstraint(Record):
    table: Name
    name: str
    to: str
    only: bool = False


class SetClustered(Record):
    """CLUSTER ON index, or SET WITHOUT CLUSTER (index_name None)."""

    table: Name
    index_name: str | None


class SetPersistence(Record):
    """SET LOGGED, SET UNLOGGED."""

    table: Name
    logged: bool
    kind: str = "table"  # or sequence


class SetAccessMethod(Record):
    table: Name
    method: str | None  # None: DEFAULT


class SetTablespace(Record):
    """SET TABLESPACE of a table, index or materialized view."""

    table: Name
    tablespace: str
    kind: str = "table"


class SetTableOptions(Record):
    """SET (...) and RESET (...) of a table, index, view or materialized view; values are None for RESET."""

    table: Name
    options: tuple[tuple[str, str | None], ...]
    kind: str = "table"


class Inherit(Record):
    """INHERIT parent, or NO INHERIT parent (`add` False)."""

    table: Name
    parent: Name
    add: bool = True


class SetOfType(Record):
    """OF type, NOT OF (type None)."""

    table: Name
    type: Name | None


class ChangeOwner(Record):
    """OWNER TO of a relation."""

    table: Name
    kind: str = "table"  # table, view, index, sequence, materialized view, foreign table


class SetReplicaIdentity(Record):
    table: Name
    identity: str  # default, full, nothing, index
    index_name: str | None = None


class SetRowSecurity(Record):
    """ENABLE, DISABLE, FORCE, NO FORCE ROW LEVEL SECURITY."""

    table: Name
    change: str  # enable, disable, force, no force


class SetTrigger(Record):
    """ENABLE/DISABLE [REPLICA|ALWAYS] TRIGGER; `name` is "all" or "user" for those."""

    table: Name
    name: str
    enable: bool
    all: bool = False


class SetRule(Record):
    """ENABLE/DISABLE RULE."""

    table: Name
    name: str
    enable: bool


class AttachPartition(Record):
    table: Name
    partition: Name
    bound: PartitionBound


class DetachPartition(Record):
    """DETACH PARTITION [CONCURRENTLY | FINALIZE]."""

    table: Name
    partition: Name
    concurrently: bool = False
    finalize: bool = False

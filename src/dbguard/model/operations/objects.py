"""Operations on views, sequences, types, functions, triggers and every other object."""

from __future__ import annotations

from dbguard.model.expression import Expression, Uses
from dbguard.model.names import Name
from dbguard.model.operations.tables import ConstraintDefinition
from dbguard.model.record import Record
from dbguard.model.types import DataType

__all__ = [
    "AddEnumValue",
    "AlterAttribute",
    "AlterDomain",
    "AlterObject",
    "AlterPolicy",
    "AlterPublication",
    "AlterSequence",
    "Comment",
    "CreateDomain",
    "CreateEnum",
    "CreateExtension",
    "CreateFunction",
    "CreateMaterializedView",
    "CreateObject",
    "CreatePolicy",
    "CreatePublication",
    "CreateRule",
    "CreateSchema",
    "CreateSequence",
    "CreateStatistics",
    "CreateTrigger",
    "CreateView",
    "DropFunction",
    "DropObject",
    "DropOnTable",
    "DropOwned",
    "DropSchema",
    "DropSequence",
    "DropType",
    "DropView",
    "Grant",
    "RenameEnumValue",
    "RenameObject",
    "RenameOnTable",
    "SetObjectSchema",
]


class CreateView(Record):
    """`columns` are the output names: the list written, else those of the target list; None inside: not known (`*`)."""

    name: Name
    uses: Uses
    columns: tuple[str | None, ...] = ()
    replace: bool = False
    temporary: bool = False
    options: tuple[tuple[str, str], ...] = ()
    text: str = ""  # of the statement; "" if it is very long


class CreateMaterializedView(Record):
    name: Name
    uses: Uses
    columns: tuple[str | None, ...] = ()
    if_not_exists: bool = False
    with_data: bool = True


class DropView(Record):
    """DROP VIEW, DROP MATERIALIZED VIEW."""

    names: tuple[Name, ...]
    materialized: bool = False
    if_exists: bool = False
    cascade: bool = False


class CreateSequence(Record):
    name: Name
    type: DataType | None = None
    owned_by: tuple[Name, str] | None = None
    if_not_exists: bool = False
    temporary: bool = False


class AlterSequence(Record):
    """`options` are the names of the options written: restart, increment, as, owned_by, cache, cycle ...

    `owned_by` is () for OWNED BY NONE.
    """

    name: Name
    options: tuple[str, ...]
    owned_by: tuple[Name, str] | tuple[()] | None = None
    type: DataType | None = None
    if_exists: bool = False


class DropSequence(Record):
    names: tuple[Name, ...]
    if_exists: bool = False
    cascade: bool = False


class CreateEnum(Record):
    name: Name
    labels: tuple[str, ...]


class AddEnumValue(Record):
    type: Name
    label: str
    if_not_exists: bool = False
    neighbour: str | None = None
    after: bool = True


class RenameEnumValue(Record):
    type: Name
    label: str
    to: str


class AlterAttribute(Record):
    """ALTER TYPE composite ADD/DROP/ALTER ATTRIBUTE."""

    type: Name
    change: str  # add, drop, alter
    attribute: str
    data_type: DataType | None = None
    cascade: bool = False
    if_exists: bool = False


class CreateDomain(Record):
    name: Name
    base: DataType
    not_null: bool = False
    default: Expression | None = None
    constraints: tuple[ConstraintDefinition, ...] = ()  # checks
    collation: Name | None = None


class AlterDomain(Record):
    """`change` is add constraint, drop constraint, validate, set not null, drop not null, set default or drop default."""

    name: Name
    change: str
    constraint: ConstraintDefinition | None = None
    constraint_name: str | None = None
    default: Expression | None = None
    if_exists: bool = False
    cascade: bool = False


class DropType(Record):
    """DROP TYPE, DROP DOMAIN."""

    names: tuple[Name, ...]
    domain: bool = False
    if_exists: bool = False
    cascade: bool = False


class CreateFunction(Record):
    """CREATE FUNCTION, CREATE PROCEDURE. Static statements of a PL/pgSQL or SQL body are not part of what runs now."""

    name: Name
    arguments: tuple[DataType, ...] = ()
    returns: DataType | None = None
    procedure: bool = False
    replace: bool = False
    language: str = "sql"
    volatility: str = "volatile"
    security_definer: bool = False
    settings: tuple[tuple[str, str], ...] = ()  # SET clauses
    body: str = ""
    atomic: bool = False  # BEGIN ATOMIC or RETURN: bound when created
    uses: Uses = Uses()  # of an atomic body


class DropFunction(Record):
    """DROP FUNCTION, PROCEDURE, ROUTINE, AGGREGATE; `arguments` None where no list was written."""

    names: tuple[Name, ...]
    arguments: tuple[tuple[DataType, ...] | None, ...] = ()
    kind: str = "function"
    if_exists: bool = False
    cascade: bool = False


class CreateTrigger(Record):
    name: str
    table: Name
    function: Name
    events: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ()
    when: Expression | None = None
    timing: str = "before"  # before, after, instead of
    row: bool = False
    constraint: bool = False
    references: Name | None = None
    replace: bool = False


class CreateRule(Record):
    name: str
    table: Name
    replace: bool = False
    uses: Uses = Uses()


class CreatePolicy(Record):
    name: str
    table: Name
    columns: frozenset[str] = frozenset()
    command: str = "all"
    uses: Uses = Uses()  # of USING and WITH CHECK


class AlterPolicy(Record):
    name: str
    table: Name
    columns: frozenset[str] = frozenset()
    uses: Uses = Uses()


class DropOnTable(Record):
    """DROP TRIGGER, RULE, POLICY."""

    kind: str  # trigger, rule, policy
    name: str
    table: Name
    if_exists: bool = False
    cascade: bool = False


class RenameOnTable(Record):
    """ALTER TRIGGER, RULE, POLICY ... RENAME TO."""

    kind: str
    name: str
    table: Name
    to: str


class CreateExtension(Record):
    name: str
    schema: str | None = None
    version: str | None = None
    if_not_exists: bool = False


class CreateSchema(Record):
    """Elements inside CREATE SCHEMA follow as operations of the same statement."""

    name: str
    if_not_exists: bool = False


class DropSchema(Record):
    names: tuple[str, ...]
    if_exists: bool = False
    cascade: bool = False


class Grant(Record):
    """GRANT and REVOKE of privileges, and of roles (kind "role")."""

    kind: str  # table, sequence, function, schema, database, type, language, ..., role, default privileges
    names: tuple[Name, ...] = ()
    privileges: tuple[str, ...] = ()  # empty: ALL
    grantees: tuple[str, ...] = ()
    all_in_schema: bool = False


class Comment(Record):
    """COMMENT ON; for column, constraint, trigger, rule, policy `table` is the relation."""

    kind: str
    name: Name
    table: Name | None = None


class CreateStatistics(Record):
    name: Name | None
    table: Name
    columns: tuple[str, ...] = ()
    if_not_exists: bool = False


class CreatePublication(Record):
    name: str
    tables: tuple[Name, ...] = ()
    columns: tuple[frozenset[str], ...] = ()  # by table: columns that its column list or row filter names


class AlterPublication(Record):
    name: str
    change: str  # add, set, drop, options
    tables: tuple[Name, ...] = ()
    columns: tuple[frozenset[str], ...] = ()  # as in CreatePublication


class DropOwned(Record):
    """DROP OWNED BY, REASSIGN OWNED BY."""

    reassign: bool = False


class CreateObject(Record):
    """CREATE of a kind that has no columns and locks no table: role, collation, cast, aggregate, operator, text search
    dictionary, foreign server, user mapping, event trigger, access method, language, transform, conversion, database,
    tablespace, subscription, range type, base type ...
    """

    kind: str
    name: Name
    detail: str = ""  # for a role: superuser if it gets that; for a language: its name


class AlterObject(Record):
    """ALTER of such a kind, and of a function, type owner, extension, subscription, default privileges, security label."""

    kind: str
    name: Name
    detail: str = ""


class DropObject(Record):
    """DROP of such a kind, and of an extension, statistics, publication, subscription."""

    kind: str
    names: tuple[Name, ...]
    if_exists: bool = False
    cascade: bool = False


class RenameObject(Record):
    """ALTER ... RENAME TO of a type, domain, domain constraint, function, schema, role, database, extension ..."""

    kind: str
    name: Name
    to: str
    detail: str = ""  # for a domain constraint: the old constraint name; for an attribute: the old attribute name


class SetObjectSchema(Record):
    """ALTER ... SET SCHEMA of a type, domain, function, extension ..."""

    kind: str
    name: Name
    schema: str

"""Operations on indexes, and maintenance of tables and indexes."""

from __future__ import annotations

from dbguard.model.expression import Expression
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name
from dbguard.model.record import Record

__all__ = [
    "Analyze",
    "AttachIndexPartition",
    "Cluster",
    "CreateIndex",
    "DropIndex",
    "Refresh",
    "Reindex",
    "Vacuum",
]


class CreateIndex(Record):
    """`name` is None where PostgreSQL will choose one."""

    table: Name
    keys: tuple[IndexKey, ...]
    name: str | None = None
    method: str = "btree"
    include: tuple[str, ...] = ()
    unique: bool = False
    nulls_not_distinct: bool = False
    where: Expression | None = None
    concurrently: bool = False
    if_not_exists: bool = False
    only: bool = False
    tablespace: str | None = None
    options: tuple[tuple[str, str], ...] = ()


class DropIndex(Record):
    names: tuple[Name, ...]
    concurrently: bool = False
    if_exists: bool = False
    cascade: bool = False


class Reindex(Record):
    """`name` is None for SYSTEM and for DATABASE without a name."""

    kind: str  # index, table, schema, database, system
    name: Name | None
    concurrently: bool = False
    tablespace: str | None = None


class AttachIndexPartition(Record):
    """ALTER INDEX parent ATTACH PARTITION partition."""

    parent: Name
    partition: Name


class Cluster(Record):
    """CLUSTER; `table` None: every clustered table."""

    table: Name | None
    index_name: str | None = None


class Vacuum(Record):
    """VACUUM; `tables` empty: every table."""

    tables: tuple[Name, ...]
    full: bool = False
    analyze: bool = False


class Analyze(Record):
    tables: tuple[Name, ...]


class Refresh(Record):
    """REFRESH MATERIALIZED VIEW."""

    name: Name
    concurrently: bool = False
    with_data: bool = True

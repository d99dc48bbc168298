"""Indexes that really exist on a ghost, seen by the planner or hidden from it, one set after another.

In: a ghost and CREATE INDEX statements. Out: plans of queries for any set of these indexes. An index whose `indisvalid` is false is not
looked at (get_relation_info in plancat.c): one change of the catalog of a throw-away database takes the place of a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dbguard.model.plan import Plan
from dbguard.parsing.explainable import Explainable
from dbguard.postgres.explain import Prepared, plan, prepared
from dbguard.postgres.roles import SUPERUSER

if TYPE_CHECKING:
    from psycopg import Connection

    from dbguard.postgres.ghost import Ghost


class Trials:
    """One connection that changes the catalog, and one that plans."""

    def __init__(self, admin: Connection[Any], caller: Connection[Any], names: Iterable[str]) -> None:
        self._admin, self._caller = admin, caller
        self._oids = dict(admin.execute("SELECT relname::text, oid FROM pg_catalog.pg_class WHERE relname = ANY (%s)", (list(names),)).fetchall())
        self._hidden: frozenset[int] = frozenset()
        self.parts = dict(admin.execute(_PARTS, (list(self._oids.values()),)).fetchall())
        """Names of indexes as plans have them, those of partitions included: name of the trial."""
        caller.execute(_SETTINGS.encode())

    def has(self, name: str) -> bool:
        """Whether PostgreSQL accepted the statement that creates it."""
        return name in self._oids

    def sizes(self) -> dict[str, int]:
        """Bytes of the indexes by name; those of a partitioned table with all their parts."""
        rows = self._admin.execute(_SIZES, (list(self._oids.values()), list(self._oids.values()))).fetchall()
        by_oid = {oid: int(size) for oid, size in rows}
        return {name: by_oid.get(oid, 0) for name, oid in self._oids.items()}

    def prepare(self, query: str | Explainable) -> Prepared:
        """Raises UsageError for what cannot be planned."""
        with self._caller.transaction():
            return prepared(self._caller, query)

    def plan(self, query: Prepared, seen: Iterable[str]) -> Plan:
        """The plan of a query when of the trial indexes only these exist. Raises UsageError."""
        shown = {self._oids[name] for name in seen if name in self._oids}
        self._hide(frozenset(self._oids.values()) - shown)
        with self._caller.transaction():  # a new one: only at its beginning are changes of the catalog taken notice of
            return plan(self._caller, query)

    def _hide(self, oids: frozenset[int]) -> None:
        change = oids ^ self._hidden
        if change:
            self._admin.execute(_HIDE, (list(oids), list(change)))
            self._hidden = oids


_SETTINGS = "SET statement_timeout = '10s'; SET default_transaction_read_only = on; SET standard_conforming_strings = on"
_PARTS = """
SELECT c.relname::text, r.relname::text FROM pg_catalog.pg_class r, pg_catalog.pg_partition_tree(r.oid) tree
JOIN pg_catalog.pg_class c ON c.oid = tree.relid WHERE r.oid = ANY (%s)
"""
_HIDE = """
WITH changed AS (SELECT %s::oid[] AS hidden, %s::oid[] AS roots),
     parts AS (SELECT root, tree.relid AS part FROM changed, unnest(roots) root, pg_catalog.pg_partition_tree(root) tree
               UNION SELECT root, root FROM changed, unnest(roots) root)
UPDATE pg_catalog.pg_index SET indisvalid = NOT (parts.root = ANY (changed.hidden)) FROM parts, changed WHERE indexrelid = parts.part
"""
_SIZES = """
WITH parts AS (SELECT root, tree.relid AS part FROM unnest(%s::oid[]) root, pg_catalog.pg_partition_tree(root) tree),
     alone AS (SELECT oid AS root FROM pg_catalog.pg_class WHERE oid = ANY (%s) AND relkind = 'i')
SELECT root, sum(pg_catalog.pg_relation_size(part)) FROM (SELECT root, part FROM parts UNION SELECT root, root FROM alone) every GROUP BY root
"""


@contextmanager
def trials(ghost: Ghost, statements: Mapping[str, str]) -> Iterator[Trials]:
    """Indexes by name, with the statement that creates each; what PostgreSQL refuses is left out. Raises ServerError."""
    import psycopg
    from psycopg.conninfo import make_conninfo

    tolerant = [f"DO $dbguard_try$ BEGIN {text}; EXCEPTION WHEN OTHERS THEN NULL; END $dbguard_try$" for text in statements.values()]
    with ghost.what_if(tolerant) as changed:
        admin = make_conninfo(changed.dsn(), user=SUPERUSER, options="-c search_path= -c default_transaction_read_only=off")
        with psycopg.connect(admin, autocommit=True) as one, psycopg.connect(changed.dsn(), autocommit=True, prepare_threshold=None) as other:
            yield Trials(one, other, statements)

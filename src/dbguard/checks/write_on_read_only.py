"""A write, or a lock on rows, where only reading is possible: on a standby, or in a read-only transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.checks import Flag, flag
from dbguard.model.calls import Unit
from dbguard.model.units import Site, UnitOfWork, place_of

REFUSED = frozenset({"25006", "ReadOnlySqlTransaction", "ReadOnlySQLTransactionError"})  # SQLSTATE read_only_sql_transaction


def check(_unit: Unit, work: UnitOfWork, options: Mapping[str, Any]) -> Iterator[Flag]:
    declared = set(options["databases"])
    for call, what in work.changes:
        refused = call.error in REFUSED
        if refused or (not call.error and call.database and call.database in declared):
            yield flag(
                about=Site(place_of(call), (call,), what.key, call.frames[:1]),
                variant="refused" if refused else "",
                table=what.tables[0] if what.tables else "a table",
                database=call.database,
            )

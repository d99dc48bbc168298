"""A setting, lock or object of the session, where a pooler gives the connection to somebody else after each transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.checks import Flag, flag
from dbguard.model.expression import walk
from dbguard.model.query import Query, QueryStep

_LOCKS = frozenset({"pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared", "pg_advisory_unlock"})
_WORDS = {
    "setting": "a setting",
    "listen": "a subscription",
    "temporary table": "a temporary table",
    "prepared statement": "a prepared statement",
    "cursor with hold": "a cursor",
}


def check(query: Query, _step: QueryStep, options: Mapping[str, Any]) -> Iterator[Flag]:
    if options["pooler"] != "transaction":
        return
    if query.text.session:
        yield flag(what=_WORDS.get(query.text.session, query.text.session))
    for block in query.written:
        for output in block.outputs:
            for node in walk(output.tree):
                if node[0] == "call" and node[1].name in _LOCKS:
                    yield flag(what="a lock")
                if node[0] == "call" and node[1].name == "set_config" and node[-1] == ("const", False):
                    yield flag(what="a setting")

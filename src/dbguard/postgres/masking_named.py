"""Words that the schema itself names: a connection in, sets of texts by relation and by domain out.

They stand in the file anyway, in the DDL: constraints, defaults, bounds of partitions, predicates of partial indexes, expressions of
indexes. What a function or a view names does not count: it says little about the values of one column.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from dbguard.model.arrays import parse
from dbguard.model.record import Record
from dbguard.postgres.snapshot_relations import USER

if TYPE_CHECKING:
    from psycopg import Connection

_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_OF_RELATIONS = f"""
SELECT c.oid, x.text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT pg_catalog.pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('c', 'x')
    UNION ALL SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = c.oid
    UNION ALL SELECT pg_catalog.pg_get_expr(c.relpartbound, c.oid) WHERE c.relispartition
    UNION ALL SELECT pg_catalog.pg_get_expr(i.indpred, i.indrelid) FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indpred IS NOT NULL
    UNION ALL SELECT pg_catalog.pg_get_expr(i.indexprs, i.indrelid) FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indexprs IS NOT NULL
) AS x(text)
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND {USER} AND pg_catalog.strpos(x.text, '''') > 0"""
_OF_DOMAINS = """
SELECT t.oid, pg_catalog.pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_type t ON t.oid = k.contypid
UNION ALL SELECT t.oid, pg_catalog.quote_literal(t.typdefault) FROM pg_catalog.pg_type t WHERE t.typtype = 'd' AND t.typdefault IS NOT NULL"""


class Named(Record):
    """Words by OID of the relation or domain whose definition holds them."""

    relations: dict[int, set[str]]
    domains: dict[int, set[str]]


def read_named(connection: Connection[Any]) -> Named:
    found = []
    for query in (_OF_RELATIONS, _OF_DOMAINS):
        words: dict[int, set[str]] = defaultdict(set)
        for oid, text in connection.execute(query.encode()):
            words[oid] |= literals(text)
        found.append(dict(words))
    return Named(*found)


def literals(definition: str) -> set[str]:
    """String literals of an expression, and the elements of those that are arrays."""
    found = {match.replace("''", "'") for match in _LITERAL.findall(definition)}
    for text in list(found):
        if text.startswith("{"):
            try:
                found.update(element for element in parse(text) if element is not None)
            except ValueError:
                continue
    return found

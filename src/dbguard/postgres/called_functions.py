"""Functions that planning or executing a query would call, and whether that may have effects.

In: a connection of `session.open_read_only`, a query or its plan. Out: names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dbguard.model.plan import Node, Plan
from dbguard.parsing.explainable import Explainable

if TYPE_CHECKING:
    from psycopg import Connection

# Volatile, and yet without effects.
_HARMLESS = ("random", "random_normal", "clock_timestamp", "timeofday", "gen_random_uuid", "uuidv4", "uuidv7")


def folded_functions(connection: Connection[Any], query: Explainable) -> tuple[list[str], list[str]]:
    """Functions of the user that planning may call, as they are not volatile: those that are named to the user, and those to refuse.

    Planning replaces calls with constant arguments by their results (eval_const_expressions in clauses.c). A function in a language that
    is not trusted can do anything then, also what a READ ONLY transaction forbids.
    """
    names = [one.name for one in query.functions]
    if not names:
        return [], []
    rows = connection.execute(
        """
        SELECT n.nspname || '.' || p.proname, l.lanpltrusted OR l.lanname IN ('sql', 'internal')
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
        WHERE p.proname = ANY (%s) AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND p.provolatile <> 'v'
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
                          AND d.deptype = 'e')
        ORDER BY 1
        """,
        (names,),
    ).fetchall()
    return [name for name, trusted in rows if trusted], [name for name, trusted in rows if not trusted]


def volatile_functions(connection: Connection[Any], planned: Plan) -> list[str]:
    """Functions with side effects in the expressions of a plan: views are expanded there."""
    text = " ".join(_expressions(planned.root))
    called = re.findall(r'(?:"((?:[^"]|"")+)"|([^\W\d][\w$]*))\(', text)
    names = sorted({quoted.replace('""', '"') or plain for quoted, plain in called})
    rows = connection.execute(_VOLATILE, {"names": names, "text": text, "harmless": list(_HARMLESS)}).fetchall()
    return [name for (name,) in rows]


def _expressions(node: Node) -> Iterator[str]:
    """Every text of a plan: conditions, output, calls."""
    for value in node.facts.values():
        yield from [str(one) for one in value] if isinstance(value, list) else [str(value)]
    for child in node.children:
        yield from _expressions(child)


# Functions by name, and those behind operators, aggregates and casts, whose own names EXPLAIN does not print.
_VOLATILE = """
SELECT DISTINCT f.proname::text FROM pg_catalog.pg_proc f
WHERE f.provolatile = 'v' AND NOT (f.proname = ANY (%(harmless)s) AND f.pronamespace = 'pg_catalog'::pg_catalog.regnamespace) AND (
  f.proname = ANY (%(names)s)
  OR f.oid IN (SELECT o.oprcode FROM pg_catalog.pg_operator o WHERE o.oid >= 16384 AND pg_catalog.strpos(%(text)s, o.oprname) > 0)
  OR f.oid IN (SELECT c.castfunc FROM pg_catalog.pg_cast c WHERE c.oid >= 16384
               AND pg_catalog.strpos(%(text)s, pg_catalog.format_type(c.casttarget, NULL)) > 0)
  OR f.oid IN (SELECT pg_catalog.unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggmtransfn]) FROM pg_catalog.pg_aggregate a
               JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid WHERE p.oid >= 16384 AND p.proname = ANY (%(names)s)))
ORDER BY 1
"""

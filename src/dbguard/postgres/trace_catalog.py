"""What a schema is, object by object, in PostgreSQL's own words: so that two moments can be compared.

In: a connection. Out: definitions by the server's description of each object ("column note of table public.orders").
Objects of extensions and temporary ones are left out, and so are privileges and the order of columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dbguard.postgres.observe import apart

if TYPE_CHECKING:
    from psycopg import Connection

_OWN = "NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '{0}'::regclass AND e.objid = {1} AND e.deptype = 'e')"
_USER = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_TABLE = f"JOIN pg_class c ON c.oid = {{0}} JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_USER}"

_QUERIES = (
    f"""SELECT pg_describe_object('pg_class'::regclass, c.oid, 0), concat_ws(' ', c.relkind, c.relpersistence, c.reloptions::text,
            c.relrowsecurity, c.relforcerowsecurity, pg_get_expr(c.relpartbound, c.oid), CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
            CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
            (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = c.oid))
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND {_USER} AND {_OWN.format("pg_class", "c.oid")}""",
    f"""SELECT pg_describe_object('pg_class'::regclass, a.attrelid, a.attnum), concat_ws(' ', format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attnotnull THEN 'NOT NULL' END, 'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity::text, ''),
            nullif(a.attgenerated::text, ''),
            (SELECT a.attcollation::regcollation::text FROM pg_type t WHERE t.oid = a.atttypid AND t.typcollation <> a.attcollation))
        FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum {_TABLE.format("a.attrelid")}
        AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND {_OWN.format("pg_class", "c.oid")}""",
    f"""SELECT pg_describe_object('pg_constraint'::regclass, k.oid, 0), pg_get_constraintdef(k.oid)
        FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE {_USER} AND {_OWN.format("pg_constraint", "k.oid")}""",
    f"""SELECT pg_describe_object('pg_class'::regclass, i.indexrelid, 0),
            pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
        FROM pg_index i {_TABLE.format("i.indrelid")}""",
    f"""SELECT pg_describe_object('pg_proc'::regclass, p.oid, 0),
            CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) ELSE p.prokind::text END
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_USER} AND {_OWN.format("pg_proc", "p.oid")}""",
    f"""SELECT pg_describe_object('pg_trigger'::regclass, t.oid, 0), pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text
        FROM pg_trigger t {_TABLE.format("t.tgrelid")} AND NOT t.tgisinternal""",
    f"""SELECT pg_describe_object('pg_rewrite'::regclass, r.oid, 0), pg_get_ruledef(r.oid)
        FROM pg_rewrite r {_TABLE.format("r.ev_class")} AND r.rulename <> '_RETURN'""",
    f"""SELECT pg_describe_object('pg_policy'::regclass, p.oid, 0), concat_ws(' ', p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
            pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
        FROM pg_policy p {_TABLE.format("p.polrelid")}""",
    f"""SELECT pg_describe_object('pg_type'::regclass, t.oid, 0), concat_ws(' ',
            CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, t.typdefault,
            CASE WHEN t.typnotnull THEN 'NOT NULL' END,
            (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        WHERE t.typtype IN ('d', 'e', 'r') AND {_USER} AND {_OWN.format("pg_type", "t.oid")}""",
    f"""SELECT pg_describe_object('pg_class'::regclass, s.seqrelid, 0), concat_ws(' ', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement,
            s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
        FROM pg_sequence s {_TABLE.format("s.seqrelid")} AND {_OWN.format("pg_class", "c.oid")}""",
    f"SELECT 'schema ' || n.nspname, '' FROM pg_namespace n WHERE {_USER}",
    "SELECT 'extension ' || e.extname, '' FROM pg_extension e",
    """SELECT 'comment on ' || pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description
        FROM pg_description d WHERE d.objoid >= 16384 AND NOT EXISTS (
            SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')""",
)

Definitions = Mapping[str, str]


def read_definitions(connection: Connection[Any]) -> Definitions:
    """Every object of the user's schemas with its definition. Inside a transaction it sees what that transaction did."""
    found: dict[str, str] = {}
    with apart(connection) as cursor:
        cursor.execute("SET LOCAL search_path = ''")
        for query in _QUERIES:
            found.update((name, definition or "") for name, definition in cursor.execute(query.encode()) if name)
    return found


def changes(before: Definitions, after: Definitions) -> tuple[str, ...]:
    """How `after` differs, a sentence per object. What is part of an object that came or went is not told again."""
    gone = [name for name in before if name not in after]
    left = [name for name in after if name not in before]
    other = [name for name, definition in before.items() if name in after and after[name] != definition]
    return (
        *(f"{name} is gone" for name in _wholes(gone)),
        *(f"{name} is left" for name in _wholes(left)),
        *(f"{name} was {_short(before[name])} and is {_short(after[name])}" for name in other),
    )


def _wholes(names: list[str]) -> list[str]:
    """Without columns, constraints, indexes and the like of tables that are among the names."""
    tables = [name.partition(" ")[2] for name in names if name.startswith(("table ", "view ", "materialized view "))]
    return [name for name in names if not any(name.endswith(f" {table}") and not name.startswith(_WHOLE) for table in tables)]


_WHOLE = ("table ", "view ", "materialized view ", "function ", "schema ", "type ")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return f"`{text[:80]}{'...' if len(text) > 80 else ''}`"

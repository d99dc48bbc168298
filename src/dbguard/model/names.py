"""Names of database objects: folded, quoted and resolved as PostgreSQL does."""

from __future__ import annotations

import re
from functools import lru_cache

from dbguard.model.record import Record


class Name(Record):
    """The name of a relation, type, function or other object that lives in a schema.

    `schema` is None where the text gives none; `State.resolve` and its siblings then find it through `search_path`.
    `str()` is the name as SQL, quoted only where PostgreSQL's `quote_identifier` would.
    """

    schema: str | None
    name: str

    def __str__(self) -> str:
        if self.schema is None:
            return quote(self.name)
        return f"{quote(self.schema)}.{quote(self.name)}"


@lru_cache(maxsize=8192)
def quote(identifier: str) -> str:
    """`identifier` as SQL text (`quote_identifier` in src/backend/utils/adt/ruleutils.c)."""
    if _PLAIN.fullmatch(identifier) and identifier not in RESERVED:
        return identifier
    return '"' + identifier.replace('"', '""') + '"'


def quote_all(identifiers: tuple[str, ...] | list[str]) -> str:
    """A column list as it stands between parentheses: `id, "order"`."""
    return ", ".join(map(quote, identifiers))


def text_literal(text: str) -> str:
    """`text` as a string constant (manual section 4.1.2.1), as `standard_conforming_strings` reads it."""
    return "'" + text.replace("'", "''") + "'"


MAX_IDENTIFIER_BYTES = 63  # NAMEDATALEN - 1


def truncate(identifier: str) -> str:
    """What PostgreSQL keeps of an identifier: its first 63 bytes, never half a character (scansup.c)."""
    if len(identifier) <= MAX_IDENTIFIER_BYTES and identifier.isascii():
        return identifier
    return identifier.encode()[:MAX_IDENTIFIER_BYTES].decode(errors="ignore")


_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")

# Every keyword that is not "unreserved" (src/include/parser/kwlist.h, PostgreSQL 18). A test compares it with the parser's list.
RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char character check
    coalesce collate collation column concurrently constraint create cross current_catalog current_date current_role current_schema
    current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end except exists extract false fetch
    float for foreign freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect interval
    into is isnull join json json_array json_arrayagg json_exists json_object json_objectagg json_query json_scalar json_serialize
    json_table json_value lateral leading least left like limit localtime localtimestamp merge_action national natural nchar none normalize
    not notnull null nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real references
    returning right row select session_user setof similar smallint some substring symmetric system_user table tablesample then time
    timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where window with xmlattributes
    xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
    """.split()  # noqa: SIM905
)

"""Stand-ins for objects of extensions that the ghost's server does not have: errors in, types, functions and operators that do nothing out.

A type stands in as text does, a function returns null, an operator class has the support functions of one of PostgreSQL's own. That
is enough for tables, views and indexes to be made on empty tables; how a query that uses them is planned says little.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dbguard.model.names import Name, quote

if TYPE_CHECKING:
    from psycopg import Connection, Error

_NAME = r'(?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))?'
_TYPE = re.compile(r'type "([^"]+)" does not exist|type (' + _NAME + r") does not exist")
_FUNCTION = re.compile(rf"function ({_NAME})\((.*)\) does not exist", re.DOTALL)
_OPERATOR = re.compile(r'operator does not exist: (?:(.+?) )?(?:("[^"]+"|[\w$]+)\.)?([-+*/<>=~!@#%^&|`?]+) (.+)$')
_CLASS = re.compile(r'operator class "([^"]+)" does not exist for access method "(\w+)"')
_DEFAULT_CLASS = re.compile(rf'data type ({_NAME}(?:\[\])?) has no default operator class for access method "(\w+)"')
MOST = 500

# Support functions of PostgreSQL's own operator classes (pg_amproc.dat), with the types that their opclass stores.
_SUPPORT = {
    "gist": "FUNCTION 1 gist_box_consistent(internal, box, smallint, oid, internal), FUNCTION 2 gist_box_union(internal, internal),"
    " FUNCTION 5 gist_box_penalty(internal, internal, internal), FUNCTION 6 gist_box_picksplit(internal, internal),"
    " FUNCTION 7 gist_box_same(box, box, internal)",
    "gin": "FUNCTION 1 bttextcmp(text, text), FUNCTION 2 ginarrayextract(anyarray, internal, internal),"
    " FUNCTION 3 ginqueryarrayextract(anyarray, internal, smallint, internal, internal, internal, internal),"
    " FUNCTION 4 ginarrayconsistent(internal, smallint, anyarray, integer, internal, internal, internal, internal), STORAGE text",
    "btree": "FUNCTION 1 bttextcmp(text, text)",
    "hash": "FUNCTION 1 hashtext(text)",
    "brin": "FUNCTION 1 brin_minmax_opcinfo(internal), FUNCTION 2 brin_minmax_add_value(internal, internal, internal, internal),"
    " FUNCTION 3 brin_minmax_consistent(internal, internal, internal), FUNCTION 4 brin_minmax_union(internal, internal, internal)",
    "spgist": "FUNCTION 1 spg_text_config(internal, internal), FUNCTION 2 spg_text_choose(internal, internal),"
    " FUNCTION 3 spg_text_picksplit(internal, internal), FUNCTION 4 spg_text_inner_consistent(internal, internal),"
    " FUNCTION 5 spg_text_leaf_consistent(internal, internal)",
}


class Stubs:
    """What was made in the place of what extensions would have brought. `superuser` is a connection in autocommit."""

    def __init__(self, superuser: Connection[Any]) -> None:
        self.superuser = superuser
        self.missing: dict[str, str] = {}
        self.made: list[str] = []

    def expect(self, extension: str, schema: str) -> None:
        """Notes that an extension could not be created; what is known of it is made at once."""
        from dbguard.postgres.trace_extensions import STAND_INS, _function

        self.missing[extension] = schema
        for line in STAND_INS.get(extension, "").strip().splitlines():
            self._make(_function(quote(schema), line))

    def lost(self) -> list[str]:
        return [
            f"extension {name} is not on the ghost's server: what uses its types, functions or operators is planned with stand-ins or not at all"
            for name in self.missing
        ]

    def meet(self, error: Error) -> bool:
        """Makes what a statement lacked, if an extension is missing that may have brought it."""
        if not self.missing or len(self.made) >= MOST:
            return False
        message = error.diag.message_primary or ""
        if (found := _TYPE.search(message)) and self._type(found[1] or found[2]):
            return True
        if (found := _FUNCTION.search(message)) and self._function(found[1], found[2]):
            return True
        if found := _OPERATOR.search(message):
            return self._operator(found[1], found[2], found[3], found[4])
        if found := _CLASS.search(message):
            return self._class(str(self._named(found[1])), "text", found[2])
        if found := _DEFAULT_CLASS.search(message):
            return self._class(f"{self._place()}.{quote(self._fresh())} DEFAULT", found[1], found[2])
        return False

    def _place(self) -> str:
        return quote(next(iter(self.missing.values())))

    def _fresh(self) -> str:
        return f"dbguard_stub_{len(self.made)}"

    def _type(self, name: str) -> bool:
        one = self._named(name)
        make = (
            f"CREATE TYPE {one}; CREATE FUNCTION {one}_in(cstring) RETURNS {one} AS 'textin' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;"
            f" CREATE FUNCTION {one}_out({one}) RETURNS cstring AS 'textout' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;"
            f" CREATE FUNCTION {one}_typmod_in(cstring[]) RETURNS integer AS 'array_ndims' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;"
            f" CREATE TYPE {one} (INPUT = {one}_in, OUTPUT = {one}_out, TYPMOD_IN = {one}_typmod_in, LIKE = pg_catalog.text, COLLATABLE = true);"
            f" CREATE CAST ({one} AS text) WITHOUT FUNCTION AS IMPLICIT; CREATE CAST (text AS {one}) WITHOUT FUNCTION AS ASSIGNMENT"
        )
        return self._make(re.sub(rf'"?{re.escape(quote(one.name))}"?_(in|out|typmod_in)', lambda found: quote(f"{one.name}_{found[1]}"), make))

    def _named(self, name: str) -> Name:
        parts = [part.strip('"') for part in re.findall(r'"[^"]+"|[^.]+', name)]
        if len(parts) > 1:
            return Name(parts[0], parts[1])
        return Name(next(iter(self.missing.values())), parts[0])

    def _function(self, name: str, arguments: str) -> bool:
        kinds = ", ".join("text" if part.strip() == "unknown" else part.strip() for part in arguments.split(",") if part.strip())
        return self._make(f"CREATE FUNCTION {self._named(name)}({kinds}) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN NULL; END'")

    def _operator(self, left: str | None, schema: str | None, symbol: str, right: str) -> bool:
        place = schema or self._place()
        function = f"{place}.{quote(self._fresh())}"
        kinds = [kind for kind in (left, right) if kind]
        kinds = [kinds[-1] if kind == "unknown" else kind for kind in kinds]
        sides = (f"LEFTARG = {kinds[0]}, " if left else "") + f"RIGHTARG = {kinds[-1]}"
        return self._make(
            f"CREATE FUNCTION {function}({', '.join(kinds)}) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN NULL; END';"
            f" CREATE OPERATOR {place}.{symbol} (FUNCTION = {function}, {sides})"
        )

    def _class(self, name: str, kind: str, method: str) -> bool:
        """An operator class without operators."""
        support = _SUPPORT.get(method)
        return support is not None and self._make(f"CREATE OPERATOR CLASS {name} FOR TYPE {kind} USING {method} AS {support}")

    def _make(self, sql: str) -> bool:
        import psycopg

        try:
            with self.superuser.transaction():
                places = ", ".join(quote(schema) for schema in self.missing.values())
                self.superuser.execute(f"SET LOCAL check_function_bodies = off; SET LOCAL search_path = pg_catalog, {places}".encode())
                self.superuser.execute(sql.encode())
        except psycopg.Error:
            return False
        self.made.append(sql)
        return True

"""The locale of the ghost's database: the snapshot's if this machine has it, else one that plans alike as far as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbguard.errors import ServerError
from dbguard.model.snapshot import Snapshot

if TYPE_CHECKING:
    from psycopg import Connection

_PLAIN = frozenset(["C", "POSIX"])


def create_database(connection: Connection[Any], name: str, owner: str, snapshot: Snapshot) -> list[str]:
    """Creates an empty database with the snapshot's locale; returns what is lost.

    What counts most for plans is whether the collation is "C": only then can an index serve LIKE 'x%' (`match_pattern_prefix`, like_support.c).
    """
    import psycopg

    asked = dict(snapshot.locale)
    encoding = asked.get("encoding", "UTF8")
    wished = f"the collation {asked.get('locale') or asked.get('collate', '?')} is not on this machine"
    candidates = _candidates(asked, connection.info.server_version // 10000)
    failure: psycopg.Error | None = None
    for number, clause in enumerate(candidates):
        try:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 OWNER {owner} ENCODING {_literal(encoding)} {clause}".encode())
        except psycopg.Error as error:
            failure = error
            continue
        if number == 0:
            return []
        return [f"{wished}: text is ordered by bytes" + ("" if "C." in clause else ", and LIKE may use indexes that production cannot use")]
    raise ServerError(f"the ghost's server cannot make a database with the encoding {encoding}: {failure}")


def _candidates(asked: dict[str, str], major: int) -> list[str]:
    collate, ctype, provider, locale = (asked.get(name, "") for name in ("collate", "ctype", "provider", "locale"))
    plain = "LC_COLLATE 'C' LC_CTYPE 'C'"
    found = []
    if provider == "i":
        found.append(f"LOCALE_PROVIDER icu ICU_LOCALE {_literal(locale)} {plain}")
    elif provider == "b" and major >= 17:
        found.append(f"LOCALE_PROVIDER builtin BUILTIN_LOCALE {_literal(locale)} {plain}")
    elif collate and collate not in _PLAIN:
        found.append(f"LC_COLLATE {_literal(collate)} LC_CTYPE {_literal(ctype or collate)}")
    if found:
        found += [f"LC_COLLATE '{name}' LC_CTYPE '{name}'" for name in ("C.UTF-8", "C.utf8")]
    return [*found, plain]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''").replace("\\", "") + "'"

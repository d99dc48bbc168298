"""The schema as DDL from the catalog alone, where pg_dump cannot run: it needs no right on any table.

In: a connection. Out: statements in an order that works in an empty database, and sentences about what is not written. Types,
functions, tables and views come in the order of their dependencies, and among equals of their OIDs; then defaults, checks,
indexes by OID, foreign keys, statistics, policies, triggers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dbguard.postgres import ddl_queries as queries

if TYPE_CHECKING:
    from psycopg import Connection

Statements = dict[int, str]  # by OID
_COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}


def write_schema(connection: Connection[Any]) -> tuple[str, tuple[str, ...]]:
    """Statements, each with its semicolon, and what is missing."""
    sequences, owned = _sequences(connection)
    tables, after_tables = _tables(connection)
    objects = _collations(connection) | _types(connection) | _functions(connection) | sequences | tables | _views(connection)
    parts = [f"CREATE SCHEMA {name}" for (name,) in _rows(connection, queries.SCHEMAS)]
    parts += [f"CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA {schema}" for name, schema in _rows(connection, queries.EXTENSIONS)]
    parts += _in_order(objects, _rows(connection, queries.DEPENDENCIES))
    parts += owned + after_tables + _constraints_and_indexes(connection)
    parts += [definition for (definition,) in _rows(connection, queries.STATISTICS) if definition]
    parts += _policies(connection)
    only_own = "AND t.tgparentid = 0" if connection.info.server_version >= 130000 else ""
    parts += [definition for (definition,) in _rows(connection, queries.TRIGGERS.format(own=only_own))]
    return "".join(f"{part.rstrip().rstrip(';')};\n\n" for part in parts), _missing(connection)


def _rows(connection: Connection[Any], query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def _in_order(objects: Statements, dependencies: Iterable[tuple[int, int]]) -> list[str]:
    """What is needed first; a circle is cut where it was entered."""
    needs: dict[int, list[int]] = defaultdict(list)
    for one, other in dependencies:
        if one != other and one in objects and other in objects:
            needs[one].append(other)
    done: dict[int, str] = {}
    seen: set[int] = set()
    for first in sorted(objects):
        waiting = [(first, False)]
        while waiting:
            oid, needs_are_done = waiting.pop()
            if needs_are_done:
                done[oid] = objects[oid]
            elif oid not in seen:
                seen.add(oid)
                waiting.append((oid, True))
                waiting += [(other, False) for other in sorted(needs[oid], reverse=True)]
    return list(done.values())


def _collations(connection: Connection[Any]) -> Statements:
    version = connection.info.server_version
    locale = "c.colllocale" if version >= 170000 else "c.colliculocale" if version >= 150000 else "c.collcollate"
    providers = {"i": "icu", "b": "builtin"}
    found = {}
    for oid, name, provider, icu, collate, ctype, deterministic in _rows(connection, queries.COLLATIONS.format(locale=locale)):
        if provider in providers:
            options = f"provider = {providers[provider]}, locale = '{icu}'"
        else:
            options = f"provider = libc, lc_collate = '{collate}', lc_ctype = '{ctype}'"
        found[oid] = f"CREATE COLLATION {name} ({options}{'' if deterministic else ', deterministic = false'})"
    return found


def _types(connection: Connection[Any]) -> Statements:
    found = {oid: f"CREATE TYPE {name} AS ENUM ({labels or ''})" for oid, name, labels in _rows(connection, queries.ENUMS)}
    found |= {oid: f"CREATE TYPE {name} AS ({columns or ''})" for oid, name, columns in _rows(connection, queries.COMPOSITES)}
    multirange = "r.rngmultitypid::regtype::text" if connection.info.server_version >= 140000 else "NULL"
    for oid, name, subtype, subtype_diff, multi in _rows(connection, queries.RANGES.format(multirange=multirange)):
        options = [f"subtype = {subtype}"]
        options += [f"subtype_diff = {subtype_diff}"] if subtype_diff else []
        options += [f"multirange_type_name = {multi}"] if multi else []
        found[oid] = f"CREATE TYPE {name} AS RANGE ({', '.join(options)})"
    for oid, name, base, not_null, default, collation, checks in _rows(connection, queries.DOMAINS):
        text = f"CREATE DOMAIN {name} AS {base}" + (f" COLLATE {collation}" if collation else "")
        text += (f" DEFAULT {default}" if default is not None else "") + (" NOT NULL" if not_null else "")
        found[oid] = " ".join((text, *(checks or ())))
    return found


def _functions(connection: Connection[Any]) -> Statements:
    return {oid: definition for oid, definition in _rows(connection, queries.FUNCTIONS) if definition}


def _sequences(connection: Connection[Any]) -> tuple[Statements, list[str]]:
    """Sequences that do not come with an identity column, and to which columns they belong."""
    found, owned = {}, []
    for oid, name, data_type, step, least, most, start, cache, cycle, tie, table, column, *_ in _rows(connection, queries.SEQUENCES):
        if tie == "i":
            continue
        found[oid] = (
            f"CREATE SEQUENCE {name} AS {data_type} INCREMENT BY {step} MINVALUE {least} MAXVALUE {most} START WITH {start} CACHE {cache}"
            + (" CYCLE" if cycle else "")
        )
        if tie == "a":
            owned.append(f"ALTER SEQUENCE {name} OWNED BY {table}.{column}")
    return found, owned


def _tables(connection: Connection[Any]) -> tuple[Statements, list[str]]:
    """Tables with their columns; and what follows when all exist: partitions attached, defaults, row security."""
    identities = {(row[12], row[13]): row[1] for row in _rows(connection, queries.SEQUENCES) if row[9] == "i"}
    columns: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for oid, *rest in _rows(connection, queries.COLUMNS):
        columns[oid].append(tuple(rest))
    unproved = {(row[1], row[6]) for row in _rows(connection, queries.CONSTRAINTS) if row[4] == "n" and not row[8]}  # NOT NULL, from 18 on
    found: Statements = {}
    attached, defaults, secured = [], [], []
    for oid, name, kind, persistence, is_partition, key, bound, options, secure, forced, parents in _rows(connection, queries.TABLES):
        of_table = [column for column in columns[oid] if column[5] or is_partition or not parents]
        lines = ",\n".join(
            f"    {_column(column, identities.get((oid, column[7])), not_null=column[2] and (oid, column[7]) not in unproved)}" for column in of_table
        )
        text = f"CREATE {'UNLOGGED ' if persistence == 'u' else ''}TABLE {name} (\n{lines}\n)" if lines else f"CREATE TABLE {name} ()"
        text += f" INHERITS ({', '.join(parents)})" if parents and not is_partition else ""
        text += f" PARTITION BY {key}" if kind == "p" else ""
        found[oid] = text + (f" WITH ({options})" if options and kind == "r" else "")
        if is_partition:
            attached.append(f"ALTER TABLE ONLY {parents[0]} ATTACH PARTITION {name} {bound}")
        defaults += [
            f"ALTER TABLE ONLY {name} ALTER COLUMN {column[0]} SET DEFAULT {column[6]}" for column in columns[oid] if column[6] and not column[3]
        ]
        secured += [f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"] * secure + [f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"] * forced
    return found, attached + defaults + secured


def _column(column: tuple[Any, ...], identity: str | None, *, not_null: bool) -> str:
    name, data_type, _, generated, identifies, _, expression, _, collation = column
    text = f"{name} {data_type}" + (f" COLLATE {collation}" if collation else "")
    if generated:
        text += f" GENERATED ALWAYS AS ({expression}) {'STORED' if generated == 's' else 'VIRTUAL'}"
    if identifies and identity:  # a partition has its parent's sequence
        text += f" GENERATED {'ALWAYS' if identifies == 'a' else 'BY DEFAULT'} AS IDENTITY (SEQUENCE NAME {identity})"
    return text + (" NOT NULL" if not_null else "")


def _views(connection: Connection[Any]) -> Statements:
    found = {}
    for oid, name, kind, definition, options in _rows(connection, queries.VIEWS):
        start = "VIEW" if kind == "v" else "MATERIALIZED VIEW"
        end = "" if kind == "v" else " WITH NO DATA"
        with_options = f" WITH ({options})" if options else ""
        found[oid] = f"CREATE {start} {name}{with_options} AS\n{definition.rstrip().rstrip(';')}{end}"
    return found


def _constraints_and_indexes(connection: Connection[Any]) -> list[str]:
    """Checks, then indexes and the constraints that are indexes by OID of the index, then foreign keys."""
    checks, foreign, by_index = [], [], {}
    for _, _, table, name, kind, definition, _, index, valid in _rows(connection, queries.CONSTRAINTS):
        if kind == "n" and valid:
            continue  # stands with its column
        if kind in {"c", "n"}:
            checks.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        elif kind == "f":
            foreign.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        else:
            by_index[index] = f"ALTER TABLE ONLY {table} ADD CONSTRAINT {name} {definition}"
    indexes, attached = [], []
    for oid, name, definition, is_constraint, parent, is_valid in _rows(connection, queries.INDEXES):
        if not is_valid:  # left by a build that failed: nobody reads it
            continue
        indexes.append(by_index.get(oid, definition) if is_constraint else definition)
        if parent is not None:
            attached.append(f"ALTER INDEX {parent} ATTACH PARTITION {name}")
    return checks + indexes + attached + foreign


def _policies(connection: Connection[Any]) -> list[str]:
    found = []
    for name, table, permissive, command, roles, using, check in _rows(connection, queries.POLICIES):
        text = f"CREATE POLICY {name} ON {table}" + ("" if permissive else " AS RESTRICTIVE")
        text += (f" FOR {_COMMANDS[command]}" if command in _COMMANDS else "") + (f" TO {roles}" if roles else "")
        found.append(text + (f" USING ({using})" if using else "") + (f" WITH CHECK ({check})" if check else ""))
    return found


def _missing(connection: Connection[Any]) -> tuple[str, ...]:
    by_kind: dict[str, list[str]] = defaultdict(list)
    for kind, name in _rows(connection, queries.OTHERS):
        by_kind[kind].append(name)
    tables = by_kind.pop("foreign table", [])
    plain = [f"foreign tables {', '.join(tables)} are plain tables in the schema: only pg_dump writes servers"] if tables else []
    return tuple(plain + [f"the schema lacks {kind} {', '.join(names)}: only pg_dump writes them" for kind, names in by_kind.items()])

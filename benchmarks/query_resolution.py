"""Which columns of which tables a query touches: dbguard and sqlglot against PostgreSQL, on the corpus of applications' queries.

PostgreSQL is asked by making each query the body of a function (`BEGIN ATOMIC`): `pg_depend` then names every column it reads or writes.
Usage: python benchmarks/query_resolution.py [--no-server] [-v]
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dbguard.model.expression import walk
from dbguard.model.query import Query
from dbguard.model.source import Source
from dbguard.model.state import State
from dbguard.parsing.query import read_query
from dbguard.pipelines.locks import base_state
from dbguard.queries.resolve import resolve
from dbguard.queries.scopes import SYSTEM_COLUMNS

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "queries"
Columns = frozenset[tuple[str, str]]
_DEPENDENCIES = """
SELECT c.relname, a.attname FROM pg_depend d JOIN pg_class c ON c.oid = d.refobjid
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_class'::regclass AND d.objid = 'judged'::regproc AND d.refobjsubid > 0
AND c.relnamespace <> ALL ('{pg_catalog,information_schema}'::regnamespace[])
"""


def applications(corpus: Path = CORPUS) -> Iterator[tuple[str, str, State, list[dict[str, Any]]]]:
    for folder in sorted(path for path in corpus.iterdir() if path.is_dir()):
        dump = (folder / "schema_dump.sql").read_text()
        queries = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
        yield folder.name, dump, base_state(Source("schema_dump.sql", dump), 15), queries


def columns_of(query: Query) -> Columns:
    """Columns of tables and views that a resolved query touches by itself, definitions of views left out."""
    found: set[tuple[str, str]] = set()
    for block in query.written:
        trees = [one.tree for one in (*block.conditions, *block.outputs, *block.order)]
        trees += [*block.group, *block.distinct_on, *block.trees, *(tree for _, tree in block.assigned)]
        trees += [tree for tree in (block.having, block.limit, block.offset) if tree]
        trees += [("at", block.target, name) for name in (*block.columns, *(name for name, _ in block.assigned if name))]
        if block.command == "insert" and not block.columns and block.values is not None:
            names = list(query.sources[block.target or 0].columns)
            trees += [("at", block.target, name) for name in names[: len(query.blocks[block.values].outputs)]]
        for tree in trees:
            for node in walk(tree):
                if node[0] == "at":
                    source = query.sources[node[1]]
                    if source.kind in {"table", "view", "row"} and source.table is not None:
                        found.add((source.table.name, source.renamed.get(node[2], node[2])))
    return frozenset(found)


def of_sqlglot(sql: str, schema: dict[str, dict[str, str]]) -> Columns | str:
    import sqlglot
    from sqlglot import exp
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import traverse_scope

    try:
        tree = qualify(sqlglot.parse_one(sql, read="postgres"), schema=schema, dialect="postgres", quote_identifiers=False)
        found = set()
        for scope in traverse_scope(tree):
            tables = {alias: source.name for alias, source in scope.sources.items() if isinstance(source, exp.Table)}
            found |= {(tables[column.table], column.name) for column in scope.columns if column.table in tables}
    except Exception as error:  # noqa: BLE001 - what is measured is whether it raises
        return type(error).__name__
    return frozenset(found)


def of_postgres(connection: Any, sql: str, types: list[str]) -> Columns | str:
    import psycopg

    try:
        with connection.transaction(force_rollback=True):
            connection.execute(f"CREATE FUNCTION judged({', '.join(types)}) RETURNS void LANGUAGE sql BEGIN ATOMIC {sql.rstrip().rstrip(';')}; END")
            return frozenset(connection.execute(_DEPENDENCIES).fetchall())
    except psycopg.Error as error:
        return str(error).splitlines()[0]


def compare(name: str, dump: str, state: State, queries: list[dict[str, Any]], server: Any, counts: Counter[str]) -> None:
    import psycopg

    schema = {table.name.name: {c: str(column.type) for c, column in table.columns.items()} for table in state.schema.tables.values()}
    connection = None
    if server is not None:
        connection = psycopg.connect(server.dsn(server.create_database()), autocommit=True, prepare_threshold=None)
        connection.execute("SET check_function_bodies = off")
        _load(connection, dump)
        path = sorted({table.schema for table in state.schema.tables if table.schema}, key=lambda one: one != "public")
        connection.execute("SET search_path = " + ", ".join(f'"{one}"' for one in path))
    for query in queries:
        if not query.get("prepared") or query["kind"] not in {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"}:
            continue
        counts["queries"] += 1
        began = time.perf_counter()
        resolved = resolve(read_query(query["pg_sql"]), state)
        counts["dbguard us"] += round((time.perf_counter() - began) * 1e6)
        counts["dbguard resolved"] += not resolved.unread
        began = time.perf_counter()
        other = of_sqlglot(query["pg_sql"], schema)
        counts["sqlglot us"] += round((time.perf_counter() - began) * 1e6)
        counts["sqlglot resolved"] += not isinstance(other, str)
        if connection is None:
            continue
        truth = of_postgres(connection, query["pg_sql"], query["param_types"])
        if isinstance(truth, str):
            counts["not judged"] += 1
            if "-v" in sys.argv:
                print("?", name, query["name"], truth)
            continue
        counts["judged"] += 1
        ours = frozenset(one for one in columns_of(resolved) if one[1] not in SYSTEM_COLUMNS)
        truth = _without_excluded(truth, ours, resolved)
        counts["dbguard right"] += ours == truth
        counts["sqlglot right"] += other == truth
        if query["kind"] == "SelectStmt" and len({block.command for block in resolved.blocks} & {"insert", "update", "delete"}) == 0:
            counts["plain SELECT judged"] += 1
            counts["plain SELECT dbguard right"] += ours == truth
            counts["plain SELECT sqlglot right"] += other == truth
        if ours != truth and "-v" in sys.argv:
            print("-", name, query["name"], "missing", sorted(truth - ours), "too many", sorted(ours - truth))


def _without_excluded(truth: Columns, ours: Columns, query: Query) -> Columns:
    """ON CONFLICT DO UPDATE depends on every column of its table (`exclRelTlist`), whether the text names it or not."""
    targets = {query.sources[block.target].table for block in query.blocks if block.conflict == "update" and block.target is not None}
    names = {table.name for table in targets if table is not None}
    return frozenset(one for one in truth if one in ours or one[0] not in names)


def _load(connection: Any, dump: str) -> None:
    """Statement by statement, as extensions may be missing."""
    import psycopg
    from pglast.parser import split

    for statement in split(dump):
        try:
            connection.execute(statement.encode())
        except psycopg.Error:
            continue


def main() -> None:
    counts: Counter[str] = Counter()
    if "--no-server" in sys.argv:
        for application in applications():
            compare(*application, None, counts)
    else:
        from dbguard.postgres.embedded import start

        with start() as server:
            for application in applications():
                compare(*application, server, counts)
    for name, count in counts.items():
        print(f"{count:>10,}  {name}")


if __name__ == "__main__":
    main()

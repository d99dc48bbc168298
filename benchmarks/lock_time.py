"""How long operations really take under their lock, against what `planning.lock_time` says.

`measure` runs operations on tables of 1 to 10 million rows on a real server with settings like production's (WAL for replicas, fsync, full
pages, parallel workers) and keeps the medians in `lock_time.json`; `report` holds the model against them, `fit` prints constants fitted
to the tables that are not held out. Give `measure` the names of tables, to measure some at a time.

    python -m benchmarks.lock_time measure narrow_1m text_3m
    python -m benchmarks.lock_time report
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

MEASURED = Path(__file__).with_name("lock_time.json")
FOLDER = os.environ.get("DBGUARD_BENCH", "/work/scratch/bench")
SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_level": "replica",
    "max_wal_senders": "4",
    "shared_buffers": "512MB",
    "max_wal_size": "2GB",
    "max_worker_processes": "8",
    "max_parallel_workers": "8",
    "maintenance_work_mem": "64MB",
}
# Name: rows, columns beside "id bigint PRIMARY KEY", the values of each, further indexes.
NARROW = (
    ("a int NOT NULL", "(hashint4(g) & 2147483647)"),
    ("b int", "g % 1000"),
    ("parent_id bigint", "1 + g % {parents}"),
    ("at timestamptz", "timestamptz '2024-01-01 00:00+00' + g * interval '20 s'"),
)
TEXT = (
    ("customer_id bigint NOT NULL", "1 + (hashint4(g) & 2147483647) % {parents}"),
    ("status text", "(array['new','paid','shipped','returned'])[1 + g % 4]"),
    ("total numeric(12,2)", "(hashint4(g + 7) & 1048575) / 100.0"),
    ("email text", "'user' || (hashint4(g) & 1048575) || '@example.com'"),
    ("created_at timestamptz", "timestamptz '2024-01-01 00:00+00' + g * interval '7 s'"),
    ("token uuid", "md5(g::text)::uuid"),
    ("note text", "repeat(md5(g::text), 2)"),
)
WIDE = (
    *TEXT,
    ("attributes jsonb", "jsonb_build_object('color', g % 7, 'size', g % 50, 'name', md5(g::text), 'more', md5((g + 1)::text))"),
    ("body text", "repeat(md5(g::text), 14)"),
)
TABLES: dict[str, tuple[int, tuple[tuple[str, str], ...], tuple[str, ...]]] = {
    "narrow_1m": (1_000_000, NARROW, ("b",)),
    "narrow_3m": (3_000_000, NARROW, ()),
    "narrow_10m": (10_000_000, NARROW, ("parent_id",)),
    "text_1m": (1_000_000, TEXT, ("customer_id", "created_at", "email")),
    "text_3m": (3_000_000, TEXT, ("customer_id", "token")),
    "text_10m": (10_000_000, TEXT, ("customer_id",)),
    "wide_1m": (1_000_000, WIDE, ("customer_id",)),
    "wide_2m": (2_000_000, WIDE, ("customer_id", "status")),
}
PARENTS = 200_000
HELD_OUT = ("narrow_10m", "text_3m", "wide_2m")
SCAN = {
    "check": ("", "ALTER TABLE {t} ADD CONSTRAINT c CHECK (id > 0)"),
    "validate-check": ("ALTER TABLE {t} ADD CONSTRAINT c CHECK (id > 0) NOT VALID", "ALTER TABLE {t} VALIDATE CONSTRAINT c"),
    "not-null": ("", "ALTER TABLE {t} ALTER COLUMN {late} SET NOT NULL"),
    "foreign-key": ("", "ALTER TABLE {t} ADD CONSTRAINT f FOREIGN KEY ({fk}) REFERENCES parents (id)"),
    "validate-fk": (
        "ALTER TABLE {t} ADD CONSTRAINT f FOREIGN KEY ({fk}) REFERENCES parents (id) NOT VALID",
        "ALTER TABLE {t} VALIDATE CONSTRAINT f",
    ),
}
BUILD = {
    "index-bigint": ("", "CREATE INDEX i ON {t} (id)"),
    "index-fk": ("", "CREATE INDEX i ON {t} ({fk})"),
    "index-two": ("", "CREATE INDEX i ON {t} ({fk}, {at})"),
    "index-time": ("", "CREATE INDEX i ON {t} ({at})"),
    "index-partial": ("", "CREATE INDEX i ON {t} ({fk}) WHERE {rare}"),
    "index-brin": ("", "CREATE INDEX i ON {t} USING brin ({at})"),
    "index-hash": ("", "CREATE INDEX i ON {t} USING hash ({fk})"),
    "unique": ("", "ALTER TABLE {t} ADD CONSTRAINT u UNIQUE (id, {fk})"),
}
ON_TEXT = {
    "index-text": ("", "CREATE INDEX i ON {t} (email)"),
    "index-lower": ("", "CREATE INDEX i ON {t} (lower(email))"),
    "index-uuid": ("", "CREATE INDEX i ON {t} (token)"),
    "index-numeric": ("", "CREATE INDEX i ON {t} (total)"),
}
GIN = {
    "gin-jsonb": ("", "CREATE INDEX i ON {t} USING gin (attributes)"),
    "gin-trgm": ("", "CREATE INDEX i ON {t} USING gin (email gin_trgm_ops)"),
    "gin-tsvector": ("", "CREATE INDEX i ON {t} USING gin (to_tsvector('simple', note))"),
}
REWRITE = {
    "type": ("", "ALTER TABLE {t} ALTER COLUMN {retyped}"),
    "volatile-default": ("", "ALTER TABLE {t} ADD COLUMN fresh uuid DEFAULT gen_random_uuid()"),
    "generated": ("", "ALTER TABLE {t} ADD COLUMN doubled bigint GENERATED ALWAYS AS (id * 2) STORED"),
    "unlogged": ("", "ALTER TABLE {t} SET UNLOGGED"),
}
ALONE = {
    "vacuum-full": ("", "VACUUM FULL {t}"),
    "cluster": ("", "CLUSTER {t} USING {t}_pkey"),
    "cluster-random": ("CREATE INDEX i ON {t} ({fk})", "CLUSTER {t} USING i"),
    "reindex": ("", "REINDEX INDEX {t}_pkey"),
    "concurrently": ("", "CREATE INDEX CONCURRENTLY i ON {t} ({fk})"),
}
ROWS = {
    "update-all": ("", "UPDATE {t} SET {set}"),
    "update-tenth": ("", "UPDATE {t} SET {set} WHERE id % 10 = 0"),
    "update-indexed": ("", "UPDATE {t} SET {fk} = {fk} + 1 WHERE id % 4 = 0"),
    "delete-tenth": ("", "DELETE FROM {t} WHERE id % 10 = 3"),
}
SHARES = {"update-tenth": 0.1, "update-indexed": 0.25, "delete-tenth": 0.1}  # of the rows, which no statistics tell
EXCLUDE = {"exclusion": ("", "ALTER TABLE {t} ADD CONSTRAINT x EXCLUDE USING gist (int8range(id, id + 1) WITH &&)")}
REFRESH = {
    "refresh": ("CREATE MATERIALIZED VIEW m AS SELECT * FROM {t}; CREATE INDEX ON m (id)", "REFRESH MATERIALIZED VIEW m"),
    "refresh-sum": (
        "CREATE MATERIALIZED VIEW m AS SELECT {fk} AS parent, count(*) AS rows, max({at}) AS last FROM {t} GROUP BY 1",
        "REFRESH MATERIALIZED VIEW m",
    ),
}
MOMENT = {
    "constant-default": ("", "ALTER TABLE {t} ADD COLUMN fresh int NOT NULL DEFAULT 0"),
    "drop-column": ("", "ALTER TABLE {t} DROP COLUMN {late}"),
    "not-valid": ("", "ALTER TABLE {t} ADD CONSTRAINT c CHECK (id > 0) NOT VALID"),
}


def operations(table: str) -> Iterator[tuple[str, str, str, bool]]:
    """Name, setup, statement, and whether it is undone by ROLLBACK, for one table."""
    rows, columns, _ = TABLES[table]
    text = columns is not NARROW
    words = {
        "t": table,
        "fk": "customer_id" if text else "parent_id",
        "at": "created_at" if text else "at",
        "late": "note" if text else "at",
        "rare": "status = 'paid'" if text else "b < 100",
        "retyped": "total TYPE numeric(14,4)" if text else "a TYPE bigint",
        "set": "note = note || 'x'" if text else "b = b + 1",
    }
    groups = [SCAN, BUILD, MOMENT, REWRITE]
    if text:
        groups.append(ON_TEXT)
    if columns is WIDE or table == "text_1m":
        groups.append({name: one for name, one in GIN.items() if columns is WIDE or name != "gin-jsonb"})
    if rows <= 3_000_000:
        groups += [ROWS, REFRESH]
    if rows <= 1_000_000:
        groups.append(EXCLUDE)
    for group in groups:
        for name, (setup, sql) in group.items():
            yield name, setup.format(**words), sql.format(**words), True
    for name, (setup, sql) in ALONE.items():
        yield name, setup.format(**words), sql.format(**words), False


def ddl(table: str) -> str:
    _, columns, indexes = TABLES[table]
    lines = ["CREATE EXTENSION IF NOT EXISTS pg_trgm;", "CREATE TABLE parents (id bigint PRIMARY KEY, name text);"]
    lines.append(f"CREATE TABLE {table} (id bigint NOT NULL, {', '.join(column for column, _ in columns)});")
    return "\n".join(
        lines + [f"ALTER TABLE {table} ADD PRIMARY KEY (id);"] + [f"CREATE INDEX {table}_{one}_idx ON {table} ({one});" for one in indexes]
    )


def load(connection: psycopg.Connection[Any], table: str) -> None:
    rows, columns, _ = TABLES[table]
    create, *rest = [one for one in ddl(table).split("\n") if one]
    for statement in (create, rest[0], rest[1]):
        connection.execute(statement.encode())
    connection.execute(f"INSERT INTO parents SELECT g, md5(g::text) FROM generate_series(1, {PARENTS + 1}) g".encode())
    values = ", ".join(value.format(parents=PARENTS) for _, value in columns)
    connection.execute(f"INSERT INTO {table} SELECT g, {values} FROM generate_series(1, {rows}) g".encode())
    for statement in rest[2:]:
        connection.execute(statement.encode())
    connection.execute(f"VACUUM (ANALYZE) {table}".encode())
    connection.execute(b"VACUUM (ANALYZE) parents")


def sizes(connection: psycopg.Connection[Any]) -> dict[str, Any]:
    relations = connection.execute(
        """SELECT c.relname, c.relkind, pg_relation_size(c.oid) / 8192, c.reltuples, m.amname, t.relname,
                  CASE WHEN c.relkind IN ('r', 'm') THEN pg_table_size(c.oid) ELSE pg_relation_size(c.oid) END
           FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.indrelid LEFT JOIN pg_am m ON m.oid = c.relam
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i', 'm')"""
    ).fetchall()
    columns = connection.execute(
        "SELECT tablename, attname, null_frac, avg_width, n_distinct, correlation FROM pg_stats WHERE schemaname = 'public'"
    ).fetchall()
    return {"relations": relations, "columns": columns}


def seconds_of(connection: psycopg.Connection[Any], setup: str, sql: str, *, undo: bool) -> float:
    connection.execute(b"CHECKPOINT")
    if undo:
        connection.execute(b"BEGIN")
    for statement in filter(None, setup.split("; ")):
        connection.execute(statement.encode())
    waited = _waited(connection)
    began = time.perf_counter()
    connection.execute(sql.encode())
    took = time.perf_counter() - began - (_waited(connection) - waited)
    if undo:
        connection.execute(b"ROLLBACK")
    else:
        connection.execute(b"DROP INDEX IF EXISTS i")
    return took


def _waited(connection: psycopg.Connection[Any]) -> float:
    """Seconds that the backend was ready and other programs had the processors (Linux, Documentation/scheduler/sched-stats.rst)."""
    try:
        return int(Path(f"/proc/{connection.info.backend_pid}/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


def measure(tables: list[str]) -> None:
    from dbguard.postgres import embedded

    os.environ["TMPDIR"] = FOLDER
    import tempfile

    tempfile.tempdir = FOLDER
    done = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    with embedded.start(settings=SETTINGS) as server:
        for table in tables:
            rows = TABLES[table][0]
            with psycopg.connect(server.dsn(server.create_database()), autocommit=True) as connection:
                load(connection, table)
                done[table] = {"rows": rows, "ddl": ddl(table), **sizes(connection), "seconds": {}}
                for name, setup, sql, undo in operations(table):
                    times = [seconds_of(connection, setup, sql, undo=undo)]
                    while len(times) < 3 and sum(times) < (8 if undo else 4):
                        times.append(seconds_of(connection, setup, sql, undo=undo))
                    if name in ROWS:
                        connection.execute(f"VACUUM {table}".encode())
                        connection.execute(f"VACUUM FULL {table}".encode())
                        connection.execute(f"VACUUM ANALYZE {table}".encode())
                    done[table]["seconds"][name] = {
                        "setup": setup,
                        "sql": sql,
                        "seconds": round(statistics.median(times), 4),
                        "all": [round(t, 3) for t in times],
                    }
                    print(f"{table:12} {name:18} {statistics.median(times):8.3f} s  {len(times)}", flush=True)
            MEASURED.write_text(json.dumps(done, indent=1) + "\n")


def snapshot_of(entry: dict[str, Any]) -> Any:
    from dbguard.model.names import Name
    from dbguard.model.snapshot import ColumnStatistics, Relation, Snapshot

    relations = [
        Relation(Name("public", name), kind, pages, rows, method=method or "", table=Name("public", table) if table else None, relation_bytes=size)
        for name, kind, pages, rows, method, table, size in entry["relations"]
    ]
    columns = [
        ColumnStatistics(Name("public", table), column, False, nulls, width, distinct, correlation=correlation)
        for table, column, nulls, width, distinct, correlation in entry["columns"]
    ]
    settings = tuple(SETTINGS.items())
    return Snapshot(schema=entry["ddl"], relations=tuple(relations), columns=tuple(columns), settings=settings, locale=(("collate", "C"),))


def works() -> Iterator[tuple[str, str, Any, float]]:
    """Table, name of the operation, work, seconds measured."""
    from dbguard.model.source import Script, Source
    from dbguard.model.state import EndOfScript, EndOfTransaction
    from dbguard.parsing import parse
    from dbguard.pipelines.locks import base_state
    from dbguard.planning.lock_time import work_of
    from dbguard.planning.risk_sizes import Sizes
    from dbguard.replay import replay

    for table, entry in json.loads(MEASURED.read_text()).items():
        sizes = Sizes(snapshot_of(entry))
        base = base_state(Source("schema", entry["ddl"]), 18)
        for name, one in entry["seconds"].items():
            state = base if "MATERIALIZED" not in one["setup"] else base_state(Source("schema", f"{entry['ddl']}\n{one['setup']};"), 18)
            text = one["sql"] if "MATERIALIZED" in one["setup"] else f"{one['setup']};\n{one['sql']}"
            steps = [
                step
                for step in replay([parse(Script(Source("x.sql", text), ((0, len(text)),), transaction="none"))], state, 18)
                if not isinstance(step.operation, EndOfScript | EndOfTransaction)
            ]
            last = [step for step in steps if step.statement is steps[-1].statement]
            yield table, name, work_of(last, _with_view(sizes, entry, name), entry["rows"] * SHARES.get(name, 1.0)), one["seconds"]


def _with_view(sizes: Any, entry: dict[str, Any], name: str) -> Any:
    """The materialized view of a refresh has the rows of its table, or one for each parent."""
    from dbguard.model.names import Name

    if name.startswith("refresh"):
        table = next(one for one in sizes.relations.values() if one.kind == "r" and one.name.name != "parents")
        size = (table.pages, table.tuples, table.relation_bytes) if name == "refresh" else (PARENTS * 48 // 8192, PARENTS, PARENTS * 48)
        sizes.relations[Name("public", "m")] = table._replace(
            name=Name("public", "m"), kind="m", pages=size[0], tuples=size[1], relation_bytes=size[2]
        )
    return sizes


def report(held_out: tuple[str, ...]) -> None:
    from dbguard.planning.lock_time import COSTS, SPREAD, seconds

    found = []
    for table, name, work, took in works():
        estimate = seconds(work)
        if estimate is None:
            print(f"{table} {name}: no estimate: {work.unknown}")
            continue
        found.append((table, name, estimate, took))
        ratio = estimate.p50 / max(took, 0.003)
        flag = "" if 0.5 <= ratio <= 2 else "  <--" if took >= 0.05 or estimate.p50 > 0.1 else ""
        print(f"{table:11} {name:17} measured {took:9.3f}  estimated {estimate.p50:9.3f}  {ratio:6.2f}{flag}")
    for title, part in (("fitted", [one for one in found if one[0] not in held_out]), ("held out", [one for one in found if one[0] in held_out])):
        for what, some in (("all", part), ("0.05 s and longer", [one for one in part if one[3] >= 0.05])):
            within = sum(0.5 <= one[2].p50 / max(one[3], 0.003) <= 2 for one in some)
            covered = sum(one[3] <= max(one[2].p90, 0.003) for one in some)
            if some:
                print(
                    f"{title}, {what}: {len(some)} operations, p50 within a factor of 2: {within / len(some):.0%}, p90 covers {covered / len(some):.0%}"
                )
    print(f"{len(COSTS)} constants, p90 = {SPREAD} x p50")


def fit(held_out: tuple[str, ...]) -> None:
    """Constants that make the logarithms of estimates and measurements agree best, by turns."""
    from math import log

    from dbguard.planning.lock_time import COSTS

    rows = [(work, took) for table, _, work, took in works() if table not in held_out and took >= 0.02 and not work.unknown]
    matrix = []
    for work, took in rows:
        terms: dict[str, float] = {"statement": 1.0}
        for part in work.parts:
            for term, amount in part.terms.items():
                terms[term] = terms.get(term, 0.0) + amount
        matrix.append((terms, log(took)))
    costs = dict(COSTS)

    def loss() -> float:
        total = 0.0
        for terms, target in matrix:
            total += abs(log(sum(costs[term] * amount for term, amount in terms.items())) - target) ** 1.3
        return total + 0.02 * sum(abs(log(costs[term] / COSTS[term])) for term in costs)

    best = loss()
    step = 2.0
    while step > 1.02:
        improved = False
        for term in costs:
            if term == "statement" or not any(term in terms for terms, _ in matrix):
                continue
            for factor in (step, 1 / step):
                costs[term] *= factor
                now = loss()
                if now < best - 1e-6:
                    best, improved = now, True
                    break
                costs[term] /= factor
        if not improved:
            step = step**0.5
    print(f"# loss {best:.2f} over {len(matrix)} operations")
    for term, value in costs.items():
        print(f'    "{term}": {value:.2g},')


if __name__ == "__main__":
    verb, *rest = sys.argv[1:] or ["report"]
    if verb == "measure":
        measure(rest or list(TABLES))
    else:
        {"report": report, "fit": fit}[verb](HELD_OUT)

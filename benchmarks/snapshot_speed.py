"""How long a snapshot takes, and how large it is.

    python benchmarks/snapshot_speed.py [--tables 1000] [--columns 15] [--rows 300] [--values masked] [--own-ddl]

Builds tables with keys, foreign keys, times, words, numbers, JSON, and skew on a throw-away server, analyzes them, and takes
snapshots: first one, and the best and median of five more. Targets: about 1 s for 1,000 tables; 1 MB compressed for 200 tables of 15
columns (run with `--tables 200 --rows 20000` for full histograms).
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from dbguard.postgres import snapshot_schema
from dbguard.postgres.embedded import start
from dbguard.postgres.session import open_read_only
from dbguard.postgres.snapshot import Wishes, take
from dbguard.reading.snapshots import load, save

COLUMNS = (
    ("id", "bigint PRIMARY KEY", "i"),
    ("parent_id", "bigint", "1 + (i * 7919) % {rows}"),
    ("created_at", "timestamptz NOT NULL", "'2026-01-01'::timestamptz + i * interval '37.123457 s'"),
    ("updated_at", "timestamptz", "CASE WHEN i % 3 = 0 THEN '2026-03-01'::timestamptz + random() * interval '90 days' END"),
    ("status", "text CHECK (status IN ('new', 'paid', 'sent', 'done'))", "(ARRAY['new','paid','sent','done','done','done','done'])[1 + i % 7]"),
    ("email", "text", "md5(i::text || '{table}') || '@example.org'"),
    ("name", "varchar(80)", "'Customer ' || (random() * {rows})::int"),
    ("country", "char(2)", "chr(65 + (random() ^ 3 * 25)::int) || chr(65 + (random() * 25)::int)"),
    ("amount", "numeric(12,2)", "(random() ^ 2 * 10000)::numeric(12,2)"),
    ("quantity", "integer", "1 + (random() ^ 4 * 500)::int"),
    ("is_active", "boolean NOT NULL DEFAULT true", "i % 10 > 0"),
    ("tenant_id", "integer", "1 + (random() ^ 3 * 2000)::int"),
    ("data", "jsonb", "jsonb_build_object('k', i % 50)"),
    ("note", "text", "CASE WHEN i % 20 = 0 THEN repeat('x', i % 50) END"),
    ("tags", "text[]", "ARRAY['t' || i % 30, 't' || i % 7]"),
)


def build(dsn: str, tables: int, columns: int, rows: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for number in range(tables):
            used = [COLUMNS[at % len(COLUMNS)] for at in range(columns)]
            names = [name if at < len(COLUMNS) else f"{name}_{at}" for at, (name, _, _) in enumerate(used)]
            types = [kind if at < len(COLUMNS) else kind.split()[0] for at, (_, kind, _) in enumerate(used)]
            table = f"table_{number:04}"
            connection.execute(f"CREATE TABLE {table} ({', '.join(f'{n} {t}' for n, t in zip(names, types, strict=True))})")
            connection.execute(f"CREATE INDEX ON {table} (parent_id)")
            connection.execute(f"CREATE INDEX ON {table} (status, created_at)")
            values = ", ".join(value.format(rows=rows, table=table) for _, _, value in used)
            connection.execute(f"INSERT INTO {table} SELECT {values} FROM generate_series(1, {rows}) i")
            if number:
                connection.execute(f"ALTER TABLE {table} ADD FOREIGN KEY (parent_id) REFERENCES table_{number - 1:04}")
        connection.execute("ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=15)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--values", default="masked")
    parser.add_argument("--own-ddl", action="store_true", help="without pg_dump")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if options.own_ddl:
        snapshot_schema.find_pg_dump = lambda _: None
    with start(settings={"shared_buffers": "256MB"}) as server, TemporaryDirectory() as folder:
        name = server.create_database()
        build(server.dsn(name), options.tables, options.columns, options.rows)
        times = []
        profile = cProfile.Profile()
        for run in range(6):
            began = time.perf_counter()
            if options.profile and run == 5:
                profile.enable()
            with open_read_only(server.dsn(name)) as connection:
                snapshot = take(connection, Wishes(options.values))
            taken = time.perf_counter()
            save(snapshot, Path(folder, "s.dbguard"))
            profile.disable()
            times.append((taken - began, time.perf_counter() - taken))
        best = min(took for took, _ in times[1:])
        print(f"{options.tables} tables of {options.columns} columns, {len(snapshot.columns)} columns with statistics, values {options.values}")
        print(f"take: first {times[0][0]:.2f} s, then best {best:.2f} s, median {statistics.median(t for t, _ in times[1:]):.2f} s")
        print(f"save: {statistics.median(t for _, t in times):.2f} s")
        began = time.perf_counter()
        load(Path(folder, "s.dbguard"))
        print(f"load: {time.perf_counter() - began:.2f} s")
        save(snapshot, Path(folder, "s.dbguard.gz"))
        plain, packed = (Path(folder, file).stat().st_size for file in ("s.dbguard", "s.dbguard.gz"))
        print(f"size: {plain / 1e6:.2f} MB, compressed {packed / 1e6:.2f} MB, {packed / max(len(snapshot.columns), 1):.0f} bytes a column")
        if options.profile:
            pstats.Stats(profile).sort_stats("cumulative").print_stats(30)


if __name__ == "__main__":
    main()

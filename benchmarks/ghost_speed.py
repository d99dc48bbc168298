"""How long a ghost takes: 300 tables of 15 columns with 900 indexes; the first time, from the cache, and one change of it.

    python -m benchmarks.ghost_speed [--tables 300] [--profile]

Goals: ready in 5 s the first time, in 1 s when cached, one candidate index in 0.3 s.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

from benchmarks import kept

from dbguard.postgres.ghost import open_ghost
from dbguard.postgres.session import open_read_only
from dbguard.postgres.snapshot import Wishes, take


def fill(dsn: str, tables: int) -> None:
    import psycopg

    with psycopg.connect(dsn, autocommit=True) as connection:
        for number in range(tables):
            parent = f"REFERENCES t{number - 1}" if number else ""
            connection.execute(
                f"CREATE TABLE t{number} (id bigint PRIMARY KEY, parent_id bigint {parent}, name text NOT NULL, email text, status text NOT NULL, amount numeric(12, 2),"
                " quantity integer, active boolean NOT NULL, data jsonb, tags text[], day date, created_at timestamptz NOT NULL, updated_at timestamptz, code uuid, ratio double precision)"
            )
            connection.execute(
                f"INSERT INTO t{number} SELECT i, 1 + i % 500, 'name ' || i, 'mail' || i || '@example.org', (ARRAY['new', 'paid', 'done'])[1 + i % 3], i * 1.5, i % 100, i % 7 > 0,"
                " jsonb_build_object('k', i % 10), ARRAY['a' || i % 20], date '2024-01-01' + i % 365, now(), now(), md5(i::text)::uuid, i / 7.0 FROM generate_series(1, 500) i"
            )
            for columns in ("(parent_id)", "(status, created_at) WHERE active", "(lower(email))"):
                connection.execute(f"CREATE INDEX ON t{number} {columns}")
        connection.execute("VACUUM (ANALYZE)")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tables", type=int, default=300)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    with kept.served(f"tables-{arguments.tables}", lambda dsn: fill(dsn, arguments.tables)) as dsn, open_read_only(dsn) as connection:
        snapshot = take(connection, Wishes("full"))
    snapshot = snapshot._replace(database=f"{time.time()}")  # so that it is new to the cache
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        with open_ghost(snapshot._replace(relations=(), columns=(), schema=""), cache=False):
            pass  # the server's own cluster comes from its cache from now on
        for label in ("first time", "cached", "cached"):
            started = time.perf_counter()
            with open_ghost(snapshot) as ghost:
                print(f"{label:12} {time.perf_counter() - started:.2f} s")
                if label == "cached":
                    many = [f"CREATE INDEX ON t{number} (amount, day)" for number in range(30)]
                    for what, ddl in (("one index", many[:1]), ("one index", many[:1]), ("30 indexes", many)):
                        started = time.perf_counter()
                        with ghost.what_if(ddl):
                            print(f"  {what:10} {time.perf_counter() - started:.2f} s")
                        print(f"    with removal {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()

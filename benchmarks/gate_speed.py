"""How long `dbguard gate` takes on a large repository: 300 migrations, 500 captured shapes, a snapshot of 200 tables.

The repository is made from a seed: 200 tables with foreign keys and indexes, 300 migrations of which 5 are pending, queries from 40 tests.
Prints seconds cold (no cache), with nothing changed, and the most memory of the process tree.

    python -m benchmarks.gate_speed [FOLDER]
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dbguard.model.names import Name
from dbguard.model.snapshot import Activity, Applied, ColumnStatistics, Relation, Snapshot, StatementTotal
from dbguard.parsing.query.shapes import shape_of
from dbguard.reading.snapshots import save

TABLES, MIGRATIONS, PENDING, SHAPES = 200, 300, 5, 500
COLUMNS = (
    ("tenant_id", "bigint NOT NULL", 8, 900.0),
    ("status", "text NOT NULL DEFAULT 'new'", 7, 6.0),
    ("amount", "numeric(12,2)", 6, -0.4),
    ("email", "text", 24, -0.9),
    ("created_at", "timestamptz NOT NULL DEFAULT now()", 8, -1.0),
    ("note", "text", 60, -0.7),
)


def public(name: str) -> Name:
    return Name("public", name)


def build(folder: Path) -> None:
    """Writes the migrations, a file of queries and a snapshot."""
    luck = random.Random(7)
    migrations = folder / "migrations"
    migrations.mkdir(parents=True)
    parents = [None if number == 0 else luck.randrange(number) for number in range(TABLES)]
    ddl = []
    for number in range(TABLES):
        text = _table(number, parents[number])
        ddl.append(text)
        (migrations / f"{number + 1:04}_table_{number}.up.sql").write_text(text)
    for number in range(TABLES, MIGRATIONS - PENDING):
        table = luck.randrange(TABLES)
        text = f"ALTER TABLE table_{table} ADD COLUMN extra_{number} int;\n"
        ddl.append(text)
        (migrations / f"{number + 1:04}_more_{number}.up.sql").write_text(text)
    for offset, text in enumerate(PENDING_TEXTS):
        number = MIGRATIONS - PENDING + offset
        (migrations / f"{number + 1:04}_pending_{offset}.up.sql").write_text(text)
    _queries(folder / "queries.sql", luck, parents)
    save(_snapshot("".join(ddl), luck), folder / "prod.dbguard")
    (folder / "dbguard.toml").write_text('snapshot = "prod.dbguard"\nqueries = ["queries.sql"]\n[gate]\nworkload = ["queries.sql"]\n')


PENDING_TEXTS = (
    "CREATE INDEX table_3_email_idx ON table_3 (email);\n",
    "DROP INDEX table_5_tenant_id_idx;\n",
    "ALTER TABLE table_8 ALTER COLUMN amount TYPE numeric(14,4);\n",
    "ALTER TABLE table_9 ADD COLUMN channel text NOT NULL DEFAULT 'web';\nALTER TABLE table_9 DROP COLUMN note;\n",
    "ALTER TABLE table_11 ADD CONSTRAINT table_11_amount_check CHECK (amount >= 0);\n",
)


def _table(number: int, parent: int | None) -> str:
    columns = ", ".join(f"{name} {kind}" for name, kind, _, _ in COLUMNS)
    reference = "" if parent is None else f", parent_id bigint REFERENCES table_{parent}"
    text = f"CREATE TABLE table_{number} (id bigint PRIMARY KEY, {columns}{reference});\n"
    text += f"CREATE INDEX table_{number}_tenant_id_idx ON table_{number} (tenant_id);\n"
    if parent is not None:
        text += f"CREATE INDEX table_{number}_parent_id_idx ON table_{number} (parent_id);\n"
    return text


def _queries(path: Path, luck: random.Random, parents: list[int | None]) -> None:
    """`SHAPES` queries that differ in more than their constants."""
    found: dict[str, str] = {}
    number = 0
    while len(found) < SHAPES:
        text = _query(number % TABLES, parents[number % TABLES], luck)
        found.setdefault(shape_of(text).key, text)
        number += 1
    path.write_text("\n".join(f"-- name: query_{number}\n{text};\n" for number, text in enumerate(found.values())))


def _query(table: int, parent: int | None, luck: random.Random) -> str:
    columns = ", ".join(luck.sample([name for name, *_ in COLUMNS], 3))
    choices = [
        f"SELECT {columns} FROM table_{table} WHERE tenant_id = $1 AND status = $2 ORDER BY created_at DESC LIMIT 20",
        f"SELECT count(*), sum(amount) FROM table_{table} WHERE created_at > $1 AND tenant_id = $2",
        f"UPDATE table_{table} SET status = $1 WHERE id = $2",
        f"INSERT INTO table_{table} (id, tenant_id, amount) VALUES ($1, $2, $3)",
        f"SELECT {columns} FROM table_{table} WHERE id = $1",
    ]
    if parent is not None:
        choices.append(f"SELECT c.id, p.email FROM table_{table} c JOIN table_{parent} p ON p.id = c.parent_id WHERE c.tenant_id = $1")
    return luck.choice(choices)


def _snapshot(ddl: str, luck: random.Random) -> Snapshot:
    relations, columns, activity, statements = [], [], [], []
    for number in range(TABLES):
        rows = 10 ** luck.uniform(3, 7.5)
        name = public(f"table_{number}")
        pages = max(1, int(rows * 150 / 8192))
        relations.append(Relation(name, "r", pages=pages, tuples=rows, all_visible=int(pages * 0.9), relation_bytes=pages * 8192))
        for index in (f"table_{number}_pkey", f"table_{number}_tenant_id_idx", *([f"table_{number}_parent_id_idx"] if number else [])):
            relations.append(Relation(public(index), "i", pages=max(2, int(rows * 22 / 8192)), tuples=rows, method="btree", table=name))
            activity.append(Activity(public(index), index_scans=luck.randrange(10**6)))
        columns.append(ColumnStatistics(name, "id", avg_width=8, n_distinct=-1.0, correlation=1.0))
        if number:
            columns.append(ColumnStatistics(name, "parent_id", avg_width=8, n_distinct=-0.2, correlation=0.1))
        columns += [ColumnStatistics(name, column, avg_width=width, n_distinct=distinct, correlation=0.1) for column, _, width, distinct in COLUMNS]
        activity.append(Activity(name, seq_scans=10, index_scans=10**6, inserts=10**5, updates=10**5))
    statements.append(StatementTotal("SELECT * FROM table_3 WHERE id = $1", 10**7, 900.0, 10**7))
    versions = tuple(str(number) for number in (MIGRATIONS - PENDING,))
    return Snapshot(
        major=18,
        database="shop",
        taken="2026-01-01T00:00:00Z",
        schema=ddl,
        relations=tuple(relations),
        columns=tuple(columns),
        activity=tuple(activity),
        statements=tuple(statements),
        seconds=86400.0,
        longest_transactions=(3.0,),
        applied=(Applied("golang-migrate", public("schema_migrations"), versions),),
    )


def run(folder: Path, home: Path, *arguments: str) -> tuple[float, int, str]:
    """Seconds, exit code and the last line of one run."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "dbguard", "gate", *arguments],
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    return time.perf_counter() - began, done.returncode, (done.stdout.strip().splitlines() or done.stderr.splitlines() or [""])[-1]


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder, home = Path(sys.argv[1] if len(sys.argv) > 1 else f"{scratch}/repository"), Path(scratch, "cache")
        if not folder.exists():
            build(folder)
        for title in ("cold", "nothing changed", "nothing changed"):
            took, code, last = run(folder, home)
            print(f"{title:16} {took:6.2f} s  exit {code}  {last}")
        print(f"most memory of one process: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()

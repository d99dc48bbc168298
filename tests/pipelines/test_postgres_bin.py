"""`--postgres-bin` and `postgres-bin`: the PostgreSQL that serves the ghosts of `explain` and `gate`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dbguard.pipelines.snapshot import snapshot
from dbguard.postgres.embedded import _embedded_programs
from dbguard.postgres.snapshot import Wishes

LOG = "2026-01-01 10:00:00.123 UTC [100] app@shop LOG:  duration: 1.5 ms  statement: SELECT * FROM orders WHERE note = 'x'\n"


@pytest.fixture(scope="module")
def project(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("project")
    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute("CREATE TABLE orders (id bigint PRIMARY KEY, note text); INSERT INTO orders SELECT i FROM generate_series(1, 100) i")
    snapshot(server.dsn(name), folder / "shop.dbguard", Wishes(statements=0))
    (folder / "001_note.sql").write_text("CREATE INDEX CONCURRENTLY orders_note ON orders (note);\n")
    (folder / "pg.log").write_text(LOG)
    yield folder
    server.drop_database(name)


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "DBGUARD_DATABASE"}
    command = [sys.executable, "-m", "dbguard", *arguments, "--snapshot", "shop.dbguard"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, env=environment, check=False)


EXPLAIN = ("explain", "SELECT 1", "--no-growth")
GATE = ("gate", "001_note.sql", "--workload", "pg.log", "--no-cache")


@pytest.mark.parametrize("verb", [EXPLAIN, GATE])
def test_a_ghost_is_served_by_the_programs_that_are_given(project: Path, verb: tuple[str, ...]):
    done = run(project, *verb, "--postgres-bin", str(_embedded_programs()))
    assert (done.returncode, "holds no initdb" in done.stdout + done.stderr) == (0, False)


@pytest.mark.parametrize("verb", [EXPLAIN, GATE])
def test_a_folder_without_programs_is_named(project: Path, verb: tuple[str, ...]):
    done = run(project, *verb, "--postgres-bin", "nothing")
    assert done.returncode == 3
    assert f"{project / 'nothing'} holds no initdb and no postgres" in done.stdout + done.stderr


def test_the_configuration_names_programs_beside_itself(project: Path, tmp_path: Path):
    (tmp_path / "dbguard.toml").write_text('postgres-bin = "programs"\n')
    done = run(project, *EXPLAIN, "--config", str(tmp_path / "dbguard.toml"))
    assert f"{tmp_path / 'programs'} holds no initdb" in done.stderr

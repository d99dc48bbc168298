"""The cache of replayed schemas: it changes how long a run takes, and nothing else."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dbguard.cache import Cache, default_folder
from dbguard.config import Config
from dbguard.model.names import Name
from dbguard.model.schema import Schema, Table
from dbguard.model.state import State
from dbguard.pipelines.check import check

STATE = State(schema=Schema(tables={Name("public", "orders"): Table(Name("public", "orders"))}), settings={"lock_timeout": "5s"})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Forty migrations on one table, the last of which blocks writes to it."""
    folder = tmp_path / "project" / "migrations"
    folder.mkdir(parents=True)
    (folder / "001_orders.sql").write_text("CREATE TABLE orders (id bigint PRIMARY KEY);\n")
    for number in range(2, 40):
        (folder / f"{number:03}_column.sql").write_text(f"SET lock_timeout = '5s';\nALTER TABLE orders ADD COLUMN c{number} int;\n")
    (folder / "040_index.sql").write_text("SET lock_timeout = '5s';\nCREATE INDEX orders_c2_idx ON orders (c2);\n")
    return tmp_path / "project"


def run(project: Path, file: str = "040_index.sql", **overrides: Any) -> list[str]:
    result = check(Config.load(project, overrides), [str(project / "migrations" / file)])
    return [f"{finding.rule}: {finding.message}" for finding in result.findings]


def saved() -> list[Path]:
    return sorted(path for path in Path(default_folder()).rglob("*") if path.is_file())


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_warm_run_says_what_a_cold_run_says(project: Path) -> None:
    cold = run(project)
    assert [line.partition(":")[0] for line in cold] == ["create-index-blocking"]
    assert len(saved()) == 1
    assert run(project) == cold == run(project, cache=False)


def test_a_longer_history_starts_from_what_is_remembered(project: Path) -> None:
    run(project)
    (project / "migrations" / "041_drop.sql").write_text("ALTER TABLE orders DROP COLUMN c39;\n")
    assert any(line.startswith("drop-column") for line in run(project, "041_drop.sql"))
    assert len(saved()) == 1, "one more migration is not worth another file"


def test_an_edit_of_an_earlier_migration_counts(project: Path) -> None:
    run(project)
    (project / "migrations" / "002_column.sql").write_text("DROP TABLE orders;\n")
    assert run(project) == run(project, cache=False) != []


def test_a_deleted_migration_counts(project: Path) -> None:
    run(project)
    (project / "migrations" / "001_orders.sql").unlink()
    assert run(project) == run(project, cache=False)


def test_a_down_script_starts_where_its_up_script_does(project: Path) -> None:
    folder = project / "migrations"
    for path in sorted(folder.iterdir()):
        path.rename(folder / path.name.replace(".sql", ".up.sql"))
    (folder / "040_index.down.sql").write_text("DROP INDEX orders_c2_idx;\n")
    assert run(project, "040_index.down.sql") == run(project, "040_index.down.sql") == run(project, "040_index.down.sql", cache=False)


def test_without_cache_nothing_is_written(project: Path) -> None:
    run(project, cache=False)
    assert saved() == []


def test_short_histories_are_not_worth_a_file(project: Path) -> None:
    run(project, "010_column.sql")
    assert saved() == []


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"\x80\x05K\x01.", b"\x80\x05" + b"(" * 1000])
def test_a_broken_file_is_as_good_as_none(project: Path, content: bytes) -> None:
    before = run(project)
    saved()[0].write_bytes(content)
    assert run(project) == before


def test_a_file_cut_short_is_as_good_as_none(project: Path) -> None:
    before = run(project)
    path = saved()[0]
    path.write_bytes(path.read_bytes()[:-20])
    assert run(project) == before


def test_a_folder_that_is_a_file_is_no_reason_to_stop(project: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    assert len(run(project)) == 1


def test_a_relative_folder_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert default_folder() == ""


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch evil",)


def test_a_file_from_a_stranger_cannot_run_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cache = Cache(str(tmp_path / "own"))
    cache.save("key", STATE)
    path = next(path for path in (tmp_path / "own").rglob("key"))
    path.write_bytes(pickle.dumps(Evil()))
    assert Cache(str(tmp_path / "own")).load("key") is None
    assert not (tmp_path / "evil").exists()


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    Cache(str(tmp_path)).save("key", STATE)
    assert Cache(str(tmp_path)).load("key") == STATE


def test_runs_at_the_same_time_do_not_meet_half_a_file(project: Path) -> None:
    command = [sys.executable, "-m", "dbguard", "check", "--format", "json", str(project / "migrations" / "040_index.sql")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ, text=True) for _ in range(4)]
    answers = {(process.communicate()[0].partition('"summary"')[0], process.returncode) for process in running}
    assert len(answers) == 1
    assert {code for _, code in answers} == {1}
    assert [path.name.endswith(".tmp") for path in saved()] == [False]


REVISION = '''"""Revision {number}."""

import sqlalchemy as sa
from alembic import op

from shop.names import TABLE

revision = "{number:03}"
down_revision = {parent}


def upgrade():
    {up}


def downgrade():
    {down}
'''


@pytest.fixture
def revisions(tmp_path: Path) -> Path:
    """Thirty Alembic revisions, the last of which blocks writes to the table of the first."""
    root = tmp_path / "alembic"
    (root / "migrations" / "versions").mkdir(parents=True)
    (root / "shop").mkdir()
    (root / "shop" / "__init__.py").touch()
    (root / "shop" / "names.py").write_text('TABLE = "orders"\n')
    (root / "migrations" / "env.py").write_text("from alembic import context\ncontext.configure(transaction_per_migration=True)\n")
    create = 'op.create_table(TABLE, sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("c1", sa.Integer()))'
    write(root, 1, create, "op.drop_table(TABLE)")
    for number in range(2, 30):
        write(root, number, f'op.add_column(TABLE, sa.Column("c{number}", sa.Integer()))', f'op.drop_column(TABLE, "c{number}")')
    write(root, 30, 'op.create_index("orders_c2_idx", TABLE, ["c2"])', 'op.create_index("orders_back_idx", TABLE, ["c2"])')
    return root


def write(root: Path, number: int, up: str, down: str) -> None:
    parent = "None" if number == 1 else f'"{number - 1:03}"'
    text = REVISION.format(number=number, parent=parent, up=up, down=down)
    (root / "migrations" / "versions" / f"{number:03}_x.py").write_text(text)


def told(root: Path, number: int = 30, **overrides: Any) -> list[str]:
    result = check(Config.load(root, overrides), [str(root / "migrations" / "versions" / f"{number:03}_x.py")])
    return [f"{finding.rule}: {finding.message}" for finding in result.findings] + [part.reason for part in result.unread]


def test_a_warm_run_on_revisions_says_what_a_cold_run_says(revisions: Path) -> None:
    cold = told(revisions)
    assert any("create-index-blocking" in line and "`orders`" in line for line in cold)
    assert any("orders_back_idx" in line for line in cold), "the way back of a revision that was asked for is read"
    assert len(saved()) == 2
    assert told(revisions) == cold == told(revisions, cache=False)


def test_a_revision_that_was_history_can_be_asked_for(revisions: Path) -> None:
    told(revisions)
    assert told(revisions, 12) == told(revisions, 12, cache=False) != []


def test_a_changed_revision_is_read_again(revisions: Path) -> None:
    told(revisions)
    write(revisions, 30, 'op.drop_table("orders")', "pass")
    assert told(revisions) == told(revisions, cache=False)
    assert any(line.startswith("drop-table") for line in told(revisions))


def test_an_earlier_revision_that_changed_is_read_again(revisions: Path) -> None:
    told(revisions)
    write(revisions, 29, "op.drop_table(TABLE)", "pass")
    assert told(revisions) == told(revisions, cache=False)


def test_a_module_of_the_project_that_changed_counts(revisions: Path) -> None:
    before = told(revisions)
    (revisions / "shop" / "names.py").write_text('TABLE = "invoices"\n')
    after = told(revisions)
    assert after == told(revisions, cache=False) != before


def test_an_env_that_changed_counts(revisions: Path) -> None:
    told(revisions)
    env = revisions / "migrations" / "env.py"
    env.write_text(env.read_text() + "SETTING = \"SET lock_timeout = '2s'\"\n")
    assert told(revisions) == told(revisions, cache=False)


def test_what_is_remembered_of_revisions_needs_no_sqlalchemy(revisions: Path) -> None:
    told(revisions)
    code = f"import sys\nfrom dbguard.__main__ import main\nsys.argv = ['dbguard', 'check', {str(revisions / 'migrations/versions/030_x.py')!r}]\n"
    code += "import os\nos._exit = lambda code: print('sqlalchemy' in sys.modules)\nmain()\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=revisions)
    assert done.stdout.splitlines()[-1] == "False", done.stdout + done.stderr

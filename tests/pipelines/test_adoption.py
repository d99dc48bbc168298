"""`dbguard baseline`: written from what a program sent, silent in `dbguard check`, pruned when something was mended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.book import ROOT
from tests.pipelines.test_workload import SCHEMA, lines, write

from dbguard.config import Config
from dbguard.errors import UnreadableSource, UsageError
from dbguard.model.finding import Result
from dbguard.pipelines.baseline import adopt, prune
from dbguard.pipelines.check import check
from dbguard.pipelines.gate import gate
from dbguard.pipelines.workload import judge_capture

NAME = "dbguard-baseline.json"
INDEX = "CREATE INDEX orders_customer_id_idx ON orders (customer_id);\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001_shop.sql").write_text(SCHEMA)
    (tmp_path / "dbguard.toml").write_text(f'baseline = "{NAME}"\nfail-on = "warning"\n')
    capture(tmp_path)
    return tmp_path


def capture(project: Path, children: int = 3) -> None:
    written = lines(children)
    written.insert(4, {"line": "text", "text": 3, "sql": "COMMIT"})
    write(project, [*written, {"line": "end", "calls": children + 2, "errors": {}}])


def config(project: Path, **overrides: Any) -> Config:
    return Config.load(project, overrides | {"cache": False})


def adopted(project: Path) -> str:
    found = adopt(config(project), [])
    Path(found.path).write_text(found.baseline.text())
    return found.baseline.text()


def run(project: Path, *paths: str, **overrides: Any) -> Result:
    return check(config(project, **overrides), [str(project / path) for path in paths])


def test_what_is_adopted_is_silent_and_counted(project: Path) -> None:
    assert run(project, ".dbguard", baseline="").exit_code == 1
    adopted(project)
    result = run(project, ".dbguard")
    assert (result.findings, result.exit_code, result.summary.known, result.summary.gone) == ((), 0, 2, 0)


def test_the_file_follows_its_schema(project: Path) -> None:
    document = json.loads(adopted(project))
    Draft202012Validator(json.loads((ROOT / "docs/schemas/baseline.json").read_text())).validate(document)
    first = document["findings"][0]
    assert (first["rule"], first["path"], first["function"]) == ("missing-index-filter", "shop/views.py", "customers")
    assert first["sql"] == "SELECT id, total FROM orders WHERE customer_id = ?"
    assert document["budgets"]["units"] == {"GET /customers": 4}
    assert sorted(shape["calls"] for shape in document["budgets"]["shapes"].values()) == [1, 3]


def test_writing_twice_gives_the_same_file(project: Path) -> None:
    assert adopted(project) == adopted(project)


def test_what_is_new_is_told(project: Path) -> None:
    adopted(project)
    (project / "queries.sql").write_text("-- name: Late :many\nSELECT id FROM orders WHERE total = $1;\n")
    result = run(project, ".dbguard", "queries.sql")
    assert [one.rule for one in result.findings] == ["missing-index-filter"]
    assert result.summary.known == 2


def test_more_rounds_of_a_known_loop_are_no_news(project: Path) -> None:
    adopted(project)
    capture(project, 30)
    assert run(project, ".dbguard").findings == ()


def test_what_was_mended_is_said_to_be_gone_until_it_is_pruned(project: Path) -> None:
    adopted(project)
    (project / "migrations" / "002_index.sql").write_text(INDEX)
    assert run(project, ".dbguard").summary.gone == 1
    pruned = prune(config(project), [])
    assert [entry.rule for entry in pruned.gone] == ["missing-index-filter"]
    Path(pruned.path).write_text(pruned.baseline.text())
    assert json.loads(Path(pruned.path).read_text())["budgets"]["units"] == {"GET /customers": 4}
    assert (run(project, ".dbguard").summary.gone, run(project, ".dbguard").summary.known) == (0, 1)
    assert prune(config(project), []).gone == ()


def test_a_run_over_migrations_says_nothing_about_the_baseline(project: Path) -> None:
    adopted(project)
    summary = run(project, "migrations").summary
    assert (summary.known, summary.gone) == (0, 0)


def test_a_missing_baseline_matters_only_where_queries_are_looked_at(project: Path) -> None:
    assert run(project, "migrations").exit_code in {0, 1}
    with pytest.raises(UsageError, match="baseline write"):
        run(project, ".dbguard")


def test_what_could_not_be_read_is_not_said_to_be_gone(project: Path) -> None:
    adopted(project)
    (project / "other.log").write_text("hello\n")
    (project / "migrations" / "002_index.sql").write_text(INDEX)
    result = run(project, ".dbguard", "other.log")
    assert (result.summary.known, result.summary.gone, result.exit_code) == (1, 0, 3)


def test_nothing_is_adopted_from_what_could_not_be_read(project: Path) -> None:
    (project / "other.log").write_text("hello\n")
    with pytest.raises(UnreadableSource):
        adopt(config(project), [str(project / ".dbguard"), str(project / "other.log")])


def test_without_captures_and_queries_there_is_nothing_to_adopt(project: Path) -> None:
    with pytest.raises(UsageError, match="no queries"):
        adopt(config(project), [str(project / "migrations")])
    (project / ".dbguard" / "one.jsonl").unlink()
    (project / ".dbguard").rmdir()
    with pytest.raises(UsageError, match="pytest --dbguard"):
        adopt(config(project), [])


def test_what_is_allowed_or_off_is_not_adopted(project: Path) -> None:
    (project / "q.sql").write_text("-- dbguard: allow missing-index-filter - ten rows\nSELECT id FROM orders WHERE total = $1;\n")
    (project / "dbguard.toml").write_text(f'baseline = "{NAME}"\nqueries = ["q.sql"]\nignore = ["query-per-row"]\n')
    found = adopt(config(project), [])
    assert [(entry.rule, entry.path) for entry in found.baseline.entries] == [("missing-index-filter", "shop/views.py")]


def test_a_newer_baseline_is_refused_and_not_written_over(project: Path) -> None:
    (project / NAME).write_text('{"dbguard": "baseline", "version": 2, "findings": []}')
    for what in (lambda: run(project, ".dbguard"), lambda: adopt(config(project), []), lambda: prune(config(project), [])):
        with pytest.raises(UnreadableSource, match="newer dbguard"):
            what()


def test_a_damaged_baseline_is_made_anew(project: Path) -> None:
    (project / NAME).write_text("<<<<<<< HEAD\n")
    with pytest.raises(UnreadableSource, match="merge conflict"):
        run(project, ".dbguard")
    assert len(adopt(config(project), []).baseline.entries) == 2


def test_a_judged_capture_knows_the_baseline_and_says_what_is_gone_only_of_whole_runs(project: Path) -> None:
    adopted(project)
    path = str(project / ".dbguard" / "one.jsonl")
    whole = judge_capture([path], config(project))
    assert (whole.findings, whole.exit_code, whole.summary.known, whole.summary.gone) == ((), 0, 1, 0)
    capture(project, 1)
    assert judge_capture([path], config(project)).summary.gone == 1
    assert judge_capture([path], config(project), whole=False).summary.gone == 0


def dbguard(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "dbguard", *arguments, "--no-cache"], cwd=project, capture_output=True, text=True, check=False)


def test_the_commands_say_what_they_did_and_leave_no_other_file(project: Path) -> None:
    wrote = dbguard(project, "baseline", "write")
    assert (wrote.returncode, wrote.stdout) == (0, f"{NAME}: 2 findings known, 2 of them new, 0 left out.\n")
    assert sorted(path.name for path in project.iterdir()) == [".dbguard", NAME, "dbguard.toml", "migrations"]
    checked = dbguard(project, "check", ".dbguard")
    assert (checked.returncode, checked.stdout) == (0, "nothing found in 1 file (PostgreSQL 14 to 18). 2 findings known from the baseline.\n")
    (project / "migrations" / "002_index.sql").write_text(INDEX)
    gone = dbguard(project, "check", ".dbguard")
    assert gone.stdout.endswith("1 finding known from the baseline. 1 entry of the baseline not found any more: dbguard baseline prune.\n")
    pruned = dbguard(project, "baseline", "prune")
    assert pruned.stdout == f"gone  missing-index-filter  customers in shop/views.py\n{NAME}: 1 entry removed, 1 entry left.\n"


def test_another_file_can_be_written_and_named(project: Path) -> None:
    (project / "dbguard.toml").unlink()
    wrote = dbguard(project, "baseline", "write", ".dbguard", "-o", "old.json")
    assert wrote.stdout == 'old.json: 2 findings known, 2 of them new, 0 left out.\nName it in the configuration: baseline = "old.json"\n'
    assert dbguard(project, "check", ".dbguard", "--baseline", "old.json", "--fail-on", "warning").returncode == 0
    assert dbguard(project, "check", ".dbguard", "--baseline", "none.json").returncode == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_an_error(project: Path) -> None:
    project.chmod(0o500)
    assert dbguard(project, "baseline", "write").returncode == 2


def test_the_gate_reviews_what_is_new_and_tells_its_place_in_the_code(project: Path) -> None:
    (project / "migrations" / "002_more.sql").write_text("ALTER TABLE customers ADD COLUMN phone text;")
    pending = ["migrations/002_more.sql"]
    new = gate(config(project, baseline=""), pending, environment={})
    repeated = next(one for one in new.findings if one.rule == "query-per-row")
    assert (repeated.path, repeated.line, new.verdict) == ("shop/views.py", 12, "review")
    assert any(reason.startswith("shop/views.py:12: ") for reason in new.reasons)
    adopted(project)
    known = gate(config(project), pending, environment={})
    assert ([one for one in known.findings if one.shape or one.calls], known.budgets, known.verdict) == ([], (), "safe")


def test_the_gate_tells_how_far_numbers_moved_since_the_baseline(project: Path) -> None:
    adopted(project)
    capture(project, children=9)
    moved = {(one.name, one.subject): (one.recorded, one.now, one.exceeded) for one in gate(config(project), [], environment={}).budgets}
    assert moved["queries per unit", "GET /customers"] == (4, 10, False)
    (project / "dbguard.toml").write_text(f'baseline = "{NAME}"\n[gate]\nbudgets = {{ queries-per-unit = 5 }}\n')
    found = gate(config(project), [], environment={})
    assert [(one.now, one.exceeded) for one in found.budgets if one.name == "queries per unit"] == [(10, True)]
    assert found.verdict == "review"

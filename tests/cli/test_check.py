"""`dbguard check` from arguments to exit code."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dbguard.cli import run

ORDERS = "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);\n"
INDEX = "SET lock_timeout = '2s';\nCREATE INDEX orders_customer_id_idx ON orders (customer_id);\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one table, and a migration that blocks its writes."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "001_orders.sql").write_text(ORDERS)
    (tmp_path / "migrations" / "002_index.sql").write_text(INDEX)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "dbguard", *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_without_paths_the_migrations_are_found(project: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["check"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("migrations/002_index.sql:2  create-index-blocking\n")
    assert out.splitlines()[-1].startswith("1 error in 1 of 2 migrations (PostgreSQL 14 to 18).")
    assert err == ""


def test_a_clean_project_exits_0(project: Path, capsys: pytest.CaptureFixture[str]):
    (project / "migrations" / "002_index.sql").unlink()
    assert run(["check", "migrations"]) == 0


def test_only_files_that_are_asked_for_are_reported(project: Path, capsys: pytest.CaptureFixture[str]):
    (project / "migrations" / "003_index.sql").write_text("SET lock_timeout = '2s';\nCREATE INDEX more ON orders (id, customer_id);\n")
    assert run(["check", "--format", "concise", "migrations/003_index.sql"]) == 1
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["migrations/003_index.sql"]


def test_json_on_standard_output_stands_alone(project: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["check", "--format", "json"]) == 1
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert [finding["rule"] for finding in document["findings"]] == ["create-index-blocking"]
    assert document["summary"]["migrations"] == 2
    assert err == ""


def test_several_outputs_in_one_run(project: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["check", "--output", "sarif=a.sarif", "--output", "json=b.json"]) == 1
    assert json.loads((project / "a.sarif").read_text())["version"] == "2.1.0"
    assert json.loads((project / "b.json").read_text())["version"] == 1
    assert sorted(path.name for path in project.iterdir()) == [".git", "a.sarif", "b.json", "migrations"]
    assert "create-index-blocking" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--output", "sarif"],
        ["check", "--output", "pdf=a.pdf"],
        ["check", "--output", "json=no/such/folder/a.json"],
        ["check", "--format", "pdf"],
        ["check", "--select", "no-such-rule"],
        ["check", "--postgres", "9"],
        ["check", "--config", "missing.toml"],
        ["check", "--stdin-filename", "a.sql"],
        ["check", "--fail-on", "never"],
        ["chek"],
        ["rule", "no-such-rule"],
        ["locks"],
    ],
    ids=" ".join,
)
def test_wrong_use_exits_2_and_says_why(arguments: list[str], project: Path, capsys: pytest.CaptureFixture[str]):
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip()
    assert "Traceback" not in err


def test_a_command_that_is_mistyped_is_proposed(capsys: pytest.CaptureFixture[str]):
    assert run(["chek"]) == 2
    assert capsys.readouterr().err == 'dbguard: there is no command `chek` (did you mean "check"?); `dbguard --help` lists them\n'


@pytest.mark.parametrize(("many", "told"), [(19, False), (20, True)])
def test_a_history_in_which_many_migrations_have_findings_is_told_how_to_begin(
    many: int, told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations/000_orders.sql").write_text("CREATE TABLE orders (id bigint PRIMARY KEY);\n")
    for number in range(1, many + 1):
        (tmp_path / f"migrations/{number:03}_more.sql").write_text(f"ALTER TABLE orders ADD COLUMN c{number} int;\n")
    run(["check"])
    assert ("--since main tells only what changed" in capsys.readouterr().out) is told


def test_a_name_of_another_tool_is_translated(project: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["check", "--ignore", "require-concurrent-index-creation"]) == 2
    assert "`create-index-blocking`" in capsys.readouterr().err


def test_ignored_rules_are_silent(project: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["check", "--ignore", "create-index-blocking,vacuum-full"]) == 0


def test_select_replaces_and_extend_select_adds(project: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["check", "--select", "vacuum-full"]) == 0
    assert run(["check", "--select", "vacuum-full", "--extend-select", "locks"]) == 1


def test_fail_on_decides_what_fails(project: Path, capsys: pytest.CaptureFixture[str]):
    (project / "dbguard.toml").write_text('[severity]\ncreate-index-blocking = "warning"\n')
    assert run(["check"]) == 0
    assert run(["check", "--fail-on", "warning"]) == 1


def test_standard_input_with_a_name_joins_its_history(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"SET lock_timeout = '1s';\nCREATE INDEX i ON orders (id);")))
    assert run(["check", "-", "--stdin-filename", "migrations/003_more.sql", "--format", "concise"]) == 1
    assert capsys.readouterr().out.startswith("migrations/003_more.sql:2:1 create-index-blocking")


def test_a_missing_file_exits_3(project: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["check", "migrations/999.sql"]) in {2, 3}
    assert "migrations/999.sql" in "".join(capsys.readouterr())


def test_a_file_that_is_no_text_exits_3_and_the_rest_is_still_checked(project: Path, capsys: pytest.CaptureFixture[str]):
    (project / "migrations" / "003_bad.sql").write_bytes(b"SELECT '\xff\xfe\x00\x00';")
    assert run(["check", "--format", "concise"]) == 3
    out = capsys.readouterr().out
    assert "create-index-blocking" in out
    assert "migrations/003_bad.sql" in out


def test_strict_fails_for_what_was_not_understood(project: Path, capsys: pytest.CaptureFixture[str]):
    (project / "migrations" / "002_index.sql").write_text("DO $$ BEGIN EXECUTE 'DROP TABLE ' || current_user; END $$;\n")
    assert run(["check"]) == 0
    assert run(["check", "--strict"]) == 1


def test_a_pipe_gets_no_colour(project: Path):
    assert "\x1b" not in process("check", cwd=project).stdout


def test_a_terminal_gets_colour_unless_it_says_no(project: Path):
    pty = pytest.importorskip("pty")
    for environment, colored in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        leader, follower = pty.openpty()
        subprocess.run(
            [sys.executable, "-m", "dbguard", "check"], cwd=project, stdout=follower, env={**os.environ, **environment}, check=False, timeout=60
        )
        os.close(follower)
        assert (b"\x1b[1;31mcreate-index-blocking" in os.read(leader, 100_000)) is colored
        os.close(leader)


def test_a_reader_that_goes_away_is_no_error(project: Path):
    command = f"{sys.executable} -m dbguard rule --all --format markdown | head -n 1"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=project, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""


def test_an_unexpected_exception_exits_3_and_leaves_a_log(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    (project / "house").mkdir()
    page = (Path(__file__).parents[2] / "rules" / "create-index-blocking.md").read_text().replace("create-index-blocking", "our-rule")
    (project / "house" / "our-rule.md").write_text(page)
    (project / "house" / "our_rule.py").write_text("1 / 0\n")
    (project / "dbguard.toml").write_text('rule-folders = ["house"]\n')
    assert run(["check"]) == 3
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert "our-rule" in out + err


def test_interrupting_exits_130_with_one_line(project: Path):
    code = "import sys, dbguard.cli as cli, dbguard.pipelines.check as c\ndef stop(*a, **k): raise KeyboardInterrupt\nc.check = stop\nsys.exit(cli.run(['check']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "dbguard: interrupted\n")


def test_a_mistake_in_dbguard_is_one_short_message(project: Path):
    code = "import sys, dbguard.cli as cli, dbguard.pipelines.check as c\ndef stop(*a, **k): raise KeyError('x')\nc.check = stop\nsys.exit(cli.run(['check']))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "TMPDIR": str(project)}
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "KeyError" in done.stderr
    assert "Traceback" not in done.stderr
    log = next(project.glob("dbguard-*.log"))
    assert str(log) in done.stderr
    assert "Traceback" in log.read_text()


def test_of_a_refused_statement_only_that_is_told_unless_it_is_allowed(project: Path, capsys: pytest.CaptureFixture[str]):
    path = project / "migrations" / "002_index.sql"
    statement = "ALTER TABLE orders ALTER COLUMN customer_id TYPE integer, DROP COLUMN nobody;\n"

    def rules() -> set[str]:
        run(["check", "--format", "json"])
        return {one["rule"] for one in json.loads(capsys.readouterr().out)["findings"]}

    path.write_text(statement)
    assert rules() == {"statement-fails"}
    others = {"alter-column-type-narrowing", "lock-timeout-missing"}
    path.write_text(f"-- dbguard: allow statement-fails - the column is there\n{statement}")
    assert rules() == others
    path.write_text(statement)
    (project / "dbguard.toml").write_text('ignore = ["statement-fails"]\n')
    assert rules() == others

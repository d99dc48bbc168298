"""Places that cannot be read, readers that go away, settings that make no sense: one line that says so, and the exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.hostile.test_input import ALTER, dbguard
from tests.interrupts import hear_interrupts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "good.sql").write_text(ALTER)
    return tmp_path


def assert_not_looked(done: subprocess.CompletedProcess[str], path: str, reason: str) -> None:
    """Exit code 3, the place with its reason, and what the other file gave."""
    assert done.returncode == 3
    assert f"{path}:1:1 unreadable: {reason}\n" in done.stdout
    assert "good.sql:1:1 drop-column: " in done.stdout
    assert done.stderr == ""


def concise(*paths: str, cwd: Path, **options) -> subprocess.CompletedProcess[str]:
    return dbguard("check", "--format", "concise", *paths, cwd=cwd, **options)


def test_a_broken_link(folder: Path):
    (folder / "a.sql").symlink_to("nowhere.sql")
    assert_not_looked(concise("a.sql", "good.sql", cwd=folder), "a.sql", "a broken link")


def test_a_link_to_itself(folder: Path):
    (folder / "a.sql").symlink_to("b.sql")
    (folder / "b.sql").symlink_to("a.sql")
    assert_not_looked(concise("a.sql", "good.sql", cwd=folder), "a.sql", "cannot be read: too many levels of symbolic links")


def test_a_folder_that_links_to_itself_ends(folder: Path):
    (folder / "deep").symlink_to(".")
    assert concise(".", cwd=folder).returncode == 1


def test_a_pipe_is_not_waited_for(folder: Path):
    os.mkfifo(folder / "a.sql")
    assert_not_looked(concise("a.sql", "good.sql", cwd=folder), "a.sql", "a pipe, socket or device, not a file")


def test_a_folder_that_is_named_like_a_file(folder: Path):
    (folder / "a.sql").mkdir()
    assert_not_looked(concise("a.sql", "good.sql", cwd=folder), "a.sql", "a folder, not a file")


def test_a_device(folder: Path):
    (folder / "a.sql").symlink_to("/dev/zero")
    assert_not_looked(concise("a.sql", "good.sql", cwd=folder), "a.sql", "a pipe, socket or device, not a file")


@pytest.mark.parametrize("path", ["missing.sql", "missing/", "missing/*.sql", "a\nb.sql", "good.sql/x.sql", "x" * 5000, "é.sql"])
def test_a_path_that_is_not_there_is_wrong_use(path: str, folder: Path):
    done = dbguard("check", path, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("dbguard: ")
    assert path.splitlines()[0][:50] in done.stderr


@pytest.mark.parametrize(
    "name", ["-a.sql", " a.sql", "a b.sql", "[a].sql", "a\nb.sql", "a\x1b[31m.sql", "é.sql", b"\xff.sql", "a:1.sql", "%s.sql"], ids=repr
)
@pytest.mark.parametrize("form", ["full", "concise", "github", "json", "sarif"])
def test_odd_names_of_files(name: str | bytes, form: str, folder: Path):
    with (folder / os.fsdecode(name)).open("w") as file:
        file.write(ALTER)
    done = dbguard("check", "--format", form, "--", name, cwd=folder)
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert done.stderr == ""
    if form in {"json", "sarif"}:
        json.loads(done.stdout)


AS_NOBODY = """
import io, os, sys
from dbguard.cli import run
out, sys.stdout = sys.stdout, io.StringIO()
run(["check", "--output", "json=warm.json", "good.sql"])  # imports everything while it may be read
sys.stdout = out
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
sys.exit(run(sys.argv[1:]))
"""


def as_nobody(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_what_may_not_be_read_or_written(folder: Path):
    for place in (folder, *folder.parents):
        if place == Path(tempfile.gettempdir()):
            break
        place.chmod(0o755)
    closed = folder / "closed"
    closed.mkdir()
    (closed / "001_a.sql").write_text(ALTER)
    (folder / "a.sql").write_text(ALTER)
    (folder / "a.sql").chmod(0)
    (folder / "sealed").mkdir()
    closed.chmod(0)
    (folder / "sealed").chmod(0o500)
    try:
        for path, verb in (("a.sql", "read"), ("closed", "listed"), ("closed/001_a.sql", "read")):
            assert_not_looked(as_nobody("check", "--format", "concise", path, "good.sql", cwd=folder), path, f"cannot be {verb}: permission denied")
        done = as_nobody("check", "--output", "json=sealed/a.json", "good.sql", cwd=folder)
        assert (done.returncode, done.stderr) == (2, "dbguard: sealed/a.json cannot be written: Permission denied\n")
        done = as_nobody("check", "--config", "a.sql", "good.sql", cwd=folder)
        assert done.returncode == 2
        assert done.stderr.endswith("a.sql: cannot be read: Permission denied\n")
    finally:
        closed.chmod(0o755)
        (folder / "sealed").chmod(0o755)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("missing/a.json", "No such file or directory"),
        ("good.sql/a.json", "Not a directory"),
        (".", "Is a directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_report_that_cannot_be_written(target: str, reason: str, folder: Path):
    done = dbguard("check", "--output", f"json={target}", "good.sql", cwd=folder)
    assert done.returncode == 2
    assert done.stderr == f"dbguard: {target} cannot be written: {reason}\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_in_one_line(folder: Path):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "dbguard", "check", "good.sql"]
        done = subprocess.run(command, cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode not in {0, 1}
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "No space left on device" in done.stderr


def test_a_reader_that_goes_away(folder: Path):
    (folder / "many.sql").write_text(ALTER * 2000)
    for form in ("full", "concise", "json", "sarif", "github"):
        command = f"{sys.executable} -m dbguard check --format {form} many.sql | head -1"
        done = subprocess.run(["/bin/sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.stderr == ""
        assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("stream", ["stdout", "stderr", "stdin"])
def test_a_closed_stream(stream: str, folder: Path):
    number = {"stdin": 0, "stdout": 1, "stderr": 2}[stream]
    done = dbguard("check", "--format", "concise", "good.sql", cwd=folder, preexec_fn=lambda: os.close(number))
    assert done.returncode == 1
    assert ("good.sql:1:1 drop-column: " in done.stdout) == (stream != "stdout")


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_a_document_stands_alone_on_standard_output(form: str, folder: Path):
    (folder / "bad.sql").write_bytes(b"\0")
    (folder / "latin.sql").write_bytes(b"SELECT '\xe9'; SELEC 1; -- dbguard: allow nothing\n")
    done = dbguard("check", "--format", form, "--select", "all", "good.sql", "bad.sql", "latin.sql", cwd=folder)
    assert done.returncode == 3
    json.loads(done.stdout)
    assert done.stderr == ""


@pytest.mark.parametrize("many", [False, True], ids=["one history", "several histories at once"])
def test_interrupting_a_run_exits_130_with_one_line(many: bool, folder: Path):
    statements = "".join(f"CREATE TABLE t{number} (a int); ALTER TABLE t{number} ADD b int;\n" for number in range(25_000))
    for name in ("a", "b") if many else ("a",):
        (folder / name / "migrations").mkdir(parents=True)
        (folder / name / "migrations" / "001_many.sql").write_text(statements)
    (folder / "good.sql").unlink()
    process = subprocess.Popen(
        [sys.executable, "-m", "dbguard", "check", "."],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hear_interrupts,  # noqa: PLW1509 - the tests have one thread
    )
    time.sleep(1.5)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "dbguard: interrupted\n")


SETTINGS = {
    "unknown key": ("postgers = 16", 'unknown key "postgers" (did you mean "postgres"?)'),
    "unknown key in a table": ('[[migrations]]\npath = "m"\ntoll = "goose"', 'unknown key "migrations[0].toll" (did you mean "tool"?)'),
    "broken": ("postgres = = 16", "not valid TOML"),
    "cut off": ('select = ["drop', "not valid TOML"),
    "deep": ("x = " + "[" * 5000, "not valid TOML: nested too deeply"),
    "NUL": ('schema = "a\\u0000b"', ""),
    "number for a list": ("select = 1", "select must be a list of strings, not 1"),
    "list of numbers": ("paths = [1]", "paths must be a list of strings, not [1]"),
    "word for a boolean": ('strict = "yes"', 'strict must be true or false, not "yes"'),
    "boolean for a version": ("postgres = true", "postgres must be a PostgreSQL version"),
    "version from the future": ('postgres = "14..99"', "dbguard knows PostgreSQL 13 to 18"),
    "range the wrong way": ('postgres = "16..14"', "oldest first"),
    "date for a version": ("postgres = 2024-01-01", "postgres must be a PostgreSQL version"),
    "infinity": ("postgres = inf", "postgres must be a PostgreSQL version"),
    "exotic digits": ('postgres = "¹⁶"', "postgres must be a PostgreSQL version"),
    "unknown severity": ('[severity]\ndrop-column = "fatal"', "must be one of off, advice, warning, error"),
    "table for a word": ("[transaction]\na = 1", "must be one of auto, one, none"),
    "list for a word": ('lock-timeout = ["runner"]', 'must be "runner"'),
    "word for a table": ('severity = "error"', "severity must be a table"),
    "word for tables": ('migrations = "db"', "migrations must be a list of tables"),
    "no path": ('[[per-path]]\nignore = ["drop-column"]', "per-path[0] has no path"),
    "unknown rule": ('ignore = ["drop-colum"]', "drop-colum"),
    "unknown rule with options": ("[rules.drop-colum]\nx = 1", "drop-colum"),
    "unknown option of a rule": ("[rules.drop-column]\nx = 1", "x"),
    "schema that is not there": ('schema = "no.sql"', "there is no such file"),
    "folder of rules that is not there": ('rule-folders = ["none"]', "none"),
}


@pytest.mark.parametrize(("toml", "message"), SETTINGS.values(), ids=SETTINGS)
def test_settings_that_make_no_sense(toml: str, message: str, folder: Path):
    (folder / "dbguard.toml").write_text(toml + "\n")
    done = dbguard("check", "good.sql", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("raw", [b"\xff\xfe\0", b"\0", b"a = '\xe9'"], ids=repr)
def test_settings_that_are_no_text(raw: bytes, folder: Path):
    (folder / "dbguard.toml").write_bytes(raw)
    done = dbguard("check", "good.sql", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "dbguard.toml: not " in done.stderr


@pytest.mark.parametrize("name", ["dbguard.toml", "pyproject.toml"])
def test_a_pipe_or_a_folder_that_is_named_like_settings_is_none(name: str, folder: Path):
    os.mkfifo(folder / name)
    assert dbguard("check", "good.sql", cwd=folder).returncode == 1
    (folder / name).unlink()
    (folder / name).mkdir()
    assert dbguard("check", "good.sql", cwd=folder).returncode == 1
    done = dbguard("check", "--config", name, "good.sql", cwd=folder)
    assert (done.returncode, done.stderr.endswith("cannot be read: Is a directory\n")) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--postgres", "16..x", "good.sql"],
        ["check", "--select", "", "--ignore", "nonsense", "good.sql"],
        ["check", "--start-after", "nonsense", "good.sql"],
        ["check", "--schema", "none.sql", "good.sql"],
        ["check", "--config", ".", "good.sql"],
        ["check", "--output", "=", "good.sql"],
        ["check", "--nonsense", "good.sql"],
        ["locks", "none.sql"],
        ["rule", "\udcff"],
        ["rule", "x" * 10_000],
        ["\x1b[31m"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_a_short_message(arguments: list[str], folder: Path):
    done = dbguard(*arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert 1 <= len(done.stderr.splitlines()) <= 5

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from dbguard.errors import UsageError
from dbguard.reading import StandardInput
from tests.reading.trees import only, read, sql, write

BROKEN = "CREATE TABLE t (name text DEFAULT 'é');"


def test_only_the_files_asked_for_give_findings_and_the_history_is_whole(tmp_path: Path) -> None:
    write(tmp_path, {f"m/{number}_x.sql": "" for number in range(1, 5)})
    history = only(read(tmp_path, "m/3_x.sql"))
    assert len(history.scripts) == 4
    assert history.asked == {"m/3_x.sql"}


def test_a_split_file_list_reads_the_same_scripts(tmp_path: Path) -> None:
    write(tmp_path, {f"m/{number}_x.{way}.sql": "" for number in range(1, 5) for way in ("up", "down")})
    whole = only(read(tmp_path, "m"))
    part, other = (only(read(tmp_path, f"m/{number}_x.up.sql")) for number in (2, 4))
    assert part.scripts == other.scripts == whole.scripts


def test_folders_are_histories_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, {"a/migrations/1_x.sql": "", "b/migrations/1_x.sql": ""})
    assert [history.root for history in read(tmp_path).histories] == ["a/migrations", "b/migrations"]


def test_loose_files_are_one_history_in_the_order_given(tmp_path: Path) -> None:
    write(tmp_path, {"b.sql": "SELECT 2;", "a.sql": "SELECT 1;"})
    history = only(read(tmp_path, "b.sql", "a.sql"))
    assert sql(history) == [["SELECT 2;"], ["SELECT 1;"]]
    assert history.description == "2 SQL files in ., each in one transaction unless it says otherwise"


def test_a_glob_may_cross_folders(tmp_path: Path) -> None:
    write(tmp_path, {"a/b/x.sql": "", "a/y.sql": "", "a/z.txt": ""})
    assert {script.source.path for script in only(read(tmp_path, "a/**/*.sql")).scripts} == {"a/b/x.sql", "a/y.sql"}


def test_absolute_paths_below_the_working_directory_are_shown_relative(tmp_path: Path) -> None:
    write(tmp_path, {"m/1_x.sql": ""})
    assert only(read(tmp_path, str(tmp_path / "m" / "1_x.sql"))).asked == {"m/1_x.sql"}


def test_a_path_outside_is_shown_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path, {"m/1_x.sql": "", "here/a": ""})
    assert only(read(tmp_path / "here", "../m/1_x.sql")).asked == {"../m/1_x.sql"}
    assert only(read(tmp_path / "here", str(tmp_path / "m"))).asked == {f"{tmp_path}/m/1_x.sql"}


def test_standard_input_takes_the_place_of_its_file(tmp_path: Path) -> None:
    write(tmp_path, {"m/1_x.sql": "SELECT 1;", "m/2_x.sql": "SELECT 2;"})
    history = only(read(tmp_path, "-", stdin=StandardInput(b"SELECT 22;", "m/2_x.sql")))
    assert sql(history) == [["SELECT 1;"], ["SELECT 22;"]]
    assert history.asked == {"m/2_x.sql"}


def test_standard_input_may_be_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    write(tmp_path, {"m/1_x.sql": "SELECT 1;"})
    assert len(only(read(tmp_path, "-", stdin=StandardInput(b"SELECT 2;", "m/2_x.sql"))).scripts) == 2
    assert sql(only(read(tmp_path, "-", stdin=StandardInput(b"SELECT 3;")))) == [["SELECT 3;"]]


def test_without_arguments_generated_hidden_and_excluded_folders_are_not_searched(tmp_path: Path) -> None:
    folders = ["node_modules/a", ".cache", "venv/x", "target", "dist", "build", "vendor/y", "old"]
    write(tmp_path, {f"{folder}/migrations/1_x.up.sql": "" for folder in [*folders, "app"]})
    assert [history.root for history in read(tmp_path, exclude=("old",)).histories] == ["app/migrations"]


def test_numbered_files_elsewhere_are_not_taken_for_migrations_unasked(tmp_path: Path) -> None:
    write(tmp_path, {"docs/01_example.sql": "", "docs/02_example.sql": b"\0\1", "m/1_x.up.sql": ""})
    reading = read(tmp_path)
    assert [history.root for history in reading.histories] == ["m"]
    assert reading.unreadable == ()
    assert len(read(tmp_path, "docs").histories) == 1


def test_nothing_found_says_what_was_looked_for(tmp_path: Path) -> None:
    write(tmp_path, {"schema.sql": "SELECT 1;", "README.md": ""})
    with pytest.raises(UsageError, match=r"no migrations found below \.: looked for .*Flyway"):
        read(tmp_path)


@pytest.mark.parametrize("path", ["nowhere.sql", "nowhere", "no/*.sql", "empty", "a\0b"])
def test_a_path_that_does_not_exist_is_wrong_use(tmp_path: Path, path: str) -> None:
    write(tmp_path, {"m/1_x.sql": ""})
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError):
        read(tmp_path, path)


def test_standard_input_without_any_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read(tmp_path, "-")


def test_files_that_are_no_migrations_are_skipped_and_counted(tmp_path: Path) -> None:
    write(tmp_path, {"README.md": "", "app.py": "x = 1", "q.sql": "-- name: GetUser :one\nSELECT 1;", "m/1_x.sql": ""})
    reading = read(tmp_path, "README.md", "app.py", "q.sql", "m/1_x.sql")
    assert reading.skipped == 2
    assert [source.path for source in reading.queries] == ["q.sql"]
    assert len(reading.histories) == 1


def test_python_migrations_are_histories_of_their_own(tmp_path: Path) -> None:
    django = "from django.db import migrations\nclass Migration(migrations.Migration):\n    dependencies = []\n    operations = []\n"
    alembic = "revision = 'b'\ndown_revision = None\ndef upgrade():\n    pass\n"
    files = {
        "manage.py": "",
        "app/__init__.py": "",
        "app/migrations/__init__.py": "",
        "app/migrations/0001_a.py": django,
        "app/migrations/0002_b.py": django.replace("[]", "[('app', '0001_a')]", 1),
        "alembic/versions/b.py": alembic,
        "app/views.py": "def upgrade():\n    pass\n",
    }
    write(tmp_path, files)
    assert {(history.tool, len(history.scripts)) for history in read(tmp_path).histories} == {("alembic", 1), ("django", 2)}
    (history,) = read(tmp_path, "alembic/versions/b.py").histories
    assert history.asked == {"alembic/versions/b.py"}
    assert read(tmp_path, "app/views.py").skipped == 1


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        (BROKEN.encode(), ""),
        (b"\xef\xbb\xbf" + BROKEN.encode(), ""),
        (BROKEN.encode("utf-16"), "UTF-16"),
        (BROKEN.encode("utf-16-le"), "UTF-16-LE"),
        (BROKEN.encode("utf-16-be"), "UTF-16-BE"),
        (BROKEN.encode("utf-32"), "UTF-32"),
        (BROKEN.encode("cp1252"), "Windows-1252"),
    ],
)
def test_encodings_are_recognised(tmp_path: Path, raw: bytes, note: str) -> None:
    reading = read(write(tmp_path, {"x.sql": raw}), "x.sql")
    assert only(reading).scripts[0].source.text == BROKEN
    assert note in "".join(reading.notes)
    assert bool(reading.notes) == bool(note)


def test_a_mark_in_the_middle_keeps_every_offset(tmp_path: Path) -> None:
    reading = read(write(tmp_path, {"x.sql": "SELECT 1;\n\ufeffSELECT 2;"}), "x.sql")
    assert only(reading).scripts[0].source.text == "SELECT 1;\n SELECT 2;"


@pytest.mark.parametrize(
    "raw", [b"SELECT 1;\0SELECT 2;", bytes(range(256)) * 20, b"\x7fELF\x02\x01\x01" + bytes(100), b"\xff\xfeabc", b"\x80\x81\x02\x03\x04"]
)
def test_what_is_not_text_is_unreadable_with_a_reason(tmp_path: Path, raw: bytes) -> None:
    (part,) = read(write(tmp_path, {"x.sql": raw}), "x.sql").unreadable
    assert part.fatal
    assert part.reason


def test_an_empty_file_is_fine(tmp_path: Path) -> None:
    assert only(read(write(tmp_path, {"x.sql": ""}), "x.sql")).scripts[0].pieces == ((0, 0),)


def test_an_unreadable_file_of_the_history_is_fatal_only_when_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"m/1_x.sql": b"\0", "m/2_x.sql": "SELECT 1;"})
    assert [part.fatal for part in read(tmp_path, "m/2_x.sql").unreadable] == [False]
    assert [part.fatal for part in read(tmp_path, "m").unreadable] == [True]


@pytest.mark.skipif(os.name == "nt", reason="links and pipes")
def test_broken_links_folders_and_pipes_named_like_sql_are_unreadable(tmp_path: Path) -> None:
    write(tmp_path, {"m/1_x.sql": "SELECT 1;", "m/2_x.sql/keep": ""})
    (tmp_path / "m" / "3_x.sql").symlink_to("nowhere")
    os.mkfifo(tmp_path / "m" / "4_x.sql")
    reading = read(tmp_path, "m")
    assert [(part.path, part.reason) for part in reading.unreadable] == [
        ("m/2_x.sql", "a folder, not a file"),
        ("m/3_x.sql", "a broken link"),
        ("m/4_x.sql", "a pipe, socket or device, not a file"),
    ]
    assert len(only(reading).scripts) == 1
    assert read(tmp_path, "m/3_x.sql").unreadable[1].fatal


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_links_to_files_are_read_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"m/1_x.up.sql": "SELECT 1;"})
    (tmp_path / "m" / "loop").symlink_to(tmp_path)
    (tmp_path / "m" / "2_x.up.sql").symlink_to("1_x.up.sql")
    assert len(only(read(tmp_path)).scripts) == 2


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_without_permission_is_unreadable(tmp_path: Path) -> None:
    write(tmp_path, {"m/1_x.sql": ""})
    (tmp_path / "m").chmod(0)
    try:
        (part,) = read(tmp_path, "m").unreadable
    finally:
        (tmp_path / "m").chmod(0o700)
    assert part.fatal
    assert "permission" in part.reason


def test_configured_migrations_win_over_layout(tmp_path: Path) -> None:
    config = '[[migrations]]\npath = "sql"\ntool = "goose"\ntransaction = "none"\npostgres = 15\nschema = "base.sql"\n'
    write(tmp_path, {"dbguard.toml": config, "sql/1_x.up.sql": "SELECT 1;", "base.sql": "CREATE TABLE t ();"})
    history = only(read(tmp_path))
    assert (history.tool, history.postgres, history.scripts[0].transaction) == ("goose", (15, 15), "none")
    assert history.base
    assert history.base.text == "CREATE TABLE t ();"


def test_a_configured_glob_makes_a_history_of_each_folder(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"dbguard.toml": '[[migrations]]\npath = "services/*/db"\n', "services/a/db/x.sql": "", "services/b/db/x.sql": "", "services/c/x.sql": ""},
    )
    assert [history.root for history in read(tmp_path, "services").histories] == ["services/a/db", "services/b/db", "services/c"]


def test_a_configured_glob_of_files_is_one_history(tmp_path: Path) -> None:
    write(tmp_path, {"dbguard.toml": '[[migrations]]\npath = "sql/*.sql"\n', "sql/b.sql": "", "sql/a.sql": "", "sql/deep/c.sql": ""})
    assert [script.source.path for script in only(read(tmp_path, "sql/b.sql")).scripts] == ["sql/a.sql", "sql/b.sql"]


@pytest.mark.parametrize(("version", "expected"), [("2", ["3"]), ("0002_x", ["3"]), ("1.5", ["2", "3"]), ("99", []), ("0", ["1", "2", "3"])])
def test_start_after_silences_older_migrations(tmp_path: Path, version: str, expected: list[str]) -> None:
    write(tmp_path, {f"m/000{number}_x.sql": "" for number in (1, 2, 3)})
    history = only(read(tmp_path, "m", start_after=version))
    assert len(history.scripts) == 3
    assert sorted(history.asked) == [f"m/000{number}_x.sql" for number in expected]


def test_start_after_a_name_that_no_migration_has_is_wrong_use(tmp_path: Path) -> None:
    write(tmp_path, {"m/1_x.sql": ""})
    with pytest.raises(UsageError, match="start-after"):
        read(tmp_path, "m", start_after="initial")


def test_deployed_divides_the_history(tmp_path: Path) -> None:
    write(tmp_path, {f"m/{number}_x.{way}.sql": "" for number in (1, 2, 3) for way in ("up", "down")})
    assert only(read(tmp_path, "m", deployed="2")).undeployed_from == 4


def test_fifty_megabytes_take_less_than_a_second(tmp_path: Path) -> None:
    write(tmp_path, {"m/1_x.sql": "-- +goose Up\n" + "INSERT INTO t VALUES (1, 'x');\n" * 1_600_000 + "-- +goose Down\nSELECT 1;"})
    start = time.perf_counter()
    history = only(read(tmp_path, "m"))
    assert len(history.scripts) == 2
    assert time.perf_counter() - start < 10  # about 1 s, on a busy machine

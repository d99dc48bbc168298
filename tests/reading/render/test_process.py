from __future__ import annotations

import ast
import os
import sys
import time
from pathlib import Path

import pytest

from dbguard.reading.render import driver
from dbguard.reading.render.process import _events, _Found, _line_starts, _offset, _taken
from tests.reading.render.projects import ENV, alembic_project, rendered_alembic, sent, write

FOLDER = Path(driver.__file__).parent
DRIVERS = sorted(path for path in FOLDER.glob("*.py") if "driver" in path.name or "migrator" in path.name)


@pytest.mark.parametrize("path", DRIVERS, ids=lambda path: path.name)
def test_drivers_are_python_3_8_with_nothing_but_the_standard_library(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))

    imported = {name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in (alias.name for alias in node.names)}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


@pytest.mark.parametrize("path", DRIVERS, ids=lambda path: path.name)
def test_drivers_call_nothing_that_python_3_8_lacks(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    annotations = {
        id(part) for node in ast.walk(tree) for field in ("annotation", "returns") for part in ast.walk(getattr(node, field, None) or ast.Pass())
    }

    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"removeprefix", "removesuffix", "unparse", "pairwise", "bit_count"}
        if isinstance(node, ast.keyword):
            assert node.arg not in {"strict", "slots", "kw_only"}
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and id(node) not in annotations:
            assert node.value.id not in {"list", "dict", "tuple", "set", "type", "frozenset"}


def test_an_interpreter_that_does_not_start_is_a_reason(tmp_path: Path):
    (file,) = alembic_project(tmp_path, {"one": "pass"})

    rendered = rendered_alembic([file], python=str(tmp_path / "nowhere"))

    assert rendered.failures == {str(file): f"{tmp_path / 'nowhere'} cannot be started: no such file or directory"}


def test_an_interpreter_that_is_no_python_is_a_reason(tmp_path: Path):
    (file,) = alembic_project(tmp_path, {"one": "pass"})
    fake = write(tmp_path / "python", "#!/bin/sh\necho 'wrong program' >&2\nexit 3\n")
    fake.chmod(0o755)

    assert rendered_alembic([file], python=str(fake)).failures == {str(file): "its process ended with 3: wrong program"}


def test_the_child_knows_no_database_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PGHOST", "production")
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("APP_KEY", "kept")
    (file,) = alembic_project(
        tmp_path,
        {"one": "import os\nfor name in sorted(os.environ):\n    if name.startswith('PG') or name == 'APP_KEY': op.execute('SELECT 1 AS ' + name)"},
    )

    rendered = rendered_alembic([file])

    assert sent(rendered.blocks[str(file)]) == ["SELECT 1 AS APP_KEY"]


def test_what_the_users_code_starts_does_not_outlive_it(tmp_path: Path):
    started = tmp_path / "pid"
    env = ENV + f"    import pathlib, subprocess\n    pathlib.Path({str(started)!r}).write_text(str(subprocess.Popen(['sleep', '600']).pid))\n"
    (file,) = alembic_project(tmp_path, {"one": "op.execute('SELECT 1')"}, env)
    began = time.monotonic()

    rendered = rendered_alembic([file])

    assert sent(rendered.blocks[str(file)]) == ["SELECT 1"]
    assert time.monotonic() - began < 10
    assert not is_running(int(started.read_text()))


def is_running(pid: int) -> bool:
    for _ in range(50):
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return False
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return False
        time.sleep(0.05)
    return True


def test_endless_output_fills_nothing(tmp_path: Path):
    (file,) = alembic_project(tmp_path, {"one": "print('x' * 10_000_000)\nop.execute('SELECT 1')"})

    assert sent(rendered_alembic([file]).blocks[str(file)]) == ["SELECT 1"]


def test_lines_that_are_not_ours_in_the_journal_do_no_harm(tmp_path: Path):
    lines = ("{", "[]", "3", '{"event": "done"}', '{"event": 1}', '{"path": "a"}', "\0", '{"event": "done", "path": "a", "blocks": []}')
    journal = write(tmp_path / "journal", "\n".join(lines))
    found = _Found()

    assert [_taken(found, event) for event in _events(str(journal))] == [False] * 6
    assert found.blocks["up"] == {"a": []}
    assert list(_events(str(tmp_path / "nowhere"))) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_in_bytes_become_offsets_in_characters(end: str):
    text = f"a = 1{end}é = '😀' + f(1){end}"
    starts = _line_starts(text)
    line = text[starts[1] :]

    offset = _offset(text, starts, 2, len(line[: line.index("f(1)")].encode()))

    assert text[offset:].startswith("f(1)")


def test_without_columns_the_largest_call_that_begins_on_the_line_is_taken(tmp_path: Path):
    path = write(tmp_path / "x.py", "op.create_table(\n    'a',\n    sa.Column(\n        'id'),\n)\nx = 1\nif (\n    op.f(op.g())): pass\n")
    places = driver.Places([str(path)])

    assert places.by_line(str(path), 1) == [1, 0, 5, 1]
    assert places.by_line(str(path), 3) == [3, 4, 4, 13]
    assert places.by_line(str(path), 8) == [8, 4, 8, 16]
    assert places.by_line(str(path), 6) == [6, 0, 6, 0]


def test_the_driver_leaves_its_own_folder_out_of_the_path(tmp_path: Path):
    (file,) = alembic_project(tmp_path, {"one": "import sys\nop.execute('SELECT %d' % sum('dbguard' in one for one in sys.path[:1]))"})

    assert sent(rendered_alembic([file]).blocks[str(file)]) == ["SELECT 0"]

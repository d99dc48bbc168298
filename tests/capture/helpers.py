"""What tests of the capture room share: reading what was recorded, and finding lines by the words in their comments."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from dbguard.model.calls import Call, Unit
from dbguard.workload.capture_file import read_capture
from tests.book import ROOT

CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@cache
def validators() -> dict[str, Any]:
    import jsonschema

    schema = json.loads((ROOT / "docs/schemas/capture.json").read_text())
    return {line["title"]: jsonschema.Draft202012Validator(line) for line in schema["oneOf"]}


def units_in(path: Path | Iterable[Path]) -> list[Unit]:
    """Units of capture files, each line of which is held against the schema."""
    paths = [path] if isinstance(path, Path) else list(path)
    for each in paths:
        for text in each.read_text().splitlines():
            line = json.loads(text)
            validators()[line["line"]].validate(line)
    units, notes = read_capture(paths)
    assert notes == []
    return units


def all_calls(path: Path | Iterable[Path]) -> list[Call]:
    return sorted((call for unit in units_in(path) for call in unit.calls), key=lambda call: call.number)


def calls_in(path: Path | Iterable[Path]) -> list[Call]:
    """Calls without control of transactions."""
    return [call for call in all_calls(path) if not call.sql.upper().startswith(CONTROL)]


def line_with(words: str, path: str | None = None) -> int:
    """The line whose comment is `# <words>`, in a file or in that of the test that asks."""
    if path is None:
        path = sys._getframe(1).f_code.co_filename
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        if line.rstrip().endswith(f"# {words}"):
            return number
    raise AssertionError(f"no line of {path} ends with # {words}")


def url_of(dsn: str, driver: str) -> str:
    """The URL for SQLAlchemy of a connection string of the embedded server."""
    parts = dict(part.split("=", 1) for part in dsn.replace("'", "").split())
    return f"postgresql+{driver}://{parts['user']}@/{parts['dbname']}?host={parts['host']}&port={parts['port']}"


def arguments_of(dsn: str) -> dict[str, Any]:
    """The same for `asyncpg.connect`."""
    parts = dict(part.split("=", 1) for part in dsn.replace("'", "").split())
    return {"host": parts["host"], "port": int(parts["port"]), "user": parts["user"], "database": parts["dbname"]}

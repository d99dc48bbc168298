"""Small trees of files for the tests of reading, and what was read of them in short."""

from __future__ import annotations

from pathlib import Path

from dbguard.config import Config
from dbguard.reading import History, Reading, StandardInput, read_all


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    (folder / ".git").mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def read(folder: Path, *paths: str, stdin: StandardInput | None = None, **settings: object) -> Reading:
    return read_all(Config.load(folder, settings), paths, stdin)


def only(reading: Reading) -> History:
    assert len(reading.histories) == 1, [history.description for history in reading.histories]
    return reading.histories[0]


def ways(history: History) -> list[str]:
    """`version direction transaction` of every script, in order."""
    return [f"{script.version} {script.direction} {script.transaction}" for script in history.scripts]


def sql(history: History) -> list[list[str]]:
    """The pieces of every script."""
    return [[script.source.text[start:end].strip() for start, end in script.pieces] for script in history.scripts]

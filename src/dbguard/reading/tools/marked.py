"""Tools that keep up and down in one file, divided by comments.

- goose (https://pressly.github.io/goose/documentation/annotations/): `-- +goose Up`, `Down`, `StatementBegin`, `StatementEnd`,
  `NO TRANSACTION`. Statements are sent one by one, so a file without transaction is "none". Versions are numbers.
- dbmate (https://github.com/amacneil/dbmate#migration-options): `-- migrate:up transaction:false`, `-- migrate:down`. Files
  run in the order of their names; without transaction the block is one Exec without parameters: one simple query.
- node-pg-migrate (https://salsita.github.io/node-pg-migrate/migrations/): `-- Up Migration`, `-- Down Migration`. All pending
  migrations run in one transaction unless told otherwise.
- tern (https://github.com/jackc/tern#migrations): `---- create above / drop below ----`; `---- tern: disable-tx ----` sends
  statements one by one. Subfolders hold shared templates, not migrations.
- Atlas (https://atlasgo.io/versioned/apply#transaction-configuration): atlas.sum in the folder; a transaction for each file,
  `-- atlas:txmode none` in the header for none, statement by statement; `-- atlas:txtar` for sections in one file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dbguard.model.source import Script
from dbguard.reading import markers
from dbguard.reading.tools.base import File, Tool, Tree, any_text, by_number, version_of, whole

_GOOSE = re.compile(r"^[ \t]*--[ \t]*\+goose[ \t]+(\S[^\n]*)", re.MULTILINE)
_DBMATE = re.compile(r"^[ \t]*--[ \t]*migrate:(up|down)\b([^\n]*)", re.MULTILINE)
_NODE = re.compile(r"^[ \t]*--[ \t-]*(up|down)[ \t]+migration\b[^\n]*", re.MULTILINE | re.IGNORECASE)
_TERN = re.compile(r"^[ \t]*---- create above / drop below ----[^\n]*", re.MULTILINE)
_TXTAR = re.compile(r"^-- (\S+) --[ \t]*\r?$", re.MULTILINE)


def _goose(tree: Tree) -> Iterator[Script]:
    for file in by_number(tree.files):
        text = file.source.text
        found = markers.find(text, "+goose", _GOOSE)
        words = [match[1].strip().lower() for match in found]
        transaction = "none" if "no transaction" in words else "one"
        down = words.index("down") if "down" in words else len(found)
        end = found[down].start() if down < len(found) else len(text)
        cuts = [match for match, word in zip(found, words, strict=True) if word.startswith("statement")]
        yield _part(file, markers.between(text, 0, end, cuts), transaction, "up")
        if down < len(found):
            yield _part(file, markers.between(text, found[down].end(), len(text), cuts), transaction, "down")


def _dbmate(tree: Tree) -> Iterator[Script]:
    for file in sorted(tree.files, key=lambda file: file.name):
        yield from _two_sides(file, markers.find(file.source.text, "migrate:", _DBMATE), _dbmate_transaction)


def _dbmate_transaction(match: re.Match[str]) -> str:
    return "single" if "transaction:false" in match[2].split() else "one"


def _node_pg_migrate(tree: Tree) -> Iterator[Script]:
    for file in by_number(tree.files):
        text = file.source.text
        yield from _two_sides(file, markers.find(text, "igration", _NODE) or markers.find(text, "IGRATION", _NODE), lambda _: "one")


def _two_sides(file: File, found: list[re.Match[str]], transaction: Callable[[re.Match[str]], str]) -> Iterator[Script]:
    """Up is what stands before the down marker (or after it, should an up marker follow), down the rest."""
    text = file.source.text
    up = next((match for match in found if match[1].lower() == "up"), None)
    down = next((match for match in found if match[1].lower() == "down"), None)
    if down is None:
        yield _part(file, ((0, len(text)),), transaction(up) if up else "one", "up")
        return
    if up and up.start() > down.start():
        up_span, down_span = (up.end(), len(text)), (down.end(), up.start())
    else:
        up_span, down_span = (0, down.start()), (down.end(), len(text))
    yield _part(file, (up_span,), transaction(up) if up else "one", "up")
    yield _part(file, (down_span,), transaction(down), "down")


def _tern(tree: Tree) -> Iterator[Script]:
    for file in by_number(tree.files):
        text = file.source.text
        transaction = "none" if "---- tern: disable-tx ----" in text else "one"
        found = markers.find(text, "drop below", _TERN)[:1]
        up, *down = [(0, found[0].start()), (found[0].end(), len(text))] if found else [(0, len(text))]
        yield _part(file, (up,), transaction, "up")
        if down:
            yield _part(file, (down[0],), transaction, "down")


def _atlas(tree: Tree) -> Iterator[Script]:
    for file in sorted(tree.files, key=lambda file: file.name):
        text = file.source.text
        header = markers.header(text) if "atlas:" in text else []
        transaction = "none" if any(line.split()[:2] == ["atlas:txmode", "none"] for line in header) else "one"
        found = markers.find(text, "atlas:txtar", re.compile("atlas:txtar")) and markers.find(text, " --", _TXTAR)
        if not found:
            yield whole(file, transaction)
            continue
        ends = [match.start() for match in found[1:]] + [len(text)]
        for name, direction in (("migration.sql", "up"), ("down.sql", "down")):
            pieces = tuple((match.end(), end) for match, end in zip(found, ends, strict=True) if match[1] == name)
            if pieces:
                yield _part(file, pieces, transaction, direction)


def _part(file: File, pieces: tuple[tuple[int, int], ...], transaction: str, direction: str) -> Script:
    return Script(file.source, pieces, transaction, direction, version_of(file.name))


def _has(word: str, pattern: re.Pattern[str]) -> Callable[[Tree], bool]:
    return lambda tree: any(pattern.search(file.source.text) for file in tree.files if word in file.source.text)


GOOSE = Tool("goose", "goose", _has("+goose", _GOOSE), _goose, "each in its own transaction unless marked NO TRANSACTION")
DBMATE = Tool("dbmate", "dbmate", _has("migrate:up", _DBMATE), _dbmate, "each in its own transaction unless marked transaction:false")
NODE_PG_MIGRATE = Tool("node-pg-migrate", "node-pg-migrate", _has("Migration", _NODE), _node_pg_migrate, "all pending ones in one transaction")
TERN = Tool(
    "tern",
    "tern",
    lambda tree: "tern.conf" in tree.sides or any_text(tree, "---- create above / drop below ----") or any_text(tree, "---- tern: disable-tx ----"),
    _tern,
    "each in its own transaction unless marked disable-tx",
)
ATLAS = Tool(
    "atlas",
    "Atlas",
    lambda tree: "atlas.sum" in tree.sides or any_text(tree, "-- atlas:txmode"),
    _atlas,
    "each in its own transaction unless marked txmode none",
)

"""Which migrations were merged already, and what was done to them since.

In: scripts, and what `Changes` says their files held before. Out: the scripts with `merged` set where they were there before:
the same, edited, or renamed. What does not run is not compared: comments, white space, the case of words, the metadata of a
Python migration. A tool that compares checksums of whole files is stricter than that.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING

from dbguard.errors import UnreadableSource
from dbguard.model.source import Merged, Script, Source
from dbguard.parsing import lexer
from dbguard.reading import files as reader
from dbguard.reading.tools.base import File, Tool, Tree

if TYPE_CHECKING:
    from dbguard.reading.changes import Changes
    from dbguard.reading.history import Desk, History

# What is validated before each deployment: Flyway `validateOnMigrate` (a CRC32 of the lines), sqlx `VersionMismatch` (SHA-384 of the file), refinery
# `abort_divergent` (a hash of name and SQL). Liquibase normalises a changeset before it takes its MD5.
_OF_FILES = frozenset(["flyway", "sqlx", "refinery"])
_CHECKSUMS = _OF_FILES | {"liquibase"}
_RUN_AGAIN = re.compile(r"--[ \t]*changeset[ \t]+(\S+)[^\n]*\brunonchange:true", re.IGNORECASE)

Key = tuple[str, str]


def compared(desk: Desk, tree: Tree, tool: Tool, scripts: tuple[Script, ...], asked: set[str]) -> tuple[Script, ...]:
    """The scripts of one history with what they were before; those of files that were not asked for are left as they are."""
    changes = desk.changes
    if changes is None:
        return scripts
    paths = {desk.shown(path): path for path in asked}
    before = {shown: text for shown, path in paths.items() if (text := _text(changes.before(path))) is not None}
    gone = _gone(desk, changes, tree, [path for shown, path in paths.items() if shown not in before])
    if not before and not gone:
        return scripts
    kept = [
        file if (shown := file.source.path) not in paths else file._replace(source=Source(shown, before[shown]))
        for file in tree.files
        if file.source.path not in paths or file.source.path in before
    ]
    old = [script for script in tool.scripts(tree._replace(files=(*kept, *gone))) if script.direction != "repeatable"]
    at_path = _by_path(script for script in old if script.source.path in before)
    left = {file.source.path for file in gone}
    shared = _shared(old) | _shared(scripts)  # versions that do not name one migration: `2026-05-01-x.sql` counts as 2026
    by_version = {key: script for script in old if script.source.path in left and (key := (script.version, script.direction)) not in shared}
    by_text = {(_plain(script), script.direction): script for script in old if script.source.path in left and any(_words(script))}
    runs_again = {version for shown in before for version in _RUN_AGAIN.findall(_of(tree, shown))} if tool.name == "liquibase" else set()
    found = []
    for script in scripts:
        path, key = script.source.path, (script.version, script.direction)
        if path not in paths or script.direction == "repeatable" or script.version in runs_again:
            was = None
        elif path in before:
            those = at_path.get((path, script.direction), [])
            was = those[0] if len(those) == 1 and tool.name != "liquibase" else next((one for one in those if one.version == script.version), None)
        else:
            was = by_version.get(key) or by_text.get((_plain(script), script.direction))
        found.append(script._replace(merged=_merged(script, was, tool, key in shared)) if was else script)
    return tuple(_without_reworked(found) if tool.name == "sqitch" else found)


def compared_programs(desk: Desk, history: History, asked: Iterable[str]) -> History:
    """The same for a history of Python migrations, whose versions are revisions (Alembic) or names of modules (Django)."""
    from dbguard.reading.python.edits import first_difference

    changes = desk.changes
    paths = {shown: path for path in asked if (shown := desk.shown(path)) in history.asked}
    if changes is None or not paths:
        return history
    before = {shown: text for shown, path in paths.items() if (text := _text(changes.before(path))) is not None}
    folders = {os.path.dirname(os.path.realpath(path)) for path in paths.values()} if before.keys() != paths.keys() else set()
    gone = {
        desk.shown(path): text
        for path in (changes.gone() if folders else ())
        if path.endswith(".py") and os.path.dirname(path) in folders and (text := _text(changes.before(path))) is not None
    }
    found = []
    for script in history.scripts:
        path, new = script.source.path, script.source.text
        was = path if path in before else _former(script, gone) if path in paths else ""
        if was:
            other = frozenset(["downgrade" if script.direction == "up" else "upgrade"])
            at = first_difference(new, before.get(was) or gone.get(was, ""), other)
            runs_again = was != path and history.tool == "django"
            way = "renamed" if runs_again else "same" if at is None else "edited"
            found.append(script._replace(merged=Merged(way, was, 0 if runs_again else at or 0)))
        else:
            found.append(script)
    return going_together(desk, history._replace(scripts=tuple(found)))


def going_together(desk: Desk, history: History) -> History:
    """New migrations at the end of a history go out together, unless `deployed` says what production has."""
    changes = desk.changes
    if changes is None or history.undeployed_from is not None:
        return history

    def is_new(script: Script) -> bool:
        if script.merged is not None:
            return False
        return script.tool == "liquibase" or not changes.is_merged(os.path.join(desk.config.cwd, script.source.path))

    first = len(history.scripts)
    while first and (history.scripts[first - 1].direction == "repeatable" or is_new(history.scripts[first - 1])):
        first -= 1
    new = [script for script in history.scripts[first:] if script.direction == "up"]
    if len(new) > 1:
        desk.notes.append(
            f"the {len(new)} new migrations in {history.root} are taken to be deployed together: nobody uses yet what an earlier one creates "
            "(if production has some of them already, `deployed` in the configuration names the newest)"
        )
    return history._replace(undeployed_from=first) if new else history


def _former(script: Script, gone: dict[str, str]) -> str:
    """The merged file, under another name, that a new one is: the same revision, or the same text."""
    revision = re.compile(rf"^revision\b[^=\n]*=\s*['\"]{re.escape(script.version)}['\"]", re.MULTILINE)
    for path, text in gone.items():
        if text == script.source.text or (script.tool == "alembic" and revision.search(text)):
            return path
    return ""


def _of(tree: Tree, shown: str) -> str:
    return next((file.source.text for file in tree.files if file.source.path == shown), "")


def _gone(desk: Desk, changes: Changes, tree: Tree, new: list[str]) -> list[File]:
    """Merged files that are no more, as files of this history: those of its folder, and of a folder from which a new one was moved."""
    gone = changes.gone()
    if not gone or not new:
        return []
    folders = {os.path.realpath(tree.folder)}
    for path in new:
        name = os.path.relpath(path, tree.folder)
        content = changes.content(path)
        folders |= {old[: -len(name)].rstrip(os.sep) for old, blob in gone.items() if old.endswith(os.sep + name) and blob in content}
    found = []
    for path in gone:
        folder = next((one for one in folders if path.startswith(one + os.sep)), None)
        if folder is not None and (text := _text(changes.before(path))) is not None:
            found.append(File(path[len(folder) + 1 :].replace(os.sep, "/"), Source(desk.shown(path), text)))
    return found


def _text(raw: bytes | None) -> str | None:
    try:
        return None if raw is None else reader.decode(raw).text
    except UnreadableSource:
        return None


def _by_path(scripts: Iterable[Script]) -> dict[Key, list[Script]]:
    found: dict[Key, list[Script]] = {}
    for script in scripts:
        found.setdefault((script.source.path, script.direction), []).append(script)
    return found


def _plain(script: Script) -> str:
    return "\n".join(script.source.text[start:end].strip() for start, end in script.pieces)


def _shared(scripts: Iterable[Script]) -> set[Key]:
    counted = Counter((script.version, script.direction) for script in scripts)
    return {key for key, count in counted.items() if count > 1}


def _merged(script: Script, was: Script, tool: Tool, shared: bool) -> Merged:
    path = was.source.path
    if path != script.source.path and (shared or script.version != was.version):
        return Merged("renamed", path)
    is_whole = tool.name in _OF_FILES and script.direction == "up"
    at = _first_line(script.source.text, was.source.text) if is_whole else _first_difference(script, was)
    if at is None:
        return Merged("same", path)
    return Merged("checksum" if tool.name in _CHECKSUMS else "edited", path, at)


def _first_line(new: str, old: str) -> int | None:
    """The offset of the first line that differs, line ends aside."""
    at = 0
    for line, other in zip_longest(new.splitlines(keepends=True), old.splitlines()):
        if line is None or other is None or line.rstrip("\r\n") != other:
            return at
        at += len(line)
    return None


def _first_difference(script: Script, was: Script) -> int | None:
    """The offset in the script's text from which on it runs something else."""
    if _plain(script) == _plain(was):
        return None
    for one, other in zip_longest(_words(script), _words(was)):
        if one is None:
            return len(script.source.text[: max(end for _, end in script.pieces)].rstrip())
        if other is None and one[0] == ";":
            continue  # the old text ended here; the next statement is what is new
        if other is None or one[0] != other[0]:
            return one[1]
    return None


def _words(script: Script) -> Iterator[tuple[str, int]]:
    """What a script says, without comments and white space, and where; a semicolon at the end says nothing."""
    text = script.source.text
    held: tuple[str, int] | None = None
    for start, end in script.pieces:
        for kind, begin, stop in lexer.tokens(text, start, end):
            if kind == lexer.COMMENT:
                continue
            if held is not None:
                yield held
            held = None
            word = text[begin:stop]
            if word == ";":
                held = word, begin
            else:
                yield (word.lower() if kind == lexer.WORD else word), begin


def _without_reworked(scripts: list[Script]) -> list[Script]:
    """Sqitch keeps the former text of a reworked change in a file of its own; the change is deployed once more."""
    versions = {script.version for script in scripts if script.merged is None}
    return [
        script._replace(merged=None) if script.merged and script.version in versions and script.merged.way == "edited" else script
        for script in scripts
    ]

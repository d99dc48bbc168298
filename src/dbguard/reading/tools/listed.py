"""Tools whose order stands in a file: Sqitch in its plan, Liquibase within each formatted SQL file.

- Sqitch (https://sqitch.org/docs/manual/sqitch-plan/, sqitchtutorial): sqitch.plan; `deploy/<change>.sql`, `revert/<change>.sql`. A reworked
  change keeps its former scripts as `<change>@<tag>.sql`. psql runs them, without a transaction but the one that they write.
- Liquibase formatted SQL (https://docs.liquibase.com/concepts/changelogs/sql-format.html): `--liquibase formatted sql`, then
  `--changeset author:id attribute:value`; a transaction for each changeset unless `runInTransaction:false`; `--rollback SQL`, or
  `/* liquibase rollback` to `*/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.model.source import Script
from dbguard.reading import markers
from dbguard.reading.names import natural
from dbguard.reading.tools.base import File, Tool, Tree, any_text, whole

PLAN = "sqitch.plan"
_CHANGE = re.compile(r"[+]?\s*([^\s\[@%#-][^\s\[]*)")
_TAG = re.compile(r"@(\S+)")
_LIQUIBASE = re.compile(r"\s*--\s*liquibase\s+formatted\s+sql\b", re.IGNORECASE)
_CHANGESET = re.compile(r"^[ \t]*--[ \t]*changeset[ \t]+([^\n]*)", re.MULTILINE | re.IGNORECASE)
_ID = re.compile(r'("[^"]*"|\S+?):("[^"]*"|\S+)')
_ROLLBACK = re.compile(
    r"^[ \t]*--[ \t]*rollback\b[ \t]*([^\r\n]*)\r?$|/\*[ \t]*liquibase rollback\b(.*?)\*/", re.MULTILINE | re.IGNORECASE | re.DOTALL
)
_NOT_SQL = re.compile(r"(?:empty|not required|changesetid:|liquibase)", re.IGNORECASE)


def _sqitch(tree: Tree) -> Iterator[Script]:
    files = {file.name: file for file in tree.files}
    top = tree.read_side(PLAN)
    for change, script in _plan(top):
        for folder, direction in (("deploy", "up"), ("revert", "down")):
            file = files.get(f"{folder}/{script}.sql")
            if file:
                yield whole(file, "none", direction, change)


def _plan(text: str) -> list[tuple[str, str]]:
    """Changes in order, with the name of their script."""
    changes: list[tuple[str, str]] = []  # name, tag that follows
    for line in text.splitlines():
        if tag := _TAG.match(line.strip()):
            changes = [(name, tagged or tag[1]) for name, tagged in changes]
        elif change := _CHANGE.match(line.strip()):
            changes.append((change[1], ""))
    last = {name: index for index, (name, _) in enumerate(changes)}
    return [(name, name if last[name] == index or not tag else f"{name}@{tag}") for index, (name, tag) in enumerate(changes)]


def is_liquibase(text: str) -> bool:
    return _LIQUIBASE.match(text) is not None


def _liquibase(tree: Tree) -> Iterator[Script]:
    for file in sorted(tree.files, key=lambda file: natural(file.name)):
        yield from _changesets(file)


def _changesets(file: File) -> Iterator[Script]:
    text = file.source.text
    found = markers.find(text, "hangeset", _CHANGESET) or markers.find(text, "HANGESET", _CHANGESET) or markers.find(text, "hangeSet", _CHANGESET)
    if not found:
        yield whole(file, "one")
        return
    begin = 0  # what stands before the first changeset are comments: an `allow-file` of ours, perhaps
    for match, following in zip(found, [*found[1:], None], strict=True):
        end = following.start() if following else len(text)
        attributes = match[1].lower()
        if not _is_for_another_database(attributes):
            name = _ID.match(match[1].strip())
            version = name.group().replace('"', "") if name else match[1].strip()
            transaction = "none" if "runintransaction:false" in attributes else "one"
            rollbacks = list(_ROLLBACK.finditer(text, match.end(), end)) if "rollback" in text[match.end() : end].lower() else []
            yield Script(file.source, markers.between(text, begin, end, rollbacks), transaction, "up", version)
            down = tuple(cut.span(1 if cut[1] is not None else 2) for cut in rollbacks if not _NOT_SQL.match(cut[1] or cut[2] or "empty"))
            if down:
                yield Script(file.source, down, transaction, "down", version)
        begin = end


def _is_for_another_database(attributes: str) -> bool:
    match = re.search(r"\bdbms:(\S+)", attributes)
    if not match:
        return False
    names = match[1].strip("\"'").split(",")
    return "!postgresql" in names or ("postgresql" not in names and "all" not in names and not any(name.startswith("!") for name in names))


SQITCH = Tool("sqitch", "Sqitch", lambda tree: PLAN in tree.sides, _sqitch, "each as psql runs it, in the transaction that it writes", "change")
LIQUIBASE = Tool(
    "liquibase",
    "Liquibase",
    lambda tree: any_text(tree, "liquibase") and any(is_liquibase(file.source.text) for file in tree.files),
    _liquibase,
    "each in its own transaction unless it says runInTransaction:false",
    "changeset",
)

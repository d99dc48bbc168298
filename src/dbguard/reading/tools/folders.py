"""Tools with a folder for each migration, and Drizzle, which keeps a journal.

- Prisma (https://www.prisma.io/docs/orm/prisma-migrate): `<name>/migration.sql` in the order of the names, sent as one simple query.
  (Since 7.4, prisma-engines#5799, a script with CREATE INDEX CONCURRENTLY is split into statements.)
- Diesel (https://docs.rs/diesel_migrations): `<version>_name/up.sql`, `down.sql`; versions compare without their dashes; in a
  transaction unless metadata.toml says `run_in_transaction = false`, then the file is one simple query.
- Hasura (https://hasura.io/docs/2.0/migrations-metadata-seeds): `migrations/<database>/<timestamp>_name/up.sql`, `down.sql`, through
  run_sql, in a transaction (hasura/graphql-engine#2939).
- Drizzle (https://orm.drizzle.team/docs/kit-overview): `meta/_journal.json` gives the order, `--> statement-breakpoint` divides
  statements, all pending migrations run in one transaction. Since 1.0 `<timestamp>_name/migration.sql` beside snapshot.json.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from dbguard.model.source import Script
from dbguard.reading import markers
from dbguard.reading.names import leading_version
from dbguard.reading.tools.base import File, Tool, Tree, by_number, whole

_BREAKPOINT = re.compile(r"--> statement-breakpoint[^\n]*")
_NO_TRANSACTION = re.compile(r"^\s*run_in_transaction\s*=\s*false\b", re.MULTILINE)
JOURNAL = "meta/_journal.json"


def _prisma(tree: Tree) -> Iterator[Script]:
    return _by_folder(tree, lambda folder: folder, lambda folder: folder, lambda _: "single")


def _diesel(tree: Tree) -> Iterator[Script]:
    def transaction(folder: str) -> str:
        side = f"{folder}/metadata.toml"
        return "single" if side in tree.sides and _NO_TRANSACTION.search(tree.read_side(side)) else "one"

    def version(folder: str) -> str:
        return folder.partition("_")[0].replace("-", "")

    return _by_folder(tree, version, lambda folder: (version(folder), folder), transaction)


def _hasura(tree: Tree) -> Iterator[Script]:
    return _by_folder(tree, leading_version, lambda folder: (int(leading_version(folder) or 0), folder), lambda _: "one")


def _by_folder(tree: Tree, version: Callable[[str], str], order: Callable[[str], Any], transaction: Callable[[str], str]) -> Iterator[Script]:
    folders: dict[str, dict[str, File]] = {}
    for file in tree.files:
        folder, _, name = file.name.rpartition("/")
        folders.setdefault(folder, {})[name] = file
    for folder in sorted(folders, key=order):
        files = folders[folder]
        up, down = files.get("up.sql") or files.get("migration.sql"), files.get("down.sql")
        if up:
            yield whole(up, transaction(folder), "up", version(folder))
        if up and down:
            yield whole(down, transaction(folder), "down", version(folder))


def _drizzle(tree: Tree) -> Iterator[Script]:
    for file in _in_journal_order(tree):
        text = file.source.text
        pieces = markers.between(text, 0, len(text), markers.find(text, "--> statement-breakpoint", _BREAKPOINT))
        name = file.name.removesuffix("/migration.sql").removesuffix(".sql")
        yield Script(file.source, pieces, "one", "up", leading_version(name) or name)


def _in_journal_order(tree: Tree) -> list[File]:
    """Files that the journal names, in its order; the others, which Drizzle does not run yet, come last."""
    files = by_number(file for file in tree.files if not file.name.endswith("down.sql"))
    if JOURNAL not in tree.sides:
        return files
    import json

    try:
        entries = json.loads(tree.read_side(JOURNAL))["entries"]
        place = {f"{entry['tag']}.sql": index for index, entry in enumerate(entries)}
    except (ValueError, KeyError, TypeError):
        return files
    return sorted(files, key=lambda file: place.get(file.name, len(place)))


def _is_drizzle(tree: Tree) -> bool:
    if JOURNAL in tree.sides or any(side.endswith("/snapshot.json") for side in tree.sides):
        return True
    return any("--> statement-breakpoint" in file.source.text for file in tree.files)


def _has_file(name: str) -> Callable[[Tree], bool]:
    return lambda tree: any(file.name.endswith("/" + name) for file in tree.files)


def _is_hasura(tree: Tree) -> bool:
    if not _has_file("up.sql")(tree):
        return False
    parts = tree.folder.replace("\\", "/").split("/")
    return "hasura" in parts or all(re.match(r"\d{13}_", file.name) for file in tree.files)


PRISMA = Tool("prisma", "Prisma", _has_file("migration.sql"), _prisma, "each sent as one query, an implicit transaction")
DIESEL = Tool("diesel", "Diesel", _has_file("up.sql"), _diesel, "each in its own transaction unless its metadata.toml says otherwise")
HASURA = Tool("hasura", "Hasura", _is_hasura, _hasura)
DRIZZLE = Tool("drizzle", "Drizzle", _is_drizzle, _drizzle, "all pending ones in one transaction")

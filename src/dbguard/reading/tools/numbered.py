"""Tools with one file for each direction, told by its name: `N_name.up.sql`, `N_name.down.sql`, or `N_name.sql`.

- golang-migrate (https://github.com/golang-migrate/migrate/blob/master/MIGRATIONS.md and database/postgres): a file is one Exec
  without parameters, that is one simple query: an implicit transaction. Multi-statement mode is a connection parameter
  that files do not show: `transaction = "none"` tells dbguard. Concourse's own runner takes the same names, wraps files
  in a transaction and has a `-- NO_TRANSACTION` header.
- sqlx (https://docs.rs/sqlx/latest/sqlx/macro.migrate.html, sqlx-core/src/migrate): `N_name.sql` or `.up.sql` and `.down.sql`, each in a
  transaction; a file that begins with `-- no-transaction` is executed as one simple query.
- pop/fizz, also Ory's popx (https://gobuffalo.io/documentation/database/migrations/): `N_name[.dialect][.autocommit].up.sql`; the
  file for the dialect wins over the general one; `.autocommit.` is executed without a transaction, as one simple query.
- Supabase (supabase/migrations, https://supabase.com/docs/guides/local-development/overview): each file in a transaction; statements
  that cannot run in one are run by themselves since CLI 2.109 (supabase/cli#5671), hence "auto".
- extension scripts `name--1.0.sql`, `name--1.0--1.1.sql` (manual, 36.17.3 Extension Files and Updates): each in a transaction.
- plain numbered files, and files that nothing explains, in the order given: "auto".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from dbguard.model.source import Script
from dbguard.reading import markers
from dbguard.reading.names import is_extension_script, is_other_database, leading_version, natural, stem
from dbguard.reading.tools.base import File, Tool, Tree, in_pairs, version_of, whole

_DOWN = re.compile(r"(?:^|[._\-])(?:down|rollback|undo|revert)$", re.IGNORECASE)
_UP = re.compile(r"(?:^|[._\-])up$", re.IGNORECASE)


def directed(tree: Tree, transaction: Callable[[File], str]) -> Iterator[Script]:
    """Up scripts by number, each followed by its down script. Only a suffix like `.down` makes a file a down script."""
    ups: list[tuple[str, File]] = []
    downs: dict[str, File] = {}
    for file in tree.files:
        name = stem(file.name)
        if down := _DOWN.search(name):
            downs[name[: down.start()]] = file
        else:
            ups.append((_UP.sub("", name), file))
    known = {key for key, _ in ups}
    # A lone `0007_undo.sql` undoes something as a migration of its own.
    ups += [(key, downs.pop(key)) for key in list(downs) if key not in known and not _is_suffixed(downs[key])]
    ups.sort(key=lambda item: _order(item[1].name))
    down_scripts = {key: whole(file, transaction(file), "down") for key, file in downs.items()}
    paired = in_pairs(((key, whole(file, transaction(file))) for key, file in ups), by_version(ups, down_scripts))
    yield from paired


def by_version(ups: list[tuple[str, File]], downs: dict[str, Script]) -> dict[str, Script]:
    """Down scripts under the key of their up script; golang-migrate pairs by version, whatever the rest of the name."""
    keys = {key for key, _ in ups}
    versions: dict[str, list[str]] = {}
    for key, file in ups:
        versions.setdefault(version_of(file.name), []).append(key)
    found = {}
    for key, down in downs.items():
        same = versions.get(down.version, [])
        found[key if key in keys or len(same) != 1 else same[0]] = down
    return found


def _is_suffixed(file: File) -> bool:
    return stem(file.name).lower().endswith(".down")


def _order(name: str) -> tuple[object, ...]:
    folder, _, base = name.rpartition("/")
    return natural(folder), tuple(int(part) for part in leading_version(base).split(".") if part), natural(base)


def _golang_migrate(tree: Tree) -> Iterator[Script]:
    concourse = any(_has_header(file, "NO_TRANSACTION") for file in tree.files)
    return directed(tree, lambda file: "single" if not concourse or _has_header(file, "NO_TRANSACTION") else "one")


def _has_header(file: File, word: str) -> bool:
    text = file.source.text
    return word in text[:4096] and word in markers.header(text[:4096])


def _is_without_transaction(file: File) -> bool:
    return file.source.text.startswith("-- no-transaction")


def _sqlx(tree: Tree) -> Iterator[Script]:
    return directed(tree, lambda file: "single" if _is_without_transaction(file) else "one")


def _is_directed(tree: Tree) -> bool:
    return any(stem(file.name).endswith((".up", ".down")) for file in tree.files)


def _is_sqlx(tree: Tree) -> bool:
    if any(map(_is_without_transaction, tree.files)):
        return True
    parts = tree.folder.replace("\\", "/").split("/")
    return "migrat" in parts[-1] and ("Cargo.toml" in tree.sides or "crates" in parts)


def _dialects(name: str) -> list[str]:
    return stem(name).split(".")[1:]


def _is_pop(tree: Tree) -> bool:
    return any("autocommit" in (words := _dialects(file.name)) or "postgres" in words for file in tree.files if ".up" in file.name)


def _pop(tree: Tree) -> Iterator[Script]:
    chosen: dict[tuple[str, str], File] = {}
    for file in sorted(tree.files, key=lambda file: file.name):
        words = _dialects(file.name)
        if any(map(is_other_database, words)):
            continue
        key = (file.name.partition(".")[0], words[-1] if words else "up")
        if key not in chosen or {"postgres", "postgresql", "pg"} & set(words):
            chosen[key] = file
    files = tuple(chosen.values())
    for script in directed(tree._replace(files=tuple(file._replace(name=_general(file.name)) for file in files)), lambda _: "one"):
        yield script._replace(transaction="single" if ".autocommit." in script.source.path else "one")


def _general(name: str) -> str:
    """The name without dialect and `.autocommit`, so that up and down pair."""
    words = _dialects(name)
    return ".".join([name.partition(".")[0], *words[-1:], "sql"])


def _plain(tree: Tree) -> Iterator[Script]:
    """A file that repeats the number and name of the one before it, with a suffix, is that migration for another database."""
    last = ""
    for script in directed(tree, lambda _: "auto"):
        own = stem(script.source.path)
        is_variant = bool(last) and script.direction == "up" and own.startswith((f"{last}_", f"{last}.", f"{last}-"))
        yield script._replace(direction="variant") if is_variant and version_of(own) == version_of(last) else script
        if script.direction == "up" and not is_variant:
            last = own


def _extension(tree: Tree) -> Iterator[Script]:
    """The oldest install script, then the updates by the version they lead to."""
    named = [(file, stem(file.name.rpartition("/")[2]).split("--")) for file in tree.files if is_extension_script(file.name.rpartition("/")[2])]
    updates = sorted((item for item in named if len(item[1]) > 2), key=lambda item: (natural(item[1][2]), natural(item[1][1])))
    reached = {parts[2] for _, parts in updates}
    installs = sorted((item for item in named if len(item[1]) == 2 and item[1][1] not in reached), key=lambda item: natural(item[1][1]))
    for file, parts in [*installs[:1], *updates]:
        yield whole(file, "one", version="--".join(parts[1:]))


def _is_extension(tree: Tree) -> bool:
    return bool(tree.files) and all(is_extension_script(file.name.rpartition("/")[2]) for file in tree.files)


def _is_supabase(tree: Tree) -> bool:
    return tree.folder.replace("\\", "/").endswith("/supabase/migrations")


GOLANG_MIGRATE = Tool("golang-migrate", "golang-migrate", _is_directed, _golang_migrate, "each sent as one query, an implicit transaction")
SQLX = Tool("sqlx", "sqlx", _is_sqlx, _sqlx, "each in its own transaction unless it begins with -- no-transaction")
POP = Tool("pop", "pop", _is_pop, _pop, "each in its own transaction unless named autocommit")
SUPABASE = Tool("supabase", "Supabase", _is_supabase, _plain, "each in its own transaction")
EXTENSION = Tool("extension", "extension", _is_extension, _extension, noun="script")
PLAIN = Tool("plain", "numbered", lambda _: True, _plain, "each in one transaction unless it says otherwise", "SQL file")
FILES = Tool("files", "SQL", lambda _: False, lambda tree: (whole(file, "auto") for file in tree.files), PLAIN.runs, "file")

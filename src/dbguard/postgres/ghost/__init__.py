"""The ghost: a throw-away PostgreSQL that plans as the database of a snapshot does and holds no row.

    with open_ghost(snapshot) as ghost, ghost.what_if(["CREATE INDEX ON orders (customer_id)"]) as other:
        ...  # connect to ghost.dsn() and other.dsn(), and EXPLAIN

Order: all DDL on short files, then statistics, then files as long as production's (`files`), then callers who may only read. The short files
are kept, in memory and as one file in the user's cache (`pack`), so that the next ghost of the snapshot and every `what_if` begin with them.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from dbguard.errors import ServerError
from dbguard.model.snapshot import Snapshot
from dbguard.planning.scaling import grow
from dbguard.postgres import embedded
from dbguard.postgres.ghost import cache as kept
from dbguard.postgres.ghost import databases
from dbguard.postgres.ghost.build import Built, build
from dbguard.postgres.ghost.change import Origin, change
from dbguard.postgres.ghost.databases import GHOST
from dbguard.postgres.ghost.files import inflate
from dbguard.postgres.ghost.pack import Contents, Pack, read_cluster, read_database, write_cluster, write_database
from dbguard.postgres.ghost.roles import CALLER, caller_dsn
from dbguard.postgres.roles import Access

if TYPE_CHECKING:
    from dbguard.postgres.embedded import Server

_ENOUGH_MEMORY = 2 << 30
_SETTINGS = {
    "max_connections": "60",
    "log_min_messages": "panic",
    "max_wal_size": "1GB",
    "wal_skip_threshold": "0",  # else pages of new indexes come into shared buffers at commit (smgrDoPendingSyncs, storage.c)
    "dynamic_shared_memory_type": "mmap",  # in the data folder, and gone with it
}


class Ghost:
    """A database that plans as production does. `lost` says, in sentences, what it does not plan as production does."""

    def __init__(self, origin: Origin, database: str, built: Built, ddl: tuple[str, ...] = ()) -> None:
        self.major = origin.access.server.major
        self.lost = (*_about_major(origin.snapshot, self.major), *origin.snapshot.hidden, *built.lost)
        self._origin = origin
        self._database = database
        self._ddl = ddl  # since the origin

    def dsn(self) -> str:
        """A connection string, for a role that may plan everything and write nothing."""
        return caller_dsn(self._origin.access, self._database)

    def uri(self) -> str:
        """The same as `postgresql://` URI, as clients other than libpq take it too."""
        return f"postgresql://{CALLER}@/{self._database}?host={quote(str(self._origin.access.server.folder), safe='')}&port=5432"

    def environment(self) -> dict[str, str]:
        """Variables that make clients connect to it."""
        place = {"PGHOST": str(self._origin.access.server.folder), "PGPORT": "5432", "PGUSER": CALLER, "PGDATABASE": self._database}
        return {**place, "DATABASE_URL": self.uri(), "DBGUARD_DATABASE": self.uri()}

    def is_running(self) -> bool:
        return self._origin.access.server.is_running()

    @contextmanager
    def what_if(self, ddl: str | Sequence[str]) -> Iterator[Ghost]:
        """The same database after more DDL: candidate indexes (any number at once) or migrations. Gone on exit.

        New indexes get the size that they would have. Raises ServerError with the statement that does not run.
        """
        statements = (*self._ddl, *([ddl] if isinstance(ddl, str) else ddl))
        name = f"{GHOST}_{secrets.token_hex(4)}"
        try:
            yield Ghost(self._origin, name, change(self._origin, self._database, name, statements), statements)
        finally:
            with suppress(Exception):  # the server may be gone, and with it the database
                databases.drop(self._origin.access, name)


@contextmanager
def open_ghost(
    snapshot: Snapshot,
    *,
    bin_dir: Path | str | None = None,
    scale: float | Mapping[str, float] = 1.0,
    ddl: str | Sequence[str] = (),
    cache: bool = True,
) -> Iterator[Ghost]:
    """A ghost of the snapshot, on a server of its own that is gone on exit, even after kill -9.

    `bin_dir` is the `bin` folder of a PostgreSQL, by default that of the extra `embedded`; plans are production's only if its major is.
    `scale` grows every table, or those named (`orders` or `shop.orders`); see `dbguard.planning.scaling`. `ddl` runs on the empty
    database first. With `cache`, a database made for the same snapshot before is used again. Raises ServerError if there is no server,
    if it does not start, or if `ddl` does not run; UsageError if `scale` names a table that does not exist.
    """
    grown = grow(snapshot, scale)
    with _served(grown, bin_dir, cache=cache) as (server, built, contents):
        ghost = Ghost(Origin(Access(server), grown, built, contents), GHOST, built)
        if not ddl:
            yield ghost
            return
        with ghost.what_if(ddl) as changed:
            yield changed


@contextmanager
def _served(snapshot: Snapshot, bin_dir: Path | str | None, *, cache: bool) -> Iterator[tuple[Server, Built, Contents]]:
    place = kept.place(snapshot, bin_dir) if cache else None
    found = kept.find(place) if place is not None else None
    with ExitStack() as stack:
        served = _again(stack, found, bin_dir) if found is not None else None
        if served is None:
            served = _anew(stack, snapshot, bin_dir, place)
        yield served


def _again(stack: ExitStack, found: Pack, bin_dir: Path | str | None) -> tuple[Server, Built, Contents] | None:
    """A server made of a pack; None if what was kept does not start. It is made anew then, and replaced."""
    try:
        built = Built.of_json(found.about)

        def fill(data: Path) -> None:
            write_cluster(data, found.cluster)
            write_database(data / built.folder, found.database, {file.node: file for file in built.files})

        server = stack.enter_context(embedded.start(bin_dir, settings=_SETTINGS, cluster=fill, parent=_memory()))
    except (OSError, KeyError, TypeError, ServerError):
        return None
    return server, built, found.database


def _anew(stack: ExitStack, snapshot: Snapshot, bin_dir: Path | str | None, place: Path | None) -> tuple[Server, Built, Contents]:
    """A server made of a snapshot; what it is made of is kept at `place`."""
    server = stack.enter_context(embedded.start(bin_dir, settings=_SETTINGS, parent=_memory()))
    built = build(server, snapshot)
    contents: Contents = ()

    def finish(data: Path) -> None:
        nonlocal contents
        contents = read_database(data / built.folder)
        if place is not None:
            kept.store(place, Pack(built.as_json(), read_cluster(data), contents))
        inflate(data / built.folder, built.files)

    try:
        server.restart(finish)
    except OSError as error:
        raise ServerError(f"the ghost's files cannot be made in {server.folder.parent}: {error.strerror or error}") from None
    return server, built, contents


def _memory() -> Path | None:
    """A folder in memory to run in, where thousands of small files are made at once; None for the usual one."""
    folder = Path("/dev/shm")  # noqa: S108 - only the parent of a private folder
    try:
        space = os.statvfs(folder)
    except OSError:
        return None
    is_usable = os.access(folder, os.W_OK) and not space.f_flag & os.ST_NOEXEC and os.path.ismount(folder)
    return folder if is_usable and space.f_bavail * space.f_frsize >= _ENOUGH_MEMORY else None


def _about_major(snapshot: Snapshot, major: int) -> tuple[str, ...]:
    if major == snapshot.major:
        return ()
    return (f"planned by {major}: production runs {snapshot.major}, whose planner may decide otherwise (--postgres-bin takes its programs)",)

"""`dbguard snapshot`: a connection string in, a file out. The database is only read."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic

from dbguard.errors import CouldNotLook
from dbguard.model.record import Record
from dbguard.model.snapshot import Snapshot
from dbguard.postgres.session import Limits, open_read_only
from dbguard.postgres.snapshot import Wishes, take
from dbguard.reading.snapshots import save, text

SECONDS_PER_STATEMENT = 60.0


class Taken(Record):
    """What was read, how many seconds that took, and the bytes of the file, if there is one."""

    snapshot: Snapshot
    seconds: float
    size: int | None


def snapshot(dsn: str | None, output: Path | None, wishes: Wishes) -> Taken:
    """Take a snapshot and write it, whole or not at all; `output` is None for one that the caller writes.

    Raises UsageError, and CouldNotLook for a server that does not answer and a file that cannot be written.
    """
    if output is not None and not os.access(output.parent, os.W_OK | os.X_OK):
        raise CouldNotLook(f"{output} cannot be written: {output.parent} is no folder that can be written to")
    started = monotonic()
    with open_read_only(dsn, limits=Limits(statement=SECONDS_PER_STATEMENT), application="dbguard snapshot") as connection:
        taken = take(connection, wishes)
    if output is not None:
        save(taken, output)
    return Taken(taken, monotonic() - started, output.stat().st_size if output is not None and output.is_file() else None)


def as_text(taken: Snapshot) -> str:
    """The file as text, for standard output."""
    return "".join(text(taken))

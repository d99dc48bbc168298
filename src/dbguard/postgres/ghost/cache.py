"""Ghosts kept between runs: one file each (see `pack`), by the content that it was made from.

In `~/.cache/dbguard/ghosts/<hash>.pack`. Only a few are kept, and not for long. Each comes into place by a rename, so that nobody reads half
of one; a file that others could have written is not used.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import time
import zlib
from contextlib import suppress
from pathlib import Path

from dbguard.model.snapshot import Snapshot
from dbguard.postgres import embedded
from dbguard.postgres.ghost import pack
from dbguard.postgres.ghost.pack import Pack

FORM = 2  # raised when a ghost of the same snapshot would be made otherwise
MOST = 12
SECONDS = 30 * 86400.0
_SECONDS_TO_WRITE = 3600.0


def place(snapshot: Snapshot, bin_dir: Path | str | None) -> Path | None:
    """Where a ghost of this snapshot on these programs is kept; None if there is nowhere to keep it."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    if not home.is_absolute() or not home.parent.is_dir():
        return None
    programs = Path(bin_dir) if bin_dir is not None else embedded._embedded_programs()  # noqa: SLF001 - one room
    try:
        program = (programs / "postgres").stat()
    except OSError:
        return None
    from dbguard.version import __version__

    counted = snapshot._replace(taken="", activity=(), statements=(), longest_transactions=(), applied=(), seconds=None)
    identity = repr((FORM, __version__, str(programs.resolve()), program.st_size, program.st_mtime_ns, counted))
    return home / "dbguard" / "ghosts" / f"{hashlib.sha256(identity.encode(errors='surrogatepass')).hexdigest()[:20]}.pack"


def find(path: Path) -> Pack | None:
    """What is kept there, if it is there, whole, and nobody else could have put it there."""
    try:
        for one in (path, path.parent):
            status = one.lstat()
            if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                return None
        found = pack.load(path)
        os.utime(path)
    except (OSError, ValueError, KeyError, TypeError, zlib.error):
        return None
    return found


def store(path: Path, made: Pack) -> None:
    """Keeps a pack. A full disk is no error: the next run makes the ghost again."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".making-")
        os.close(handle)
        try:
            pack.save(Path(temporary), made)
            Path(temporary).rename(path)
        except BaseException:
            forget(Path(temporary))
            raise
        _prune(path.parent)


def forget(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _prune(folder: Path) -> None:
    entries = sorted(((entry.stat().st_mtime, entry) for entry in folder.iterdir()), reverse=True)
    now = time.time()
    kept = [entry for used, entry in entries if entry.suffix == ".pack" and now - used <= SECONDS][:MOST]
    for used, entry in entries:
        if entry not in kept and (entry.suffix == ".pack" or now - used > _SECONDS_TO_WRITE):
            forget(entry)

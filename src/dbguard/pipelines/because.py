"""Effects in words: which lock, on what, who waits."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from dbguard.model.names import Name
from dbguard.model.postgres import LockMode
from dbguard.model.state import Effects, State

if TYPE_CHECKING:
    from dbguard.pipelines.measure import Measured

_WAITS = {
    LockMode.ACCESS_EXCLUSIVE: "reads and writes wait",
    LockMode.EXCLUSIVE: "reads continue; writes and SELECT ... FOR UPDATE wait",
    LockMode.SHARE_ROW_EXCLUSIVE: "reads continue; writes wait",
    LockMode.SHARE: "reads continue; writes wait",
    LockMode.SHARE_UPDATE_EXCLUSIVE: "reads and writes continue; VACUUM and other DDL wait",
}
_NOTICED = LockMode.SHARE


def because(effects: Effects, before: State, measured: Measured | None = None) -> tuple[str, ...]:
    """One sentence per lock that others notice, strongest first, then the work done under it; with sizes and rates where they are measured.

    On a table that the open transaction has locked more strongly already, it is the stronger lock that others notice.
    """
    schema, transaction = before.schema, before.transaction
    held = transaction.locks if transaction is not None else {}
    sentences = []
    noticed = []
    for lock in effects.locks:
        mode = max(lock.mode, held.get(lock.relation, lock.mode)) if held else lock.mode
        if mode < _NOTICED or lock.relation in schema.index_tables or lock.relation in schema.sequences or before.is_new(lock.relation):
            continue
        noticed.append(lock if mode is lock.mode else lock._replace(mode=mode))
    for lock in sorted(noticed, key=lambda lock: (-lock.mode, lock.relation)) if len(noticed) > 1 else noticed:
        told = None if measured is None else measured.waits(lock)
        size = "" if measured is None else measured.size(lock.relation, schema)
        sentences.append(f"{lock.mode} lock on `{shown(lock.relation)}`{size}: {told or _WAITS[lock.mode] + _until(effects, before)}")
    for verb, names in (("rewrites", effects.rewrites), ("reads all of", effects.scans), ("builds", effects.builds)):
        if names:
            sentences.append(f"{verb} {_some(names)}{' while it holds its locks' if noticed else '; reads and writes continue'}")
    return tuple(sentences)


def _until(effects: Effects, before: State) -> str:
    if before.transaction is not None:
        return " until the transaction ends"
    return " until the work is done" if effects.rewrites or effects.scans or effects.builds else " for a moment"


def _some(names: tuple[Name, ...], most: int = 3) -> str:
    listed = ", ".join(f"`{shown(name)}`" for name in names[:most])
    return listed if len(names) <= most else f"{listed} and {len(names) - most} more"


@lru_cache(maxsize=4096)
def shown(name: Name) -> str:
    """A name as people write it: without the schema if that is `public`."""
    return str(Name(None, name.name) if name.schema == "public" else name)

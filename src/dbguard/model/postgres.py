"""Lock modes, what each blocks, and the server version that effects are asked about."""

from __future__ import annotations

from enum import IntEnum
from functools import cache

OLDEST, NEWEST = 13, 18


class LockMode(IntEnum):
    """Table-level lock modes in PostgreSQL's own order (src/include/storage/lockdefs.h)."""

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    @cache
    def __str__(self) -> str:
        return self.name.replace("_", " ")

    def conflicts(self, other: LockMode) -> bool:
        """Whether a session holding `other` makes a request for this mode wait."""
        return bool(_CONFLICTS[self] & 1 << other)

    @property
    @cache
    def blocks(self) -> tuple[str, ...]:
        """What other sessions cannot do meanwhile: an ordered subset of read, lock_rows, write, maintenance."""
        return tuple(word for word, mode in _USES if self.conflicts(mode))

    @classmethod
    def from_pg_locks(cls, mode: str) -> LockMode:
        """The mode that `pg_locks.mode` writes as, say, `AccessExclusiveLock`."""
        return _PG_LOCKS[mode]


# LockConflicts in src/backend/storage/lmgr/lock.c; manual section 13.3.1, table 13.2.
_CONFLICTS = {
    LockMode(mode): sum(1 << other for other in others)
    for mode, others in {
        1: (8,),
        2: (7, 8),
        3: (5, 6, 7, 8),
        4: (4, 5, 6, 7, 8),
        5: (3, 4, 6, 7, 8),
        6: (3, 4, 5, 6, 7, 8),
        7: (2, 3, 4, 5, 6, 7, 8),
        8: (1, 2, 3, 4, 5, 6, 7, 8),
    }.items()
}
_USES = (
    ("read", LockMode.ACCESS_SHARE),
    ("lock_rows", LockMode.ROW_SHARE),
    ("write", LockMode.ROW_EXCLUSIVE),
    ("maintenance", LockMode.SHARE_UPDATE_EXCLUSIVE),
)
_PG_LOCKS = {mode.name.title().replace("_", "") + "Lock": mode for mode in LockMode}


class Server:
    """A PostgreSQL major version that remembers which versions it was compared with.

    `since(14)` answers "is this server 14 or newer?" and notes that 14 mattered. An answer computed for one major
    holds for every other major between the same two noted versions, so a range of versions costs one computation in
    the usual case.
    """

    __slots__ = ("asked", "major")

    def __init__(self, major: int) -> None:
        self.major = major
        self.asked: set[int] = set()

    def since(self, major: int) -> bool:
        self.asked.add(major)
        return self.major >= major

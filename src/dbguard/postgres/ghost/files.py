"""Makes files of relations as long as production's, without writing them: short files in, sparse files out.

The planner asks the file system how many blocks a relation has (`RelationGetNumberOfBlocks`), not pg_class. Nobody may have pages of the
files that are written to in shared buffers: the server is stopped, or the files are new and nobody has connected to their database.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from dbguard.model.record import Record
from dbguard.postgres.ghost.pages import BLOCK, brin_meta, btree_spine

SEGMENT_BLOCKS = 131072  # RELSEG_SIZE: files of 1 GB, the first without a number
MOST_BLOCKS = 0x7FFFFFFF  # 16 TB: pg_class.relpages is an int4


class File(Record):
    """What the file of one relation becomes."""

    node: str  # its name in the folder of the database
    pages: int
    method: str = ""  # of an index
    level: int = 0  # of a btree
    table_pages: int = 0  # of a BRIN index's table

    def segments(self) -> Iterator[tuple[int, int]]:
        """Numbers and pages of the files after the first."""
        for number, start in enumerate(range(SEGMENT_BLOCKS, self.pages, SEGMENT_BLOCKS), 1):
            yield number, min(self.pages - start, SEGMENT_BLOCKS)


def inflate(folder: Path, files: Iterable[File]) -> None:
    """Extends files in the folder of a database. Files that are longer already stay as they are."""
    for file in files:
        path = folder / file.node
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        try:
            owner = os.fstat(handle)
            write_pages(handle, os.pread(handle, BLOCK, 0), file)
            extend(handle, file.pages)
        finally:
            os.close(handle)
        for number, pages in file.segments():
            handle = os.open(f"{path}.{number}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                os.fchown(handle, owner.st_uid, owner.st_gid)
                os.ftruncate(handle, pages * BLOCK)
            finally:
                os.close(handle)


def extend(handle: int, pages: int) -> None:
    """Makes the first file of a relation long enough for so many pages."""
    size = min(pages, SEGMENT_BLOCKS) * BLOCK
    if os.fstat(handle).st_size < size:
        os.ftruncate(handle, size)


def write_pages(handle: int, meta: bytes, file: File) -> None:
    """Writes what the planner reads of an index itself, given its metapage as it stands."""
    if len(meta) < BLOCK:
        return
    if file.method == "btree" and 0 < file.level < file.pages - 1:
        for number, page in btree_spine(meta, file.level):
            os.pwrite(handle, page, number * BLOCK)
    elif file.method == "brin" and file.table_pages:
        os.pwrite(handle, brin_meta(meta, file.table_pages), 0)

"""Pages of indexes that hold nothing but say what the planner asks them: bytes, nothing else.

The planner reads from index pages themselves the height of a btree (`_bt_getrootheight`, nbtpage.c), the length of a BRIN index's range
map (`brinGetStats`, brin.c) and the counts of a GIN index (`ginGetStats`, ginutil.c). It derives all else from the number of pages
(`genericcostestimate`, `gistcostestimate`, `spgcostestimate` and `hashcostestimate` in selfuncs.c), and so it does for a GIN index whose
counts are those of an empty one, as here: no role but a superuser may read production's.
"""

from __future__ import annotations

import struct

BLOCK = 8192
HEADER = 24  # SizeOfPageHeaderData (bufpage.h)
_BTREE_SPECIAL = BLOCK - 16  # BTPageOpaqueData: previous, next, level, flags, cycle id (nbtree.h)
_BTP_LEAF, _BTP_ROOT = 1, 2
_USABLE = BLOCK - HEADER - 16
_FILL_OF_INNER_PAGES = 0.70  # BTREE_NONLEAF_FILLFACTOR (nbtree.h)
_BRIN_RANGES_A_PAGE = 1360  # REVMAP_PAGE_MAXITEMS (brin_page.h): (8192 - 24 - 8) / 6
MOST_LEVELS = 10


def btree_spine(meta: bytes, level: int) -> list[tuple[int, bytes]]:
    """Blocks to write, by number, so that the empty btree with this metapage has its root `level` levels above one empty leaf."""
    pages = [(0, _with_root(meta, level))]
    for depth in range(level + 1):
        here = level - depth
        pages.append((1 + depth, _btree_page(here, None if here == 0 else 2 + depth, is_root=depth == 0)))
    return pages


def _with_root(meta: bytes, level: int) -> bytes:
    page = bytearray(meta)
    struct.pack_into("<IIII", page, HEADER + 8, 1, level, 1, level)  # btm_root, btm_level, btm_fastroot, btm_fastlevel
    return bytes(page)


def _btree_page(level: int, child: int | None, *, is_root: bool) -> bytes:
    """A leaf without tuples, or an inner page with one downlink that lies below every key."""
    page = bytearray(BLOCK)
    lower, upper = HEADER, _BTREE_SPECIAL
    if child is not None:
        upper -= 8  # pivot tuple: block of the child in t_tid, no attributes (INDEX_ALT_TID_MASK), 8 bytes
        struct.pack_into("<HHHH", page, upper, child >> 16 & 0xFFFF, child & 0xFFFF, 0, 8 | 0x2000)
        struct.pack_into("<I", page, lower, upper | 1 << 15 | 8 << 17)  # line pointer, LP_NORMAL
        lower += 4
    struct.pack_into("<QHHHHHHI", page, 0, 0, 0, 0, lower, upper, _BTREE_SPECIAL, BLOCK | 4, 0)
    flags = (_BTP_LEAF if child is None else 0) | (_BTP_ROOT if is_root else 0)
    struct.pack_into("<IIIHH", page, _BTREE_SPECIAL, 0, 0, level, flags, 0)
    return bytes(page)


def btree_level(pages: int, key_bytes: float) -> int:
    """Levels above the leaves of a btree of `pages` pages whose separating keys have `key_bytes` bytes on average.

    A page above the leaves is filled to 70 % when the index is built (nbtsort.c), and about as full when it has grown by splits.
    """
    item = 8 + key_bytes + 4
    fanout = max(2, int((_USABLE - (1 - _FILL_OF_INNER_PAGES) * BLOCK) / item) + 1)
    level, width = 0, max(1, round((pages - 1) * (1 - 1 / fanout)))
    while width > 1 and level < MOST_LEVELS:
        width = -(-width // fanout)
        level += 1
    return level


def brin_meta(meta: bytes, table_pages: int) -> bytes:
    """The metapage of a BRIN index that has summarised `table_pages` pages: BrinMetaPageData (brin_page.h)."""
    page = bytearray(meta)
    (pages_per_range,) = struct.unpack_from("<I", page, HEADER + 8)
    ranges = -(-table_pages // max(pages_per_range, 1))
    struct.pack_into("<I", page, HEADER + 12, max(1, -(-ranges // _BRIN_RANGES_A_PAGE)))  # lastRevmapPage: the first is page 1
    return bytes(page)


def align(size: int, to: int) -> int:
    return -(-size // to) * to

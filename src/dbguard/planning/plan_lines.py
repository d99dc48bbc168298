"""Lines below a node in EXPLAIN's text to the facts of its JSON (show_* functions of src/backend/commands/explain.c)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from dbguard.model.plan import Node

_LISTS = frozenset({"Output", "Group Key", "Hash Key", "Sort Key", "Presorted Key", "Conflict Arbiter Indexes", "Sampling Parameters"})
_INTEGERS = frozenset(
    """Rows Removed by Filter|Rows Removed by Index Recheck|Rows Removed by Join Filter|Rows Removed by Conflict Filter|Heap Fetches
Index Searches|Workers Planned|Workers Launched|Subplans Removed|Tuples Inserted|Conflicting Tuples|Planned Partitions
Rows Removed by Recheck""".replace("\n", "|").split("|")
)
_TEXTS = frozenset(
    """Filter|Index Cond|Recheck Cond|Hash Cond|Merge Cond|Join Filter|One-Time Filter|TID Cond|Order By|Run Condition|Cache Key|Cache Mode
Function Call|Table Function Call|Window|Conflict Resolution|Conflict Filter|Remote SQL|Relations|Sampling|Params Evaluated|Foreign File
Foreign Process|Inner Unique|Single Copy|Disabled|Async Capable|Scan Order|Index Name|Memory""".replace("\n", "|").split("|")
)
_TRUTHS = {"true": True, "false": False}
_WORKER = re.compile(r"Worker (\d+):\s*(.*)", re.DOTALL)
_KEY = re.compile(r"\s*([A-Z][A-Za-z/ -]*?)(?: \d+)?:(?:\s|$)")
_BLOCKS = {"hit": "Hit", "read": "Read", "dirtied": "Dirtied", "written": "Written"}
_SPECIAL = frozenset(
    """Buffers|I/O Timings|WAL|Heap Blocks|Sort Method|Full-sort Groups|Pre-sorted Groups|Buckets|Batches|Storage|Hits|Tuples|Planned Partitions
Worker|Timing|Functions|Options|Estimates|JIT|Memory Usage""".replace("\n", "|").split("|")
)


def is_property(line: str) -> bool:
    """Whether a line says something about the node above it."""
    match = _KEY.match(line)
    return match is not None and (match[1] in _LISTS or match[1] in _INTEGERS or match[1] in _TEXTS or match[1] in _SPECIAL)


def fact_lines(line: str, node: Node) -> Iterator[tuple[str, Any]]:
    """What a line says, under the names that EXPLAIN (FORMAT JSON) has."""
    worker = _WORKER.match(line)
    if worker is not None:
        yield "Workers", _worker(int(worker[1]), worker[2], node)
        return
    key, _, value = line.partition(":")
    key, value = key.strip(), value.strip()
    if key in _SPECIALS:
        yield from _SPECIALS[key](line)
    elif key == "Batches" or line.startswith(("Batches:", "Planned Partitions:")):
        yield from _aggregate(line)
    elif key in _LISTS:
        yield key, top_level(value)
    elif key in _INTEGERS:
        yield key, _first_integer(value)
    elif key in _TEXTS:
        yield key, _TRUTHS.get(value, value)


def _worker(number: int, rest: str, node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {"Worker Number": number}
    actual = re.match(r"actual (?:time=([\d.]+)\.\.([\d.]+) )?rows=([\d.]+) loops=([\d.]+)", rest)
    if actual is not None:
        found |= {"Actual Rows": float(actual[3]), "Actual Loops": float(actual[4])}
    elif rest and is_property(rest) and not _WORKER.match(rest):
        found |= dict(fact_lines(rest, node))
    return found


def top_level(value: str) -> list[str]:
    """Parts between commas that stand outside parentheses, brackets and quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for index, character in enumerate(value):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(value[start:index].strip())
            start = index + 1
    return [*parts, value[start:].strip()]


def _first_integer(text: str) -> int:
    match = re.search(r"\d+", text)
    return int(match[0][:18]) if match is not None else 0


def _number(text: str) -> float:
    return float(text[:30]) if text.count(".") < 2 else 0.0


def _buffers(line: str) -> Iterator[tuple[str, Any]]:
    for group, counts in re.findall(r"(shared|local|temp)((?: \w+=\d+)+)", line):
        for kind, count in re.findall(r"(\w+)=(\d+)", counts):
            if kind in _BLOCKS:
                yield f"{group.capitalize()} {_BLOCKS[kind]} Blocks", int(count[:18])


def _timings(line: str) -> Iterator[tuple[str, Any]]:
    """Before 17 there is no word for shared blocks."""
    for group, times in re.findall(r"(shared|local|temp)?((?: \w+=[\d.]+)+)", line.partition(":")[2]):
        for kind, time in re.findall(r"(\w+)=([\d.]+)", times):
            yield f"{(group or 'shared').capitalize()} I/O {kind.capitalize()} Time", _number(time)


def _wal(line: str) -> Iterator[tuple[str, Any]]:
    names = {"records": "WAL Records", "fpi": "WAL FPI", "bytes": "WAL Bytes", "buffers full": "WAL Buffers Full"}
    for key, value in re.findall(r"(records|fpi|bytes|buffers full)=(\d+)", line):
        yield names[key], int(value[:18])


def _heap_blocks(line: str) -> Iterator[tuple[str, Any]]:
    for kind, count in re.findall(r"(exact|lossy)=(\d+)", line):
        yield f"{kind.capitalize()} Heap Blocks", int(count[:18])


def _sort(line: str) -> Iterator[tuple[str, Any]]:
    match = re.search(r"Sort Method: (.+?)\s+(Memory|Disk): (\d+)", line)
    if match is not None:
        yield from (("Sort Method", match[1]), ("Sort Space Type", match[2]), ("Sort Space Used", int(match[3][:18])))


def _groups(line: str) -> Iterator[tuple[str, Any]]:
    key, _, rest = line.partition(":")
    method = re.search(r"Sort Methods?: (.+?)  ", rest)
    space: dict[str, Any] = {}
    for average, peak in re.findall(r"Average (?:Memory|Disk): (\d+)kB  Peak (?:Memory|Disk): (\d+)kB", rest):
        space = {"Average Sort Space Used": int(average[:18]), "Peak Sort Space Used": int(peak[:18])}
    found: dict[str, Any] = {"Group Count": _first_integer(rest), "Sort Methods Used": method[1].split(", ") if method is not None else []}
    if space:
        found["Sort Space Disk" if "Disk:" in rest else "Sort Space Memory"] = space
    yield key.strip(), found


def _hash(line: str) -> Iterator[tuple[str, Any]]:
    for key, count, original in re.findall(r"(Buckets|Batches): (\d+)(?: \(originally (\d+)\))?", line):
        yield f"Hash {key}", int(count[:18])
        yield f"Original Hash {key}", int((original or count)[:18])
    if match := re.search(r"Memory Usage: (\d+)", line):
        yield "Peak Memory Usage", int(match[1][:18])


def _aggregate(line: str) -> Iterator[tuple[str, Any]]:
    names = {
        "Planned Partitions": "Planned Partitions",
        "Batches": "HashAgg Batches",
        "Memory Usage": "Peak Memory Usage",
        "Disk Usage": "Disk Usage",
    }
    for key, value in re.findall(r"(Planned Partitions|Batches|Memory Usage|Disk Usage): (\d+)", line):
        yield names[key], int(value[:18])


def _storage(line: str) -> Iterator[tuple[str, Any]]:
    match = re.search(r"Storage: (\w+)  Maximum Storage: (\d+)", line)
    if match is not None:
        yield from (("Storage", match[1]), ("Maximum Storage", int(match[2][:18])))


def _cache(line: str) -> Iterator[tuple[str, Any]]:
    for key, value in re.findall(r"(Hits|Misses|Evictions|Overflows): (\d+)", line):
        yield f"Cache {key}", int(value[:18])


_SPECIALS: dict[str, Callable[[str], Iterator[tuple[str, Any]]]] = {
    "Buffers": _buffers,
    "I/O Timings": _timings,
    "WAL": _wal,
    "Heap Blocks": _heap_blocks,
    "Sort Method": _sort,
    "Full-sort Groups": _groups,
    "Pre-sorted Groups": _groups,
    "Buckets": _hash,
    "Storage": _storage,
    "Hits": _cache,
}

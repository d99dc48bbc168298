"""Predicted effects for people: a block per statement, its locks and what they block, and the work done under them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dbguard.report.words import one_line, visible

_WORDS = {"read": "reads", "lock_rows": "row locks", "write": "writes", "maintenance": "VACUUM and DDL"}
_WIDEST = 100


def render(statements: Iterable[Any], postgres: int, *, color: bool = False) -> str:
    """`statements` are `StatementEffects` of `dbguard.predict`."""
    blocks = ["\n".join(_statement(statement, color=color)) for statement in statements]
    return "\n\n".join([*blocks, f"{len(blocks)} statement{'' if len(blocks) == 1 else 's'} (PostgreSQL {postgres})."]) + "\n"


def _statement(statement: Any, *, color: bool) -> Iterator[str]:
    place = f"{one_line(statement.path)}:{statement.line}"
    yield f"\x1b[1m{place}\x1b[0m" if color else place
    yield f"  {first_line(statement.sql)}"
    yield from effects(statement)


def first_line(sql: str) -> str:
    """A statement on one line of a terminal."""
    first, *rest = visible(sql).splitlines() or [""]
    return f"{first[:_WIDEST]}{' ...' if rest or len(first) > _WIDEST else ''}"


def effects(statement: Any) -> Iterator[str]:
    """The lines that tell what a statement does."""
    if statement.fails:
        yield f"  fails         {one_line(statement.fails)}"
    if statement.transaction != "allowed":
        yield f"  transaction   {statement.transaction}"
    for lock in statement.locks:
        yield f"  {lock.mode!s:<24}  {one_line(str(lock.relation))}  ({blocked(lock.blocks)})"
    for verb in ("rewrites", "scans", "builds"):
        if names := getattr(statement, verb):
            yield f"  {verb:<12}  {one_line(', '.join(map(str, names)))}"
    for sentence in statement.unknown:
        yield f"  unknown       {one_line(sentence)}"
    if not (statement.locks or statement.fails or statement.unknown):
        yield "  locks nothing that existed before"


def blocked(blocks: Iterable[str]) -> str:
    """What a lock stops, in words. `blocks` are those of `LockMode.blocks`."""
    words = [_WORDS[word] for word in blocks]
    return f"blocks {', '.join(words)}" if words else "blocks nobody's reads, writes or maintenance"

"""Sentences that several formats share: counts, versions, what was not seen."""

from __future__ import annotations

import re
from collections import Counter

from dbguard.model.finding import Result


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 error`, `2 errors`, `1,204 migrations`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def versions(postgres: tuple[int, int]) -> str:
    low, high = postgres
    return f"PostgreSQL {low}" if low == high else f"PostgreSQL {low} to {high}"


def last_line(result: Result) -> str:
    """What was found, in how much, on which versions, and what was not seen."""
    summary = result.summary
    kinds = [(summary.errors, "error", "errors"), (summary.warnings, "warning", "warnings"), (summary.advice, "piece of advice", "pieces of advice")]
    found = ", ".join(counted(*kind) for kind in kinds if kind[0]) or "nothing found"
    sentences = [f"{found} in {_where(result)} ({versions(result.postgres)})."]
    lowered = summary.lowered
    if lowered:
        sentences.append(f"{counted(lowered, 'finding')} lowered to advice because the table is known to be small.")
    if summary.allowed:
        sentences.append(f"{counted(summary.allowed, 'finding')} allowed.")
    if summary.known:
        sentences.append(f"{counted(summary.known, 'finding')} known from the baseline.")
    if summary.gone:
        sentences.append(f"{counted(summary.gone, 'entry', 'entries')} of the baseline not found any more: dbguard baseline prune.")
    unread = [part for part in result.unread if not part.fatal]
    if unread:
        reasons = Counter(part.reason.partition(":")[0] for part in unread)
        listed = ", ".join(reason for reason, _ in reasons.most_common(3)) + (", ..." if len(reasons) > 3 else "")
        sentences.append(f"{counted(len(unread), 'part')} could not be read ({listed}).")
    if fatal := sum(part.fatal for part in result.unread):
        sentences.append(f"{counted(fatal, 'file')} could not be opened or decoded.")
    if result.crashed:
        sentences.append(f"{counted(len(result.crashed), 'check')} crashed.")
    if summary.skipped_files:
        sentences.append(f"{counted(summary.skipped_files, 'file')} skipped: neither migrations nor queries.")
    return " ".join(sentences)


def _where(result: Result) -> str:
    """`1 of 43 migrations`: those with findings, of those that were looked at."""
    summary = result.summary
    if not summary.migrations:
        return counted(summary.files, "file")
    if not result.findings:
        return counted(summary.migrations, "migration")
    touched = min(len({finding.path for finding in result.findings}), summary.migrations)
    return f"{touched:,} of {counted(summary.migrations, 'migration')}"


def visible(text: str) -> str:
    """`text` without control characters, which a file could use to write over the terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """`text` without control characters and line ends: names in SQL and of files can hold both."""
    return visible(" ".join(text.splitlines()))


def unturned(text: str) -> str:
    """`text` without marks that turn the direction of what follows (Unicode Technical Report 36, section 2.4), and without half characters."""
    return _TURNING.sub("\N{REPLACEMENT CHARACTER}", text).encode(errors="backslashreplace").decode()


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")

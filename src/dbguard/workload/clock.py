"""Timestamps of logs to seconds since the epoch. Zones are not looked up: within one log they are the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_FRACTION = re.compile(r"[.,](\d{1,9})")


def seconds_of(text: str | None) -> float | None:
    """Of `2026-11-21 15:08:44.123 UTC`, with T or a blank, or of seconds since the epoch."""
    if not text:
        return None
    try:
        if text[19] == "." and text[23] == " ":  # as %m writes it
            return _whole(text[:19]) + int(text[20:23]) / 1000  # type: ignore[operator]
    except (IndexError, ValueError, TypeError):
        pass
    whole = _whole(text[:19])
    if whole is None:
        try:
            return float(text)
        except ValueError:
            return None
    if text[19:20] in {".", ","}:
        digits = text[20:23]
        if len(digits) == 3 and digits.isdigit() and not text[23:24].isdigit():
            return whole + int(digits) / 1000
        found = _FRACTION.match(text, 19)
        return whole if found is None else whole + float(f"0.{found[1]}")
    return whole


@lru_cache(maxsize=1024)
def _whole(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None

"""Durations as PostgreSQL's settings write them."""

from __future__ import annotations

_UNITS = {"": 1.0, "us": 0.001, "ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0, "d": 86_400_000.0}


def milliseconds(value: str) -> float | None:
    """The value of a timeout (`2s`, `1min`, `500`) in milliseconds; None for text that is not a duration.

    Manual section 20.1.1, "Parameter Names and Values": without a unit, a timeout is in milliseconds.
    "runner" stands for a timeout that the configuration says the runner sets: it counts as one millisecond.
    """
    if value == "runner":
        return 1.0
    text = value.strip().strip("'\"").strip()
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = _UNITS.get(text[len(digits) :].strip())
    if unit is None:
        return None
    try:
        return float(digits) * unit
    except ValueError:
        return None


def with_unit(value: str) -> str:
    """A timeout as people read it: `120000` is `120000 ms`."""
    return f"{value} ms" if value.isdigit() else value

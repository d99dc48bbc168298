"""Numbers as people read them: durations in seconds, sizes in bytes, costs and counts, with two or three digits that mean something."""

from __future__ import annotations

from math import isfinite

UNKNOWN = "?"
_SIZES = ("bytes", "kB", "MB", "GB", "TB", "PB")
_LONG = ((86_400.0, "d", 3_600.0, "h"), (3_600.0, "h", 60.0, "min"), (60.0, "min", 1.0, "s"))


def duration(seconds: float) -> str:
    """`0.4 ms`, `12 ms`, `3.2 s`, `38 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    if not isfinite(seconds):
        return UNKNOWN
    if seconds <= 0:
        return "0 s"
    if seconds < 0.0001:
        return "under 0.1 ms"
    if seconds < 0.9995:
        return f"{_digits(seconds * 1000)} ms"
    if seconds < 99.5:
        return f"{_digits(seconds)} s"
    whole = float(round(seconds))
    for unit, name, smaller, rest in _LONG:
        if whole >= unit:
            more = round(whole % unit / smaller)
            if more * smaller >= unit:  # 59.6 min are one hour
                whole, more = whole + unit, 0
            return f"{whole // unit:,.0f} {name}" + (f" {more} {rest}" if more else "")
    return f"{whole} s"


def size(count: float) -> str:
    """Bytes as `pg_size_pretty` names them: powers of 1024."""
    if not isfinite(count):
        return UNKNOWN
    value, unit = float(count), 0
    while abs(value) >= 1023.5 and unit < len(_SIZES) - 1:
        value, unit = value / 1024, unit + 1
    return f"{_digits(value)} {_SIZES[unit]}"


def number(value: float) -> str:
    """A cost or a count: `8.44`, `921`, `48,211`."""
    if not isfinite(value):
        return UNKNOWN
    if abs(value) >= 1e15:
        return f"{value:.2e}"
    if abs(value) < 100 and value != int(value):
        return f"{value:.2f}"
    return f"{value:,.0f}"


def count(value: float) -> str:
    """How many, where nobody counted one by one: `17`, `17,000`, `605,000`, `1.2 million`."""
    if not isfinite(value):
        return UNKNOWN
    for unit, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= unit * 0.9995:
            return f"{_digits(value / unit)} {name}"
    if value >= 9_995:
        power = 10 ** (len(str(round(value))) - 3)
        return f"{round(value / power) * power:,}"
    return _digits(value) if value < 10 else f"{value:,.0f}"


def times(before: float, after: float) -> str:
    """How many times `before` goes into `after`, in words; nothing where that says nothing."""
    if not (isfinite(before) and isfinite(after)) or before <= 0 or after <= 0:
        return ""
    ratio = after / before
    if 0.95 < ratio < 1.05:
        return ""
    return f"{_digits(ratio)} times" if ratio > 1 else f"{_digits(1 / ratio)} times less"


def _digits(value: float) -> str:
    """Two digits below ten, whole numbers above."""
    if value >= 9.95 or value == 0:
        return f"{value:,.0f}"
    text = f"{value:.1f}" if value >= 0.095 else f"{value:.2g}"
    return text.removesuffix(".0")

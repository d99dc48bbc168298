"""A workload shape by shape: for people, and for programs (docs/schemas/queries.json)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from dbguard.report.words import one_line, visible

VERSION = 1
_WIDEST = 110
_line = json.JSONEncoder(ensure_ascii=False).encode


def render_json(listed: Any) -> str:
    """`listed` is what `pipelines.workload.list_queries` gives. One shape a line."""
    shapes = ",\n    ".join(_line(_shape(told)) for told in listed.shapes)
    return f'{{\n  "version": {VERSION},\n  "shapes": [{f"{chr(10)}    {shapes}{chr(10)}  " if shapes else ""}]\n}}\n'


def _shape(told: Any) -> dict[str, Any]:
    return {
        "shape": told.shape,
        "sql": told.sql,
        "calls": told.calls,
        "units": told.units,
        "seconds": None if told.seconds is None else round(told.seconds, 6),
        "rows": told.rows,
        "places": [{"path": place.path, "line": place.line, "function": place.function} for place in told.places],
        "findings": list(told.findings),
    }


def render_text(listed: Any) -> str:
    """A block per shape, the most expensive first."""
    blocks = ["\n".join(_block(told)) for told in listed.shapes]
    calls = sum(told.calls for told in listed.shapes)
    notes = [f"note: {one_line(note)}" for note in listed.notes]
    count = f"{len(blocks)} shape{'' if len(blocks) == 1 else 's'}, {calls:,} call{'' if calls == 1 else 's'}."
    return "\n\n".join([*blocks, *(["\n".join(notes)] if notes else []), count]) + "\n"


def _block(told: Any) -> Iterator[str]:
    yield " ".join([told.shape, *_numbers(told)])
    text = one_line(" ".join(visible(told.sql).split()))
    yield f"  {text[:_WIDEST]}{' ...' if len(text) > _WIDEST else ''}"
    if told.places:
        yield f"  from      {_few(f'{one_line(place.path)}:{place.line}' for place in told.places)}"
    if told.findings:
        yield f"  findings  {', '.join(told.findings)}"


def _numbers(told: Any) -> Iterator[str]:
    if told.calls:
        units = f" in {told.units:,} unit{'' if told.units == 1 else 's'} of work" if told.units else ""
        yield f" {told.calls:,} call{'' if told.calls == 1 else 's'}{units}"
    if told.seconds is not None:
        yield f" {told.seconds * 1000:,.1f} ms"
    if told.rows is not None:
        yield f" {told.rows:,} rows"


def _few(places: Iterable[str]) -> str:
    listed = list(places)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")

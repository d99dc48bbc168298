"""What collectors of containers put around lines: text in portions in, the lines as they were written out."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

_DECORATION = re.compile(r"^(?:[\w.-]+ +\| ?|\S+ (?:stdout|stderr) [FP] )", re.MULTILINE)
_MOST_LINES = 200


def is_decorated(sample: str) -> bool:
    """Whether most lines begin as Docker Compose (`db-1  | `) or Kubernetes (`2026-... stderr F `) begin them."""
    lines = [line for line in sample.split("\n", _MOST_LINES)[:_MOST_LINES] if line]
    return 2 * sum(_DECORATION.match(line) is not None for line in lines) > len(lines)


def undecorated(portions: Iterable[str]) -> Iterator[str]:
    """Lines without what Compose or Kubernetes puts before them."""
    rest = ""
    for portion in chain(portions, ("\n",)):
        text = rest + portion
        end = text.rfind("\n") + 1
        rest = text[end:]
        if end:
            yield _DECORATION.sub("", text[:end])


def unwrapped(portions: Iterable[str], skipped: Counter[str]) -> Iterator[str]:
    """What Docker's json-file driver wrapped: `{"log": "...", "stream": "stderr"}` a line."""
    rest = ""
    for portion in chain(portions, ("\n",)):
        lines = (rest + portion).split("\n")
        rest = lines.pop()
        found = []
        for line in lines:
            try:
                entry = json.loads(line) if line else None
            except (ValueError, RecursionError):
                skipped["lines that are no whole JSON"] += 1
                continue
            if isinstance(entry, dict) and isinstance(entry.get("log"), str):
                found.append(entry["log"])
        if found:
            yield "".join(found)

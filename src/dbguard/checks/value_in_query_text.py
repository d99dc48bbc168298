"""Texts of one line of code that differ in what stands between quotes: values are written into the query."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.query import Query, QueryStep

_TEXT = re.compile(r"('(?:[^']|'')*')")
_BEFORE = re.compile(r"[\w.\"]+\s*(?:=|<>|!=|<=?|>=?|~~?\*?|\b(?:i?like|in)\b)\s*\(?[eE]?$", re.IGNORECASE)
_COMMANDS = frozenset({"select", "insert", "update", "delete", "merge", "union", "union all", "values"})


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    if len(step.variants) < 2 or query.command not in _COMMANDS:
        return
    first, *others = [_TEXT.split(text) for text in step.variants]
    for other in others:
        if first[::2] != other[::2]:
            continue  # more or fewer placeholders, another page: nothing between quotes is all that differs
        index = next((index for index in range(1, len(first), 2) if first[index] != other[index]), 0)
        if index:
            before = _BEFORE.search(first[index - 1])
            yield flag(where=" ".join(f"{before[0] if before else '...'} '...'".split()), variant="" if before else "anywhere")
            return

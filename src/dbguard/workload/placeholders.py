"""Placeholders of Python drivers to `$n`: text in; the text with `$n` and the names in their order out."""

from __future__ import annotations

import re

_PLACEHOLDER = re.compile(r"('(?:[^']|'')*'|\"[^\"]*\")|(%%)|%\((\w+)\)[sbt]|(%[sbt])(?!\w)")


def numbered(text: str) -> tuple[str, list[str]]:
    """`%s` and `%(name)s` become `$1`, `$2`...; a name that comes again keeps its number. Names of `%s` are "0", "1"..."""
    if "%" not in text or _PLACEHOLDER.search(text) is None:
        return text, []
    names: list[str] = []

    def replace(match: re.Match[str]) -> str:
        quoted, percent, name, plain = match.groups()
        if quoted is not None:
            return quoted
        if percent is not None:
            return "%"
        if plain is not None:
            names.append(str(len(names)))
        elif name not in names:
            names.append(name)
        return f"${len(names) if plain is not None else names.index(name) + 1}"

    found = _PLACEHOLDER.sub(replace, text)
    return (found.replace("%%", "%"), names) if names else (text, [])

"""A name of more than 63 bytes: PostgreSQL keeps the first 63."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import MAX_IDENTIFIER_BYTES, truncate
from dbguard.model.operations import CreateFunction
from dbguard.model.state import EndOfScript, Step

_WORD = re.compile(r'"(?:[^"]|"")*"|\b[^\W\d]\w{63,}\b')  # short quoted names too: what stands between two of them is no name
_DEFINES = re.compile(r"\s*(CREATE|ALTER)\b", re.IGNORECASE)
_SILENT = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_LETTERS = bytes(ord("a") if chr(byte).isalnum() or byte in b"_$" else ord(" ") for byte in range(128)) + b"a" * 128
_LONG = b"a" * (MAX_IDENTIFIER_BYTES + 1)
_BODY = re.compile(r"\bAS\s+(?=[$'])", re.IGNORECASE)


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:
    seen = None
    if not step.script.way and not _may_hold_long_names(step.script.source.text):
        return
    for one in script.steps:
        text = one.text
        if isinstance(one.operation, CreateFunction):
            text = _BODY.split(text, 1)[0]  # what it is called and takes; its body is a string
        if one.statement is seen or not _DEFINES.match(text) or not _may_hold_long_names(text):
            continue
        seen = one.statement
        for word in _WORD.findall(_SILENT.sub(" ", text)):
            name = word.strip('"').replace('""', '"')
            if len(name.encode()) > MAX_IDENTIFIER_BYTES:
                yield flag(at=one.statement, name=name, kept=truncate(name), bytes=len(name.encode()))
                break


def _may_hold_long_names(text: str) -> bool:
    """A cheap look before the exact one: nearly no statement does."""
    if not text.isascii():
        return True
    if _LONG in text.encode("ascii").translate(_LETTERS):
        return True
    return '"' in text and any(len(quoted) > MAX_IDENTIFIER_BYTES for quoted in text.split('"')[1::2])

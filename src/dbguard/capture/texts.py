"""What is read in the text of a statement inside the host: the order of its placeholders, whether it is control, and its literals.

A literal in a text is a value if a program put it there. One that stands in the user's own sources (`*.py` that are loaded, `*.sql`
below the root of the capture) is code and stays; any other is replaced by its keyed hash.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import Any

from dbguard.capture import frames

MOST_CHARACTERS = 500_000
_MOST_FILES = 2_000
_MOST_BYTES = 4_000_000
_NAMED = re.compile(r"%%|%\(([^)]+)\)[sbt]|(?<![:\w]):([A-Za-z_]\w*)(?![:\w])")
_CONTROL = re.compile(
    r"\s*(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE\s+TRANSACTION)\b(?!.*;.*\w)", re.IGNORECASE | re.DOTALL
)
_CATALOG = re.compile(r"\bpg_catalog\.|\bpg_type\b|^\s*show\s|\bcurrent_schema\(\)\s*$", re.IGNORECASE)
_LITERAL = re.compile(
    r"""--[^\n]*|/\*.*?\*/|"[^"]*"|\$(?P<tag>[A-Za-z_]*)\$.*?\$(?P=tag)\$"""
    r"""|(?P<text>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*')|(?P<number>(?<![\w$%:.'])\d{7,}(?:\.\d+)?(?!\w))""",
    re.DOTALL,
)
_QUOTED = re.compile(rb"'([^'\n]{0,200})'|(\d{7,})")
_NOT_SOURCES = {"node_modules", "venv", "site-packages", "__pycache__"}
_HARMLESS = re.compile(r"[\W_]*|.{1,2}|UTC", re.DOTALL)


def names_in_order(text: str) -> tuple[str, ...]:
    """Names of `%(name)s` and `:name` placeholders in the order in which they stand, each as often as it stands."""
    return tuple(match[1] or match[2] for match in _NAMED.finditer(text) if match[1] or match[2])


def is_control(text: str) -> bool:
    """Whether this begins, ends or marks a transaction and does nothing else."""
    return _CONTROL.match(text) is not None


def is_catalog(text: str) -> bool:
    """Whether this asks the server about itself, as drivers do when they connect."""
    return _CATALOG.search(text[:2_000]) is not None


class Sources:
    """The literals that stand in the user's own sources. Files are read when the first literal asks for them, each once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._read: set[str] = set()
        self._known: set[bytes] = set()
        self._modules = 0

    def masked(self, text: str, digest: Callable[[bytes], str]) -> str:
        """`text` with every literal that no source contains replaced by its hash."""
        if "'" not in text and not any(character.isdigit() for character in text):
            return text

        def replace(match: Any) -> str:
            whole: str = match[0]
            inner: str | None = match["number"] or (match["text"] and whole[whole.index("'") + 1 : -1])
            if inner is None or inner == "" or (match["text"] and _HARMLESS.fullmatch(inner)):
                return whole
            raw = inner.encode("utf-8", "surrogatepass")
            return whole if self._has(raw) else f"'{digest(raw)}'"

        return _LITERAL.sub(replace, text)

    def _has(self, literal: bytes) -> bool:
        if literal in self._known:
            return True
        if len(sys.modules) != self._modules:
            self._look()
        return literal in self._known

    def _look(self) -> None:
        if not self._modules:
            for path in _sql_files(self._root):
                self._take(path)
        self._modules = len(sys.modules)
        for module in list(sys.modules.values()):
            home = getattr(module, "__file__", None)
            if isinstance(home, str) and home.endswith(".py") and frames.kind_of(home) is frames.USER:
                self._take(home)

    def _take(self, path: str) -> None:
        if path in self._read or len(self._read) >= _MOST_FILES:
            return
        self._read.add(path)
        try:
            with open(path, "rb") as file:
                text = file.read(_MOST_BYTES)
        except OSError:
            return
        # Quotes pair up differently from different starts, so every stretch between two quotes counts.
        self._known.update(match[2] for match in _QUOTED.finditer(text) if match[2])
        for line in text.splitlines():
            if b"'" in line:
                self._known.update(part for part in line.split(b"'") if len(part) <= 200)


def _sql_files(root: str) -> list[str]:
    found: list[str] = []
    for seen, (folder, folders, files) in enumerate(os.walk(root)):
        if len(found) >= _MOST_FILES or seen >= _MOST_FILES:
            break
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _NOT_SOURCES]
        found += [os.path.join(folder, name) for name in files if name.endswith(".sql")]
    return found

"""Globs: `*` and `?` stay within a name, `**` crosses folders, a pattern without a slash matches a name anywhere."""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import lru_cache

_TOKENS = re.compile(r"\*\*/?|\*|\?|\[!?\]?[^\]]*\]|\{[^{}]*\}|.", re.DOTALL)


def is_glob(path: str) -> bool:
    return any(character in path for character in "*?[{")


def locate(pattern: str, base: str) -> tuple[str, str]:
    """The absolute folder that the wildcards of a path or glob start in, and the glob from there: `""` without wildcards."""
    parts = pattern.replace(os.sep, "/").split("/")
    fixed = next((index for index, part in enumerate(parts) if is_glob(part)), len(parts))
    return os.path.normpath(os.path.join(base, "/".join(parts[:fixed]) or ("/" if pattern.startswith("/") else "."))), "/".join(parts[fixed:])


@lru_cache(maxsize=256)
def matcher(pattern: str, *, anchored: bool = False, below: bool = True) -> Callable[[str], bool]:
    """Whether a relative path with forward slashes matches, or (`below`) lies in a folder that does."""
    pattern = pattern.removeprefix("./").strip("/")
    anywhere = "/" not in pattern and not anchored
    body = "".join(map(_translate, _TOKENS.findall(pattern)))
    regex = re.compile(("(?:.*/)?" if anywhere else "") + body + ("(?:/.*)?" if below else ""), re.DOTALL)
    return lambda path: regex.fullmatch(path) is not None


def _translate(token: str) -> str:
    match token:
        case "**/":
            return "(?:.*/)?"
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
    if token[0] == "[" and len(token) > 2:
        negated = token[1] == "!"
        inside = token[2 if negated else 1 : -1].replace("\\", "\\\\").replace("^", "\\^").replace("[", "\\[")
        return f"[{'^' if negated else ''}{inside}]" if inside else re.escape(token)
    if token[0] == "{" and len(token) > 2:
        return "(?:" + "|".join("".join(map(_translate, _TOKENS.findall(part))) for part in token[1:-1].split(",")) + ")"
    return re.escape(token)

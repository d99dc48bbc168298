"""What leaves a reader: a text without values, keyed hashes in their place, and the tags of its comments.

In: a statement as it stands in a log, and the parameters that the log shows with it. The hashes are Python's own of text (SipHash with
a key of the process) and a key that is made per run: they live in memory, and no file has them.
"""

from __future__ import annotations

import re
import secrets
from urllib.parse import unquote

from dbguard.capture.hashes import NULL, UNKNOWN
from dbguard.parsing.normalize import MOST_CHARACTERS, Normalizer, value_of
from dbguard.workload.placeholders import numbered

MOST_PARAMETERS = 2_000
_MOST_TEXTS = 5_000
_MOST_TEXT = 10_000
_COMMENT = re.compile(r"\s*/\*(?!\+)((?:[^*]|\*(?!/))*)\*/")
_TAG = re.compile(r"([A-Za-z_][\w.%-]*)='((?:[^'\\]|\\.)*)'")
_MARGINAL = re.compile(r"([a-z_]\w*):([\w/.:#-]+)")
_PARAMETER = re.compile(r"\$\d+ = (?:'((?:[^']|'')*+)'|(NULL))")
_SHOWN_VALUE = re.compile(r"\d{4,}|[0-9a-f]{8}-[0-9a-f]{4}|@")
_KNOWN_TAGS = frozenset(
    [
        "route",
        "controller",
        "action",
        "framework",
        "application",
        "app_name",
        "app",
        "traceparent",
        "tracestate",
        "db_driver",
        "job",
        "job_tag",
        "namespaced_controller",
        "worker",
        "task",
        "view",
        "view_name",
        "url_name",
        "function_name",
        "pid_tag",
        "source_location",
        "line",
        "file",
        "class",
        "method",
        "name",
    ]
)
QUOTE, DOUBLED = "'", "''"
Tags = tuple[tuple[str, str], ...]


class Hiding:
    """One run: one key, one memory of texts."""

    def __init__(self) -> None:
        self._key = secrets.randbits(61)
        self._texts: dict[str, tuple[str, Tags]] = {}  # texts without literals, as the extended protocol sends them again and again
        self._normalize = Normalizer()

    def value(self, text: str) -> str:
        return hex(hash(text) ^ self._key)

    def _literals(self, literals: list[str]) -> tuple[str, ...]:
        """The hashes of literals as they were written."""
        key = self._key
        some = literals if len(literals) <= MOST_PARAMETERS else literals[:MOST_PARAMETERS]
        return tuple(
            [hex(hash(one if one.isdigit() else one[1:-1] if one.count(QUOTE) == 2 and one[0] == QUOTE else value_of(one)) ^ key) for one in some]
        )

    def statement(self, text: str) -> tuple[str, tuple[str, ...], Tags]:
        """The text that may leave, the hashes of its literals, and its tags."""
        known = self._texts.get(text)
        if known is not None:
            return known[0], (), known[1]
        raw = text
        tags: Tags = ()
        if "/*" in text:
            text, tags = uncommented(text)
        sql, literals = self._normalize(text[:MOST_CHARACTERS])
        if literals:
            return sql, self._literals(literals), tags
        if len(raw) <= _MOST_TEXT and not tags:
            if len(self._texts) >= _MOST_TEXTS:
                self._texts.clear()
            self._texts[raw] = sql, tags
        return sql, (), tags

    def with_placeholders(self, text: str) -> tuple[str, tuple[str, ...], Tags]:
        """The same for a text with placeholders of a driver, which become `$n`."""
        return self.statement(numbered(text)[0])

    def parameters(self, detail: str) -> tuple[str, ...]:
        """The hashes of `$1 = 'a', $2 = NULL`. A value that the server cut is not known."""
        key = self._key
        pairs = _PARAMETER.findall(detail)
        some = pairs if len(pairs) <= MOST_PARAMETERS else pairs[:MOST_PARAMETERS]
        return tuple(
            [
                NULL if null else UNKNOWN if value[-3:] == "..." else hex(hash(value.replace(DOUBLED, QUOTE) if QUOTE in value else value) ^ key)
                for value, null in some
            ]
        )


def uncommented(text: str) -> tuple[str, Tags]:
    """The text without block comments, and the tags in them (sqlcommenter, marginalia). Hints and dbguard's own comments stay."""
    tags: dict[str, str] = {}
    parts, position = [], 0
    quoted = "'" in text or "$" in text or '"' in text
    for match in _COMMENT.finditer(text):
        inner = match[1]
        before = text[position : match.start()]
        if "dbguard" in inner or (quoted and _inside_quotes(text, match.start())):
            continue
        pairs = [(unquote(key), unquote(value).replace("\\'", "'")) for key, value in _TAG.findall(inner)] or _MARGINAL.findall(inner)
        tags.update(pairs)
        parts.append(before)
        position = match.end()
    kept = tuple(
        (key, value) for key, value in sorted(tags.items()) if key in _KNOWN_TAGS and not (key != "traceparent" and _SHOWN_VALUE.search(value))
    )
    return "".join([*parts, text[position:]]) if parts else text, kept


def _inside_quotes(text: str, position: int) -> bool:
    return text.count("'", 0, position) % 2 == 1 or text.count('"', 0, position) % 2 == 1 or text.count("$$", 0, position) % 2 == 1

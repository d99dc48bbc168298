"""What leaves a reader: a text without values, keyed hashes in their place, and the tags of its comments.

In: a statement as it stands in a log, and the parameters that the log shows with it. The key is made per run and never written.
"""

from __future__ import annotations

import re
import secrets
from hashlib import blake2b
from urllib.parse import unquote

from dbguard.capture.hashes import MOST_BYTES, NULL, UNKNOWN
from dbguard.parsing.normalize import MOST_CHARACTERS, Normalizer, value_of
from dbguard.workload.placeholders import numbered

MOST_PARAMETERS = 2_000
_MOST_REMEMBERED = 50_000
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
Tags = tuple[tuple[str, str], ...]


class Hiding:
    """One run: one key, one memory of texts. Hashes are those of `dbguard.capture.hashes`."""

    def __init__(self, key: bytes | None = None) -> None:
        self._start = blake2b(key=key or secrets.token_bytes(16), digest_size=8)
        self._values: dict[str, str] = {}
        self._texts: dict[str, tuple[str, Tags]] = {}  # texts without literals, as the extended protocol sends them again and again
        self._normalize = Normalizer()

    def value(self, text: str) -> str:
        found = self._values.get(text)
        if found is not None:
            return found
        raw = text.encode("utf-8", "surrogatepass")
        state = self._start.copy()
        state.update(raw if len(raw) <= MOST_BYTES else raw[:MOST_BYTES] + str(len(raw)).encode())
        found = state.hexdigest()
        if len(raw) <= 64:
            if len(self._values) >= _MOST_REMEMBERED:
                self._values.clear()
            self._values[text] = found
        return found

    def _literals(self, literals: list[str]) -> tuple[str, ...]:
        """The hashes of literals as they were written."""
        known, value = self._values, self.value
        found = []
        for literal in literals if len(literals) <= MOST_PARAMETERS else literals[:MOST_PARAMETERS]:
            text = literal if literal.isdigit() else value_of(literal)
            found.append(known.get(text) or value(text))
        return tuple(found)

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
        found = []
        for value, null in _PARAMETER.findall(detail):
            found.append(NULL if null else UNKNOWN if value.endswith("...") else self.value(value.replace("''", "'")))
            if len(found) == MOST_PARAMETERS:
                break
        return tuple(found)


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

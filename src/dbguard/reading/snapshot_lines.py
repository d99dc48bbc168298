"""Lines of the snapshot file: one record to one line, and back. docs/snapshot.md describes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from json import dumps, loads
from math import isfinite
from typing import Any

from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.model.snapshot import Activity, Applied, ColumnStatistics, ExtendedStatistics, Relation, StatementTotal

_BARE = re.compile(r"[!-&(-<>-\[\]-~]+")  # printable ASCII but the blank, the single quote, the equals sign and the backslash
_FIELD = re.compile(r"(?:([a-z_]+)=)?('(?:[^'\\]|\\.)*'|[!-&(-<>-\[\]-~]+)(?: |$)")
_ESCAPES = {"'": "\\'", "\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_TO_ESCAPE = re.compile(r"['\\\x00-\x1f\x7f]")
_ESCAPED = re.compile(r"\\(x[0-9a-f]{2}|.)")
_MEANINGS = {"'": "'", "\\": "\\", "n": "\n", "r": "\r"}
_NAME = re.compile(r'("(?:[^"]|"")*"|[^".]+)(?:\.("(?:[^"]|"")*"|[^".]+))?')


class Codec(Record):
    write: Callable[[Any], str]
    read: Callable[[str], Any]


class Line(Record):
    """How a record stands on a line: `fields` after the word in this order, the first `places` of them without their names."""

    word: str
    record: type[Any]
    fields: dict[str, Codec]
    places: int = 1


def quoted(text: str) -> str:
    """A text as it stands on a line."""
    return text if _BARE.fullmatch(text) else f"'{_TO_ESCAPE.sub(_escape, text)}'"


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\x{ord(match[0]):02x}"


def _meaning(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) == 1:
        return _MEANINGS[code]
    return chr(int(code[1:], 16))


def finite(text: str) -> float:
    """A number that is one. Raises ValueError for infinity and NaN."""
    value = float(text)
    if not isfinite(value):
        raise ValueError("not a number")
    return value


def _integer(text: str) -> int:
    if len(text) > 30:
        raise ValueError("too long")
    return int(text)


def _name(text: str) -> Name:
    match = _NAME.fullmatch(text)
    if match is None:
        raise ValueError("not a name")
    first, second = (None if part is None else part[1:-1].replace('""', '"') if part.startswith('"') else part for part in match.groups())
    return Name(None, first or "") if second is None else Name(first, second)


def _flag(text: str) -> bool:
    if text != "yes":
        raise ValueError("not yes")
    return True


def _strings(text: str) -> tuple[str, ...]:
    values = loads(text)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("not a list of texts")
    return tuple(values)


_TEXT = Codec(quoted, str)
_NUMBER = Codec(lambda value: str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(value), finite)
_INTEGER = Codec(str, _integer)
_NAMED = Codec(lambda name: quoted(str(name)), _name)
_FLAG = Codec(lambda _: "yes", _flag)
_LIST = Codec(lambda values: quoted(dumps(values, ensure_ascii=False, separators=(",", ":"))), _strings)

DATABASE = {
    "major": _INTEGER, "server_version": _TEXT, "database": _TEXT, "taken": _TEXT, "values": _TEXT, "seconds": _NUMBER, "statements_seconds": _NUMBER
}  # fmt: skip
RELATION = Line(
    "relation",
    Relation,
    {
        "name": _NAMED, "kind": _TEXT, "table": _NAMED, "method": _TEXT, "pages": _INTEGER, "tuples": _NUMBER, "all_visible": _INTEGER,
        "all_frozen": _INTEGER, "height": _INTEGER, "relation_bytes": _INTEGER, "analyzed_pages": _INTEGER,
    },
)  # fmt: skip
COLUMN = Line(
    "column",
    ColumnStatistics,
    {
        "relation": _NAMED, "column": _TEXT, "inherited": _FLAG, "masked": _FLAG, "null_frac": _NUMBER, "avg_width": _INTEGER,
        "n_distinct": _NUMBER, "correlation": _NUMBER, "most_common_vals": _TEXT, "most_common_freqs": _TEXT, "histogram_bounds": _TEXT,
        "most_common_elems": _TEXT, "most_common_elem_freqs": _TEXT, "elem_count_histogram": _TEXT, "range_length_histogram": _TEXT,
        "range_empty_frac": _NUMBER, "range_bounds_histogram": _TEXT,
    },
    places=2,
)  # fmt: skip
EXTENDED = Line(
    "extended",
    ExtendedStatistics,
    {
        "name": _NAMED, "relation": _NAMED, "inherited": _FLAG, "masked": _FLAG, "n_distinct": _TEXT, "dependencies": _TEXT,
        "most_common_vals": _TEXT, "most_common_freqs": _TEXT, "most_common_base_freqs": _TEXT,
    },
)  # fmt: skip
ACTIVITY = Line(
    "activity",
    Activity,
    {
        "relation": _NAMED, "seq_scans": _INTEGER, "index_scans": _INTEGER, "rows_read": _INTEGER, "inserts": _INTEGER, "updates": _INTEGER,
        "hot_updates": _INTEGER, "deletes": _INTEGER,
    },
)  # fmt: skip
STATEMENT = Line("statement", StatementTotal, {"calls": _INTEGER, "seconds": _NUMBER, "rows": _INTEGER, "sql": _TEXT}, places=0)
APPLIED = Line("applied", Applied, {"tool": _TEXT, "table": _NAMED, "versions": _LIST}, places=2)
LINES = {line.word: line for line in (RELATION, COLUMN, EXTENDED, ACTIVITY, STATEMENT, APPLIED)}
HOMES = {
    "relation": "relations", "column": "columns", "extended": "extended", "activity": "activity", "statement": "statements", "applied": "applied"
}  # fmt: skip
PLAIN = {  # word of the line -> field of Snapshot, number of texts
    "locale": ("locale", 2), "setting": ("settings", 2), "role_setting": ("role_settings", 3), "extension": ("extensions", 3), "role": ("roles", 1),
    "hidden": ("hidden", 1), "transaction": ("longest_transactions", 1),
}  # fmt: skip


def write_line(line: Line, record: Any) -> str:
    """A record as a line, with its end. Fields that have their default are left out."""
    parts = [line.word]
    defaults = line.record._field_defaults
    for position, (field, codec) in enumerate(line.fields.items()):
        value = getattr(record, field)
        if position < line.places:
            parts.append(codec.write(value))
        elif field not in defaults or value != defaults[field]:
            parts.append(f"{field}={codec.write(value)}")
    return " ".join(parts) + "\n"


def read_texts(rest: str) -> list[str]:
    """The values of a line whose fields have no names."""
    return [_value(raw) for key, raw in _split(rest) if key is None]


def read_fields(rest: str, fields: dict[str, Codec], places: int) -> dict[str, Any]:
    """What stands behind the word of a line, by field. Raises ValueError for what makes no sense."""
    found: dict[str, Any] = {}
    in_place = iter(list(fields)[:places])
    for key, raw in _split(rest):
        field = next(in_place, None) if key is None else key
        if field not in fields or field in found:
            raise ValueError(f"unexpected {key or raw[:40]}")
        found[field] = fields[field].read(_value(raw))
    return found


def _split(rest: str) -> Iterator[tuple[str | None, str]]:
    position = 0
    while position < len(rest):
        match = _FIELD.match(rest, position)
        if match is None or match.end() == position:
            raise ValueError(f"cannot be read from character {position}")
        yield match[1], match[2]
        position = match.end()


def _value(raw: str) -> str:
    return _ESCAPED.sub(_meaning, raw[1:-1]) if raw.startswith("'") else raw

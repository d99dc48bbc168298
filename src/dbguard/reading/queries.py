"""Query files: plain SQL, sqlc, aiosql, yesql, goyesql and pgtyped. Text in, queries with their place and name out.

Known headers: `-- name: GetUser :one` (sqlc), `-- name: get-user^` and `-- :name get-user :one` (aiosql, yesql, hugsql),
`/* @name GetUser */` (pgtyped).
A file without any is a list of statements. Queries end at `;`, or where the next header begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.model.query import Written
from dbguard.model.record import Record
from dbguard.model.source import Source
from dbguard.parsing import lexer, split

MOST_QUERIES = 20_000  # of one file

_SQLC = re.compile(r"--\s*name:\s*(?P<name>[^\s:]+)(?:\s*:(?P<rows>[\w-]+))?.*", re.IGNORECASE)
_HUGSQL = re.compile(r"--\s*:name\s+(?P<name>\S+)(?:\s+(?P<rows>:\S+))?.*", re.IGNORECASE)
_PGTYPED = re.compile(r"/\*.*?@name\s+(?P<name>\w+).*?\*/", re.DOTALL)
_HEADERS = (_SQLC, _HUGSQL, _PGTYPED)
_SUFFIXES = {"^": "one", "$": "one", "!": "exec", "<!": "exec", "*!": "exec"}
_ROWS = {"1": "one", "?": "one", "*": "many", "!": "exec", "n": "exec", "one": "one", "many": "many"}


class _Header(Record):
    start: int
    end: int
    name: str
    rows: str


def is_query_file(text: str) -> bool:
    """Whether a text has a header of a query file. A plain list of queries cannot be told from any other SQL."""
    return bool(re.search(r"(?m)^\s*--\s*(?::name\s|name:)\s*\S|/\*[\s*]*@name\s", text[:200_000]))


def read_queries(source: Source) -> tuple[Written, ...]:
    """The queries of a file, in order. What is no query of its own says so in `unread`."""
    headers = list(_headers(source.text))
    if not headers:
        return tuple(_plain(source, 0, len(source.text), "", ""))[:MOST_QUERIES]
    found: list[Written] = list(_plain(source, 0, headers[0].start, "", ""))
    ends = [*(header.start for header in headers[1:]), len(source.text)]
    for header, end in zip(headers, ends, strict=True):
        found += _plain(source, header.end, end, header.name, header.rows)
    return tuple(found[:MOST_QUERIES])


def _headers(text: str) -> Iterator[_Header]:
    if "name" not in text:
        return
    for kind, start, end in lexer.tokens(text):
        if kind != lexer.COMMENT:
            continue
        comment = text[start:end]
        for pattern in _HEADERS:
            match = pattern.match(comment)
            if match is not None:
                said = match.groupdict().get("rows") or ""
                yield _Header(start, end, *_name(match["name"], said.lstrip(":").lower()))
                break


def _name(name: str, rows: str) -> tuple[str, str]:
    """aiosql says with the last character of a name what comes back."""
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if name.endswith(suffix):
            return name.removesuffix(suffix), rows or _SUFFIXES[suffix]
    return name, _ROWS.get(rows, rows)


def _plain(source: Source, start: int, end: int, name: str, rows: str) -> Iterator[Written]:
    """What follows a header, one statement as a rule; a second one is `name (2)`."""
    part = source.text[start:end]
    number = 0
    for first, last, kind in split.spans(part):
        unread = f"psql meta-command {part[first:last].split(maxsplit=1)[0]}" if kind == split.COMMAND else ""
        if unread and split.is_quiet(part[first:last]):
            continue
        number += not unread
        yield Written(source, start + first, start + last, f"{name} ({number})" if name and number > 1 else name, rows, unread)

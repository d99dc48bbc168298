"""The snapshot file: a `Snapshot` in or out. docs/snapshot.md describes every line.

Text, UTF-8, one line per table, index and column, in an order that depends on names only, so that git can compare two of
them; gzip if the name ends with `.gz`. Every line is a word and fields: `column public.orders status n_distinct=3 ...`. A
field is bare, or in single quotes where it holds a blank, a quote or anything but printable ASCII: `\\'`, `\\\\`, `\\n`, `\\r`
and `\\xHH` stand for what cannot stand there.
"""

from __future__ import annotations

import gzip
import os
import re
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from dbguard.errors import CouldNotLook, UnreadableSource
from dbguard.model.names import Name
from dbguard.model.snapshot import Snapshot
from dbguard.reading.snapshot_lines import (
    ACTIVITY,
    APPLIED,
    COLUMN,
    DATABASE,
    EXTENDED,
    HOMES,
    LINES,
    PLAIN,
    RELATION,
    STATEMENT,
    finite,
    quoted,
    read_fields,
    read_texts,
    write_line,
)

VERSION = 1
MOST_BYTES = 1 << 30  # of text: a hundred thousand columns with full histograms
MOST_LINE_BYTES = 64 << 20
_HEADER = re.compile(r"dbguard snapshot (\d{1,9})\r?\n?", re.ASCII)
_KINDS = {"r": 0, "p": 0, "m": 0, "f": 0, "t": 1}


def arrange(snapshot: Snapshot) -> Snapshot:
    """The same snapshot in the order in which a file holds it: by the name of the table, then of the index, then of the column."""
    owners = {relation.name: relation.table for relation in snapshot.relations if relation.table is not None}
    return snapshot._replace(
        relations=tuple(sorted(snapshot.relations, key=lambda r: (*_place(r.name, owners), _KINDS.get(r.kind, 3), r.kind))),
        columns=tuple(sorted(snapshot.columns, key=lambda c: (*_place(c.relation, owners), c.column, c.inherited))),
        extended=tuple(sorted(snapshot.extended, key=lambda e: (_key(e.relation), _key(e.name), e.inherited))),
        activity=tuple(sorted(snapshot.activity, key=lambda a: _place(a.relation, owners))),
        settings=tuple(sorted(snapshot.settings)),
        role_settings=tuple(sorted(snapshot.role_settings)),
        roles=tuple(sorted(snapshot.roles)),
        extensions=tuple(sorted(snapshot.extensions)),
        hidden=tuple(sorted(snapshot.hidden)),
        applied=tuple(sorted(snapshot.applied, key=lambda a: (a.tool, _key(a.table)))),
        statements=tuple(sorted(snapshot.statements, key=lambda s: (-s.seconds, s.sql))),
    )


def _key(name: Name) -> tuple[str, str]:
    return name.schema or "", name.name


def _place(name: Name, owners: Mapping[Name, Name]) -> tuple[tuple[str, str], bool, tuple[str, str]]:
    owner = owners.get(name)
    return _key(owner or name), owner is not None, _key(name)


def text(snapshot: Snapshot) -> Iterator[str]:
    """The lines of the file, each with its end."""
    snapshot = arrange(snapshot)
    yield f"dbguard snapshot {VERSION}\n"
    known = ((field, getattr(snapshot, field), codec) for field, codec in DATABASE.items())
    yield "database " + " ".join(f"{field}={codec.write(value)}" for field, value, codec in known if value is not None) + "\n"
    for word, (field, count) in PLAIN.items():
        for values in getattr(snapshot, field):
            yield " ".join((word, *map(quoted, values if count > 1 else [str(values)]))) + "\n"
    for one in snapshot.applied:
        yield write_line(APPLIED, one)
    yield from _by_table(snapshot)
    for total in snapshot.statements:
        yield write_line(STATEMENT, total)
    yield "schema\n"
    for line in snapshot.schema.split("\n"):
        yield f"|{line}\n"
    yield "end\n"


def _by_table(snapshot: Snapshot) -> Iterator[str]:
    """What belongs to a table stands together: itself, its columns, its activity, then the same of its indexes."""
    owners = {relation.name: relation.table for relation in snapshot.relations if relation.table is not None}
    found: list[tuple[Any, int, str]] = []
    found += [(_place(one.name, owners), 0, write_line(RELATION, one)) for one in snapshot.relations]
    found += [(_place(one.relation, owners), 1, write_line(ACTIVITY, one)) for one in snapshot.activity]
    found += [(_place(one.relation, owners), 2, write_line(COLUMN, one)) for one in snapshot.columns]
    found += [(_place(one.relation, owners), 3, write_line(EXTENDED, one)) for one in snapshot.extended]
    found.sort(key=lambda item: item[:2])
    return (item[2] for item in found)


def save(snapshot: Snapshot, path: str | os.PathLike[str]) -> None:
    """Write the file, whole or not at all. Raises CouldNotLook if it cannot be written."""
    path = Path(path)
    handle, temporary = -1, ""
    try:
        if path.exists() and not path.is_file():  # a pipe or a device has no name to be renamed to
            with path.open("wb") as file:
                _write(snapshot, file, path.name.endswith(".gz"))
            return
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            _write(snapshot, file, path.name.endswith(".gz"))
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
        temporary = ""
    except OSError as error:
        raise CouldNotLook(f"{path} cannot be written: {error.strerror or error}; nothing was changed there") from error
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)


def _write(snapshot: Snapshot, file: IO[bytes], compressed: bool) -> None:
    data = "".join(text(snapshot)).encode("utf-8", errors="backslashreplace")
    file.write(gzip.compress(data, 9, mtime=0) if compressed else data)  # without a time, so that equal snapshots are equal files


def load(path: str | os.PathLike[str]) -> Snapshot:
    """The snapshot in a file. Raises UnreadableSource, with the number of the line, for what is none."""
    try:
        with Path(path).open("rb") as raw:
            start = raw.read(2)
            raw.seek(0)
            if start == b"\x1f\x8b":
                with gzip.GzipFile(fileobj=raw) as packed:
                    return read(packed, str(path))
            return read(raw, str(path))
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise UnreadableSource(f"{path}: not a gzip file that can be read: {error}") from error
        raise UnreadableSource(f"{path}: cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise UnreadableSource(f"{path}: the gzip file is cut or damaged: take the snapshot again") from error


def read(file: IO[bytes] | gzip.GzipFile, path: str) -> Snapshot:
    """A snapshot from an open file; `path` is its name in messages."""
    lines = _lines(file, path)
    _check_header(next(lines, ""), path)
    values: dict[str, Any] = {}
    lists: dict[str, list[Any]] = {}
    schema: list[str] = []
    number = 1
    for number, line in enumerate(lines, 2):
        if line.startswith("|"):
            schema.append(line[1:])
            continue
        try:
            if not _take(line, values, lists):
                break
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise UnreadableSource(f"{path}:{number}: this is no line of a snapshot ({error}): {line[:60]!r}") from error
    else:
        raise UnreadableSource(f"{path}:{number}: the file is cut: its last line is not `end`; take the snapshot again")
    for more, line in enumerate(lines, number + 1):  # to the end, where gzip keeps its checksum
        if line:
            raise UnreadableSource(f"{path}:{more}: something stands after the last line, `end`")
    values.update((field, tuple(items)) for field, items in lists.items())
    return Snapshot(**values, schema="\n".join(schema))


def _lines(file: IO[bytes] | gzip.GzipFile, path: str) -> Iterator[str]:
    """Lines without their ends. Where git or an editor made the ends CRLF, all of them are."""
    total, number, end = 0, 0, "\n"
    while data := file.readline(MOST_LINE_BYTES + 1):
        number += 1
        total += len(data)
        if len(data) > MOST_LINE_BYTES or total > MOST_BYTES:
            raise UnreadableSource(
                f"{path}:{number}: longer than any snapshot: lines may have {MOST_LINE_BYTES >> 20} MB, the text {MOST_BYTES >> 30} GB"
            )
        try:
            line = data.decode()
        except UnicodeDecodeError as error:
            raise UnreadableSource(f"{path}:{number}: not UTF-8 (byte {error.start + 1} of the line)") from error
        if number == 1 and line.endswith("\r\n"):
            end = "\r\n"
        yield line.removesuffix(end)


def _check_header(line: str, path: str) -> None:
    match = _HEADER.fullmatch(line)
    if match is None:
        raise UnreadableSource(
            f"{path}:1: not a snapshot: its first line should be `dbguard snapshot {VERSION}`; `dbguard snapshot -o FILE` makes one"
        )
    if int(match[1]) > VERSION:
        raise UnreadableSource(f"{path}:1: a snapshot of format {match[1]}, and this dbguard reads format {VERSION}: update dbguard")


def _take(line: str, values: dict[str, Any], lists: dict[str, list[Any]]) -> bool:
    """Adds what a line says; False at the last one."""
    word, _, rest = line.partition(" ")
    if word == "end" and not rest:
        return False
    if word == "schema" and not rest:
        return True
    if word == "database":
        values.update(read_fields(rest, DATABASE, 0))
    elif word in PLAIN:
        field, count = PLAIN[word]
        texts = read_texts(rest)
        if len(texts) != count:
            raise ValueError(f"{count} values expected")
        lists.setdefault(field, []).append(tuple(texts) if count > 1 else finite(texts[0]) if word == "transaction" else texts[0])
    elif word in LINES:
        shape = LINES[word]
        lists.setdefault(HOMES[word], []).append(shape.record(**read_fields(rest, shape.fields, shape.places)))
    else:
        raise ValueError(f"unknown word {word[:40]!r}")
    return True

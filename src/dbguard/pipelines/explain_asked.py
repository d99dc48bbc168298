"""What somebody wants explained: queries as text, files of queries, captures and logs, and plans that were pasted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dbguard.config import Config
from dbguard.errors import UnreadableSource, UsageError
from dbguard.model.explained import Asked
from dbguard.model.finding import UnreadPart
from dbguard.model.record import Record
from dbguard.model.source import Lines, Source
from dbguard.reading.queries import read_queries

MOST_SHAPES = 1_000
MOST_BYTES = 64_000_000
_SQL = frozenset({".sql", ".pgsql", ".psql"})


class Given(Record):
    queries: tuple[Asked, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    notes: tuple[str, ...] = ()


def asked(config: Config, things: Iterable[str], standard_input: str | None = None) -> Given:
    """The queries that are meant: each thing is a file that exists, `-`, or the text of a query. Raises UsageError, UnreadableSource."""
    queries: list[Asked] = []
    unread: list[UnreadPart] = []
    notes: list[str] = []
    captures = []
    for thing in things:
        path = _path(config, thing)
        if thing == "-":
            found, missing = _in_file(Source("<stdin>", standard_input or ""))
        elif path is not None and path.is_file() and path.suffix.lower() in _SQL:
            found, missing = _in_file(Source(thing, text_of(path, thing)))
        elif path is not None:
            captures.append(thing)
            continue
        elif not thing.strip() or len(thing.split()) < 2:
            raise UsageError(f"{thing!r} is neither a file nor a query")
        else:
            found, missing = [Asked("", thing.strip())], []
        queries += found
        unread += missing
    if captures:
        more, told = _in_captures(config, captures)
        queries += more
        notes += told
    if not queries and not unread:
        raise UsageError("what shall be explained? Give a query, a file of queries, a capture, or --plan FILE")
    return Given(tuple(queries), tuple(unread), tuple(notes))


def _path(config: Config, thing: str) -> Path | None:
    """The file or folder that is meant, if there is one: a query is no path, and may be too long to be asked for."""
    try:
        path = Path(config.cwd, thing)
        return path if thing != "-" and path.exists() else None
    except (OSError, ValueError):
        return None


def text_of(path: Path, shown: str) -> str:
    """A text file. Raises UnreadableSource."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnreadableSource(f"{shown} is larger than {MOST_BYTES >> 20} MB")
        data = path.read_bytes()
        return data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableSource(f"{shown} is not UTF-8 text") from None
    except OSError as error:
        raise UnreadableSource(f"{shown}: {error.strerror}") from None


def _in_file(source: Source) -> tuple[list[Asked], list[UnreadPart]]:
    lines = Lines(source.text)
    found: list[Asked] = []
    unread: list[UnreadPart] = []
    for written in read_queries(source):
        line = lines.at(written.start)[0]
        if written.unread:
            unread.append(UnreadPart(source.path, line, written.unread))
        else:
            found.append(Asked(written.name, written.sql, source.path, line))
    return found, unread


def _in_captures(config: Config, paths: list[str]) -> tuple[list[Asked], list[str]]:
    """The shapes of captures and logs, those that took most first."""
    from dbguard.pipelines.workload import list_queries

    listed = list_queries(config, paths)
    shapes = [one for one in listed.shapes if one.sql.split(None, 1)[:1] and _is_query(one.sql)]
    notes = list(listed.notes)
    if len(shapes) > MOST_SHAPES:
        notes.append(f"of {len(shapes):,} shapes the {MOST_SHAPES:,} that took most are explained")
    found = []
    for one in shapes[:MOST_SHAPES]:
        path, line = (one.places[0].path, one.places[0].line) if one.places else one.seen
        name = one.places[0].function if one.places and not one.calls else ""  # of a query in a file
        found.append(Asked(name or one.shape, one.sql, path, max(line, 1), calls=one.calls))
    return found, notes


def _is_query(sql: str) -> bool:
    return sql.lstrip(" \t\r\n(").split(None, 1)[0].upper() in {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "WITH", "TABLE"}

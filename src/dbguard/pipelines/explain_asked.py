"""What somebody wants explained: queries as text, files of queries, captures and logs, and plans that were pasted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from dbguard.config import Config
from dbguard.errors import UnreadableSource, UsageError
from dbguard.model.explained import Asked
from dbguard.model.finding import UnreadPart
from dbguard.model.record import Record
from dbguard.model.source import Lines, Source
from dbguard.reading.asked import WORKLOAD
from dbguard.reading.queries import read_queries

MOST_SHAPES = 1_000
_QUERIES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "WITH", "TABLE", "DECLARE", "PREPARE"})
MOST_BYTES = 64_000_000
_SQL = (".sql", ".pgsql", ".psql")
_WORD = re.compile(r"[\w./\\~:*?-]+")  # a name of a file that does not exist, and no query
_PLAN = re.compile(r'\(cost=\d+\.\d+\.\.\d|"Node Type"\s*:')
_FORMATS = {"capture": "a capture", "otlp": "a trace", "statements-csv": "an export", "statements-json": "an export"}


class Given(Record):
    queries: tuple[Asked, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    notes: tuple[str, ...] = ()


def asked(config: Config, things: Iterable[str], standard_input: str | None = None) -> Given:
    """The queries that are meant: each thing is a file that exists, `-`, or the text of a query. Raises UsageError, UnreadableSource."""
    things = list(things)
    queries: list[Asked] = []
    unread: list[UnreadPart] = []
    notes: list[str] = []
    captures = []
    for thing in things:
        path = _path(config, thing)
        if thing == "-":
            found, missing = _in_file(Source("<stdin>", standard_input or ""), "-")
        elif path is not None and path.is_file() and not path.name.lower().endswith(WORKLOAD):
            found, missing = _in_file(Source(thing, text_of(path, thing)), thing)
        elif path is not None:
            if path.is_file() and path.name.endswith(".json"):
                _refuse_what_is_no_sql(Source(thing, text_of(path, thing)), thing)
            captures.append(thing)
            continue
        elif not thing.strip() or _WORD.fullmatch(thing.strip()):
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
        where = ", ".join("<stdin>" if thing == "-" else thing for thing in things)
        ways = "a query, a file of queries, a capture, or --plan FILE"
        raise UsageError(f"no query is in {where}: give {ways}" if where else f"what shall be explained? Give {ways}")
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


def _in_file(source: Source, thing: str) -> tuple[list[Asked], list[UnreadPart]]:
    _refuse_what_is_no_sql(source, thing)
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


def _refuse_what_is_no_sql(source: Source, thing: str) -> None:
    """A plan belongs to `--plan`, and logs and captures are known by their names. Raises UsageError."""
    if source.path.lower().endswith(_SQL):
        return
    from dbguard.workload.detect import SAMPLE, format_of

    sample = source.text[:SAMPLE]
    kind = format_of(sample)
    if kind and not source.path.lower().endswith(WORKLOAD):
        raise UsageError(
            f"{source.path} is no file of queries but {_FORMATS.get(kind, 'a log')}: its name has to end with one of {', '.join(WORKLOAD)}"
        )
    if not kind and _PLAN.search(sample):
        raise UsageError(f"{source.path} holds a plan and no queries: explain it with --plan {thing}")


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
    return sql.lstrip(" \t\r\n(").split(None, 1)[0].upper() in _QUERIES

"""Capture files (docs/capture.md) to units of calls. In: paths, or lines. Out: units, and notes on what could not be read.

What is whole is used: a line that is cut off, that is no JSON or that lacks what it needs is counted, and so are kinds of lines
that a newer version has. Calls of several processes of one capture are numbered in the order of their time.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dbguard.model.calls import MOST_HASHES, Call, Frame, Load, Result, Unit
from dbguard.model.record import Record

VERSION = 1
MOST_FRAMES = 32
MOST_PARAMETERS = 10_000
MOST_STEPS = 20


class Process(Record):
    """What one process wrote after its header: calls in its own order, with the time up to which they are sorted."""

    capture: str
    name: str
    units: dict[int, Unit]
    calls: list[tuple[float, int, Call]]  # time, unit, call


class _Tables:
    """What lines of calls refer to."""

    def __init__(self, header: dict[str, Any]) -> None:
        self.capture = _text(header.get("capture"))
        self.name = f"{self.capture}-{_text(header.get('process'))}"
        self.texts: dict[int, str] = {}
        self.stacks: dict[int, tuple[tuple[Frame, ...], Frame | None, str, int]] = {}
        self.loads: dict[int, Load] = {}
        self.links: dict[int, tuple[str, str]] = {}
        self.process = Process(self.capture, self.name, {}, [])
        self.ended = False
        self.latest = 0.0
        self.way = _way(header.get("root"))


def _way(root: Any) -> str:
    """What stands in front of a path of the capture for whoever is in the working directory, where one of the two folders is in the other."""
    here = Path.cwd()
    if not isinstance(root, str) or "\0" in root or not Path(root).is_absolute() or not Path(root).is_dir():
        return ""
    if not (here.is_relative_to(root) or Path(root).is_relative_to(here)):
        return ""
    way = os.path.relpath(root, here).replace(os.sep, "/")
    return "" if way == "." else f"{way}/"


def read_capture(paths: str | Path | Iterable[str | Path]) -> tuple[list[Unit], list[str]]:
    """The units of all files together, in the order in which they began, and notes on what was not understood."""
    files = [paths] if isinstance(paths, str | Path) else list(paths)
    processes: list[Process] = []
    notes: list[str] = []
    for path in files:
        try:
            with Path(path).open("rb") as file:
                found, said = read_lines(file, str(path))
        except OSError as error:
            notes.append(f"{path}: {error.strerror or error}")
            continue
        processes += found
        notes += said
    return units_of(processes), notes


def read_lines(lines: Iterable[bytes], source: str) -> tuple[list[Process], list[str]]:
    """What one file tells, process by process: a file may hold several captures, one behind the other."""
    tables: _Tables | None = None
    found: list[_Tables] = []
    notes: list[str] = []
    broken: list[int] = []
    unknown: dict[str, int] = {}
    for number, raw in enumerate(lines, 1):
        try:
            line = json.loads(raw)
            kind = line["line"]
            if kind == "header":
                tables = _Tables(line)
                found.append(tables)
                version = line.get("version")
                if not isinstance(version, int) or version > VERSION:
                    notes.append(f"{source}:{number}: version {version} of the format is newer than this dbguard, which uses what it knows")
            elif tables is None or kind not in _READERS:
                unknown[str(kind)[:40]] = unknown.get(str(kind)[:40], 0) + 1
            else:
                note = _READERS[kind](tables, line, source, number)
                if note:
                    notes.append(note)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            if raw.strip(b"\0 \t\r\n"):
                broken.append(number)
    if broken:
        notes.append(f"{source}: {_count(len(broken), 'line')} could not be read, the first is {broken[0]}")
    notes += [f"{source}: {_count(count, 'line')} of kind {kind!r} skipped" for kind, count in sorted(unknown.items())]
    if any(not each.ended for each in found):
        notes.append(f"{source}: there is no last line: the process was killed or is still running, and its last calls may be missing")
    return [each.process for each in found], notes


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _read_text(tables: _Tables, line: dict[str, Any], _source: str, _number: int) -> None:
    tables.texts[_whole(line["text"])] = _string(line["sql"])


def _read_stack(tables: _Tables, line: dict[str, Any], _source: str, _number: int) -> None:
    frames = tuple([_frame(tables, *place) for place in line["frames"][:MOST_FRAMES]])
    loop = line.get("loop")
    in_loop = frames[loop] if isinstance(loop, int) and 0 <= loop < len(frames) else None
    tables.stacks[_whole(line["stack"])] = frames, in_loop, _text(line.get("rounds")), _whole(line.get("column", 0))


def _frame(tables: _Tables, path: Any, line: Any, function: Any) -> Frame:
    path = _string(path)
    if tables.way and not path.startswith("/"):
        path = posixpath.normpath(tables.way + path)
    return Frame(path, _whole(line), _string(function))


def _read_load(tables: _Tables, line: dict[str, Any], _source: str, _number: int) -> None:
    tables.loads[_whole(line["load"])] = Load(
        event=_string(line["event"]),
        owner=_text(line.get("owner")),
        relationship=_text(line.get("relationship")),
        many=line.get("many") is True,
        orm=_text(line.get("orm")),
        path=tuple([(_string(owner), _string(name), many is True) for owner, name, many in line.get("path", ())[:MOST_STEPS]]),
        classes=tuple(map(_string, line.get("classes", ())[:MOST_STEPS])),
        built=_frame(tables, *line["built"]) if "built" in line else None,
        related=tuple([(_string(path), _string(name)) for path, name in line.get("related", ())[:MOST_STEPS]]),
        narrowed=line.get("narrowed") is True,
        generic=line.get("generic") is True,
    )


def _read_connection(tables: _Tables, line: dict[str, Any], _source: str, _number: int) -> None:
    tables.links[_whole(line["connection"])] = _string(line["driver"]), _text(line.get("database"))


def _read_unit(tables: _Tables, line: dict[str, Any], _source: str, _number: int) -> None:
    number = _whole(line["unit"])
    tables.process.units[number] = Unit(f"{tables.name}-{number}", _string(line["name"]), _string(line["kind"]), _text(line.get("phase")))


def _read_end(tables: _Tables, line: dict[str, Any], source: str, _number: int) -> str | None:
    tables.ended = True
    errors = line.get("errors")
    if not isinstance(errors, dict) or not errors:
        return None
    return (
        f"{source}: errors inside the recorder, whose calls are missing: {', '.join(f'{kind} ({count})' for kind, count in sorted(errors.items()))}"
    )


def _read_call(tables: _Tables, line: dict[str, Any], source: str, number: int) -> None:
    driver, database = tables.links.get(line.get("connection", 0), ("", ""))
    frames, loop, rounds, column = tables.stacks.get(line.get("stack", 0), ((), None, "", 0))
    unit = _whole(line["unit"])
    known = tables.process.units[unit]
    started = _number_or_none(line.get("started"))
    parameters = line.get("parameters")
    transaction, connection = line.get("transaction"), line.get("connection")
    call = Call(
        sql=tables.texts[line["text"]],
        source=source,
        line=number,
        parameters=None if parameters is None else tuple(map(_string, parameters[:MOST_PARAMETERS])),
        rows=_whole(line["rows"]) if line.get("rows") is not None else None,
        seconds=_number_or_none(line.get("seconds")),
        started=started,
        many=max(_whole(line.get("many", 1)), 1),
        connection=f"{tables.name}-{connection}" if connection is not None else "",
        transaction=f"{tables.name}-{transaction}" if transaction is not None else "",
        unit=known.key,
        frames=frames,
        loop=loop,
        rounds=rounds,
        column=column,
        load=tables.loads.get(line.get("load", 0)),
        results=tuple(Result(_string(column), tuple(map(_string, values[:MOST_HASHES]))) for column, values in line.get("results", ())),
        driver=driver,
        database=database,
        error=_text(line.get("error")),
    )
    tables.latest = max(tables.latest, started or 0.0)
    tables.process.calls.append((tables.latest, unit, call))


_READERS = {
    "text": _read_text,
    "stack": _read_stack,
    "load": _read_load,
    "connection": _read_connection,
    "unit": _read_unit,
    "call": _read_call,
    "end": _read_end,
}


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number_or_none(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def units_of(processes: Iterable[Process]) -> list[Unit]:
    """Units with their calls. Numbers run through all processes of a capture; the order within a process is its own."""
    captures: dict[str, list[Process]] = {}
    for process in processes:
        captures.setdefault(process.capture, []).append(process)
    found: list[Unit] = []
    for together in captures.values():
        calls = [(time, place, order, unit) for place, process in enumerate(together) for order, (time, unit, _) in enumerate(process.calls)]
        calls.sort()
        units: dict[tuple[int, int], list[Call]] = {}
        for number, (_, place, order, unit) in enumerate(calls, 1):
            units.setdefault((place, unit), []).append(together[place].calls[order][2]._replace(number=number))
        found += [together[place].units[unit]._replace(calls=tuple(of_unit)) for (place, unit), of_unit in units.items()]
    return found

"""A capture file: JSON lines, described in docs/capture.md. In: finished statements. Out: one file per process and recording.

Lines are appended whole, a few at a time; a process that is killed loses at most the calls of its last moment. Texts, stacks,
loads, units and connections are written once, before the first call that names them.
"""

from __future__ import annotations

import datetime as dt
import decimal
import itertools
import json
import os
import sys
import threading
import time
import uuid
from typing import Any

from dbguard.capture import faults, recorder, results, texts
from dbguard.capture.frames import Stack
from dbguard.capture.hashes import Hasher

VERSION = 1
MOST_PARAMETERS = 1_000
MOST_CALLS = 32  # that wait to be written
MOST_SECONDS = 0.05  # that the first of them waits, if another call comes
MOST_ROWS_WAITING = 200  # in the result of a call that waits
_UNCHANGING: set[type] = {int, str, type(None), bool, float, bytes, uuid.UUID, decimal.Decimal, dt.datetime, dt.date}
_MOST_REMEMBERED = 20_000
_MOST_CHARACTERS = 50_000_000
_files = itertools.count(1)


class TextInfo:
    """What is remembered of a text: its number in the file, its placeholders, and which columns of its result are hashed."""

    __slots__ = ("choices", "names", "number")

    def __init__(self, number: int, names: tuple[str, ...]) -> None:
        self.number = number
        self.names = names
        self.choices: list[results.Choice] | None = None


class FileSink:
    """Writes finished statements. `path` is where this process writes; nothing is created before there is something to write."""

    def __init__(self, folder: str, capture: str, key: bytes, *, unit: recorder.Unit, root: str, with_values: bool = False, path: str = "") -> None:
        self.folder = folder
        self.capture = capture
        self.key = key
        self.unit = unit
        self.root = os.path.abspath(root)
        self.with_values = with_values
        self.asked_path = path
        self.sources = texts.Sources(self.root)
        self.hasher = Hasher(key)
        self._start(path)

    def _start(self, path: str) -> None:
        """Begin a file of its own: at first, and again in a child process that was forked."""
        self.path = path or os.path.join(self.folder, f"{self.capture}-{os.getpid()}-{next(_files)}.jsonl")
        self.calls = 0
        self._file = -1
        self._lock = threading.RLock()
        self._calls = itertools.count(1)
        self._numbers = itertools.count(1)
        self._texts: dict[str, TextInfo] = {}
        self._characters = 0
        self._stacks: dict[int, tuple[int, Stack]] = {}
        self._loads: dict[recorder.Load, int] = {}
        self._units: dict[int, tuple[int, recorder.Unit]] = {}
        self._links: set[int] = set()
        self._clock = time.time() - time.perf_counter()
        self._calls_waiting: list[tuple[recorder.Pending, recorder.Unit]] = []
        self._waiting: list[str] = []
        self._since = 0.0

    def after_fork(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        root, extension = os.path.splitext(self.asked_path)
        self._start(f"{root}-{os.getpid()}-{next(_files)}{extension}" if self.asked_path else "")

    def take(self, pending: recorder.Pending) -> None:
        """Keep a call until there are some to write, which is cheaper by half; at once if what it refers to may change before."""
        waiting = self._calls_waiting
        waiting.append((pending, pending.unit or self.unit))
        if (
            len(waiting) >= MOST_CALLS
            or pending.started - self._since > MOST_SECONDS
            or pending.sql not in self._texts
            or (pending.parameters is not None and not pending.many and not self._keeps(pending))
            or (pending.shown is not None and not self._keeps_rows(pending))
        ):
            self._since = pending.started
            self.flush()
        else:
            if pending.many:
                pending.parameters = None
            pending.raw = None
            if len(recorder.sinks) == 1:
                pending.context = None

    @staticmethod
    def _keeps(pending: recorder.Pending) -> bool:
        """Whether parameters will be the same later; a dict or list of its own is made of those that the host may change."""
        given = pending.parameters
        values: Any
        if type(given) is dict:
            values = given.values()
            pending.parameters = given.copy()
        elif type(given) is tuple:
            values = given
        elif type(given) is list:
            pending.parameters = values = tuple(given)
        else:
            return False
        return _UNCHANGING.issuperset(map(type, values))

    @staticmethod
    def _keeps_rows(pending: recorder.Pending) -> bool:
        """Whether rows will be there later, and are few."""
        driver, rows = pending.shown
        if driver == "psycopg":
            return bool(rows.ntuples <= MOST_ROWS_WAITING)
        if len(rows) > MOST_ROWS_WAITING:
            return False
        pending.shown = driver, tuple(rows)
        return True

    def _lines(self, pending: recorder.Pending, unit: recorder.Unit) -> None:
        """Put the line of a call, and those that it refers to, behind the others that are to be written."""
        info = self._texts.get(pending.sql) or self._text(pending)
        stack, link = pending.stack, pending.link
        known = self._stacks.get(id(stack))
        place = known[0] if known is not None else self._stack(stack)
        of_unit = self._units.get(id(unit))
        unit_number = of_unit[0] if of_unit is not None else self._unit(unit)
        if pending.connection not in self._links:
            self._link(pending.connection, link)
        line = (
            f'{{"line":"call","call":{next(self._calls)},"text":{info.number},"stack":{place},"unit":{unit_number},'
            f'"connection":{pending.connection},"started":{pending.started + self._clock:.6f}'
        )
        if pending.seconds is not None:
            line += f',"seconds":{pending.seconds:.6f}'
        if pending.transaction:
            line += f',"transaction":{pending.transaction}'
        if pending.load is not None:
            line += f',"load":{self._loads.get(pending.load) or self._load(pending.load)}'
        if pending.rows is not None and pending.rows >= 0:
            line += f',"rows":{pending.rows}'
        if pending.many:
            line += f',"many":{pending.many}'
        elif pending.parameters is not None:
            line += self._parameters(pending.parameters, info)
        if pending.error:
            line += f',"error":{json.dumps(pending.error)}'
        if pending.shown is not None:
            line += self._results(pending, info)
        self._waiting.append(line + "}\n")
        self.calls += 1

    def _parameters(self, parameters: Any, info: TextInfo) -> str:
        values: Any
        if isinstance(parameters, dict):
            values = [parameters.get(name) for name in info.names]
        elif isinstance(parameters, (list, tuple)):
            values = parameters
        else:
            return ""
        if len(values) > MOST_PARAMETERS:
            values = values[:MOST_PARAMETERS]
        known, of = self.hasher.known, self.hasher.of
        # A bool or a float may equal a number that is known; only numbers and text are looked up. Hashes need no escapes.
        hashes = [known.get(value) or of(value) if type(value) is int or type(value) is str else of(value) for value in values]
        line = ',"parameters":["' + '","'.join(hashes) + '"]' if hashes else ',"parameters":[]'
        if self.with_values:
            line += f',"values":{json.dumps(list(values), default=str)}'
        return line

    def _results(self, pending: recorder.Pending, info: TextInfo) -> str:
        if info.choices is None:
            info.choices = results.choose(results.columns_of(pending.shown), results.keys_of(pending.context))
        found = results.hashed(pending.shown, info.choices, self.hasher)
        return ',"results":[' + ",".join([f'[{name},["' + '","'.join(hashes) + '"]]' for name, hashes in found]) + "]" if found else ""

    def _text(self, pending: recorder.Pending) -> TextInfo:
        if len(self._texts) >= _MOST_REMEMBERED or self._characters > _MOST_CHARACTERS:
            self._texts, self._characters = {}, 0
        sql = pending.sql
        info = TextInfo(next(self._numbers), texts.names_in_order(sql))
        shown = sql if self.with_values else self.sources.masked(sql[: texts.MOST_CHARACTERS], self.hasher.of_text)
        self._define("text", info.number, sql=shown[: texts.MOST_CHARACTERS], **({"cut": True} if len(sql) > texts.MOST_CHARACTERS else {}))
        self._texts[sql] = info
        self._characters += len(sql)
        return info

    def _stack(self, stack: Stack) -> int:
        if len(self._stacks) >= _MOST_REMEMBERED:
            self._stacks = {}
        number = next(self._numbers)
        places = [[self._relative(path), line, function] for path, line, function in stack.frames]
        more: dict[str, Any] = {} if stack.loop is None else {"loop": stack.loop, "rounds": stack.rounds} if stack.rounds else {"loop": stack.loop}
        if stack.column:
            more["column"] = stack.column
        self._define("stack", number, frames=places, **more)
        self._stacks[id(stack)] = number, stack
        return number

    def _load(self, load: recorder.Load) -> int:
        number = self._loads[load] = next(self._numbers)
        event, owner, relationship, many, orm = load[:5]
        more: dict[str, Any] = dict(load[5]) if len(load) > 5 else {}
        if "built" in more:
            path, line, function = more["built"]
            more["built"] = [self._relative(path), line, function]
        self._define("load", number, event=event, owner=owner, relationship=relationship, many=many, orm=orm, **more)
        return number

    def _unit(self, unit: recorder.Unit) -> int:
        if len(self._units) >= _MOST_REMEMBERED:
            self._units = {}
        number = next(self._numbers)
        name = unit.name if isinstance(unit.name, str) else unit.name()
        self._define("unit", number, name=name, kind=unit.kind, **({"phase": unit.phase} if unit.phase else {}))
        self._units[id(unit)] = number, unit
        return number

    def _link(self, number: int, link: recorder.Link) -> None:
        self._define("connection", number, driver=link.driver, **({"database": link.database} if link.database else {}))
        self._links.add(number)

    def _define(self, what: str, number: int, **fields: Any) -> None:
        self._waiting.append(json.dumps({"line": what, what: number, **fields}, separators=(",", ":")) + "\n")

    def _relative(self, path: str) -> str:
        inside = path.startswith(self.root + os.sep)
        return (path[len(self.root) + 1 :] if inside else path).replace(os.sep, "/")

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            calls, self._calls_waiting = self._calls_waiting, []
            for pending, unit in calls:
                try:
                    self._lines(pending, unit)
                except Exception as error:  # noqa: BLE001 - one call is lost, not the others
                    faults.note("file", error)
            self._send()

    def _send(self) -> None:
        lines, self._waiting = self._waiting, []
        if not lines:
            return
        if self._file < 0:
            self._open()
        data = "".join(lines).encode("ascii", "backslashreplace")  # JSON is ASCII as it is written here
        written = os.write(self._file, data)
        while written < len(data):  # a full disk or a signal: the rest, or an error that is counted
            written += os.write(self._file, data[written:])

    def _open(self) -> None:
        _make_folder(os.path.dirname(os.path.abspath(self.path)))
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0), 0o600)
        header = {
            "line": "header",
            "dbguard": "capture",
            "version": VERSION,
            "capture": self.capture,
            "process": os.getpid(),
            "started": round(time.time(), 6),
            "root": self.root,
            "language": "python " + ".".join(map(str, sys.version_info[:3])),
            "libraries": _versions(),
            "values": self.with_values,
        }
        os.write(file, (json.dumps(header, separators=(",", ":")) + "\n").encode("utf-8", "backslashreplace"))
        self._file = file

    def close(self, errors: dict[str, int]) -> None:
        """Write the last line, which says that nothing is missing, or what."""
        try:
            self.flush()
            if self._file >= 0 or errors:
                self._waiting.append(json.dumps({"line": "end", "calls": self.calls, "errors": errors}, separators=(",", ":")) + "\n")
                self._send()
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
        except OSError as error:
            faults.note("file", error)


def _make_folder(folder: str) -> None:
    """A folder for captures; the usual one is kept out of git when it is made."""
    if os.path.isdir(folder):
        return
    os.makedirs(folder, exist_ok=True)
    if os.path.basename(folder) == ".dbguard":
        with open(os.path.join(folder, ".gitignore"), "w", encoding="ascii") as file:
            file.write("*\n")


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("sqlalchemy", "django", "psycopg", "asyncpg"):
        version = getattr(sys.modules.get(name), "__version__", None)
        if name in sys.modules:
            found[name] = version if isinstance(version, str) else ""
    return found

"""Sources to a `Workload`: opens each, recognises its format, and hands its text to the reader of that format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO, Protocol

from dbguard.errors import UnreadableSource
from dbguard.model.calls import Total, Unit
from dbguard.workload import detect
from dbguard.workload.capture_file import Process, read_lines, units_of
from dbguard.workload.csvlog import CsvReader
from dbguard.workload.debug_logs import DebugReader, looks_like_debug
from dbguard.workload.hiding import Hiding
from dbguard.workload.jsonlog import JsonReader
from dbguard.workload.open_file import Chunks, open_source
from dbguard.workload.otlp import OtlpReader
from dbguard.workload.sessions import Sessions
from dbguard.workload.statements import StatementsReader
from dbguard.workload.stderr_log import StderrReader, guess, of_setting, texts
from dbguard.workload.units import Cutter
from dbguard.workload.wrapped import is_decorated, undecorated, unwrapped

NOT_KNOWN = ("it is empty", "its format is not known")
YOUNG = 20_000  # objects that are made before garbage is looked for


class Reader(Protocol):
    def feed(self, text: str) -> None: ...

    def close(self) -> None: ...


class Workload:
    """`units` can be read once; `totals`, `notes` and `skipped` are complete afterwards.

    `notes` say what about a source was not as expected; `skipped` counts what could not be used, by reason; `unread` names the
    sources that gave nothing, with the reason.
    """

    def __init__(self, paths: Iterable[str], stdin: BinaryIO | None, log_line_prefix: str) -> None:
        self.totals: list[Total] = []
        self.notes: list[str] = []
        self.skipped: Counter[str] = Counter()
        self.unread: list[tuple[str, str]] = []
        self.formats: dict[str, str] = {}
        self._prefix = log_line_prefix
        self._cutter = Cutter()
        self._processes: list[Process] = []
        self._hiding = Hiding()
        self._sessions = Sessions(self._hiding, self._cutter, self.skipped)
        self.units: Iterator[Unit] = _rarely_collected(self._units(paths, stdin))

    def _units(self, paths: Iterable[str], stdin: BinaryIO | None) -> Iterator[Unit]:
        for path in paths:
            try:
                chunks, stream = open_source(path, stdin)
            except UnreadableSource as error:
                self.unread.append((path, str(error)))
                continue
            try:
                yield from self._source(chunks)
            finally:
                if stream is not None:
                    stream.close()
        self._sessions.close()
        self._cutter.close()
        yield from self._cutter.taken()
        yield from units_of(self._processes)

    def _source(self, chunks: Chunks) -> Iterator[Unit]:
        before = self.skipped.copy()
        text = texts(chunks)
        sample = _sample(text)
        if detect.format_of(sample) == "docker":
            text = unwrapped(chain((sample,), text), self.skipped)
            sample = _sample(text)
        elif is_decorated(sample):
            text = undecorated(chain((sample,), text))
            sample = _sample(text)
        if detect.format_of(sample) == "capture":
            self._capture(chunks.name, chain((sample,), text))
            return
        reader = self._reader(chunks.name, sample)
        if reader is not None:
            reader.feed(sample)
            sample = ""
            for portion in text:
                yield from self._cutter.taken()
                reader.feed(portion)
            reader.close()
            yield from self._cutter.taken()
        if chunks.trouble:
            if reader is None:
                self.unread.append((chunks.name, chunks.trouble))
            else:
                self.notes.append(f"{chunks.name}: {chunks.trouble}; what came before was read")
        elif reader is None:
            self.unread.append((chunks.name, NOT_KNOWN[bool(sample.strip())]))
        self.notes += [f"{chunks.name}: skipped {count} {reason}" for reason, count in sorted((self.skipped - before).items())]

    def _capture(self, name: str, text: Iterator[str]) -> None:
        """Captures are put in order when all of their processes are known."""
        processes, notes = read_lines(_lines(text), name)
        self.formats[name] = "capture"
        self._processes += processes
        self.notes += notes

    def _reader(self, name: str, sample: str) -> Reader | None:
        found = detect.format_of(sample) if not self._prefix else detect.format_of(sample) or "stderr"
        self.formats[name] = found
        if found == "csvlog":
            return CsvReader(name, self._sessions, self.skipped)
        if found == "jsonlog":
            return JsonReader(name, self._sessions, self.skipped)
        if found == "stderr":
            prefix = of_setting(self._prefix) if self._prefix else guess(sample)
            if prefix is not None:
                if prefix.text == "any":
                    self.notes.append(f"{name}: the lines begin in several ways: give the server's log_line_prefix")
                others = DebugReader(name, self._hiding, self._cutter, self.skipped) if looks_like_debug(sample) else None
                return StderrReader(prefix, name, self._sessions, self.skipped, others)
        if found in {"statements-csv", "statements-json"}:
            return StatementsReader(name, self._hiding, self.skipped, self.totals.append, as_json=found == "statements-json")
        if found == "otlp":
            return OtlpReader(name, self._hiding, self.skipped, self._cutter.ready)
        if found == "debug":
            return DebugReader(name, self._hiding, self._cutter, self.skipped)
        return None


def _rarely_collected(units: Iterator[Unit]) -> Iterator[Unit]:
    """The same units, while garbage is looked for less often: calls are many, and none of them is part of a cycle."""
    import gc

    before = gc.get_threshold()
    if before[0]:
        gc.set_threshold(max(before[0], YOUNG), *before[1:])
    try:
        yield from units
    finally:
        gc.set_threshold(*before)


def _lines(text: Iterator[str]) -> Iterator[bytes]:
    rest = ""
    for portion in text:
        *whole, rest = (rest + portion).split("\n")
        yield from (line.encode("utf-8", "surrogatepass") for line in whole)
    if rest:
        yield rest.encode("utf-8", "surrogatepass")


def _sample(text: Iterator[str]) -> str:
    """As much of the beginning as is needed to tell what it is."""
    sample = ""
    for portion in text:
        sample += portion
        if len(sample) >= detect.SAMPLE:
            break
    return sample


def read_workload(paths: Iterable[str], stdin: BinaryIO | None = None, *, log_line_prefix: str = "") -> Workload:
    """The workload of these sources; "-" is `stdin`. Nothing is opened before `units` is iterated over."""
    return Workload(paths, stdin, log_line_prefix)

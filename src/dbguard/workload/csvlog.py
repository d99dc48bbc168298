"""PostgreSQL's csvlog: text in, messages to `Sessions`. 23 columns in 13, then backend_type, leader_pid and query_id.

Records are found by how they begin, so that one that was cut off does not swallow those after it.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator

from dbguard.workload.clock import seconds_of
from dbguard.workload.sessions import FAILED, About, Sessions

MOST_ENTRY = 16 << 20
BEGINNING = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^\s,\"]{1,12},"
_NEXT = re.compile(rf"\n(?={BEGINNING})")
_COLUMNS = range(23, 40)
_QUIET = re.compile(r"duration: [\d.]+ ms  (?:parse|bind) ")


class CsvReader:
    def __init__(self, source: str, sessions: Sessions, skipped: Counter[str]) -> None:
        self._sessions = sessions
        self._skipped = skipped
        self._about = About(source)
        self._rest = ""
        self._line = 1

    def feed(self, text: str) -> None:
        pieces = _NEXT.split(self._rest + text)
        self._rest = pieces.pop()
        self._take(pieces)
        if len(self._rest) > MOST_ENTRY:
            self._skipped["entries longer than 16 MB"] += 1
            self._rest = ""

    def close(self) -> None:
        rest, self._rest = self._rest, ""
        self._take([rest])

    def _take(self, pieces: list[str]) -> None:
        limit = csv.field_size_limit(MOST_ENTRY + 1)
        try:
            rows = self._rows(pieces)
            for piece in pieces:
                if piece.count('"') % 2:
                    self._lost(piece, "records of the csvlog that are cut off")
                else:
                    self._record(piece, next(rows, None))
                self._line += piece.count("\n") + 1
        finally:
            csv.field_size_limit(limit)

    @staticmethod
    def _rows(pieces: list[str]) -> Iterator[list[str]]:
        """The rows of all pieces that are no torn ones, one for each; of none if they cannot be read together."""
        whole = [piece for piece in pieces if piece.count('"') % 2 == 0]
        try:
            rows = list(csv.reader(whole))
        except csv.Error:
            return iter(())
        return iter(rows if len(rows) == len(whole) else ())

    def _record(self, piece: str, row: list[str] | None) -> None:
        if row is None:
            try:
                row, *others = list(csv.reader(piece.splitlines(keepends=True))) or [[]]
            except csv.Error:
                row, others = [], []
            if any(others) and len(row) in _COLUMNS:
                self._skipped["lines that are no entry of the log"] += sum(1 for other in others if other)
        if len(row) not in _COLUMNS:
            self._lost(piece, "lines that are no entry of the log")
            return
        if _QUIET.match(row[13]) is None:
            self._tell(row)

    def _tell(self, row: list[str]) -> None:
        about, message = self._about, self._sessions.message
        level, text = row[11], row[13]
        about.line = self._line
        about.stamp = seconds_of(row[0])
        about.database, about.session, about.virtual, about.state = row[2], row[5] or row[3], row[9], row[12]
        about.application = row[22]
        message(level, text, about)
        if row[14]:
            message("DETAIL", row[14], about)
        if row[18]:
            message("CONTEXT", row[18], about)
        if row[19] and level in FAILED:
            message("STATEMENT", row[19], about)

    def _lost(self, piece: str, why: str) -> None:
        if piece.strip():
            self._skipped[why] += 1

"""PostgreSQL's csvlog: text in, messages to `Sessions`. 23 columns in 13, then backend_type, leader_pid and query_id.

Records are found by how they begin, so that one that was cut off does not swallow those after it. Those that are as the server writes
them (write_csvlog in csvlog.c) are taken apart by one pattern, all others by the csv module.
"""

from __future__ import annotations

import csv
import re
from collections import Counter

from dbguard.workload.clock import seconds_of
from dbguard.workload.sessions import DURATION, FAILED, UNCOUNTED, About, Sessions

MOST_ENTRY = 16 << 20
BEGINNING = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^\s,\"]{1,12},"
_NEXT = re.compile(rf"\n(?={BEGINNING})")
_COLUMNS = range(23, 40)
_QUIET = re.compile(r"duration: [\d.]+ ms  (?:parse|bind) ")
_PLAIN = r"[^\",\n]*+,"
_TEXT = r'(?:"[^"]*+(?:""[^"]*+)*+")?+,'  # quoted, or nothing for NULL
_KEPT = r'(?:"([^"]*+(?:""[^"]*+)*+)")?+,'
_NUMBER = r"([^\",\n]*+),"
# time, user, database, pid, host, session, line, command tag, start of the session, vxid, xid, level, state, message, detail, hint,
# internal query, its position, context, query, its position, location, application, type of the process, leader, query id
_RECORD = re.compile(
    rf"{_NUMBER}{_TEXT}{_KEPT}{_NUMBER}{_TEXT}{_NUMBER}{_PLAIN}{_TEXT}{_PLAIN}{_NUMBER}{_PLAIN}{_NUMBER}{_NUMBER}"
    rf'(?:"(?:{DURATION})?([^"]*+(?:""[^"]*+)*+)")?+,'
    rf"{_KEPT}{_TEXT}{_TEXT}{_PLAIN}{_KEPT}{_KEPT}{_PLAIN}{_TEXT}"
    r'(?:"([^"]*+(?:""[^"]*+)*+)")?+(?:,(?:"[^"]*+"|[^",\n]*+)){0,17}'
)


class CsvReader:
    def __init__(self, source: str, sessions: Sessions, skipped: Counter[str]) -> None:
        self._sessions = sessions
        self._skipped = skipped
        self._source = source
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
        source, executed, as_written, line = self._source, self._sessions.executed, _RECORD.fullmatch, self._line
        for piece in pieces:
            record = as_written(piece)
            if record is None:
                self._line = line
                self._other(piece)
            else:
                stamp, database, pid, session, virtual, level, state, milliseconds, step, body, detail, context, query, application = record.groups()
                if step in UNCOUNTED:
                    line += piece.count("\n") + 1
                    continue
                texts = [text.replace('""', '"') if text else "" for text in (database, body, detail, context, query, application)]
                if step and not context and level == "LOG":
                    told = session or pid, source, line, seconds_of(stamp), texts[0], texts[5], virtual
                    executed(texts[1], float(milliseconds) / 1000, told, extended=step == "execute", detail=texts[2])
                else:
                    if milliseconds:
                        texts[1] = f"duration: {milliseconds} ms{f'  {step}: ' if step else ''}{texts[1]}"
                    self._line = line
                    self._tell((stamp, session or pid, virtual, level, state), texts)
            line += piece.count("\n") + 1
        self._line = line

    def _other(self, piece: str) -> None:
        """A record that is not quite as the server writes it, or none."""
        if piece.count('"') % 2:
            self._lost(piece, "records of the csvlog that are cut off")
            return
        limit = csv.field_size_limit(MOST_ENTRY + 1)
        try:
            row, *others = _rows([piece]) or _rows(piece.splitlines(keepends=True)) or [[]]
        finally:
            csv.field_size_limit(limit)
        if any(others) and len(row) in _COLUMNS:
            self._skipped["lines that are no entry of the log"] += sum(1 for other in others if other)
        if len(row) not in _COLUMNS:
            self._lost(piece, "lines that are no entry of the log")
        elif _QUIET.match(row[13]) is None:
            self._tell((row[0], row[5] or row[3], row[9], row[11], row[12]), [row[at] for at in (2, 13, 14, 18, 19, 22)])

    def _tell(self, place: tuple[str, str, str, str, str], texts: list[str]) -> None:
        about, message = self._about, self._sessions.message
        database, text, detail, context, query, application = texts
        stamp, about.session, about.virtual, level, about.state = place
        about.line = self._line
        about.stamp = seconds_of(stamp)
        about.database, about.application = database, application
        message(level, text, about)
        if detail:
            message("DETAIL", detail, about)
        if context:
            message("CONTEXT", context, about)
        if query and level in FAILED:
            message("STATEMENT", query, about)

    def _lost(self, piece: str, why: str) -> None:
        if piece.strip():
            self._skipped[why] += 1


def _rows(lines: list[str]) -> list[list[str]]:
    """The rows of what one record may be, none if they are not one a line."""
    try:
        return list(csv.reader(lines))
    except csv.Error:
        return []

"""PostgreSQL's jsonlog (from 15 on): text in, messages to `Sessions`. One JSON object a line."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from dbguard.workload.clock import seconds_of
from dbguard.workload.sessions import DURATION, FAILED, UNCOUNTED, About, Sessions

MOST_ENTRY = 16 << 20
# A quote inside of a value has a backslash before it, so that this is found as a key alone.
_IS_UNCOUNTED = re.compile(r'"message":\s?"duration: [\d.]+ ms  (?:parse|bind) ')
_EXECUTED = re.compile(rf"{DURATION}(.*)", re.DOTALL)
_scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # what raw_decode calls


class JsonReader:
    def __init__(self, source: str, sessions: Sessions, skipped: Counter[str]) -> None:
        self._sessions = sessions
        self._skipped = skipped
        self._source = source
        self._about = About(source)
        self._rest = ""
        self._line = 0

    def feed(self, text: str) -> None:
        lines = (self._rest + text).split("\n")
        self._rest = lines.pop()
        for line in lines:
            self._take(line)
        if len(self._rest) > MOST_ENTRY:
            self._skipped["entries longer than 16 MB"] += 1
            self._rest = ""

    def close(self) -> None:
        rest, self._rest = self._rest, ""
        self._take(rest)

    def _take(self, line: str) -> None:
        self._line += 1
        if not line or (line[-1] == "}" and _IS_UNCOUNTED.search(line) is not None):
            return
        try:
            entry, end = _scan(line, 0)
        except (StopIteration, ValueError, RecursionError):
            entry, end = None, 0
        if end != len(line):
            entry = self._other(line)
            if entry is None:
                return
        if not isinstance(entry, dict) or not isinstance(entry.get("error_severity"), str):
            self._skipped["lines that are no entry of the log"] += 1
            return
        self._tell(entry)

    def _other(self, line: str) -> Any:
        """The value of a line that does not begin or end with it."""
        if line.strip():
            try:
                return json.loads(line)
            except (ValueError, RecursionError):
                self._skipped["lines that are no whole JSON"] += 1
        return None

    def _tell(self, entry: dict[str, Any]) -> None:
        get = entry.get
        level, text, context = entry["error_severity"], _text(get("message")), get("context")
        stamp, database, virtual = seconds_of(_text(get("timestamp"))), _text(get("dbname")), _text(get("vxid"))
        session, application = _text(get("session_id")) or _text(get("pid")), _text(get("application_name"))
        if level == "LOG" and not context and text.startswith("duration: "):
            executed = _EXECUTED.match(text)
            if executed is not None and executed[2] and executed[2] not in UNCOUNTED:
                milliseconds, step, sql = executed.groups()
                told = session, self._source, self._line, stamp, database, application, virtual
                extended = step == "execute"
                self._sessions.executed(sql, float(milliseconds) / 1000, told, extended=extended, detail=_text(get("detail")))
                return
        about, message = self._about, self._sessions.message
        about.line, about.stamp, about.database, about.session = self._line, stamp, database, session
        about.virtual, about.state, about.application = virtual, _text(get("state_code")), application
        message(level, text, about)
        detail, statement = get("detail"), get("statement")
        if detail:
            message("DETAIL", _text(detail), about)
        if context:
            message("CONTEXT", _text(context), about)
        if statement and level in FAILED:
            message("STATEMENT", _text(statement), about)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)

"""PostgreSQL's jsonlog (from 15 on): text in, messages to `Sessions`. One JSON object a line."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from dbguard.workload.clock import seconds_of
from dbguard.workload.sessions import FAILED, About, Sessions

MOST_ENTRY = 16 << 20


class JsonReader:
    def __init__(self, source: str, sessions: Sessions, skipped: Counter[str]) -> None:
        self._sessions = sessions
        self._skipped = skipped
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
        if not line.strip():
            return
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            self._skipped["lines that are no whole JSON"] += 1
            return
        if not isinstance(entry, dict) or not isinstance(entry.get("error_severity"), str):
            self._skipped["lines that are no entry of the log"] += 1
            return
        self._tell(entry)

    def _tell(self, entry: dict[str, Any]) -> None:
        about, message, get = self._about, self._sessions.message, entry.get
        level = entry["error_severity"]
        about.line = self._line
        about.stamp = seconds_of(_text(get("timestamp")))
        about.database, about.session = _text(get("dbname")), _text(get("session_id")) or _text(get("pid"))
        about.virtual, about.state, about.application = _text(get("vxid")), _text(get("state_code")), _text(get("application_name"))
        message(level, _text(get("message")), about)
        detail, context, statement = get("detail"), get("context"), get("statement")
        if detail:
            message("DETAIL", _text(detail), about)
        if context:
            message("CONTEXT", _text(context), about)
        if statement and level in FAILED:
            message("STATEMENT", _text(statement), about)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)

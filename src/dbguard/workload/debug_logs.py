"""What Django and SQLAlchemy print about statements when asked: text in, calls to a `Cutter`.

Django's `django.db.backends` at DEBUG: `(0.001) SELECT ...; args=(5,); alias=default`. SQLAlchemy's echo: the statement, then
`[generated in 0.0001s] (5,)`. Lines of the development server end a request. Everything else in such a log belongs to others.
"""

from __future__ import annotations

import re
from collections import Counter

from dbguard.model.calls import Call
from dbguard.workload.clock import seconds_of
from dbguard.workload.hiding import Hiding, Tags
from dbguard.workload.placeholders import numbered
from dbguard.workload.python_values import Written, read_values
from dbguard.workload.units import Cutter

MOST_ENTRY = 16 << 20
_METHOD = r"\"(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) "
_DJANGO = re.compile(r"[^\n]{0,300}?\((\d+\.\d{3})\) (?:(\d+) times: )?(?=[A-Za-z(/\-\s])")
_ECHO = re.compile(r"([^\n]{0,200}?)\bsqlalchemy\.engine[\w.:]*\]?:?[ \t]+")
_START = re.compile(
    rf"^(?={_DJANGO.pattern}"
    rf"|{_ECHO.pattern.replace('([^', '(?:[^', 1)}|[^\n]{{0,200}}?{_METHOD}|\[?\d{{4}}-\d\d-\d\d[ T]|(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\b)",
    re.MULTILINE,
)
_SURE = re.compile(rf"^(?:[^\n]{{0,300}}?\(\d+\.\d{{3}}\) [^\n]*(?:\n[^\n]*){{0,60}}?; args=|{_ECHO.pattern})", re.MULTILINE)
_REQUEST = re.compile(rf"{_METHOD[:-1]} (\S+)")
_ALIAS = re.compile(r"; alias=([\w.-]+)\s*\Z")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?")
_PARAMETERS = re.compile(r"\[(?:generated in|cached since|raw sql|no key|caching disabled|dialect )[^\]]*(?:\([^)]*\)[^\]]*)?\] ?")
_TOKEN = re.compile(r"\[([\w.-]{1,40})\] ")
_CONTROL = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SAVEPOINT \S+|RELEASE SAVEPOINT \S+|ROLLBACK TO SAVEPOINT \S+)(?: \([^)]*\)| using [^\n]*)?\s*\Z")
_SETS = re.compile(r"displaying \d+ of (\d+) total bound parameter sets")
_VALUE = re.compile(r"[^/]*\d[^/]*|[^/]{25,}")


def looks_like_debug(sample: str) -> bool:
    """Whether statements of Django or SQLAlchemy are in it."""
    return ("; args=" in sample or "sqlalchemy.engine" in sample) and _SURE.search(sample) is not None


class Echoed:
    """A statement of SQLAlchemy that waits for the line with its parameters."""

    __slots__ = ("line", "rows", "session", "stamp", "text", "values")

    def __init__(self, text: str, session: str, stamp: float | None, line: int) -> None:
        self.text = text
        self.session = session
        self.stamp = stamp
        self.line = line
        self.values: Written | None = None
        self.rows: int | None = None


class DebugReader:
    def __init__(self, source: str, hiding: Hiding, cutter: Cutter, skipped: Counter[str]) -> None:
        self._source = source
        self._hiding = hiding
        self._cutter = cutter
        self._skipped = skipped
        self._rest = ""
        self._line = 1
        self._echoed: Echoed | None = None
        self._in_transaction: set[str] = set()
        self._sessions: set[str] = set()
        self._stamp: float | None = None

    def feed(self, text: str) -> None:
        pieces = _START.split(self._rest + text)
        self._rest = pieces.pop()
        for piece in pieces:
            self._take(piece)
        if len(self._rest) > MOST_ENTRY:
            self._skipped["entries longer than 16 MB"] += 1
            self._rest = ""

    def take_lines(self, text: str, line: int) -> None:
        """Whole entries that stand among others, from about that line on."""
        self._line = line
        for piece in _START.split(text):
            self._take(piece)

    def close(self) -> None:
        rest, self._rest = self._rest, ""
        self._take(rest)
        self._finish()

    def _take(self, piece: str) -> None:
        if not piece:
            return
        line, self._line = self._line, self._line + piece.count("\n")
        stamp = _STAMP.search(piece, 0, 80)
        if stamp is not None:
            self._stamp = seconds_of(stamp[0])
        echo = _ECHO.match(piece)
        if echo is not None:
            self._echo(piece[echo.end() :], line)
            return
        django = _DJANGO.match(piece)
        if django is not None and "; args=" in piece:
            self._django(django, piece[django.end() :].rstrip("\n"), line)
            return
        request = _REQUEST.search(piece, 0, 1_000)
        if request is not None:
            self._finish()
            name = f"{request[0].split(' ', 1)[0][1:]} {_without_values(request[1])}"
            for session in sorted(self._sessions):
                self._cutter.end(session, name, "request")
            self._sessions.clear()

    def _django(self, head: re.Match[str], text: str, line: int) -> None:
        alias = _ALIAS.search(text)
        if alias is not None:
            text = text[: alias.start()]
        at = text.find("; args=")
        values: Written | None = None
        while at >= 0:
            values = read_values(text[at + 7 :], self._hiding.value)
            if values is not None:
                break
            at = text.find("; args=", at + 7)
        if values is None:
            at = text.find("; args=")
            self._skipped["parameters that cannot be read"] += 1
        database = alias[1] if alias is not None else "default"
        seconds = float(head[1])
        started = None if self._stamp is None else self._stamp - seconds
        many = int(head[2]) if head[2] else 0
        self._add(text[:at], values, database, line, seconds=seconds, started=started, driver="django", many=many)

    def _echo(self, body: str, line: int) -> None:
        session = "sqlalchemy"
        token = _TOKEN.match(body)
        if token is not None and _PARAMETERS.match(body) is None:
            session, body = token[1], body[token.end() :]
        given = _PARAMETERS.match(body)
        if given is not None:
            if self._echoed is not None:
                self._echoed.values = _read_echoed(body[given.end() :].strip(), self._hiding)
            return
        if body.startswith(("Col (", "Row (")):
            if self._echoed is not None:
                self._echoed.rows = (self._echoed.rows or 0) + (body[0] == "R")
            return
        control = _CONTROL.match(body)
        text = control[1] if control is not None else body.strip()
        known = self._echoed
        if control is None and known is not None and known.values is None and known.text == text and known.stamp == self._stamp:
            return  # two handlers write the same line
        self._finish()
        if control is None:
            self._echoed = Echoed(text, session, self._stamp, line)
        elif (text == "BEGIN") != (session in self._in_transaction):
            (self._in_transaction.add if text == "BEGIN" else self._in_transaction.discard)(session)
            self._add(text, Written((), 1), session, line, seconds=None, started=self._stamp, driver="sqlalchemy")

    def _finish(self) -> None:
        known, self._echoed = self._echoed, None
        if known is not None and known.text:
            self._add(known.text, known.values, known.session, known.line, seconds=None, started=known.stamp, driver="sqlalchemy", rows=known.rows)

    def _add(
        self,
        text: str,
        values: Written | None,
        session: str,
        line: int,
        *,
        seconds: float | None,
        started: float | None,
        driver: str,
        many: int = 0,
        rows: int | None = None,
    ) -> None:
        text, names = numbered(text)
        sql, literals, tags = self._hiding.statement(text)
        if not sql.strip():
            return
        parameters = _in_order(values, names, literals, interpolated=driver == "django")
        found: Tags = tags
        database = session if driver == "django" else ""
        times = many or (values.many if values is not None else 1)
        self._sessions.add(session)
        self._cutter.add(
            session,
            Call(
                sql, source=self._source, line=line, parameters=parameters, rows=rows, seconds=seconds, started=started, many=max(1, times),
                connection=session, driver=driver, database=database, tags=found,
            ),
        )  # fmt: skip


def _in_order(values: Written | None, names: list[str], literals: tuple[str, ...], *, interpolated: bool) -> tuple[str, ...] | None:
    """Parameters in the order of their placeholders. Django shows most texts with the values already in them."""
    if values is None:
        return None if names or not interpolated else literals
    if values.many > 1:
        return None
    if not names:
        return literals if interpolated or not values.hashes else (*values.hashes, *literals)
    if values.names:
        known = dict(zip(values.names, values.hashes, strict=True))
        return (*(known.get(name, "?") for name in names), *literals)
    return (*values.hashes, *literals)


def _read_echoed(text: str, hiding: Hiding) -> Written | None:
    sets = _SETS.search(text)
    if sets is not None:
        return Written((), int(sets[1]))
    return read_values(text, hiding.value)


def _without_values(path: str) -> str:
    return _VALUE.sub("{}", path.split("?", 1)[0])

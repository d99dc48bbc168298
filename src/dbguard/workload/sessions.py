"""Messages of a PostgreSQL log to calls, whatever format carried them.

In: messages in the order of the log, each with the session that wrote it. Out: calls, to a `Cutter`. The extended protocol writes
up to three durations for one execution (parse, bind, execute): only execute counts. `log_statement` writes text and duration apart.
"""

from __future__ import annotations

import re
from collections import Counter

from dbguard.model.calls import Call
from dbguard.model.record import Record
from dbguard.workload.auto_explain import Plan, read_plan
from dbguard.workload.hiding import Hiding
from dbguard.workload.units import Cutter

LEVELS = "LOG|ERROR|FATAL|PANIC|STATEMENT|DETAIL|HINT|CONTEXT|QUERY|LOCATION|BACKTRACE|WARNING|NOTICE|INFO|DEBUG[1-5]?"
FAILED = frozenset({"ERROR", "FATAL", "PANIC"})
# What a message about a statement that was executed begins with: groups for the milliseconds and for which step that was.
DURATION = r"duration: (\d++(?:\.\d++)?) ms(?:  (statement|execute(?! fetch from )|parse|bind)(?: [^:\n\"]*+)?: )?"
UNCOUNTED = frozenset({"parse", "bind"})  # steps of the extended protocol before execute
_SECONDARY = frozenset({"STATEMENT", "DETAIL", "HINT", "CONTEXT", "QUERY", "LOCATION", "BACKTRACE"})
_PREPARED = re.compile(
    r"prepare: PREPARE\s+(?:\"(?:[^\"]|\"\")*\"|\w+)\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?\s+AS\s+(.*)", re.DOTALL | re.IGNORECASE
)
_NEW = tuple.__new__  # of a `Call` with all its fields, at a third of the cost
_OF_CODE = tuple(Call._field_defaults[name] for name in Call._fields[Call._fields.index("unit") + 1 : Call._fields.index("driver")])
MOST_SESSIONS = 100_000

# Conditions by the beginning or middle of the server's English message, for logs whose prefix has no %e.
_STATES = (
    ("duplicate key value violates unique constraint", "23505"),
    ("violates foreign key constraint", "23503"),
    ("violates not-null constraint", "23502"),
    ("violates check constraint", "23514"),
    ("violates exclusion constraint", "23P01"),
    ("deadlock detected", "40P01"),
    ("could not serialize access", "40001"),
    ("canceling statement due to lock timeout", "55P03"),
    ("could not obtain lock", "55P03"),
    ("canceling statement", "57014"),
    ("terminating connection", "57P01"),
    ("current transaction is aborted", "25P02"),
    ("cannot execute", "25006"),
    ("syntax error", "42601"),
    ("permission denied", "42501"),
    ("division by zero", "22012"),
    ("invalid input syntax", "22P02"),
    ("value too long", "22001"),
    ("out of range", "22003"),
)
_MISSING = (("relation ", "42P01"), ("column ", "42703"), ("function ", "42883"), ("operator ", "42883"), ("type ", "42704"), ("schema ", "3F000"))


# Session, source, line, stamp, database, application, virtual transaction.
Told = tuple[str, str, int, float | None, str, str, str]


class About:
    """What a log line says about itself besides its message."""

    __slots__ = ("application", "database", "line", "session", "source", "stamp", "state", "virtual")

    def __init__(self, source: str) -> None:
        self.source = source
        self.line = 0
        self.session = ""
        self.stamp: float | None = None
        self.database = ""
        self.application = ""
        self.virtual = ""
        self.state = ""


class Pending:
    """A call whose parameters, duration or error may still follow in its session's next lines."""

    __slots__ = ("about", "error", "extended", "parameters", "planned", "rows", "seconds", "sql")

    def __init__(self, sql: str, seconds: float | None, about: Told, *, extended: bool) -> None:
        self.sql = sql
        self.seconds = seconds
        self.about = about
        self.extended = extended
        self.parameters: tuple[str, ...] | None = None
        self.rows: int | None = None
        self.error = ""
        self.planned = False


class Shown(Record):
    """A plan that waits for the line about its statement."""

    plan: Plan
    seconds: float
    about: Told


class Session:
    __slots__ = ("last", "pending", "plan")

    def __init__(self) -> None:
        self.pending: Pending | None = None
        self.plan: Shown | None = None
        self.last = ""  # what the message was that secondary lines belong to: call, plan, error, other


class Sessions:
    """The sessions of a log. `message` takes every primary and secondary line."""

    def __init__(self, hiding: Hiding, cutter: Cutter, skipped: Counter[str], driver: str = "log") -> None:
        self._hiding = hiding
        self._cutter = cutter
        self._skipped = skipped
        self._driver = driver
        self._sessions: dict[str, Session] = {}
        self._told = False  # whether statements have lines of their own, besides their plans

    def message(self, level: str, text: str, about: About) -> None:
        session = self._sessions.get(about.session) or self._new(about.session)
        if level == "LOG":
            if text.startswith("duration: "):
                self._duration(session, text, about)
            elif text.startswith(("statement: ", "execute ")):
                self._stated(session, text, about)
            elif text.startswith(("disconnection:", "connection received", "connection authorized", "connection authenticated")):
                self._finish(session)
                if text.startswith(("disconnection:", "connection received")):
                    self._cutter.end(about.session)
                session.last = "other"
            else:
                session.last = "other"
        elif level in _SECONDARY:
            self._secondary(session, level, text, about)
        elif level in FAILED:
            self._failed(session, text, about)
        elif session.last == "":
            session.last = "other"

    def executed(self, sql: str, seconds: float, told: Told, *, extended: bool, detail: str = "") -> None:
        """A statement that was executed, with its duration: `message` with less work."""
        session = self._sessions.get(told[0]) or self._new(told[0])
        if session.plan is not None:
            self._begin(session, sql, seconds, told, extended=extended)
        else:
            self._told = True
            if session.pending is not None:
                self._finish_pending(session)
            session.pending = Pending(sql, seconds, told, extended=extended)
            session.last = "call"
        if detail and session.pending is not None:
            self._detailed(session.pending, detail)

    def _new(self, key: str) -> Session:
        if len(self._sessions) >= MOST_SESSIONS:
            self._finish_all()
        session = self._sessions[key] = Session()
        return session

    def _duration(self, session: Session, text: str, about: About) -> None:
        cut = text.find(" ms", 10, 40)
        try:
            seconds = float(text[10:cut]) / 1000
        except ValueError:
            self._skipped["durations that are no number"] += 1
            return
        if text.startswith("  statement: ", cut + 3):
            self._begin(session, text[cut + 16 :], seconds, _told(about), extended=False)
        elif text.startswith("  execute ", cut + 3):
            at = text.find(": ", cut + 13)
            if text.startswith("fetch from ", cut + 13) and session.pending is not None:
                session.pending.seconds = (session.pending.seconds or 0.0) + seconds
            elif at > 0:
                self._begin(session, text[at + 2 :], seconds, _told(about), extended=True)
        elif text.startswith("  plan:", cut + 3):
            self._planned(session, text[cut + 10 :], seconds, about)
        elif len(text) <= cut + 4:
            pending = session.pending
            if pending is not None and pending.seconds is None:
                pending.seconds = seconds
            session.last = "other"
        else:  # parse, bind, fastpath
            session.last = "other"

    def _stated(self, session: Session, text: str, about: About) -> None:
        at = text.find(": ")
        if text.startswith("execute fetch from "):
            session.last = "other"
        elif at > 0:
            self._begin(session, text[at + 2 :], None, _told(about), extended=text[0] == "e")

    def _begin(self, session: Session, sql: str, seconds: float | None, told: Told, *, extended: bool) -> None:
        self._told = True
        plan, session.plan = session.plan, None
        paired = plan is not None and plan.plan.sql == sql
        if plan is not None and not paired:
            self._adopt(session, plan)
        self._finish_pending(session)
        pending = session.pending = Pending(sql, seconds, told, extended=extended)
        if plan is not None and paired:
            self._attach(pending, plan.plan)
        session.last = "call"

    def _planned(self, session: Session, text: str, seconds: float, about: About) -> None:
        plan = read_plan(text)
        if plan is None:
            self._skipped["plans that cannot be read"] += 1
            session.last = "other"
            return
        pending = session.pending
        if pending is not None and pending.sql == plan.sql and not pending.planned:
            self._attach(pending, plan)
            session.last = "other"
            return
        if session.plan is not None and (session.plan.plan.sql != plan.sql or not self._told):
            self._adopt(session, session.plan)
        session.plan = Shown(plan, seconds, _told(about))
        session.last = "plan"

    def _attach(self, pending: Pending, plan: Plan) -> None:
        pending.planned, pending.rows = True, plan.rows
        if plan.parameters and pending.parameters is None:
            pending.parameters = self._hiding.parameters(plan.parameters)

    def _adopt(self, session: Session, shown: Shown) -> None:
        """A plan without any line about its statement is a call of its own."""
        self._finish_pending(session)
        pending = session.pending = Pending(shown.plan.sql, shown.seconds, shown.about, extended="$1" in shown.plan.sql)
        self._attach(pending, shown.plan)

    def _secondary(self, session: Session, level: str, text: str, about: About) -> None:
        pending = session.pending
        if session.last == "call" and level == "DETAIL" and pending is not None:
            self._detailed(pending, text)
        elif session.last == "plan" and level == "CONTEXT":
            session.plan = None
            session.last = "other"
            self._skipped["plans of statements that a function ran"] += 1
        elif session.last == "error" and level == "STATEMENT":
            self._failed_statement(session, text, about)

    def _detailed(self, pending: Pending, text: str) -> None:
        if text[:12].lower() == "parameters: ":
            pending.parameters = self._hiding.parameters(text)
            return
        prepared = _PREPARED.match(text)
        if prepared is not None:  # EXECUTE name (1, 2): the arguments are the parameters
            _, values, _ = self._hiding.statement(pending.sql)
            pending.sql, pending.parameters = prepared[1].rstrip("; \n"), values

    def _failed(self, session: Session, text: str, about: About) -> None:
        pending = session.pending
        if pending is None or pending.seconds is not None or pending.error:
            self._finish(session)
            session.pending = pending = Pending("", None, _told(about), extended=False)
        pending.error = about.state or _state(text)
        session.last = "error"

    def _failed_statement(self, session: Session, text: str, about: About) -> None:
        pending = session.pending
        if pending is None:
            return
        if pending.sql and pending.sql != text:
            error, pending.error = pending.error, ""
            self._finish(session)
            session.pending = pending = Pending(text, None, _told(about), extended=False)
            pending.error = error
        pending.sql = text
        session.last = "other"

    def _finish(self, session: Session) -> None:
        if session.plan is not None:
            plan, session.plan = session.plan, None
            self._adopt(session, plan)
        self._finish_pending(session)

    def _finish_pending(self, session: Session) -> None:
        pending, session.pending = session.pending, None
        if pending is None:
            return
        if not pending.sql:
            self._skipped["errors without their statement"] += 1
            return
        hidden, values, tags = self._hiding.statement(pending.sql)
        if not hidden or hidden.isspace():
            return
        key, source, line, stamp, database, application, virtual = pending.about
        parameters = pending.parameters
        if parameters is not None:
            parameters += values
        elif values or not pending.extended:
            parameters = values
        if application and not tags:
            tags = (("application", application),)
        seconds = pending.seconds
        started = stamp if stamp is None or seconds is None else stamp - seconds
        if virtual[-2:] == "/0":
            virtual = ""
        calls, number, unit, transaction = self._cutter.place(key, hidden, started, seconds, tags, virtual, failed=pending.error != "")
        calls.append(
            _NEW(
                Call,
                (
                    hidden, number, source, line, parameters, pending.rows, seconds, started, 1, key, transaction, unit,
                    *_OF_CODE, self._driver, database, pending.error, tags,
                ),
            )
        )  # fmt: skip

    def _finish_all(self) -> None:
        for session in self._sessions.values():
            self._finish(session)
        self._sessions.clear()

    def close(self) -> None:
        self._finish_all()


def _told(about: About) -> Told:
    return about.session, about.source, about.line, about.stamp, about.database, about.application, about.virtual


def _state(message: str) -> str:
    for words, state in _STATES:
        if words in message:
            return state
    if message.endswith(" does not exist") or " does not exist at character" in message:
        return next((state for word, state in _MISSING if message.startswith(word)), "42704")
    return "error"

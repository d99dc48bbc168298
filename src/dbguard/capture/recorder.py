"""What happens between a hook and a capture file: who is listening, which unit of work runs, which connection and transaction this is.

Hooks make a `Pending` before a statement is sent and `finish` it afterwards; every sink (a capture file, a limit) gets it whole,
with the user's stack. A unit belongs to the context that set it, and so to its tasks; code of bare threads falls back on the sink's own unit.
"""

from __future__ import annotations

import itertools
import re
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from dbguard.capture import faults, frames, texts

Load = frames.Load


class Unit:
    """A unit of work. `name` may be a function, because a request knows its route only when it has been routed."""

    __slots__ = ("kind", "name", "opener", "phase")

    def __init__(self, name: str | Callable[[], str], kind: str, phase: str = "", opener: tuple[Any, int] | None = None) -> None:
        self.name = name
        self.kind = kind
        self.phase = phase
        self.opener = opener  # the code and the line of the `with` that began it


class Link:
    """A connection, as far as a recorder must know it."""

    __slots__ = ("database", "driver", "number", "owner", "same", "transaction")

    def __init__(self, number: int, driver: str, database: str, same: Callable[[], Any]) -> None:
        self.number = number
        self.driver = driver
        self.database = database
        self.owner = driver  # the outermost layer that sends on it; inner layers leave its transactions to it
        self.same = same
        self.transaction = 0


class Pending:
    """A statement that is being sent. What is not said is as in the class, which makes one cheap."""

    many = 0  # rows of parameters of an executemany, 0 for a plain execution
    raw: Any = None  # the driver's connection
    rows: int | None = None
    shown: Any = None  # rows that can be seen without consuming them: see results.py
    context: Any = None  # SQLAlchemy's, which knows the columns
    load: Load | None = None
    error = ""
    control = False
    open = True
    seconds: float | None = None
    # as they are when it is finished
    stack: frames.Stack
    unit: Unit | None = None
    connection = 0
    transaction = 0

    def __init__(self, sql: str, parameters: Any, link: Link) -> None:
        self.sql = sql
        self.parameters = parameters
        self.link = link
        self.started = perf_counter()


_VALUE = re.compile(r"[^/]*\d[^/]*|[^/]{25,}")
_LETTERS = ("be", "st", "co", "en", "ro", "ab", "sa", "re", "pr")
_CONTROLS = {a + b for word in _LETTERS for a in (word[0], word[0].upper()) for b in (word[1], word[1].upper())} | {
    first + second for first in " \n\t" for second in " \n\tbscerapBSCERAP"
}
sinks: tuple[Any, ...] = ()
unit_now: ContextVar[Unit | None] = ContextVar("dbguard_unit", default=None)
pending_now: ContextVar[Pending | None] = ContextVar("dbguard_pending", default=None)
_links: dict[int, Link] = {}
_numbers = itertools.count(1)
_transactions = itertools.count(1)
MOST_LINKS = 10_000
OUTER = {"sqlalchemy", "django"}  # layers that send through a driver's connection


def add(sink: Any) -> None:
    global sinks  # noqa: PLW0603 - one interpreter, one set of listeners
    sinks = (*sinks, sink)


def remove(sink: Any) -> None:
    global sinks  # noqa: PLW0603
    sinks = tuple(other for other in sinks if other is not sink)


def link_of(raw: Any, driver: str, database: Callable[[], Any]) -> Link:
    """The link of a driver's connection; `database` is asked once."""
    link = _links.get(id(raw))
    if link is not None and link.same() is raw:
        if link.owner != driver and driver in OUTER:  # what a library did on it while connecting is over
            link.number, link.driver, link.owner, link.transaction = next(_numbers), driver, driver, 0
            link.database = str(database() or "")
        return link
    number = id(raw)
    try:
        same: Callable[[], Any] = weakref.ref(raw, lambda _: _links.pop(number, None))
    except TypeError:
        same = lambda: raw  # noqa: E731 - an object that cannot be referred to weakly is kept, and so its id
    if len(_links) >= MOST_LINKS:
        _links.clear()
    link = _links[number] = Link(next(_numbers), driver, str(database() or ""), same)
    return link


def known_link(raw: Any) -> Link | None:
    link = _links.get(id(raw))
    return link if link is not None and link.same() is raw else None


def is_covered(raw: Any) -> bool:
    """Whether an outer layer is sending on this connection right now: then it records the call, and no one else."""
    pending = pending_now.get()
    return pending is not None and pending.open and pending.raw is raw


def effective_unit() -> Any:
    """The unit of what no context claims."""
    return getattr(sinks[0], "unit", None) if sinks else None


def in_named_unit() -> bool:
    """Whether a context or a test has said already which unit of work this is."""
    return unit_now.get() is not None or any(getattr(getattr(sink, "unit", None), "kind", "") == "test" for sink in sinks)


def begin(link: Link, *, place: int = 2) -> None:
    """A transaction begins."""
    link.transaction = next(_transactions)
    control(link, "BEGIN", place=place + 1)


def end(link: Link, command: str, *, place: int = 2) -> None:
    """A transaction ends with COMMIT or ROLLBACK; without an open one nothing is sent."""
    if link.transaction:
        control(link, command, place=place + 1)
        link.transaction = 0


def control(link: Link, command: str, *, place: int = 2) -> None:
    pending = Pending(command, None, link)
    pending.control = True
    finish(pending, place=place + 1)


def finish(pending: Pending, *, place: int = 2) -> None:
    """Hand a statement that was sent to everyone who listens. `place` levels above is the first frame worth a look."""
    pending.open = False
    link = pending.link
    pending.connection = link.number
    pending.transaction = link.transaction
    pending.unit = unit = unit_now.get()
    pending.stack, walk = frames.here(place, unit, effective_unit)
    if walk is not None:
        if unit is None and walk.origin is not None:
            pending.unit = walk.origin.unit
        if walk.skip and link.owner not in OUTER:
            return
        if walk.load is not None and not pending.control:
            pending.load = walk.load
    if pending_now.get() is pending:
        pending_now.set(None)  # it would keep rows and a connection alive
    for sink in sinks:
        try:
            sink.take(pending)
        except Exception as error:  # noqa: BLE001 - the host must not notice
            faults.note(type(sink).__name__, error)


def begins(link: Link, sql: str) -> None:
    """A plain statement that is control is about to be sent: it may begin a transaction, and is in it already."""
    if not link.transaction and sql.lstrip()[:5].upper() in {"BEGIN", "START"}:
        link.transaction = next(_transactions)


def ends(link: Link, sql: str) -> None:
    """A plain statement that is control was sent: it may have ended the transaction."""
    word = sql.strip().upper()
    if word.startswith(("COMMIT", "END", "ABORT", "PREPARE")) or (word.startswith("ROLLBACK") and " TO " not in word):
        link.transaction = 0


def is_at(link: Link, status: int) -> None:
    """What the driver knows of its transaction after a statement: 0 is idle, 2 is inside one."""
    if status == 0:
        link.transaction = 0
    elif status == 2 and not link.transaction:
        link.transaction = next(_transactions)


def is_control(sql: str) -> bool:
    """Whether a statement only begins, ends or marks a transaction."""
    return sql[:2] in _CONTROLS and texts.is_control(sql)


def error_of(error: BaseException) -> str:
    """SQLSTATE, or the class of the error."""
    found = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return found if isinstance(found, str) else type(error).__name__


def without_values(path: str) -> str:
    """The path of a request with `{}` in the place of every part that may be a value."""
    return _VALUE.sub("{}", path)

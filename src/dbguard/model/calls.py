"""What an application sent to its database: calls, in the units of work that sent them, and their shapes.

A capture, a log and a trace give the same `Call`; each leaves empty what it does not know. No value of a row or parameter is
ever here: values are keyed hashes, which are equal where the values are, within one capture.
"""

from __future__ import annotations

from dbguard.model.record import Record


class Frame(Record):
    """A place in the user's own code. `path` is relative to the folder of the capture, with forward slashes."""

    path: str
    line: int
    function: str = ""


class Load(Record):
    """What an ORM was doing. `event`: "lazy" (a relationship that was not loaded), "refresh", "column" (deferred), "eager", "" (a query)."""

    event: str
    owner: str = ""  # class of the model that has the attribute: "Order"
    relationship: str = ""  # attribute: "items"
    many: bool = False  # whether the relationship is a collection
    orm: str = ""  # "sqlalchemy", "django"
    path: tuple[tuple[str, str, bool], ...] = ()  # owner, attribute, many: from what was selected to the owner, where the ORM tells
    classes: tuple[str, ...] = ()  # the object's own class and those that it inherits from, the base last; empty if there is one only
    built: Frame | None = None  # where the query was put together, if that is known
    related: tuple[tuple[str, str], ...] = ()  # of a query: path of a relationship that it joins, class that the path leads to
    narrowed: bool = False  # of a column: its query left it out, not its model
    generic: bool = False  # whether rows of any table may be what it leads to, so that no join can load it


class Result(Record):
    """Keyed hashes of the values of one column of a result, in the order of its rows; at most `MOST_HASHES` of them."""

    column: str
    values: tuple[str, ...]


MOST_HASHES = 2_000


class Call(Record):
    """One execution of a query."""

    sql: str  # as sent, placeholders and all
    number: int = 0  # order within the capture
    source: str = ""  # the file or stream that told about it, as the user would write it
    line: int = 0  # in that file
    parameters: tuple[str, ...] | None = None  # keyed hashes, in order; None: not known
    rows: int | None = None  # returned or changed
    seconds: float | None = None
    started: float | None = None  # seconds since the epoch, or of any clock that is the same within one capture
    many: int = 1  # rows of parameters that one executemany sent
    connection: str = ""
    transaction: str = ""  # unique within the capture; "" for autocommit or not known
    unit: str = ""  # key of the unit of work
    frames: tuple[Frame, ...] = ()  # the user's own, innermost first
    loop: Frame | None = None  # the line, inside a loop of the user's code, that led to this call
    rounds: str = ""  # of a loop that does not follow rows: "listed" in the source, or "asked" by the call itself
    column: int = 0  # where the innermost piece of source ends on its line, from 1; 0: not known
    load: Load | None = None
    results: tuple[Result, ...] = ()
    driver: str = ""  # sqlalchemy, django, psycopg, asyncpg, log, pg_stat_statements, otlp, file
    database: str = ""  # alias or name
    error: str = ""  # SQLSTATE or class of the error, "" if it worked
    tags: tuple[tuple[str, str], ...] = ()  # of sqlcommenter: route, controller, traceparent


class Unit(Record):
    """A unit of work: a test, a request, a task, or a session of a log."""

    key: str
    name: str  # as the user knows it: "tests/test_orders.py::test_list", "GET /orders"
    kind: str  # test, request, task, trace, session, block
    phase: str = ""  # of a test: setup, call, teardown
    calls: tuple[Call, ...] = ()


class Total(Record):
    """What pg_stat_statements knows of one shape: sums, not calls."""

    sql: str
    calls: int
    rows: int
    seconds: float
    user: str = ""
    database: str = ""
    source: str = ""
    line: int = 0

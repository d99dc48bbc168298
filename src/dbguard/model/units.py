"""What one unit of work did, as checks on units see it: groups of calls with one shape at one place, and the calls that explain them."""

from __future__ import annotations

from collections.abc import Iterable

from dbguard.model.calls import Call, Frame, Load, Total, Unit
from dbguard.model.record import Record


class Asked(Record):
    """What the text of a call asks for, as far as its own words tell."""

    key: str  # of the shape
    sql: str  # readable, constants as ?
    command: str = "other"  # select, insert, update, delete, merge, begin, commit, rollback, control, other
    tables: tuple[str, ...] = ()  # last names, the changed one first
    equal: tuple[str, ...] = ()  # columns that are compared with a parameter or constant by =
    counted: bool = False  # nothing but count(*)
    aggregated: bool = False  # nothing but aggregates, and no GROUP BY
    exists: bool = False
    limited: bool = False
    offset: str = ""  # "", constant, parameter
    offset_at: int = -1  # the constant, or the position of the parameter
    keyset: bool = False  # a range condition, an order and a LIMIT
    window: bool = False  # nothing but a column between two bounds
    many_keys: bool = False  # IN with several values, a join with VALUES
    listed: bool = False  # = ANY(array): of how many values, only the parameters know
    locks: bool = False
    catalog: bool = False  # about the server itself: pg_catalog, SHOW, SELECT 1
    one_row: bool = False  # of INSERT
    functions: bool = False  # calls functions that are not known to be harmless
    asks_from: str = ""  # what stands between FROM and ORDER BY, to compare a count with its page


class Parent(Record):
    """An earlier result, one of whose columns has the parameters of a group's calls."""

    call: Call
    asked: Asked
    column: str
    rows: int
    covered: float
    group: int = -1  # of the groups of the same unit, if it is itself sent once per row


class Group(Record):
    """Calls of one unit with one shape at one place, in order."""

    asked: Asked
    place: Frame | None
    calls: tuple[Call, ...]
    in_loop: bool = False
    different: int = 1  # how many sets of parameters
    load: Load | None = None
    parent: Parent | None = None
    evidence: tuple[str, ...] = ()  # lazy, parent, loop; row: only that they follow each other, in a source that knows nothing else
    why_not: str = ""  # what explains the repetition otherwise: paging, several keys, one row, tree, written, read then written, ...
    chain: tuple[Load, ...] = ()  # relationships from the first query to these calls
    whole: bool = True  # whether the chain begins at what the first query selects
    root: Call | None = None  # the query at which the chain begins
    loaded: bool = False  # whether the relationship was loaded for many objects before, and then not used
    offsets: tuple[int, ...] = ()  # of each call that pages: the constant, -1 for a parameter
    fix: str = ""  # in the terms of the user's ORM, or of SQL


class Repeated(Record):
    """The same text with the same parameters, and nothing in between that could change the answer."""

    asked: Asked
    place: Frame | None
    calls: tuple[Call, ...]
    load: Load | None = None
    fix: str = ""


class Pause(Record):
    """Time inside a transaction in which nothing was sent."""

    before: Call
    after: Call
    seconds: float


class Transaction(Record):
    """From BEGIN to COMMIT or ROLLBACK."""

    calls: tuple[Call, ...]
    seconds: float
    busy: float
    longest: Pause
    lock: Call | None = None  # the first call that locked rows before the longest pause under a lock
    locked: Asked | None = None
    idle: Pause | None = None  # the longest pause after that


class Commits(Record):
    """Transactions that were committed at one place in a loop."""

    place: Frame
    calls: tuple[Call, ...]
    rows: int
    claims: bool = False  # rows are locked first, as by workers of a queue


class CountAndPage(Record):
    counter: Call
    page: Call
    asked: Asked


class UnitOfWork(Record):
    """A unit with its facts: the subject that wakes checks on units."""

    unit: Unit
    groups: tuple[Group, ...] = ()
    repeated: tuple[Repeated, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    commits: tuple[Commits, ...] = ()
    counts: tuple[CountAndPage, ...] = ()
    changes: tuple[tuple[Call, Asked], ...] = ()  # calls that change rows or lock them

    @property
    def operation(self) -> Unit:
        return self.unit


class Site(Record):
    """Where a flag on a unit stands, and what it counts: findings of one rule, shape and place are one."""

    place: Frame | None
    calls: tuple[Call, ...]
    shape: str = ""
    places: tuple[Frame, ...] = ()


def place_of(call: Call) -> Frame | None:
    """The user's line: the one in a loop that led to the call, else the nearest."""
    return call.loop or (call.frames[0] if call.frames else None)


def shown(place: Frame | None, other: Call | None = None) -> str:
    if place is not None:
        return f"{place.path}:{place.line}"
    return f"{other.source}:{other.line}" if other is not None and other.source else "an unknown line"


def is_test_file(path: str) -> bool:
    """Whether a path is of test code: what a test itself repeats is not what its application does."""
    *folders, name = path.split("/")
    if not path.startswith("/") and ("tests" in folders or "test" in folders):
        return True
    return name.startswith("test_") or name.endswith("_test.py") or name in {"conftest.py", "factories.py", "tests.py"}


class Totals(Record):
    """What pg_stat_statements counted, in periods that follow each other: one export is one period, two are what happened between them."""

    periods: tuple[tuple[Total, ...], ...] = ()
    earlier: tuple[Total, ...] = ()  # what the first of several exports had already

    @property
    def whole(self) -> tuple[Total, ...]:
        """One total for each text, user and database."""
        return merged(total for period in self.periods for total in period)


def merged(totals: Iterable[Total]) -> tuple[Total, ...]:
    """Totals of the same text, user and database summed up; the place is the last one's."""
    found: dict[tuple[str, str, str], Total] = {}
    for total in totals:
        key = total.sql, total.user, total.database
        known = found.get(key)
        found[key] = total
        if known is not None:
            found[key] = total._replace(calls=known.calls + total.calls, rows=known.rows + total.rows, seconds=known.seconds + total.seconds)
    return tuple(found.values())


class Follower(Record):
    """A look-up that was executed as often as another query returned rows with the key that it asks for."""

    total: Total
    shape: str
    table: str  # as the user would write it
    key: str  # the column that is looked up
    parent: Total
    column: str  # of the parent's result
    periods: int = 1  # in each of which the numbers agree


class Counted(Record):
    """Totals with their facts: the subject that wakes checks on totals."""

    totals: Totals
    followers: tuple[Follower, ...] = ()

    @property
    def operation(self) -> Totals:
        return self.totals

"""Queries on their way to EXPLAIN, what was asked of the server, and everything that is told about each."""

from __future__ import annotations

from dbguard.model.finding import Finding, UnreadPart
from dbguard.model.plan import Measure, Plan, Sample
from dbguard.model.record import Record
from dbguard.model.verdict import Growth

NOT_EXECUTED = "it was not executed: "
"""What a sentence in `assumes` begins with that says why a query was only planned, though more was wished."""


class Asked(Record):
    """A query that somebody wants explained. Without a plan of its own it is planned on a server."""

    name: str
    sql: str
    path: str = ""
    line: int = 1
    calls: int = 0  # in the capture that it came from
    a_second: float | None = None
    plan: Plan | None = None


class Advised(Record):
    """An index that was created on the ghost and used. Costs are those of one execution of each query, times its calls."""

    statement: str  # CREATE INDEX CONCURRENTLY ...
    table: str
    cost_before: float  # of the queries that it serves
    cost_after: float
    bytes: int  # estimated
    writes_a_second: float | None = None  # that have to change it; None: not known
    redundant: tuple[str, ...] = ()  # existing indexes that it makes superfluous
    migration: str = ""  # in the framework of the project
    queries: tuple[str, ...] = ()  # names of those that it serves
    node: str = ""  # how it is used: "Index Scan using ..."


class Explained(Record):
    """A query with its plan, and what was found out about it."""

    asked: Asked
    plan: Plan | None = None
    measures: tuple[Measure, ...] = ()
    findings: tuple[Finding, ...] = ()
    sentence: str = ""
    growth: tuple[Growth, ...] = ()
    grows: tuple[str, ...] = ()  # sentences
    samples: tuple[Sample, ...] = ()
    advice: tuple[Advised, ...] = ()
    verdict: str = "safe"
    reasons: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()
    seconds: tuple[float, float] | None = None  # from the cost: half take at most the first, nine of ten at most the second
    unread: str = ""  # why there is no plan


class Explanation(Record):
    """The result of one `dbguard explain`."""

    queries: tuple[Explained, ...] = ()
    advice: tuple[Advised, ...] = ()  # for all queries together
    notes: tuple[str, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    crashed: tuple[str, ...] = ()
    exit_code: int = 0

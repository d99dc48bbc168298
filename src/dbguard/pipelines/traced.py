"""What a trace says: values only."""

from __future__ import annotations

from dbguard.model.finding import Result
from dbguard.model.record import Record
from dbguard.pipelines.locks import LockTaken, StatementEffects


class Wrong(Record):
    """An error of the server, where it stands in the user's file."""

    message: str
    sqlstate: str
    line: int
    column: int
    exact: bool  # whether the server told where in the statement
    hint: str = ""
    context: str = ""
    at_end: bool = False  # when the transaction was committed


class Blocked(Record):
    """A query of the workload: that waits while the step is held open, or that fails after it (`error`)."""

    shape: str
    sql: str  # without constants
    error: str = ""


class Traced(Record):
    """One statement. `observed` is None if it was not run, or not watched."""

    predicted: StatementEffects
    observed: StatementEffects | None = None
    held: tuple[LockTaken, ...] = ()  # what the transaction had locked before, of what the statement locks as predicted
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float | None = None
    error: Wrong | None = None
    skipped: str = ""  # why it was not run
    direction: str = "up"  # up, down, again
    waits: tuple[Blocked, ...] = ()
    breaks: tuple[Blocked, ...] = ()


class Trace(Record):
    statements: tuple[Traced, ...]
    result: Result  # of the checks
    postgres: int
    exit_code: int
    notes: tuple[str, ...] = ()
    queries: int = 0  # of the workload that were tried


class Options(Record):
    """What `dbguard trace` is told besides paths and configuration. `time_limit` is in seconds, for one statement."""

    programs: str = ""  # the bin folder of another PostgreSQL
    down: bool = False
    workload: tuple[str, ...] = ()
    time_limit: float = 60.0

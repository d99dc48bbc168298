"""What one change means for production: the risk of each step of a migration and of each query, and one verdict."""

from __future__ import annotations

from dbguard.model.finding import Finding, UnreadPart
from dbguard.model.plan import Plan
from dbguard.model.record import Record
from dbguard.model.state import Effects

VERDICTS = ("safe", "review", "stop")


class Seconds(Record):
    """An estimate: half of such steps take at most `p50`, nine of ten at most `p90`."""

    p50: float
    p90: float


class Waiting(Record):
    """A statement of the application that waits while a lock is held."""

    shape: str
    sql: str
    a_second: float  # how many are sent; 0.0 if that is not known
    relation: str  # that it waits for
    queries: float = 0.0  # that wait, at p90 of the step
    seconds: float = 0.0  # that they wait in all
    places: tuple[tuple[str, int, str], ...] = ()  # path, line, function


class StepRisk(Record):
    """One statement of a migration. Bytes and seconds are None where no size is known."""

    path: str
    line: int
    sql: str
    effects: Effects = Effects()
    seconds: Seconds | None = None  # that it runs with its strongest lock held
    held: Seconds | None = None  # until its locks are released: the end of its transaction
    to_get_lock: float | None = None  # seconds, given the longest open transactions
    read_bytes: int | None = None
    written_bytes: int | None = None
    wal_bytes: int | None = None
    replica_lag: float | None = None  # seconds that a replica has still to replay when the step is done
    waiting: tuple[Waiting, ...] = ()
    verdict: str = "safe"
    reasons: tuple[str, ...] = ()
    counterfactual: str = ""  # "with the recipe: 38 s of blocked writes become 0"
    transaction: int = 0  # steps with one number share a transaction


class Growth(Record):
    """A plan at `scale` times the data."""

    scale: float
    cost: float
    rows: float
    same_shape: bool


class QueryRisk(Record):
    """One shape that the application sends, before and after the pending migrations."""

    shape: str
    sql: str
    name: str = ""
    places: tuple[tuple[str, int, str], ...] = ()
    calls: int = 0
    a_day: float | None = None  # calls
    seconds_a_day: float | None = None
    before: Plan | None = None
    after: Plan | None = None
    unplanned: str = ""  # why it was not planned: PostgreSQL's own message before the change, or that of the server
    breaks: str = ""  # why it fails after the change: PostgreSQL's own message
    changed_by: tuple[str, int] | None = None  # path and line of the step that makes it fail or changes its plan
    growth: tuple[Growth, ...] = ()
    verdict: str = "safe"
    reasons: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()


class Budget(Record):
    """A limit that the project set, what it is now and what the baseline says."""

    name: str  # "queries per test"
    subject: str  # the test, or the shape
    limit: float | None
    now: float
    recorded: float | None = None
    exceeded: bool = False


class Gate(Record):
    """Everything that a gate has to say."""

    verdict: str = "safe"
    reasons: tuple[str, ...] = ()
    steps: tuple[StepRisk, ...] = ()
    queries: tuple[QueryRisk, ...] = ()
    findings: tuple[Finding, ...] = ()
    budgets: tuple[Budget, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    assumes: tuple[str, ...] = ()  # what is unknown, and what was taken for true
    notes: tuple[str, ...] = ()
    postgres: tuple[int, int] = (14, 18)
    seconds: float = 0.0
    exit_code: int = 0

"""What checks flag, what users are told, and the result of a run."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from dbguard.model.record import Record
from dbguard.model.source import Statement


class Severity(IntEnum):
    OFF = 0
    ADVICE = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


class Flag(Record):
    """What a check saw: facts for the page's placeholders, as SQL or plain text."""

    facts: Mapping[str, str]
    assumes: tuple[str, ...] = ()  # sentences: what is unknown and was taken for true
    variant: str = ""  # which `[variant.NAME]` message and `sql recipe NAME` of the page
    at: Statement | None = None  # where, if not at the step's own statement
    severity: Severity | None = None  # lower than the rule's, never higher
    about: object = None  # of checks on units: the `model.units.Site` that it stands at


class Finding(Record):
    """One report to the user. Lines and columns are 1-based code points; the end is exclusive."""

    rule: str
    category: str
    severity: Severity
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    instead: str | None = None
    recipe: str | None = None
    assumes: tuple[str, ...] = ()
    postgres: tuple[int, int] | None = None  # majors where it holds, None: everywhere in the configured range
    url: str | None = None
    because: tuple[str, ...] = ()  # locks and what they block, in words
    excerpt: str = ""  # the statement's text
    start: int = 0  # offset of the statement in its source, for ordering and for `allow`
    table: str = ""  # the table it is mainly about, for known sizes
    lowered: bool = False
    shape: str = ""  # of the query it is about
    calls: int = 0  # at most in one unit of work
    units: int = 0
    places: tuple[tuple[str, int, str], ...] = ()  # path, line, function: where it stands, then what led there
    create_index: str = ""  # the statement that creates an index that is missing
    serves: tuple[str, ...] = ()  # shapes of queries that the index would serve


class UnreadPart(Record):
    """A part of a source that was not understood, or a source that could not be read (`fatal`)."""

    path: str
    line: int
    reason: str
    fatal: bool = False


class Summary(Record):
    files: int = 0
    migrations: int = 0
    statements: int = 0
    unread: int = 0
    errors: int = 0
    warnings: int = 0
    advice: int = 0
    lowered: int = 0
    allowed: int = 0
    known: int = 0  # findings that the baseline has
    gone: int = 0  # entries of the baseline that were looked for in vain
    skipped_files: int = 0
    seconds: float = 0.0


class Result(Record):
    """Everything that a run found, and what it did not see."""

    findings: tuple[Finding, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    summary: Summary = Summary()
    postgres: tuple[int, int] = (14, 18)
    recognised: tuple[str, ...] = ()  # "43 Flyway migrations in db/migration, each in its own transaction"
    notes: tuple[str, ...] = ()  # what was guessed or left out while reading
    crashed: tuple[str, ...] = ()  # checks that raised, with where
    exit_code: int = 0

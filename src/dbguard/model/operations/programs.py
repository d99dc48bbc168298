"""What migrations written in Python do besides SQL, and what is wrong with how they hang together.

None of these touches the schema or takes a lock: the SQL that a framework sends comes as operations of its own.
"""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.record import Record

__all__ = ["AutocommitBlock", "HistoryProblem", "MissingDowngrade", "PythonDefault", "RunProgram"]


class RunProgram(Record):
    """Code that reads and writes rows: Django's RunPython, or an Alembic revision that works on fetched rows."""

    name: str  # of the function, as written
    reversible: bool = True
    imports: tuple[str, ...] = ()  # models imported from the application instead of `apps.get_model`, as written
    unbatched: tuple[str, ...] = ()  # expressions that fetch or save all rows one by one, as written: `Order.objects.all()`
    in_transaction: bool = True


class PythonDefault(Record):
    """A default of an added column that only Python knows."""

    table: Name
    column: str
    default: str  # as written: `uuid.uuid4`
    unique: bool = False  # the one value that the framework computed goes to all rows of a unique column
    applied: bool = True  # the framework writes it into existing rows; SQLAlchemy's `default=` does not
    not_null: bool = False


class AutocommitBlock(Record):
    """Alembic's `autocommit_block()`, and why it fails there: what env.py does to the connection. Empty if it works."""

    broken_by: str = ""


class MissingDowngrade(Record):
    """A revision whose `downgrade()` does nothing (or is not there) although its `upgrade()` does something."""

    missing: bool = False  # not there at all


class HistoryProblem(Record):
    """Migrations that do not hang together.

    `kind`: "heads" (several ends of the graph), "cycle", "missing parent", "duplicate" (two migrations with one id).
    """

    kind: str
    migration: str  # the one that is told about, by its id
    others: tuple[str, ...] = ()  # the other heads, the cycle, the parent, the path of the twin

"""What one statement does, typed. A multi-action ALTER TABLE is several operations, in the order PostgreSQL runs them.

Names stand as written; `State.resolve` completes them. `tables` are actions on a table's definition, `indexes` and
`objects` everything else that is defined, `queries` reads and writes rows, `session` transactions and settings, `programs` what
migrations written in Python do besides SQL.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from dbguard.model.operations import indexes, objects, programs, queries, session, tables
from dbguard.model.operations.indexes import *  # noqa: F403
from dbguard.model.operations.objects import *  # noqa: F403
from dbguard.model.operations.programs import *  # noqa: F403
from dbguard.model.operations.queries import *  # noqa: F403
from dbguard.model.operations.session import *  # noqa: F403
from dbguard.model.operations.tables import *  # noqa: F403

Operation: TypeAlias = Any
"""An instance of one of the classes above (a union of ninety NamedTuples helps no reader and slows mypy)."""

__all__ = ["Operation", *indexes.__all__, *objects.__all__, *programs.__all__, *queries.__all__, *session.__all__, *tables.__all__]  # noqa: PLE0604

"""BEGIN, COMMIT or ROLLBACK in a migration around which the tool already puts a transaction."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Begin, Commit, Rollback
from dbguard.model.state import Step


def check(control: Begin | Commit | Rollback, step: Step) -> Iterator[Flag]:
    transaction = step.before.transaction
    if transaction is None or step.statement.inside:
        return
    if isinstance(control, Begin):
        yield flag(variant="nested" if transaction.explicit else "begin")
    elif not transaction.explicit:
        yield flag(variant="rollback" if isinstance(control, Rollback) else "commit")

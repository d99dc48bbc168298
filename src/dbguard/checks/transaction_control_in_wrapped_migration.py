"""BEGIN, COMMIT or ROLLBACK in a migration around which the tool already puts a transaction."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Begin, Commit, Rollback
from dbguard.model.state import EndOfScript, Step


def check(script: EndOfScript, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - a moment has its steps
    begun = False  # a BEGIN was reported, and with it the COMMIT that belongs to it
    for one in script.steps:
        transaction = one.before.transaction
        if transaction is None or one.statement.inside:
            continue
        match one.operation:
            case Begin():
                begun = True
                yield flag(at=one.statement, variant="nested" if transaction.explicit else "begin")
            case Commit() if not transaction.explicit and not begun:
                yield flag(at=one.statement)
            case Rollback() if not transaction.explicit:
                yield flag(at=one.statement, variant="rollback")

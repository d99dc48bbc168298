"""ADD EXCLUDE: its index has no concurrent build."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import AddConstraint
from dbguard.model.questions import bare_constraint_name
from dbguard.model.state import Step


def check(addition: AddConstraint, step: Step) -> Iterator[Flag]:
    if addition.constraint.kind == "exclusion" and not step.is_new_or_empty(addition.table):
        yield flag(table=addition.table, constraint=quote(bare_constraint_name(addition.constraint, step.table(addition.table))))

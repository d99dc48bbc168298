"""ALTER DOMAIN that verifies the rows of every table with a column of the domain."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import AlterDomain
from dbguard.model.state import Step


def check(change: AlterDomain, step: Step) -> Iterator[Flag]:
    tables = [name for name in step.effects.scans if not step.is_new(name)]
    if tables:
        yield flag(table=step.display(tables[0]), domain=change.name, tables="`, `".join(str(step.display(name)) for name in tables))

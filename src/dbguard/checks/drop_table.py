"""DROP TABLE of a table that the running application may still use."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import DropTable
from dbguard.model.state import Step


def check(drop: DropTable, step: Step) -> Iterator[Flag]:
    for name in drop.names:
        table = step.table(name)
        unseen = drop.if_exists and not table.known and step.before.schema.complete
        if not unseen and not step.is_new(name) and table.parent is None:
            yield flag(table=name, aside=quote(f"{name.name}_deprecated"), variant="cascade" if drop.cascade else "")

"""A look-up that was executed as often as another query returned rows: N+1, told by totals."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag
from dbguard.model.finding import Severity
from dbguard.model.units import Counted, Totals

BY_CHANCE = "that the two numbers agree is no accident: a second export, taken later, tells"


def check(_totals: Totals, counted: Counted) -> Iterator[Flag]:
    for follower in counted.followers:
        once = follower.periods < 2
        yield Flag(
            {
                "table": follower.table or "a table",
                "key": follower.key,
                "calls": f"{follower.total.calls:,}",
                "rows": f"{follower.parent.rows:,}",
                "parents": f"{follower.parent.calls:,} call{'' if follower.parent.calls == 1 else 's'}",
                "parent": _short(follower.parent.sql),
                "column": follower.column,
            },
            assumes=(BY_CHANCE,) if once else (),
            severity=Severity.ADVICE if once else None,
            about=follower,
        )


def _short(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= 90 else f"{text[:60].rstrip()} ... {text[-25:].lstrip()}"

"""OR between columns that no single index serves."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.expression import Tree
from dbguard.model.names import quote
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import conditions, has_parameter, open_accesses


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    found = {access.source for access, _ in open_accesses(step)}
    for _, condition in conditions(query):
        if condition.tree[0] != "or" or condition.side:
            continue
        columns = [_compared(arm) for arm in condition.tree[1:]]
        known = [column for column in columns if column is not None]
        if len(known) != len(columns) or len(set(known)) < 2:
            continue
        tables = list(dict.fromkeys(number for number, _ in known))
        if all(number in found for number in tables):
            names = [query.sources[number].table for number in tables]
            yield flag(
                variant="tables" if len(tables) > 1 else "",
                table=" and ".join(dict.fromkeys(str(step.display(name)) for name in names if name is not None)),
                columns=", ".join(dict.fromkeys(quote(column) for _, column in known)),
            )


def _compared(arm: Tree) -> tuple[int, str] | None:
    """The column that one arm compares with a parameter."""
    match arm:
        case ("op", "=" | "= ANY", ("at", int(number), str(name)), value) | ("op", "=", value, ("at", int(number), str(name))):
            return (number, name) if has_parameter(value) else None
        case ("in", ("at", int(number), str(name)), *values):
            return (number, name) if any(has_parameter(value) for value in values) else None
    return None

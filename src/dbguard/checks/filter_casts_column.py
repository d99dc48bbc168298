"""A condition converts a column that an index has to the type of the value, so that no index is used."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.plan_questions import LARGE, NOTICED, relation, scanned

_CAST = re.compile(
    r"\((?:[a-z_]\w*\.)?([a-z_][\w$]*|\"[^\"]+\")\)::(numeric|double precision|real|bigint|integer|timestamp with(?:out)? time zone) (?:[=<>]+) "
)


def check(_plan: Plan, step: PlanStep) -> Iterator[Flag]:
    for measure in step.measures:
        node = measure.node
        table = step.table(node)
        if node.kind != "Seq Scan" or table is None or measure.share < NOTICED:
            continue
        read, size = scanned(measure), step.size(node)
        if max(read or 0.0, size.rows if size is not None else 0.0) < LARGE:
            continue
        for name, kind in _CAST.findall(str(node.facts.get("Filter", ""))):
            column = name.strip('"')
            index = next((one for one in table.indexes.values() if one.columns[:1] == (column,) and one.valid), None)
            if index is not None:
                yield flag(about=measure, table=relation(node), column=quote(column), type=kind, index=quote(index.name.name))

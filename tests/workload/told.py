"""Units of work, and totals, to findings, as `dbguard check` does it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from dbguard.model.calls import Total, Unit
from dbguard.model.finding import Finding
from dbguard.model.state import State
from dbguard.pipelines.queries_inspect import QueryInspection
from dbguard.pipelines.told import Shapes
from dbguard.pipelines.totals_inspect import totals_findings
from dbguard.pipelines.units_inspect import UnitInspection
from dbguard.rulebook.select import Selection
from dbguard.workload.followers import periods_of


def inspect_units(units: Iterable[Unit], selection: Selection) -> list[Finding]:
    """Findings, one per rule, shape and place. A check that raises fails the test."""
    inspection = UnitInspection(selection)
    shapes, single = Shapes(), QueryInspection(selection)
    for unit in shapes.passing(units):
        inspection.take(unit)
    found = list(inspection.findings())
    for told in shapes.told.values():
        variants = shapes.variants(told.shape)
        place = told.places[0] if told.places else None
        if variants and place is not None:
            step = single.step(told.sql, State(), path=place.path)._replace(variants=variants)
            found += [one._replace(line=place.line) for one in single.findings(step)]
    assert single.crashed == []
    assert inspection.crashed == []
    return found


def totals_of(text: str) -> list[Total]:
    """Lines such as `{"total": "SELECT ...", "calls": 210, "rows": 4212}`, with `export` for another file than stats.csv."""
    entries = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [
        Total(one["total"], one["calls"], one["rows"], one.get("seconds", 0.1), one.get("user", "app"), "shop", one.get("export", "stats.csv"), line)
        for line, one in enumerate(entries, 1)
    ]


def inspect_totals(text: str, selection: Selection, state: State | None = None) -> list[Finding]:
    """Findings on totals. A check that raises fails the test."""
    crashed: list[str] = []
    inspection = QueryInspection(selection)
    found = list(totals_findings(periods_of(totals_of(text)), state or State(), selection, inspection, crashed))
    assert crashed == []
    return found

"""Units of work to findings, as `dbguard check` does it."""

from __future__ import annotations

from collections.abc import Iterable

from dbguard.model.calls import Unit
from dbguard.model.finding import Finding
from dbguard.pipelines.units_inspect import UnitInspection
from dbguard.rulebook.select import Selection


def inspect_units(units: Iterable[Unit], selection: Selection) -> list[Finding]:
    """Findings, one per rule, shape and place. A check that raises fails the test."""
    inspection = UnitInspection(selection)
    for unit in units:
        inspection.take(unit)
    found = list(inspection.findings())
    assert inspection.crashed == []
    return found

"""A migration that was merged before says something else now: databases that have run it do not run it again."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.source import Merged
from dbguard.model.state import Step


def check(merged: Merged, step: Step) -> Iterator[Flag]:
    if step.script.direction == "up" and merged.way != "same":
        yield flag(variant="" if merged.way == "edited" else merged.way, tool=_LABELS.get(step.script.tool, step.script.tool), was=merged.path)


_LABELS = {"flyway": "Flyway", "liquibase": "Liquibase"}

"""Triggers take a large part of the time of a change; those of foreign keys look for rows without an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.plan import Plan, PlanStep
from dbguard.model.quantities import duration

PART = 0.2
SECONDS = 0.01
A_CALL = 0.001  # seconds: a lookup through an index takes hundredths of that


def check(plan: Plan, _step: PlanStep) -> Iterator[Flag]:
    triggers = plan.facts.get("Triggers")
    if not isinstance(triggers, list | tuple) or not plan.execution_seconds:
        return
    for trigger in triggers:
        if isinstance(trigger, Mapping):
            yield from _one(trigger, plan.execution_seconds)


def _one(trigger: Mapping[str, Any], whole: float) -> Iterator[Flag]:
    time, calls = trigger.get("Time"), trigger.get("Calls")
    if not isinstance(time, int | float) or not isinstance(calls, int | float) or calls < 1:
        return
    seconds = time / 1000
    if seconds < SECONDS or seconds < PART * whole:
        return
    constraint = str(trigger.get("Constraint Name") or "")
    slow = seconds / calls >= A_CALL
    yield flag(
        variant="foreign" if constraint and slow else "check" if constraint else "",
        trigger=quote(constraint or str(trigger.get("Trigger Name") or "a trigger")),
        seconds=duration(seconds),
        whole=duration(whole),
        calls=f"{calls:,.0f}",
        each=duration(seconds / calls),
    )

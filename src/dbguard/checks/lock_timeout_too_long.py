"""lock_timeout is set, but so long that the queue behind the statement is an outage of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.checks import Flag, flag
from dbguard.model.operations import SetParameter
from dbguard.model.state import Step
from dbguard.model.times import milliseconds, with_unit


def check(setting: SetParameter, step: Step, options: Mapping[str, Any]) -> Iterator[Flag]:  # noqa: ARG001 - the statement says it all
    if setting.name != "lock_timeout" or setting.value is None:
        return
    value = milliseconds(setting.value)
    if value is not None and value > options["seconds"] * 1000:
        yield flag(value=with_unit(setting.value), seconds=options["seconds"])

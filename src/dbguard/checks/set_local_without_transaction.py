"""SET LOCAL where no transaction is open: PostgreSQL warns and does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import SetParameter
from dbguard.model.state import Step


def check(setting: SetParameter, step: Step) -> Iterator[Flag]:
    if setting.local and step.before.transaction is None:
        yield flag(parameter=setting.name, name=quote(setting.name) if "." not in setting.name else setting.name, value=setting.value or "DEFAULT")

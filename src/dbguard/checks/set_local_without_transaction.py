"""SET LOCAL where no transaction is open: PostgreSQL warns and does nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import quote
from dbguard.model.operations import SetParameter
from dbguard.model.state import Step

_SET_LOCAL = r"(?i)^SET\s+LOCAL\b"


def check(setting: SetParameter, step: Step) -> Iterator[Flag]:
    if setting.local and step.before.transaction is None:
        name = quote(setting.name) if "." not in setting.name else setting.name
        plain, found = re.subn(_SET_LOCAL, "SET", step.text.strip().rstrip(";"))
        yield flag(parameter=setting.name, name=name, setting=plain if found else f"SET {name} = '{setting.value or ''}'")

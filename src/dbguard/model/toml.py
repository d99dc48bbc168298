"""Values of the configuration as TOML, for messages and `dbguard config`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dbguard.model.finding import Severity


def toml(value: Any) -> str:
    """A record is an inline table of its fields that are set, a range of versions `"14..18"`."""
    match value:
        case Severity():
            return f'"{value}"'
        case bool():
            return "true" if value else "false"
        case tuple() if hasattr(value, "_asdict"):  # a record
            pairs = ((name.replace("_", "-"), item) for name, item in value._asdict().items())
            return "{ " + ", ".join(f"{name} = {toml(item)}" for name, item in pairs if item) + " }"
        case (int(low), int(high)):
            return str(low) if low == high else f'"{low}..{high}"'
        case list() | tuple():
            return "[" + ", ".join(map(toml, value)) + "]"
        case Mapping():
            return "{ " + ", ".join(f"{name} = {toml(item)}" for name, item in value.items()) + " }" if value else "{}"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        case _:
            return str(value)

"""ALTER TYPE ... RENAME VALUE."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import text_literal
from dbguard.model.operations import RenameEnumValue
from dbguard.model.state import Step


def check(rename: RenameEnumValue, step: Step) -> Iterator[Flag]:
    known = step.before.schema.types.get(step.before.resolve_type(rename.type))
    if known is not None and known.created is not None and known.created.script == step.before.now.script:
        return
    yield flag(type=rename.type, label=rename.label, to=rename.to, literal=text_literal(rename.to))

"""CREATE or ALTER of an object whose schema depends on search_path."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import CreateMaterializedView, CreateSequence, CreateTable, CreateTableAs, CreateView
from dbguard.model.state import Step

Create = CreateMaterializedView | CreateSequence | CreateTable | CreateTableAs | CreateView


def check(create: Create, step: Step) -> Iterator[Flag]:
    temporary = getattr(create, "temporary", False) or getattr(create, "persistence", "") == "temporary"
    if create.name.schema is None and not temporary and "search_path" not in step.before.settings:
        yield flag(name=create.name)

"""What an operation comes to: the state after it, and what it sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dbguard.model.source import Block
from dbguard.reading.django.editor import Editor
from dbguard.reading.django.fields import Field
from dbguard.reading.django.migration import MigrationModule
from dbguard.reading.django.models import table_of
from dbguard.reading.django.state import Key, ModelState, State
from dbguard.reading.python.values import Value

if TYPE_CHECKING:
    from dbguard.reading.django.arguments import Given
    from dbguard.reading.django.operations import Project

Sender = Callable[[Editor, State, State], "list[Block] | None"]
Outcome = tuple[State, Sender | None]
Handler = Callable[["Project", MigrationModule, "Given"], Outcome]


def key_of(project: Project, migration: MigrationModule, name: str) -> Key:
    """The model that an operation of a migration names."""
    key = migration.app, name.lower()
    if project.state.get(key) is None:
        model = ModelState(migration.app, name, {}, external=True)
        project.state = project.state.with_model(model)
        project.notes[
            f"`{migration.app}.{name}` is made by no migration that could be read: its table is taken to be `{table_of(project.state, model)}`"
        ] = None
    return key


def with_default(kept: Field, field: Field) -> dict[str, Value]:
    """The options of a field with the default that only this operation uses."""
    return {**kept.options, "default": field.options["default"]} if field.has_default else kept.options

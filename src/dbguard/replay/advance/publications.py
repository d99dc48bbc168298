"""Publications, as far as they hold on to columns."""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.operations.objects import AlterPublication, CreatePublication
from dbguard.model.state import State
from dbguard.replay.advance.draft import Advances, Draft, without


def create_publication(state: State, operation: CreatePublication) -> State:
    return _publish(state, operation.name, operation.tables, operation.columns)


def alter_publication(state: State, operation: AlterPublication) -> State:
    if operation.change == "options":
        return state
    if operation.change == "set":
        state = unpublish(state, operation.name)
    columns = operation.columns if operation.change != "drop" else tuple(frozenset[str]() for _ in operation.tables)
    return _publish(state, operation.name, operation.tables, columns)


def _publish(state: State, publication: str, tables: tuple[Name, ...], columns: tuple[frozenset[str], ...]) -> State:
    """Tables remember which of their columns a publication names; one that is published whole has nothing to remember."""
    draft = Draft(state)
    for written, named in zip(tables, columns, strict=False):
        table = draft.learn(written) if named else draft.find(written)
        if table is not None and table.published.get(publication, frozenset()) != named:
            draft.put(table._replace(published={**without(table.published, publication), **({publication: named} if named else {})}))
    return draft.done()


def unpublish(state: State, publication: str) -> State:
    draft = Draft(state)
    for table in [one for one in draft.tables.values() if publication in one.published]:
        draft.put(table._replace(published=without(table.published, publication)))
    return draft.done()


ADVANCE: Advances = {AlterPublication: alter_publication, CreatePublication: create_publication}

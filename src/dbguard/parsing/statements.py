"""One statement of the parse tree to typed operations."""

from __future__ import annotations

from dbguard.model.operations import Operation
from dbguard.parsing import access, alter_table, indexes, objects, queries, renames, routines, session, tables, versions
from dbguard.parsing.context import Context, Maker, Node

MAKERS: dict[str, Maker] = {
    **access.MAKERS,
    **alter_table.MAKERS,
    **indexes.MAKERS,
    **objects.MAKERS,
    **queries.MAKERS,
    **renames.MAKERS,
    **routines.MAKERS,
    **session.MAKERS,
    **tables.MAKERS,
}


def operations(statement: Node, context: Context) -> tuple[Operation, ...]:
    """What `{"SelectStmt": {...}}` does; empty, with a note, for a statement that nothing here knows."""
    for kind, node in statement.items():
        maker = MAKERS.get(kind)
        if maker is None:
            context.note(f"unknown statement {kind}")
            return ()
        made = maker(node, context)
        return made if kind not in versions.LOOKED_AT else made + versions.required(kind, node, made)
    return ()

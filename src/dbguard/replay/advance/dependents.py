"""What goes when something it depends on goes. Names are complete."""

from __future__ import annotations

from collections.abc import Iterable

from dbguard.model.expression import Expression, walk
from dbguard.model.names import Name
from dbguard.model.schema import Column, Constraint, Index, Table
from dbguard.model.state import State
from dbguard.replay.advance.draft import Draft, without


def drop_relation(draft: Draft, name: Name, *, cascade: bool) -> None:
    """A table or view with its indexes, owned sequences and partitions, and the foreign keys that point at it; with CASCADE the views on it."""
    table = draft.tables.get(name)
    if table is None:
        return
    draft.own_tables().pop(name)
    if table.indexes:
        locations = draft.own_index_tables()
        for index in table.indexes.values():
            locations.pop(index.name, None)
    for sequence in [s.name for s in draft.sequences.values() if s.owner is not None and s.owner[0] == name]:
        drop_sequence(draft, sequence)
    for child in draft.children(name):
        drop_relation(draft, child.name, cascade=cascade)
    drop_references(draft, name)
    if cascade:
        drop_views_on(draft, name)
        drop_columns_of_type(draft, name)


def drop_references(draft: Draft, name: Name, column: str | None = None) -> None:
    """Foreign keys that point at the table, or at one column of it."""
    for other, constraint in draft.state.schema.referencing(name):
        current = draft.tables.get(other.name)
        kept = current.constraints.get(constraint.name) if current is not None else None
        if current is not None and kept is not None and kept.references == name and (column is None or column in kept.referenced_columns):
            draft.put(current._replace(constraints=without(current.constraints, constraint.name)))


def drop_views_on(draft: Draft, name: Name, column: str | None = None) -> None:
    """Views that read the relation, or one column of it as far as their text tells."""
    for view in tuple(draft.tables.values()):
        if view.uses is None or name not in view.uses.reads or view.name not in draft.tables:
            continue
        if column is None or view.uses.star or column in view.uses.columns:
            drop_relation(draft, view.name, cascade=True)


def drop_sequence(draft: Draft, name: Name) -> None:
    """A sequence and the defaults that take values from it."""
    if name not in draft.sequences:
        return
    draft.own_sequences().pop(name)
    for table in tuple(draft.tables.values()):
        using = {c.name: c._replace(default=None) for c in table.columns.values() if takes_from(draft.state, c, name)}
        if using:
            draft.put(table._replace(columns={**table.columns, **using}))


def takes_from(state: State, column: Column, sequence: Name) -> bool:
    default = column.default
    if default is None or column.generated or sequence.name not in default.sql:
        return False
    return sequence in sequences_in(state, default)


def sequences_in(state: State, default: Expression) -> Iterable[Name]:
    """Sequences that an expression names as literals of nextval and its like."""
    if not any(function.name in {"nextval", "currval", "setval"} for function in default.functions):
        return ()
    return {state.resolve(name_from(node[1])) for node in walk(default.tree) if node[0] == "const" and isinstance(node[1], str)}


def name_from(text: str) -> Name:
    """The name in a regclass literal: `public."Order_id_seq"`."""
    parts: list[str] = []
    current, quoted = "", False
    for position, character in enumerate(text):
        if character == '"':
            current += '"' if quoted and text[position - 1 : position] == '"' and current else ""
            quoted = not quoted
        elif character == "." and not quoted:
            parts.append(current)
            current = ""
        else:
            current += character if quoted else character.lower()
    parts.append(current)
    return Name(parts[-2] if len(parts) > 1 else None, parts[-1])


def drop_columns_of_type(draft: Draft, name: Name) -> None:
    """Columns whose type goes."""
    from dbguard.replay.advance.columns import remove_column

    for table in tuple(draft.tables.values()):
        for column in table.columns.values():
            if column.type.name == name and table.name in draft.tables:
                if table.kind in {"view", "materialized view"}:
                    drop_relation(draft, table.name, cascade=True)
                else:
                    remove_column(draft, table.name, column.name, cascade=True)


def drop_type(draft: Draft, name: Name, *, cascade: bool) -> None:
    """A type; with CASCADE also the columns, domains and functions that use it."""
    if name in draft.types:
        draft.own_types().pop(name)
    if not cascade:
        return
    drop_columns_of_type(draft, name)
    drop_defaults_of_type(draft, name)
    for other in [one.name for one in draft.types.values() if one.base is not None and one.base.name == name]:
        drop_type(draft, other, cascade=True)
    for function, overloads in tuple(draft.functions.items()):
        kept = tuple(f for f in overloads if all(t.name != name for t in (*f.arguments, *((f.returns,) if f.returns else ()))))
        if len(kept) < len(overloads):
            put_overloads(draft, function, kept)


def put_overloads(draft: Draft, name: Name, overloads: tuple[object, ...]) -> None:
    functions = draft.own_functions()
    if overloads:
        functions[name] = overloads  # type: ignore[assignment]
    else:
        functions.pop(name, None)


def drop_triggers_of(draft: Draft, function: Name) -> None:
    for table in tuple(draft.tables.values()):
        gone = [t.name for t in table.triggers.values() if t.function == function]
        if gone:
            draft.put(table._replace(triggers=without(table.triggers, *gone)))


def references_to_key(draft: Draft, index: Index) -> list[tuple[Table, list[str]]]:
    """Foreign keys that are bound to this unique index, by table: of those that could serve, each took the oldest when it was made
    (transformFkeyCheckAttrs in tablecmds.c).
    """
    table = draft.tables[index.table]
    columns = set(index.columns)
    if next((one for one in table.indexes.values() if _could_serve(one, table, columns)), None) is not index:
        return []
    found: dict[Name, tuple[Table, list[str]]] = {}
    for other, key in draft.state.schema.referencing(table.name):
        if set(key.referenced_columns or columns) == columns and not key.inherited and key.name in draft.tables[other.name].constraints:
            found.setdefault(other.name, (draft.tables[other.name], []))[1].append(key.name)
    return list(found.values())


def _could_serve(index: Index, table: Table, columns: set[str]) -> bool:
    """Whether a foreign key to these columns can rest on the index."""
    constraint = table.constraints.get(index.constraint) if index.constraint is not None else None
    deferrable = constraint is not None and constraint.deferrable
    return (
        index.unique and index.where is None and index.valid and not deferrable and len(index.keys) == len(columns) and set(index.columns) == columns
    )


def grouped_by(draft: Draft, table: Table, key: Constraint) -> list[Table]:
    """Views that show columns of the table because they group by its primary key."""
    if key.kind != "primary key":
        return []
    views = [one for one in draft.tables.values() if one.uses is not None and one.definition and table.name in one.uses.reads]
    if not views:
        return []
    from dbguard.replay.advance.view_text import groups_by

    return [view for view in views if groups_by(view, table, key, draft.state)]


def drop_references_to_key(draft: Draft, index: Index) -> None:
    for table, keys in references_to_key(draft, index):
        draft.put(table._replace(constraints=without(table.constraints, *keys)))


def drop_defaults_of_type(draft: Draft, name: Name) -> None:
    """Defaults that cast to the type: those of columns that once had it."""
    for table in tuple(draft.tables.values()):
        gone = {
            c.name: c._replace(default=None)
            for c in table.columns.values()
            if c.default is not None and not c.generated and any(draft.state.resolve_type(t.name) == name for t in c.default.types)
        }
        if gone:
            draft.put(table._replace(columns={**table.columns, **gone}))

"""Columns of functions in FROM."""

from __future__ import annotations

from dbguard.model.expression import Tree
from dbguard.model.names import Name
from dbguard.model.state import State
from dbguard.model.syntax import From
from dbguard.model.types import DataType, builtin
from dbguard.queries.types import Columns, type_of

# Names and types of OUT parameters (pg_proc.dat); a function that returns one value gives a column of its own name.
_OUT: dict[str, tuple[tuple[str, DataType | None], ...]] = {
    "json_each": (("key", builtin("text")), ("value", builtin("json"))),
    "jsonb_each": (("key", builtin("text")), ("value", builtin("jsonb"))),
    "json_each_text": (("key", builtin("text")), ("value", builtin("text"))),
    "jsonb_each_text": (("key", builtin("text")), ("value", builtin("text"))),
    "json_array_elements": (("value", builtin("json")),),
    "jsonb_array_elements": (("value", builtin("jsonb")),),
    "json_array_elements_text": (("value", builtin("text")),),
    "jsonb_array_elements_text": (("value", builtin("text")),),
    "pg_options_to_table": (("option_name", builtin("text")), ("option_value", builtin("text"))),
}
SCALAR = frozenset(
    """
    unnest generate_series generate_subscripts regexp_split_to_table regexp_matches string_to_table jsonb_object_keys json_object_keys
    jsonb_path_query now current_date current_timestamp date_trunc random coalesce lower upper string_to_array array_agg plainto_tsquery
    websearch_to_tsquery to_tsquery phraseto_tsquery to_tsvector current_setting greatest least cardinality
    """.split()  # noqa: SIM905
)
SETS = frozenset(_OUT) | frozenset(
    """
    unnest generate_series generate_subscripts regexp_split_to_table regexp_matches string_to_table jsonb_object_keys json_object_keys
    jsonb_path_query jsonb_to_recordset json_to_recordset json_populate_recordset jsonb_populate_recordset
    """.split()  # noqa: SIM905
)


def columns_of(item: From, calls: tuple[Tree, ...], state: State, types: Columns) -> tuple[dict[str, DataType | None], bool]:
    """Columns of a function in FROM, aliases applied, and whether these are all."""
    found: list[tuple[str, DataType | None]] = []
    known = True
    if item.defined:
        found = list(item.defined)
    else:
        for call in calls:
            columns, sure = _one(call, item, state, types, alone=len(calls) == 1)
            found += columns
            known = known and sure
    if item.ordinality:
        found.append(("ordinality", builtin("int8")))
    if not known:
        return {**dict(found), **dict.fromkeys(item.column_aliases)}, False
    renamed = list(item.column_aliases) + [name for name, _ in found[len(item.column_aliases) :]]
    shown: dict[str, DataType | None] = {}
    for name, (_, kind) in zip(renamed, found, strict=False):
        shown[f"{name} {len(shown)}" if name in shown else name] = kind  # unnest(a, b) has two columns of one name: only `*` finds both
    return shown, True


def _one(call: Tree, item: From, state: State, types: Columns, *, alone: bool) -> tuple[list[tuple[str, DataType | None]], bool]:
    if call[0] == "cast":
        return [(item.alias or str(call[1].name.name), call[1])], True
    if call[0] != "call":
        return [(item.alias or str(call[0]), None)] if call[0] == "coalesce" else [], call[0] == "coalesce"
    name: Name = call[1]
    if name.name in _OUT:
        columns = list(_OUT[name.name])
        if len(columns) == 1 and alone and item.alias:
            return [(columns[0][0], columns[0][1])], True
        return columns, True
    if name.name in {"json_populate_recordset", "jsonb_populate_recordset", "json_populate_record", "jsonb_populate_record"}:
        return _composite(type_of(call[2], types) if len(call) > 2 else None, state)
    if name.name in SCALAR:
        return _scalars(call, item, types, alone=alone), True
    return _of_user(call, item, state, alone=alone)


def _scalars(call: Tree, item: From, types: Columns, *, alone: bool) -> list[tuple[str, DataType | None]]:
    name = item.alias if alone and item.alias else call[1].name
    if call[1].name != "unnest":
        return [(name, type_of(call[2], types) if call[1].name == "generate_series" and len(call) > 2 else None)]
    elements = [type_of(argument, types) for argument in call[2:]]
    kinds = [one._replace(array=False) if one is not None and one.array else None for one in elements]
    return [(name if len(kinds) == 1 else "unnest", kind) for kind in kinds] or [(name, None)]


def _of_user(call: Tree, item: From, state: State, *, alone: bool) -> tuple[list[tuple[str, DataType | None]], bool]:
    name: Name = call[1]
    candidates = (name,) if name.schema is not None else tuple(Name(one, name.name) for one in (*state.search_path, "public"))
    overloads = next((state.schema.functions[one] for one in candidates if one in state.schema.functions), ())
    results = {function.returns for function in overloads}
    if len(results) != 1:
        return [], False
    result = results.pop()
    if result is None or result.builtin in {"record", "void"}:
        return [], False
    composite = state.schema.tables.get(state.resolve_type(result.name)) if result.builtin is None else None
    if composite is not None:
        return [(column.name, column.type) for column in composite.columns.values()], composite.known
    return [(item.alias if alone and item.alias else name.name, result)], True


def _composite(found: DataType | None, state: State) -> tuple[list[tuple[str, DataType | None]], bool]:
    table = None if found is None or found.builtin is not None else state.schema.tables.get(state.resolve_type(found.name))
    if table is None:
        return [], False
    return [(column.name, column.type) for column in table.columns.values()], table.known

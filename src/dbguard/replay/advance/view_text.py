"""What the text of a view tells beyond what the view uses: the types of its columns, and whether it groups by a primary key.

The text is read again when one of that is asked, which is rare. Nothing is told where its names no longer mean what the view
was bound to, or where a name could mean something that is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dbguard.model.schema import Column, Constraint, Table
from dbguard.model.state import State
from dbguard.model.types import DataType, builtin
from dbguard.parsing.column_types import data_type
from dbguard.parsing.decode import ParseError, parse_tree
from dbguard.parsing.names import relation, strings
from dbguard.parsing.queries import output_columns
from dbguard.parsing.uses import uses_of
from dbguard.replay.advance.create import resolved
from dbguard.replay.advance.define import UNKNOWN

Node = dict[str, Any]
Sources = list[tuple[str, Table | None]]
"""What FROM offers: the name in the query, and the table; None for what is no known table."""

_DEEPEST = 3  # views on views
_CONSTANTS = {"sval": "text", "boolval": "bool", "isnull": "text"}


def column_types(text: str, state: State, view: Table | None = None, depth: int = 0) -> dict[str, DataType]:
    """The types of a view's columns, those that are certain; `view`: the text is the one that the view was created by."""
    query = _query(text, state, view)
    select = {} if query is None else query["SelectStmt"]
    if "targetList" not in select:
        return {}
    sources = _sources(select, state, _with_names(select))
    found = {}
    for name, item in zip(output_columns({"SelectStmt": select}), select["targetList"], strict=True):
        kind = _type(item["ResTarget"].get("val", {}), sources, state, depth)
        if name is not None and kind is not None:
            found[name] = kind
    return found


def groups_by(view: Table, table: Table, key: Constraint, state: State) -> bool:
    """Whether the view shows columns that it does not group by, which the primary key alone allows (check_functional_grouping in pg_constraint.c)."""
    if key.kind != "primary key" or key.deferrable or "group" not in view.definition.lower():
        return False
    query = _query(view.definition, state, view)
    names = _with_names(query)
    return any(_leans_on(select, table, key, _sources(select, state, names)) for select in _nodes(query, "SelectStmt") if "groupClause" in select)


def _query(text: str, state: State, view: Table | None) -> Node | None:
    try:
        statements = parse_tree(text)
    except (ParseError, RecursionError):
        return None
    created = statements[0]["stmt"].get("ViewStmt", {}) if len(statements) == 1 else {}
    query: Node = created.get("query", {})
    if "SelectStmt" not in query or "aliases" in created:
        return None
    return query if view is None or resolved(state, uses_of(query)) == view.uses else None


def _with_names(root: Any) -> frozenset[str]:
    return frozenset(query.get("ctename", "") for query in _nodes(root, "CommonTableExpr"))


def _nodes(root: Any, kind: str, outside: frozenset[str] = frozenset()) -> Iterator[Node]:
    """Every node of that kind, the root's own included, but for those within a node of a kind in `outside`."""
    stack = [root]
    while stack:
        top = stack.pop()
        if isinstance(top, list):
            stack.extend(top)
        elif isinstance(top, dict):
            if kind in top:
                yield top[kind]
            stack.extend(value for name, value in top.items() if name not in outside and isinstance(value, dict | list))


def _sources(select: Node, state: State, names: frozenset[str]) -> Sources:
    found: Sources = []
    stack = list(select.get("fromClause", ()))
    while stack:
        kind, node = next(iter(stack.pop().items()))
        alias = node.get("alias", {})
        if kind == "JoinExpr" and not alias:
            stack += [node[side] for side in ("larg", "rarg") if side in node]
            if "usingClause" in node or "isNatural" in node:
                found.append(("", None))
            continue
        known = kind == "RangeVar" and "colnames" not in alias and ("schemaname" in node or node["relname"] not in names)
        table = state.table(relation(node)) if known else None
        found.append((alias.get("aliasname") or node.get("relname", ""), table if table is not None and table.known else None))
    return found


def _column(node: Node, sources: Sources) -> tuple[str, Table, Column] | None:
    """The name in FROM, the table and the column that a ColumnRef means."""
    fields = node.get("fields", [])
    names = strings(fields)
    if len(names) != len(fields) or not 1 <= len(names) <= 2:
        return None
    if len(names) == 2:
        found = [source for source in sources if source[0] == names[0]]
    elif any(table is None for _, table in sources):
        return None
    else:
        found = [(alias, table) for alias, table in sources if table is not None and names[0] in table.columns]
    if len(found) != 1 or found[0][1] is None or names[-1] not in found[0][1].columns:
        return None
    return found[0][0], found[0][1], found[0][1].columns[names[-1]]


def _type(node: Node, sources: Sources, state: State, depth: int) -> DataType | None:
    if "TypeCast" in node:
        kind = data_type(node["TypeCast"]["typeName"])
        return kind if kind.name.schema is not None else kind._replace(name=state.resolve_type(kind.name))
    if "A_Const" in node:
        if "ival" in node["A_Const"]:
            return builtin("int4")
        return next((builtin(name) for key, name in _CONSTANTS.items() if key in node["A_Const"]), None)
    found = _column(node["ColumnRef"], sources) if "ColumnRef" in node else None
    if found is None:
        return None
    _, table, column = found
    if column.type != UNKNOWN:
        return column.type
    of_view = column_types(table.definition, state, table, depth + 1) if table.kind == "view" and table.definition and depth < _DEEPEST else {}
    return of_view.get(column.name)


def _leans_on(select: Node, table: Table, key: Constraint, sources: Sources) -> bool:
    grouped: dict[str, set[str]] = {}
    for item in select["groupClause"]:
        found = _column(item.get("ColumnRef", {}), sources)
        if found is None:
            return False
        grouped.setdefault(found[0], set()).add(found[2].name)
    for alias, own in sources:
        columns = grouped.get(alias, set())
        if own is not None and own.name == table.name and columns.issuperset(key.columns):
            shown = _shown((select.get("targetList"), select.get("havingClause")), alias, own, sources)
            if not columns.issuperset(shown):
                return True
    return False


def _shown(roots: Iterable[Any], alias: str, table: Table, sources: Sources) -> Iterator[str]:
    """Columns of the table that are mentioned outside of calls, which could be aggregates."""
    for node in _nodes(list(roots), "ColumnRef", frozenset({"FuncCall", "SubLink"})):
        fields = node.get("fields", [])
        if "A_Star" in fields[-1] and (len(fields) == 1 or strings(fields) == [alias]):
            yield from table.columns
        elif (found := _column(node, sources)) is not None and found[0] == alias:
            yield found[2].name

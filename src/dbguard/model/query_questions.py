"""Questions that several checks ask about a query. Pure: no wording, no parser."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.model.expression import Tree, walk
from dbguard.model.names import Name, quote, text_literal
from dbguard.model.predicates import is_always_true
from dbguard.model.query import Access, Block, Candidate, Clause, Condition, Query, QueryStep, Source
from dbguard.model.sql import index_statement
from dbguard.model.types import DataType


def conditions(query: Query) -> Iterator[tuple[Block, Condition]]:
    """Every condition, with the level it stands in."""
    return ((block, condition) for block in query.written for condition in block.conditions)


def tables_without_where(query: Query, command: str) -> Iterator[Name]:
    """Tables of which every row is changed by `command` ("update" or "delete")."""
    for block in query.written:
        if block.command != command or block.target is None or len(block.sources) > 1:
            continue
        table = query.sources[block.target].table
        if table is not None and all(is_always_true(condition.tree) for condition in block.conditions):
            yield table


def is_narrowed(access: Access) -> bool:
    """Whether an index finds the rows of the table by something else than the whole index."""
    use = access.use
    return access.way in {"filter", "join"} and use is not None and use.first


def open_accesses(step: QueryStep) -> Iterator[tuple[Access, Source]]:
    """Tables that no index narrows and that are not known to be small, temporary or unknown."""
    for access in step.serving.accesses:
        table = step.table(access.source)
        if table is None or table.persistence == "temporary" or table.kind not in {"table", "partitioned table"}:
            continue
        if not is_narrowed(access) and not step.is_small(access.table):
            yield access, step.query.sources[access.source]


def is_given(clause: Clause) -> bool:
    """Whether the value is there before any table of its level is read."""
    return not clause.needs


def has_parameter(tree: Tree) -> bool:
    return any(node[0] == "param" for node in walk(tree))


def numbers_in(tree: Tree) -> set[int]:
    return {node[1] for node in walk(tree) if node[0] in {"at", "row of"}}


def column_type(step: QueryStep, source: int, key: Tree) -> DataType | None:
    """The type of a plain column."""
    table = step.table(source)
    if table is None or key[0] != "column" or key[1] not in table.columns:
        return None
    return table.columns[key[1]].type


def columns_in(tree: Tree) -> list[str]:
    return [node[1] for node in walk(tree) if node[0] == "column"]


def shown(tree: Tree, query: Query | None = None) -> str:
    """An expression as SQL, for messages and index keys."""
    match tree:
        case ("column", str(name)):
            return quote(name)
        case ("at", int(number), str(name)):
            alias = query.sources[number].alias if query is not None else ""
            return f"{quote(alias)}.{quote(name)}" if alias else quote(name)
        case ("param", number):
            return f"${number}"
        case ("null",):
            return "NULL"
        case ("const", bool(value)):
            return "true" if value else "false"
        case ("const", str(value)):
            return text_literal(value)
        case ("const" | "number", value):
            return str(value)
        case ("cast", to, inner):
            return f"{_operand(inner, query)}::{to}"
        case ("call", Name() as name, *arguments):
            return _call(name, arguments, query)
        case ("op", str(symbol), left, right):
            return f"{_operand(left, query)} {_SYMBOLS.get(symbol, symbol)} {_operand(right, query)}"
        case ("op", str(symbol), operand):
            return f"{symbol}{_operand(operand, query)}"
        case ("coalesce", *parts):
            return f"COALESCE({', '.join(shown(part, query) for part in parts)})"
        case ("is_null", inner):
            return f"{shown(inner, query)} IS NULL"
        case ("row", *parts):
            return f"({', '.join(shown(part, query) for part in parts)})"
        case ("query", *_):
            return "(SELECT ...)"
    return "..."


_SYMBOLS = {"~~": "LIKE", "!~~": "NOT LIKE", "~~*": "ILIKE", "!~~*": "NOT ILIKE"}
_KEYWORDS = {"current_date", "current_timestamp", "localtimestamp"}


def _call(name: Name, arguments: list[Tree], query: Query | None) -> str:
    if name.schema == "pg_catalog":
        name = Name(None, name.name)
    if name.name in _KEYWORDS and not arguments:
        return name.name
    return f"{name}({', '.join('*' if one[0] == 'star' else shown(one, query) for one in arguments)})"


def _operand(tree: Tree, query: Query | None) -> str:
    return f"({shown(tree, query)})" if tree[0] == "op" else shown(tree, query)


def index_facts(step: QueryStep, candidate: Candidate) -> dict[str, str]:
    """Facts about an index that is missing: its statement, its columns, and which indexes come close."""
    table = step.state.schema.table(candidate.table)
    close = "; ".join(candidate.close)
    return {
        "table": str(step.display(candidate.table)),
        "columns": ", ".join(shown(("column", key.column)) for key in candidate.create.keys if key.column is not None),
        "create_index": index_statement(candidate.create, table),
        "close": f" ({close})" if close else "",
    }

"""Constants of a query that may become parameters: text in, their places out.

What is looked at are the operands of operators. Keywords that the parse tree holds as constants (`extract(year FROM ...)`), modifiers of types
and intervals with fields (`interval '1' day`) are no such constants.
"""

from __future__ import annotations

from typing import Any

from dbguard.model.record import Record
from dbguard.parsing import lexer
from dbguard.parsing.decode import ParseError, parse_tree

_NO_VALUES = frozenset({"typeName", "name", "funcname", "indirection", "sortClause", "limitCount", "limitOffset"})
_QUERIES = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CaseExpr"})
_INTEGER, _BIGINT = 1 << 31, 1 << 63


class Literal(Record):
    """A constant at sql[start:end], and the type that a parameter in its place has to be cast to; "" if it takes that of its surroundings."""

    start: int
    end: int
    value: str
    type: str = ""


def operands(sql: str) -> tuple[Literal, ...]:
    """Constants below operators, in the order of the text; none if it cannot be read."""
    try:
        tree = parse_tree(sql)
    except (ParseError, ValueError, RecursionError, MemoryError):
        return ()
    found = _constants(tree)
    if not found:
        return ()
    offset = _offsets(sql)
    tokens = [token for token in lexer.tokens(sql) if token[0] != lexer.COMMENT]
    places = {start: index for index, (_, start, _) in enumerate(tokens)}
    literals = []
    for value, typed in found:
        literal = _literal(sql, tokens, places.get(offset(value.get("location", 0)), -1), value)
        if literal is not None and typed is not None:
            kind = typed.get("typeName", {})
            literal = _typed(sql, literal, offset(kind.get("location", 0)), kind)
        if literal is not None:
            literals.append(literal)
    return tuple(sorted(set(literals)))


def _constants(tree: Any) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """A_Const nodes below A_Expr, each with the TypeCast around it."""
    found: list[tuple[dict[str, Any], dict[str, Any] | None]] = []
    pending: list[tuple[Any, bool, Any]] = [(tree, False, None)]
    while pending:
        node, below, typed = pending.pop()
        if isinstance(node, list):
            pending += [(one, below, None) for one in node]
        elif isinstance(node, dict):
            for key, value in node.items():
                if key == "A_Const" and below and not {"isnull", "boolval", "bsval"} & set(value):
                    found.append((value, typed))
                elif key not in _NO_VALUES and isinstance(value, dict | list):
                    inside = (below or key == "A_Expr") and key not in _QUERIES
                    pending.append((value, inside, value if key == "TypeCast" else typed if key == "arg" else None))
    return found


def _offsets(sql: str) -> Any:
    """From bytes, in which the parser counts, to characters."""
    if sql.isascii():
        return int
    found = []
    for place, letter in enumerate(sql):
        found += [place] * len(letter.encode("utf-8", "replace"))
    return lambda byte: found[byte] if 0 <= byte < len(found) else -1


def _literal(sql: str, tokens: list[tuple[int, int, int]], index: int, value: dict[str, Any]) -> Literal | None:
    if index < 0:
        return None
    kind, start, end = tokens[index]
    if "sval" in value:
        if kind not in {lexer.STRING, lexer.DOLLAR}:
            return None
        while index + 1 < len(tokens) and tokens[index + 1][0] == lexer.STRING == kind:  # a string goes on in the next line
            index += 1
            end = tokens[index][2]
        follows = sql[tokens[index + 1][1] : tokens[index + 1][2]].upper() if index + 1 < len(tokens) else ""
        return None if follows == "UESCAPE" else Literal(start, end, value["sval"].get("sval", ""))
    if sql[start:end] == "-" and index + 1 < len(tokens):
        kind, _, end = tokens[index + 1]
    if kind != lexer.NUMBER:
        return None
    text = str(value["ival"].get("ival", 0)) if "ival" in value else value["fval"].get("fval", "0")
    digits = text.removeprefix("-")
    size = int(digits) if digits.isdigit() and len(digits) < 20 else _BIGINT
    return Literal(start, end, text, "integer" if size < _INTEGER else "bigint" if size < _BIGINT else "numeric")


def _typed(sql: str, literal: Literal, start: int, kind: dict[str, Any]) -> Literal | None:
    """The literal with the name of its type, where it stands before it: `date '2024-01-01'`. None for a type with modifiers there."""
    if not 0 <= start < literal.start:
        return literal
    if kind.get("typmods"):
        return None
    return literal._replace(start=start, type=sql[start : literal.start].strip())

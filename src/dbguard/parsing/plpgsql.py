"""Bodies in PL/pgSQL and SQL: the static statements inside, and what cannot be known.

`pglast` gives the tree of a function's body as JSON, with every query as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pglast.parser import parse_plpgsql_json

from dbguard.model.names import quote
from dbguard.model.operations import Commit, Operation, Rollback, Select
from dbguard.parsing import decode, lexer

Node = dict[str, Any]

_UNKNOWN = re.compile(r'"([^"]+)" is not a known variable')
_NAMES = frozenset({lexer.WORD, lexer.QUOTED})
_DYNAMIC = "dynamic SQL in EXECUTE"
_RETURNS = ("trigger", "SETOF record", "text", "void", "event_trigger")  # tried in this order: what a function returns is not in its body
_EXPRESSION_MODES = frozenset({2, 3, 4, 5})  # RawParseMode in src/include/parser/parser.h


def read(body: str, language: str) -> tuple[tuple[Operation, ...], tuple[str, ...]]:
    """Operations of the static statements in a DO body, and why the rest is not understood."""
    if language == "sql":
        return _sql(body)
    if language != "plpgsql":
        return (), (f"body in {language}",)
    tree, failure = _tree(body, ("void",), guesses=0)
    if tree is None:
        return (), (failure,)
    return _operations(tree)


def hides_statements(body: str) -> bool:
    """Whether a PL/pgSQL body runs SQL that is not in its text."""
    tree, _ = _tree(body, _RETURNS, guesses=30)
    return tree is not None and _DYNAMIC in _operations(tree)[1]


def statements_in(body: str, language: str) -> tuple[Operation, ...]:
    """Operations of the static statements in a function's body: they run when it is called. Empty if it cannot be read."""
    if language == "sql":
        return _sql(body)[0]
    if language != "plpgsql":
        return ()
    tree, _ = _tree(body, _RETURNS, guesses=30)
    return () if tree is None else _operations(tree)[0]


def _tree(body: str, returns: tuple[str, ...], guesses: int) -> tuple[Any, str]:
    """The tree, or why there is none. Names that the body assigns and nothing declares are taken for `guesses` parameters at most."""
    tag = "$dbguard$"
    while tag in body:
        tag = f"${tag[1:-1]}x$"
    failure = ""
    for kind in returns:
        parameters: list[str] = []
        while True:
            try:
                head = f"CREATE FUNCTION f({', '.join(f'{name} text' for name in parameters)}) RETURNS {kind} LANGUAGE plpgsql"
                return json.loads(parse_plpgsql_json(f"{head} AS {tag}{body}{tag}")), ""
            except (decode.ParseError, ValueError, RecursionError) as error:
                failure = f"PL/pgSQL: {decode.reason(error)}"
            plain = _plain_types(body) if "LookupExplicitNamespace" in failure else body
            if plain != body:
                body = plain
                continue
            missing = _UNKNOWN.search(failure)
            if missing is None or kind.endswith("trigger") or len(parameters) >= guesses or quote(missing.group(1)) in parameters:
                break
            parameters.append(quote(missing.group(1)))
    return None, failure


def _plain_types(body: str) -> str:
    """The body with `text` and `record` for variables' types in a schema, which libpg_query cannot look up. No statement changes."""
    found = [(kind, start, end) for kind, start, end in lexer.tokens(body) if kind != lexer.COMMENT]
    words = [body[start:end].upper() for _, start, end in found]
    parts, position, declaring, index = [], 0, False, 0
    while index < len(found):
        if words[index] in {"DECLARE", "BEGIN"}:
            declaring = words[index] == "DECLARE"
        elif declaring and words[index] == "." and found[index - 2][0] in _NAMES and index >= 2 and found[index - 1][0] in _NAMES:
            last = index + 1
            while words[last + 1 : last + 2] == ["."]:
                last += 2
            row = words[last + 1 : last + 3] == ["%", "ROWTYPE"]
            parts += [body[position : found[index - 1][1]], "record" if row else "text"]
            last += 2 if words[last + 1 : last + 2] == ["%"] else 0
            position = found[min(last, len(found) - 1)][2]
            index = last
        index += 1
    return "".join((*parts, body[position:]))


def _sql(body: str) -> tuple[tuple[Operation, ...], tuple[str, ...]]:
    from dbguard.parsing.script import parse_piece

    operations: list[Operation] = []
    reasons: list[str] = []
    for statement in parse_piece(body, 0):
        operations.extend(statement.operations)
        reasons.extend(unread.reason for unread in statement.unread)
    return tuple(operations), tuple(reasons)


def _operations(tree: Any) -> tuple[tuple[Operation, ...], tuple[str, ...]]:
    operations: list[Operation] = []
    reasons: dict[str, None] = {}
    for kind, query in _queries(tree):
        if kind == "transaction":
            operations.append(Commit(in_body=True) if query == "commit" else Rollback(in_body=True))
            continue
        text: str | None = query
        if kind == "dynamic":
            text = _literal(query)
            if text is None:
                reasons[_DYNAMIC] = None
                continue
        elif kind == "expression":
            if "(" not in query:
                continue
            text = f"SELECT {_without_target(query)}"
        found, failures = _sql(text or "")
        if kind == "expression":
            found = tuple(one for one in found if not isinstance(one, Select) or one.uses.reads or one.uses.writes or one.uses.sequences)
        operations.extend(found)
        for failure in failures:
            reasons[failure] = None
    return tuple(operations), tuple(reasons)


def _queries(tree: Any) -> Iterator[tuple[str, str]]:
    """What stands in a body, in text order: ("static" | "dynamic" | "expression" | "transaction", text)."""
    stack: list[tuple[Any, str]] = [(tree, "")]
    while stack:
        top, key = stack.pop()
        if isinstance(top, list):
            stack.extend((item, key) for item in reversed(top))
        elif isinstance(top, dict):
            if "PLpgSQL_expr" in top:
                found = top["PLpgSQL_expr"]
                text, mode = found.get("query", ""), found.get("parseMode", 0)
                if key in {"dynquery", "PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"}:
                    yield "dynamic", text
                else:
                    yield ("expression" if mode in _EXPRESSION_MODES else "static"), text
                continue
            if "PLpgSQL_stmt_commit" in top or "PLpgSQL_stmt_rollback" in top:
                yield "transaction", "commit" if "PLpgSQL_stmt_commit" in top else "rollback"
                continue
            children = [(child, _role(name, key)) for name, child in top.items() if isinstance(child, (dict, list))]
            if "query" in top:  # of a loop: it runs before the body, but stands after it
                children.sort(key=lambda pair: pair[1] == "body")
            stack.extend(reversed(children))


def _role(name: str, key: str) -> str:
    """What a query below means: `query` of EXECUTE is dynamic; its USING parameters are expressions."""
    if name == "query" and key in {"PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors"}:
        return key
    return name


def _literal(query: str) -> str | None:
    """The text of an expression that is one string constant, or several joined with `||`; None for any other."""
    try:
        statements = decode.parse_tree(f"SELECT {query}")
    except decode.ParseError:
        return None
    if len(statements) != 1:
        return None
    targets = statements[0].get("stmt", {}).get("SelectStmt", {}).get("targetList", ())
    if len(targets) != 1:
        return None
    stack, texts = [targets[0].get("ResTarget", {}).get("val", {})], []
    while stack:
        node = stack.pop()
        while "TypeCast" in node:
            node = node["TypeCast"].get("arg", {})
        joined = node.get("A_Expr", {})
        if [name.get("String", {}).get("sval") for name in joined.get("name", ())] == ["||"]:
            stack += [joined.get("rexpr", {}), joined.get("lexpr", {})]
            continue
        constant = node.get("A_Const", {}).get("sval")
        if constant is None:
            return None
        texts.append(constant.get("sval", ""))
    return "".join(texts)


def _without_target(text: str) -> str:
    """The right side of `target := expression`; the text itself if there is no assignment."""
    depth = 0
    for kind, start, end in lexer.tokens(text):
        if kind != lexer.OTHER:
            continue
        character = text[start]
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if depth == 0 and character == ":" and text[end : end + 1] == "=":
            return text[end + 1 :]
        if depth == 0 and character == "=" and text[:1].isidentifier():
            return text[end:]
    return text

"""Query text to `Text`: one statement as an application sends it, with its placeholders, comments and body."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from dbguard.model.syntax import Body, Text
from dbguard.parsing import lexer
from dbguard.parsing.decode import ParseError, parse_tree, reason
from dbguard.parsing.query.bodies import body
from dbguard.parsing.query.placeholders import has_own_style, numbered
from dbguard.parsing.query.trees import TooDeepError

__all__ = ["LONGEST", "body_of_view", "read_query", "without_comments"]

Node = dict[str, Any]

LONGEST = 1_000_000  # characters of one query; longer ones are named as unread
_LONGEST_REASON = 160
_TAG = re.compile(r"([\w%.\-]+)='((?:[^'\\]|\\.)*)'")
_TAGS = re.compile(rf"\s*{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*\s*")
_BODIES = {"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}
_WRAPPERS = {
    "ExplainStmt": "explain",
    "PrepareStmt": "prepare",
    "DeclareCursorStmt": "cursor",
    "CreateTableAsStmt": "create table as",
    "CopyStmt": "copy",
}
_CURSOR_OPT_HOLD = 0x20  # src/include/nodes/parsenodes.h


def read_query(text: str) -> Text:
    """One statement. Never raises because of the text: what is not understood says why in `unread`."""
    if len(text) > LONGEST:
        return Text("", None, unread=f"longer than {LONGEST:,} characters")
    text = lexer.tidy(text.replace("\0", " "))
    plain, comments = without_comments(text)
    plain = plain.strip().rstrip(";").rstrip()
    tags = tuple(tag for comment in comments for tag in _tags(comment))
    try:
        statements, sql, names = _parsed(plain)
        if not statements:
            return Text(sql, None, tags=tags, comments=comments, unread="no statement")
        if len(statements) > 1:
            return Text(sql, None, names, tags, comments, unread=f"{len(statements)} statements in one text")
        found, wrapped, session = _body(statements[0]["stmt"])
    except (ParseError, TooDeepError, MemoryError, RecursionError, KeyError, IndexError, TypeError, AttributeError) as error:
        why = reason(error) if isinstance(error, ParseError | TooDeepError) else type(error).__name__
        return Text(plain, None, tags=tags, comments=comments, unread=why[:_LONGEST_REASON])
    return Text(sql, found, names, tags, comments, wrapped, session)


@lru_cache(maxsize=512)
def body_of_view(text: str) -> Body | None:
    """The query of a CREATE VIEW; None if it cannot be read."""
    try:
        view = parse_tree(text)[0]["stmt"]["ViewStmt"]
        return body(view["query"])
    except (ParseError, TooDeepError, MemoryError, RecursionError, KeyError, IndexError, TypeError, AttributeError):
        return None


def without_comments(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with a blank for each comment, and the comments."""
    if "--" not in text and "/*" not in text:
        return text, ()
    parts, comments, position = [], [], 0
    for kind, start, end in lexer.tokens(text):
        if kind == lexer.COMMENT:
            parts += [text[position:start], " "]
            comments.append(text[start:end])
            position = end
    return "".join((*parts, text[position:])), tuple(comments)


def _parsed(plain: str) -> tuple[list[Node], str, tuple[str, ...]]:
    if not has_own_style(plain):
        try:
            return parse_tree(plain), plain, ()
        except ParseError:
            pass
    for marks in (False, True):
        sql, names = numbered(plain, marks=marks)
        try:
            return parse_tree(sql), sql, names
        except ParseError:
            if marks:
                raise
    raise AssertionError


def _tags(comment: str) -> list[tuple[str, str]]:
    """The pairs of a sqlcommenter comment: `/*route='%2Forders',traceparent='00-...'*/`."""
    inside = comment[2:-2] if comment.startswith("/*") else comment[2:]
    if "='" not in inside or _TAGS.fullmatch(inside) is None:
        return []
    return [(unquote(match[1]), unquote(match[2].replace("\\'", "'"))) for match in _TAG.finditer(inside)]


def _body(tree: Node) -> tuple[Body, str, str]:
    """The body, what wraps it, and what the statement leaves behind in the session."""
    kind, value = next(iter(tree.items()))
    if kind in _BODIES:
        return body(tree), "", ""
    if kind in _WRAPPERS and "query" in value:
        held = kind == "DeclareCursorStmt" and bool(value.get("options", 0) & _CURSOR_OPT_HOLD)
        temporary = kind == "CreateTableAsStmt" and value.get("into", {}).get("rel", {}).get("relpersistence") == "t"
        session = "cursor with hold" if held else "prepared statement" if kind == "PrepareStmt" else "temporary table" if temporary else ""
        inner = value["query"]
        return body(inner) if next(iter(inner)) in _BODIES else Body(command="other"), _WRAPPERS[kind], session
    return Body(command="other"), "", _session(kind, value)


def _session(kind: str, value: Node) -> str:
    match kind:
        case "VariableSetStmt" if not value.get("is_local") and value.get("kind") != "VAR_SET_MULTI":
            return "setting"
        case "ListenStmt":
            return "listen"
        case "CreateStmt" if value.get("relation", {}).get("relpersistence") == "t":
            return "temporary table"
        case "DeallocateStmt" | "ExecuteStmt":
            return "prepared statement"
    return ""

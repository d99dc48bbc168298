"""A query's shape: what stays when constants, lists of them, spaces and comments are gone.

libpg_query's fingerprint alone puts too much together: it has `LIMIT 10` and `LIMIT 10 OFFSET 20` as one, and columns in any order. So
the key is a hash of the normalised text, and the fingerprint stands beside it for other tools that know it.
"""

from __future__ import annotations

from hashlib import blake2b

from dbguard.model.record import Record
from dbguard.parsing import lexer

LONGEST = 20_000  # characters of normalised text that are kept for reading
_OPEN, _CLOSE = "([", ")]"


class Shape(Record):
    key: str  # 16 hexadecimal digits
    sql: str  # normalised, constants as ?


def shape_of(text: str) -> Shape:
    """The shape of one statement, with placeholders of any driver. Never raises because of the text."""
    words = _collapsed(_words(text))
    sql = _joined(words)
    return Shape(blake2b(sql.encode("utf-8", "replace"), digest_size=8).hexdigest(), sql[:LONGEST])


def fingerprint(sql: str) -> str:
    """libpg_query's fingerprint of what PostgreSQL can read; "" for other text."""
    from pglast.parser import ParseError
    from pglast.parser import fingerprint as of_parser

    try:
        return str(of_parser(sql))
    except ParseError:
        return ""


def _words(text: str) -> list[str]:
    """Tokens: constants and placeholders as `?`, words in lower case."""
    found: list[str] = []
    tokens = [token for token in lexer.tokens(text.replace("\0", " ")) if token[0] != lexer.COMMENT]
    skip = 0
    for index, (kind, start, end) in enumerate(tokens):
        if skip:
            skip -= 1
            continue
        word = text[start:end]
        if kind in {lexer.STRING, lexer.DOLLAR, lexer.NUMBER}:
            if found and found[-1] == "-" and (len(found) < 2 or found[-2] in _BEFORE_SIGN):
                found.pop()
            found.append("?")
        elif kind == lexer.WORD:
            found.append(word.lower())
        elif kind == lexer.QUOTED:
            inside = word[1:-1]
            found.append(inside if inside.isidentifier() and inside == inside.lower() and inside.isascii() else word)
        elif word in {"%", ":", "@"}:
            size = _placeholder(text, tokens, index)
            found.append("?" if size else word)
            skip = max(size - 1, 0)
        else:
            found.append(word)
    while found and found[-1] == ";":
        found.pop()
    return found


_BEFORE_SIGN = frozenset({"=", "<", ">", "(", ",", "[", "limit", "offset", "and", "or", "between", "then", "else", "when", "select", "in", "values"})


def _placeholder(text: str, tokens: list[tuple[int, int, int]], index: int) -> int:
    """How many tokens the placeholder that begins here takes; 0 if none does."""
    _, start, end = tokens[index]
    after = tokens[index + 1 : index + 5]
    if not after or after[0][1] != end:
        return 0
    following = text[after[0][1] : after[0][2]]
    if text[start] == "%":
        if following == "s":
            return 2
        if following == "(" and len(after) > 2:
            close = next((place for place, token in enumerate(after) if text[token[1] : token[2]] == ")"), -1)
            if close > 0 and text[after[close][2] : after[close][2] + 1] == "s":
                return close + 3
        return 0
    if after[0][0] != lexer.WORD or (start and text[start - 1] in ":@"):
        return 0
    return 2


def _collapsed(words: list[str]) -> list[str]:
    """Lists of constants of any length as one constant, rows of VALUES as one row."""
    found: list[str] = []
    for word in words:
        found.append(word)
        if word == "?" and found[-3:-1] == ["?", ","]:
            del found[-2:]
        elif word in _CLOSE:
            _drop_repeated(found)
    return found


def _drop_repeated(words: list[str]) -> None:
    """`(?), (?)` as `(?)`: the group that just closed says the same as the one before it."""
    opening = _opening(words, len(words) - 1)
    if opening < 2 or words[opening - 1] != ",":
        return
    group = words[opening:]
    before = words[opening - 1 - len(group) : opening - 1]
    if before == group:
        del words[opening - 1 :]


def _opening(words: list[str], closing: int) -> int:
    depth = 0
    for index in range(closing, max(-1, closing - 4_000), -1):
        if words[index] in _CLOSE:
            depth += 1
        elif words[index] in _OPEN:
            depth -= 1
            if depth == 0:
                return index
    return -1


_TIGHT_BEFORE = frozenset({",", ")", "]", ".", "::", ":"})
_TIGHT_AFTER = frozenset({"(", "[", ".", ":"})
_UPPER = frozenset(
    """
    select from where and or not in is null join left right inner outer full cross on using group by order having limit offset insert into values
    update set delete returning with as distinct union all intersect except case when then else end exists between like ilike asc desc conflict do
    nothing for share skip locked lateral any over partition recursive nowait
    """.split()  # noqa: SIM905
)


def _joined(words: list[str]) -> str:
    parts: list[str] = []
    for index, word in enumerate(words):
        before = words[index - 1] if index else ""
        tight = not index or word in _TIGHT_BEFORE or before in _TIGHT_AFTER or _is_call(before, word) or _is_one_operator(before, word)
        parts.append(("" if tight else " ") + (word.upper() if word in _UPPER else word))
    return "".join(parts)


def _is_call(before: str, word: str) -> bool:
    return word in _OPEN and bool(before) and (before[-1].isalnum() or before[-1] in '_"') and before not in _UPPER | {"?"}


_SIGNS = frozenset("+-*/<>=~!#%^&|`")


def _is_one_operator(before: str, word: str) -> bool:
    return word in _SIGNS and before in _SIGNS and before + word in _DOUBLE


_DOUBLE = frozenset({"<=", ">=", "<>", "!=", "||", "->", "@>", "<@", "&&", "~*", "!~", "<-", ">>", "<<", "#>"})

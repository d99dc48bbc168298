"""Elements of HTML that escape whatever is not an element: nobody's text becomes markup by forgetting something."""

from __future__ import annotations

import html
from collections.abc import Iterable

from dbguard.report.words import one_line, unturned, visible

MOST_TEXT = 4_000
_VOID = {"meta", "br", "hr", "wbr"}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def el(name: str, /, *children: str | None, **attributes: str | float | bool | None) -> Html:
    """An element. A child that is not `Html` is escaped; `class_` is `class`, `aria_label` is `aria-label`; None and False leave out."""
    pairs = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")  # noqa: PLW2901
        pairs.append(f" {key}" if value is True else f' {key}="{text(str(value), MOST_TEXT)}"')
    inside = "".join(child if isinstance(child, Html) else text(child, MOST_TEXT) for child in children if child is not None)
    return Html(f"<{name}{''.join(pairs)}>" if name in _VOID else f"<{name}{''.join(pairs)}>{inside}</{name}>")


def join(parts: Iterable[str]) -> Html:
    """Elements one after the other."""
    return Html("".join(part if isinstance(part, Html) else text(part, MOST_TEXT) for part in parts))


def text(value: str, most: int = MOST_TEXT) -> Html:
    """`value` as text: no control characters, no marks that turn the line, at most `most` characters."""
    plain = unturned(visible(value[: most + 1]))
    return Html(html.escape(plain if len(plain) <= most else f"{plain[:most].rstrip()} ..."))


def prose(value: str, most: int = 1_000) -> Html:
    """A sentence; what stands between single backticks becomes code."""
    parts = one_line(value[:most]).split("`")
    if len(parts) % 2 == 0 or "" in parts[1::2]:
        return text("`".join(parts))
    return join(el("code", part) if position % 2 else part for position, part in enumerate(parts))


def code(value: str, most: int = 300) -> Html:
    """One line of code."""
    plain = " ".join(one_line(value[: 20 * most]).split())
    return el("code", plain if len(plain) <= most else f"{plain[:most]} ...")


def block(value: str) -> Html:
    """Lines of code, which wrap where the page is narrow."""
    return el("pre", el("code", value.strip("\n").expandtabs(4)))


def listed(sentences: Iterable[str], **attributes: str) -> Html:
    """A list, or nothing where there is nothing to list."""
    items = [el("li", one if isinstance(one, Html) else prose(one)) for one in sentences if one]
    return el("ul", *items, **attributes) if items else Html("")


def labelled(pairs: Iterable[tuple[str, str]]) -> Html:
    """Terms and what they are, those that are empty left out."""
    rows = [el("div", el("dt", term), el("dd", value if isinstance(value, Html) else prose(value))) for term, value in pairs if value]
    return el("dl", *rows, class_="facts") if rows else Html("")


def table(head: Iterable[tuple[str, str]], rows: Iterable[Iterable[str]], caption: str) -> Html:
    """`head` has a label and a class ("n": a number) for each column. On a narrow page a row becomes a block, and cells show their label."""
    columns = list(head)
    top = el("tr", *(el("th", label, scope="col", class_=kind or None) for label, kind in columns))
    body = [
        el("tr", *(el("td", cell, class_=kind or None, data_label=label or None) for cell, (label, kind) in zip(row, columns, strict=True)))
        for row in rows
    ]
    return el("table", el("caption", caption), el("thead", top), el("tbody", *body), class_="wide")


def verdict(word: str, level: int) -> Html:
    """A sign, a colour and a word. `level`: 0 safe, 1 review, 2 stop."""
    return el("span", sign(level), el("b", word), class_=f"verdict {LEVELS[level]}")


def sign(level: int) -> Html:
    return el(
        "svg", el("use", href=f"#sign-{(*LEVELS, 'advice')[level]}"), class_="sign", width=16, height=16, viewBox="0 0 16 16", aria_hidden="true"
    )


LEVELS = ("safe", "review", "stop")
ADVICE = 3

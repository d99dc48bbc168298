"""One HTML document from sections: no script, no network, no fonts but the reader's own; its one style sheet is named by its hash."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from dbguard.model.record import Record
from dbguard.report.html_parts import Html, el
from dbguard.version import __version__


class Part(Record):
    """A section of the page: what the navigation calls it, and what is in it."""

    key: str
    title: str
    body: Html
    size: str = ""


@cache
def asset(name: str) -> str:
    """A file of `assets`: the style sheet as it stands in the document and in its hash, and the signs and patterns that pictures use."""
    return files("dbguard.report").joinpath("assets", name).read_text(encoding="utf-8").strip()


def document(title: str, head: Html, parts: Iterable[Part], last: str) -> str:
    """The whole page. `head` is what stands above the navigation, `last` a sentence for its foot."""
    shown = [part for part in parts if part.body]
    style = asset("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    links = [el("li", el("a", part.title, _count(part), href=f"#{part.key}")) for part in shown]
    body = el(
        "body",
        el("a", "Skip to the report", href="#report", class_="skip"),
        Html(asset("signs.svg")),
        el("header", head),
        el("nav", el("ul", *links), aria_label="Parts of this report") if len(shown) > 1 else None,
        el("main", *map(_section, shown), id="report", tabindex="-1"),
        el("footer", el("p", last), el("p", f"dbguard {__version__}. This page is one file and asks nobody for anything.")),
    )
    meta = [
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=Html(policy)),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", name="referrer", content="no-referrer"),
        el("meta", name="robots", content="noindex"),
        el("title", title),
        el("style", Html(style)),
    ]
    return f"<!doctype html>\n{el('html', el('head', *meta), body, lang='en')}\n"


def _count(part: Part) -> Html | None:
    return el("span", part.size, class_="count") if part.size else None


def _section(part: Part) -> Html:
    heading = el("h2", part.title, _count(part), id=f"{part.key}-title")
    return el("section", heading, part.body, id=part.key, aria_labelledby=f"{part.key}-title")

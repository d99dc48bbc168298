"""Rules to text for people and programs: the list of rules, and one page, as terminal text, Markdown or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from dbguard.rulebook import Rule
from dbguard.rulebook.page import CATEGORIES, TOOLS

_METADATA = re.compile(r"^```toml\n.*?^```\n", re.MULTILINE | re.DOTALL)


def as_json(rules: Iterable[Rule]) -> str:
    """Metadata and page of each rule; the schema is docs/schemas/rule.json."""
    return json.dumps([_record(rule) for rule in rules], indent=2, ensure_ascii=False) + "\n"


def _record(rule: Rule) -> dict[str, Any]:
    header = rule.header
    return {
        "name": rule.name,
        "category": header.category,
        "severity": str(header.severity),
        "default": header.default,
        "status": header.status,
        "since": header.since,
        "known_as": {tool: list(header.known_as.get(tool, ())) for tool in TOOLS},
        "message": header.message,
        "page": rule.text(),
    }


def as_markdown(rule: Rule) -> str:
    """The page with its metadata as a sentence, as it stands in the documentation."""
    return _METADATA.sub(lambda _: _summary(rule) + "\n", rule.text(), count=1)


def _summary(rule: Rule) -> str:
    header = rule.header
    state = str(header.severity) if header.default else f"{header.severity}, off unless selected"
    lines = [f"*{header.category} · {state} · {header.status} since {header.since}*"]
    if header.postgres is not None:
        lines.append(f"Applies to PostgreSQL {header.postgres[0]} to {header.postgres[1]}.")
    lines += [f"Option `{name}` ({option.default!r}): {option.help}." for name, option in header.options.items()]
    if names := [f"{tool} `{name}`" for tool in TOOLS for name in header.known_as.get(tool, ())]:
        lines.append(f"Known elsewhere as {', '.join(names)}.")
    if header.replaces:
        lines.append(f"Formerly {', '.join(f'`{name}`' for name in header.replaces)}.")
    return "\n\n".join(lines)


def index(rules: Iterable[Rule]) -> str:
    """All rules as a Markdown table per category, in the order of `CATEGORIES`."""
    rules = list(rules)
    parts = []
    for category in CATEGORIES:
        rows = [rule for rule in rules if rule.header.category == category]
        if rows:
            table = "".join(
                f"| [{r.name}](../rules/{r.name}.md) | {r.header.severity}{'' if r.header.default else ' (off)'} | {_cell(r.header.message)} |\n"
                for r in rows
            )
            parts.append(f"## {category}\n\n| rule | severity | message |\n|---|---|---|\n{table}")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def as_text(rule: Rule, *, color: bool, width: int = 100) -> str:
    """The page for a terminal."""
    from rich.markdown import Markdown

    return _rendered(Markdown(as_markdown(rule), code_theme="ansi_dark"), color=color, width=width)


def list_as_text(rules: Iterable[Rule], *, color: bool, width: int = 100) -> str:
    """One line per rule, by category."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, pad_edge=False)
    for title in ("rule", "category", "severity", "on"):
        table.add_column(title, no_wrap=title == "rule")
    order = list(CATEGORIES)
    for rule in sorted(rules, key=lambda rule: (order.index(rule.header.category), rule.name)):
        on = "yes" if rule.header.default else "no"
        table.add_row(rule.name, rule.header.category, str(rule.header.severity), on if rule.header.status == "stable" else rule.header.status)
    return _rendered(table, color=color, width=width)


def _rendered(renderable: Any, *, color: bool, width: int) -> str:
    from io import StringIO

    from rich.console import Console

    target = StringIO()
    Console(file=target, force_terminal=color, no_color=not color, width=width, highlight=False, legacy_windows=False).print(renderable)
    return "".join(f"{line.rstrip()}\n" for line in target.getvalue().rstrip().splitlines())

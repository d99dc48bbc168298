"""One page of the rulebook, from text to values.

In: the Markdown of `rules/<name>.md`. Out: a `Header` (title and metadata, read for every run) and a `Body` (prose and
examples, read when somebody wants to see them). A page that breaks the format is a `ConfigError` that names page and place.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from dbguard.errors import ConfigError
from dbguard.model.finding import Severity
from dbguard.model.record import Record

CATEGORIES = {
    "locks": Severity.ERROR,
    "rewrites": Severity.ERROR,
    "data": Severity.ERROR,
    "transactions": Severity.ERROR,
    "security": Severity.ERROR,
    "compatibility": Severity.WARNING,
    "queries": Severity.WARNING,
    "plans": Severity.WARNING,
    "schema": Severity.ADVICE,
    "exceptions": Severity.WARNING,  # what is wrong with an `allow`
}
TOOLS = ("squawk", "eugene", "strong_migrations", "pgfence")
STATUSES = ("stable", "preview", "deprecated")
NO_RECIPE = "There is no safe recipe"
SECTIONS = ("Bad", "Recipe", "Good", "When to allow it", "References")

_REQUIRED = {"category", "since", "wakes", "message", "instead"}
_OPTIONAL = {"severity", "status", "postgres", "replaces", "known_as", "options", "variant", "claims", "engine", "when", "instead_in"}
_CLAIMS = {"locks", "rewrites", "scans", "builds"}
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Option(Record):
    default: Any
    help: str


class Wording(Record):
    message: str
    instead: str


class Header(Record):
    """Title and metadata of a page: everything a run needs before there is a finding."""

    name: str
    category: str
    since: str
    wakes: tuple[str, ...]  # classes of operations, or moments, that wake the check
    message: str
    instead: str
    severity: Severity
    status: str = "stable"
    postgres: tuple[int, int] | None = None  # majors where the rule applies
    replaces: tuple[str, ...] = ()
    known_as: Mapping[str, tuple[str, ...]] = {}
    options: Mapping[str, Option] = {}
    variants: Mapping[str, Wording] = {}
    claims: Mapping[str, Any] = {}
    when: frozenset[str] = frozenset()  # classes of operations without which a moment has nothing for this rule
    engine: bool = False  # reported by dbguard itself; has no check
    instead_in: Mapping[str, str] = {}  # `instead` where the migration is Alembic's or Django's

    @property
    def default(self) -> bool:
        """Whether the rule is on unless somebody says otherwise."""
        return self.status == "stable" and self.severity > Severity.ADVICE

    def wording(self, variant: str = "") -> Wording:
        return self.variants.get(variant) or Wording(self.message, self.instead)


class ExampleFile(Record):
    name: str
    text: str
    transaction: str = "auto"  # auto, one, none; edited: auto, and it was merged before with another text


class Example(Record):
    """A fence of SQL or Python: one or more migrations in order, with the configuration and output that stand around it."""

    kind: str  # bad, good
    line: int
    files: tuple[ExampleFile, ...]
    config: str = ""
    output: str | None = None
    output_span: tuple[int, int] | None = None  # where the output stands in the page, to rewrite it


class Body(Record):
    paragraph: str
    examples: tuple[Example, ...]
    recipes: Mapping[str, str]  # by variant; "" is the general one
    no_recipe: str  # the prose of "There is no safe recipe"
    sections: tuple[tuple[str, str], ...]  # title and Markdown, in order


def header(text: str) -> Header:
    """Title and metadata of a page; the rest of the text is not looked at."""
    title, _, rest = text.partition("\n")
    name = title.removeprefix("# ").strip()
    if not title.startswith("# ") or not _NAME.fullmatch(name):
        raise ConfigError(f"a rule page must start with `# name-of-the-rule`, not with {title[:60]!r}")
    opening = rest.find("```toml\n")
    closing = rest.find("\n```", opening)
    if opening == -1 or closing == -1 or rest[:opening].strip():
        raise ConfigError(f"rule page {name}: the title must be followed by a fenced `toml` block")
    try:
        return _header(name, tomllib.loads(rest[opening + 8 : closing + 1]))
    except (tomllib.TOMLDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"rule page {name}: {error}") from error


def _header(name: str, data: dict[str, Any]) -> Header:
    if missing := _REQUIRED - data.keys():
        raise ValueError(f"`{min(missing)}` is missing")
    if unknown := data.keys() - _REQUIRED - _OPTIONAL:
        raise ValueError(f"unknown key `{min(unknown)}`")
    category, status = data["category"], data.get("status", "stable")
    if category not in CATEGORIES:
        raise ValueError(f"unknown category `{category}`")
    if status not in STATUSES:
        raise ValueError(f"unknown status `{status}`")
    known_as = data.get("known_as", {})
    if unknown := known_as.keys() - set(TOOLS):
        raise ValueError(f"unknown tool `{min(unknown)}` in known_as")
    if unknown := data.get("instead_in", {}).keys() - {"alembic", "django"}:
        raise ValueError(f"unknown framework `{min(unknown)}` in instead_in")
    claims = data.get("claims", {})
    if unknown := claims.keys() - _CLAIMS:
        raise ValueError(f"unknown claim `{min(unknown)}`")
    low_high = data.get("postgres")
    return Header(
        name=name,
        category=category,
        since=data["since"],
        wakes=tuple(data["wakes"]),
        message=data["message"],
        instead=data["instead"],
        severity=Severity[data["severity"].upper()] if "severity" in data else CATEGORIES[category],
        status=status,
        postgres=None if low_high is None else (int(low_high[0]), int(low_high[1])),
        replaces=tuple(data.get("replaces", ())),
        known_as={tool: tuple(known_as.get(tool, ())) for tool in TOOLS},
        options={key: Option(value["default"], value["help"]) for key, value in data.get("options", {}).items()},
        variants={
            key: Wording(value.get("message", data["message"]), value.get("instead", data["instead"]))
            for key, value in data.get("variant", {}).items()
        },
        claims=claims,
        when=frozenset(data.get("when", ())),
        engine=data.get("engine", False),
        instead_in=data.get("instead_in", {}),
    )


# Patterns of the body are texts, compiled when the first body is read: a run without findings reads none.
_FENCE = r"(?ms)^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```[ ]*$"
_SECTION = r"(?m)^## (.+?)\s*$"
_FILE = r"(?m)^(?:--|\#) (?P<name>[\w./-]+\.(?:sql|py|plan))(?: \((?P<how>[^)\n]*)\))?[ ]*\n"
_HOW = {None: "auto", "no transaction": "none", "in a transaction": "one", "edited": "edited"}


def body(text: str, *, complete: bool = True) -> Body:
    """Prose and examples of a page; `complete=False` for a file of edge cases, which needs no section but its examples."""
    name = text.partition("\n")[0].removeprefix("# ").strip()
    try:
        return _body(text, complete=complete)
    except ValueError as error:
        raise ConfigError(f"rule page {name}: {error}") from error


def _body(text: str, *, complete: bool) -> Body:
    fences = list(re.finditer(_FENCE, text))
    titles = [m for m in re.finditer(_SECTION, text) if not any(f.start() < m.start() < f.end() for f in fences)]
    start = fences[0].end() if fences and fences[0]["info"] == "toml" else text.find("\n")
    paragraph = text[start : titles[0].start() if titles else len(text)].strip() if complete else ""
    ends = [*(m.start() for m in titles[1:]), len(text)]
    sections = tuple((m[1], text[m.end() : end].strip()) for m, end in zip(titles, ends, strict=True)) if titles else ()
    if complete:
        _require_order([title for title, _ in sections])
        if not paragraph or "\n\n" in paragraph:
            raise ValueError("exactly one paragraph must stand between the metadata and the first section")
    return Body(
        paragraph=paragraph,
        examples=tuple(_examples(text, fences)),
        recipes={fence["info"][len("sql recipe") :].strip(): fence["text"].strip() for fence in fences if fence["info"].startswith("sql recipe")},
        no_recipe=next((prose for title, prose in sections if title == NO_RECIPE), ""),
        sections=sections,
    )


def _require_order(titles: list[str]) -> None:
    normal = ["Recipe" if title == NO_RECIPE else title for title in titles]
    if unknown := [title for title in normal if title not in SECTIONS]:
        raise ValueError(f"unknown section `{unknown[0]}`")
    if normal != list(SECTIONS):
        raise ValueError(f"the sections must be {', '.join(SECTIONS)}, in this order")


def _examples(text: str, fences: list[re.Match[str]]) -> list[Example]:
    found: list[Example] = []
    config = ""
    for fence in fences:
        info = fence["info"].strip()
        if info == "toml config":
            config = fence["text"]
        elif info in {"sql bad", "sql good", "python bad", "python good"}:
            files = split_files(fence["text"])
            found.append(Example(info.split()[1], text.count("\n", 0, fence.start()) + 1, files, config))
        elif info in {"plan bad", "plan good"}:  # a plan as EXPLAIN prints it, after the schema where that matters
            files = split_files(fence["text"], "query.plan")
            found.append(Example(info.split()[1], text.count("\n", 0, fence.start()) + 1, files, config))
        elif info in {"json bad", "json good"}:  # calls of one unit of work, one a line
            files = (ExampleFile("calls.jsonl", fence["text"]),)
            found.append(Example(info.split()[1], text.count("\n", 0, fence.start()) + 1, files, config))
        elif info == "text output":
            if not found or found[-1].kind != "bad" or found[-1].output is not None:
                raise ValueError("a `text output` fence must follow a `sql bad`, `python bad`, `json bad` or `plan bad` fence")
            found[-1] = found[-1]._replace(output=fence["text"], output_span=fence.span("text"))
        elif info.split()[:2] != ["sql", "recipe"] and info not in {"toml", "sql", "sql filled", "text", "python", "toml config", ""}:
            raise ValueError(f"unknown fence `{info}`")
    return found


def split_files(text: str, alone: str = "001.sql") -> tuple[ExampleFile, ...]:
    """The migrations of an example: a line `-- 002_name.sql` starts the next, `(no transaction)` says how it is run.

    In Python the line is `# versions/002_name.py` (Alembic) or `# shop/migrations/0002_name.py` (Django).
    `(edited)` says that it was merged already, with another text.
    """
    markers = list(re.finditer(_FILE, text))
    if not markers:
        return (ExampleFile(alone, text),)
    if text[: markers[0].start()].strip():
        raise ValueError("an example with `-- name.sql` or `# name.py` lines must start with one")
    ends = [*(m.start() for m in markers[1:]), len(text)]
    if unknown := next((m["how"] for m in markers if m["how"] not in _HOW), None):
        raise ValueError(f"a migration is run `(no transaction)` or `(in a transaction)`, or was `(edited)`, not `({unknown})`")
    return tuple(ExampleFile(m["name"], text[m.end() : end], _HOW[m["how"]]) for m, end in zip(markers, ends, strict=True))


_RUN = (
    r"--.*\b(?P<none>outside (?:a|any|the) transaction)\b"
    r"|--.*\b(?:next|later|another|separate|own|second|third) (?:migration|transaction|release)\b"
)


def recipe_files(recipe: str) -> tuple[ExampleFile, ...]:
    """The migrations that a recipe consists of.

    A comment that says "outside a transaction", or speaks of the next, a later, another, a separate, its own, the second or
    the third migration, transaction or release, starts one.
    """
    parts: list[tuple[str, list[str]]] = [("auto", [])]
    for line in recipe.splitlines():
        if match := re.match(_RUN, line):
            parts.append(("none" if match["none"] else "auto", []))
        parts[-1][1].append(line)
    texts = [("\n".join(lines) + "\n", how) for how, lines in parts if any(line.strip() and not line.startswith("--") for line in lines)]
    return tuple(ExampleFile(f"recipe_{number}.sql", text, how) for number, (text, how) in enumerate(texts, start=1))


def in_later_migrations(recipe: str, statement: str) -> str:
    """The recipe with a statement more at the beginning of every migration but the one that it is advice for."""
    lines = recipe.splitlines()
    begins = [number for number, line in enumerate(lines) if re.match(_RUN, line)]
    ends = [*begins[1:], len(lines)]
    for begin, end in reversed(list(zip(begins, ends, strict=False))):
        if any(line.strip() and not line.startswith("--") for line in lines[begin:end]):
            lines.insert(begin + 1, statement)
    return "\n".join(lines)


_PLACEHOLDER = r"\{([a-z_]+)\}"


def fill(template: str, facts: Mapping[str, str]) -> str:
    """`template` with `{fact}` replaced; braces around anything that is not a fact stay, because SQL has them too."""
    parts = list(_parts(template))
    for index in range(1, len(parts), 2):
        name = parts[index]
        parts[index] = facts.get(name, f"{{{name}}}")
    return "".join(parts)


@cache
def _parts(template: str) -> tuple[str, ...]:
    """Text and names of facts in turn."""
    return tuple(re.split(_PLACEHOLDER, template))


def placeholders(template: str) -> frozenset[str]:
    """Names between braces, those that are SQL's own included."""
    return frozenset(re.findall(_PLACEHOLDER, template))

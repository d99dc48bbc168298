"""Pages to rules: where the pages are, what they say, and the check that belongs to each.

In: the packaged pages, a team's own folders and installed packages with the entry point group `dbguard.checks`.
Out: a `Rulebook`, from which `select` takes the rules of a run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dbguard.config import nearest
from dbguard.errors import ConfigError
from dbguard.model.finding import Flag, Severity
from dbguard.model.record import Record
from dbguard.rulebook.page import Body, Header, body, fill, header

if TYPE_CHECKING:
    from dbguard.model.state import Step

__all__ = ["Rule", "Rulebook", "Words", "load_check", "nearest", "pages_folder"]

ENTRY_POINTS = "dbguard.checks"


class Words(Record):
    """What a user is told, with the user's own names in it."""

    message: str
    instead: str
    recipe: str | None


class Rule(Record):
    """A page, where its check is, and the severity and options that the rule has in this run."""

    header: Header
    page: str  # path of the page
    module: str  # dotted name of the check's module, or the path of its file; empty if dbguard itself reports it
    severity: Severity
    options: Mapping[str, Any] = {}

    @property
    def name(self) -> str:
        return self.header.name

    @property
    def category(self) -> str:
        return self.header.category

    def text(self) -> str:
        return Path(self.page).read_text(encoding="utf-8")

    def body(self) -> Body:
        return _body(self.page)

    def check(self) -> Callable[[Step], Iterator[Flag]]:
        """What says the flags of a step; the check's module is imported by this."""
        header, options, check = self.header, self.options, load_check(self.module)
        if header.postgres is not None:
            low, high = header.postgres

            def limited(step: Step) -> Iterator[Flag]:
                if step.server.since(low) and not step.server.since(high + 1):
                    yield from check(step.operation, step, options) if header.options else check(step.operation, step)

            return limited
        if header.options:
            return lambda step: check(step.operation, step, options)
        return lambda step: check(step.operation, step)

    def wording(self, flag: Flag, tool: str = "") -> Words:
        """The page's words for what its check saw, in the terms of the framework that the migration is written for."""
        template = self.header.wording(flag.variant)
        if tool in self.header.instead_in and template.instead == self.header.instead:
            template = template._replace(instead=self.header.instead_in[tool])
        recipes = self.body().recipes
        recipe = recipes.get(flag.variant, recipes.get(""))
        return Words(fill(template.message, flag.facts), fill(template.instead, flag.facts), None if recipe is None else fill(recipe, flag.facts))


class Rulebook:
    """All rules by name, in alphabetical order; `former` maps names that a rule had before."""

    __slots__ = ("former", "rules")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules: dict[str, Rule] = {}
        for rule in sorted(rules, key=lambda rule: rule.name):
            if rule.name in self.rules:
                raise ConfigError(f"two pages describe the rule `{rule.name}`: {self.rules[rule.name].page} and {rule.page}")
            self.rules[rule.name] = rule
        self.former = {old: rule.name for rule in self.rules.values() for old in rule.header.replaces}

    @classmethod
    def load(cls, folders: Iterable[Path | str] = ()) -> Rulebook:
        """The packaged rules, those of installed packages, and those in `folders` (a page and a check beside it)."""
        rules = [*_packaged()]
        for folder in (*_installed(), *map(Path, folders)):
            rules.extend(_folder(folder))
        return cls(rules)

    def find(self, name: str) -> Rule | None:
        """The rule that has this name, or had it before."""
        return self.rules.get(self.former.get(name, name))

    def known_as(self, name: str) -> tuple[str, ...]:
        """Rules that another tool calls `name`."""
        return tuple(rule.name for rule in self.rules.values() if any(name in names for names in rule.header.known_as.values()))


def pages_folder() -> Path:
    """Where the pages are: inside the installed package, else in the checkout. There is no run without rules."""
    package = Path(__file__).parent.parent
    packaged, checkout = package / "_rules", package.parent.parent / "rules"
    for folder in (packaged, checkout):
        if folder.is_dir():
            return folder
    raise ConfigError(f"the rule pages are missing: neither {packaged} nor {checkout} exists; install dbguard again")


@cache
def _packaged() -> tuple[Rule, ...]:
    """The rules of dbguard itself, read once in a process."""
    pages = ((path, header(text)) for path, text in _pages(pages_folder()))
    return tuple(_rule(found, path, "" if found.engine else f"dbguard.checks.{found.name.replace('-', '_')}") for path, found in pages)


def _folder(folder: Path) -> Iterator[Rule]:
    """Rules of a team: pages in the folder or in its `rules/`, checks beside the page or in `checks/`."""
    if not folder.is_dir():
        raise ConfigError(f"the folder of rules {folder} does not exist")
    pages = folder / "rules" if (folder / "rules").is_dir() else folder
    checks = folder / "checks" if (folder / "checks").is_dir() else folder
    for path, text in _pages(pages):
        found = header(text)
        module = checks / f"{found.name.replace('-', '_')}.py"
        if not module.is_file():
            raise ConfigError(f"the rule page {path} has no check: {module} does not exist")
        yield _rule(found, path, str(module))


def _rule(found: Header, path: str, module: str) -> Rule:
    if os.path.basename(path) != f"{found.name}.md":  # noqa: PTH119 - eighty pages are read at every start
        raise ConfigError(f"the title of {path} must be `# {Path(path).stem}`")
    return Rule(found, path, module, found.severity, {name: option.default for name, option in found.options.items()})


def _pages(folder: Path) -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as entries:
        paths = sorted(entry.path for entry in entries if entry.name.endswith(".md") and entry.name.lower() != "readme.md")
    for path in paths:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - twice as fast as Path.read_text
            yield path, file.read()


def _installed() -> Iterator[Path]:
    """Folders of installed packages that bring rules. importlib.metadata costs 25 ms, so it is asked only if there are any."""
    if not any(_declares_rules(Path(entry)) for entry in sys.path if entry.endswith("-packages")):
        return
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    for point in entry_points(group=ENTRY_POINTS):
        spec = find_spec(point.value)
        if spec is None or not spec.submodule_search_locations:
            raise ConfigError(f"the entry point `{point.name}` of group {ENTRY_POINTS} names `{point.value}`, which is not an installed package")
        yield Path(next(iter(spec.submodule_search_locations)))


def _declares_rules(site: Path) -> bool:
    try:
        entries = os.scandir(site)
    except OSError:
        return False
    with entries:
        for entry in entries:
            if entry.name.endswith(".dist-info"):
                try:
                    with open(f"{entry.path}/entry_points.txt", encoding="utf-8") as file:  # noqa: PTH123
                        section = file.read().partition(f"[{ENTRY_POINTS}]")[2]
                except (OSError, UnicodeDecodeError):
                    continue
                if "=" in section.partition("[")[0]:
                    return True
    return False


@cache
def _body(path: str) -> Body:
    return body(Path(path).read_text(encoding="utf-8"))


@cache
def load_check(module: str) -> Callable[..., Iterator[Flag]]:
    """The function `check` of a module, given by dotted name or by file."""
    if not module.endswith(".py"):
        loaded = __import__(module, fromlist=["check"])
    else:
        from importlib.util import module_from_spec, spec_from_file_location

        spec = spec_from_file_location(f"dbguard_team_{Path(module).stem}", module)
        if spec is None or spec.loader is None:
            raise ConfigError(f"{module} is not a Python module")
        loaded = module_from_spec(spec)
        spec.loader.exec_module(loaded)
    check: Callable[..., Iterator[Flag]] | None = getattr(loaded, "check", None)
    if check is None:
        raise ConfigError(f"{module} has no function `check`")
    return check

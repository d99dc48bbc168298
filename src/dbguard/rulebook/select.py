"""Which rules are on, and at which severity.

In: the rulebook, what was selected, added and ignored (names, categories, `all`), and severities from the configuration.
Out: a `Selection`. A name that means nothing is a `UsageError` with the nearest name that does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dbguard.config import Config
from dbguard.errors import ConfigError, UsageError
from dbguard.model.finding import Severity
from dbguard.model.record import Record
from dbguard.rulebook import Rule, Rulebook, nearest
from dbguard.rulebook.page import CATEGORIES


class Selection(Record):
    """The rules of a run with the severity each has before paths and table sizes are looked at."""

    book: Rulebook
    rules: Mapping[str, Rule]  # those that are on, by name

    def is_on(self, name: str) -> bool:
        return name in self.rules

    def woken(self) -> dict[str, tuple[Rule, ...]]:
        """The rules that each class of operations, or moment, wakes; under "*" those that every operation wakes."""
        found: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules.values():
            for operation in rule.header.wakes:
                found[operation] = (*found.get(operation, ()), rule)
        return found


def from_config(config: Config, book: Rulebook | None = None) -> Selection:
    """The selection that a configuration asks for, of all rules that can be found from there.

    Every rule name in it is looked up, those for paths included.
    """
    book = book or Rulebook.load(Path(config.root, folder) for folder in config.rule_folders)
    for used in config.rule_names_used:
        if not is_group(used.name) and book.find(used.name) is None:
            raise ConfigError(f"{used.key}: {unknown_rule(book, used.name)}")
    return select(
        book,
        selected=config.select,
        extended=config.extend_select,
        ignored=config.ignore,
        severities=config.severity,
        options=config.rules,
    )


def select(
    book: Rulebook,
    *,
    selected: Iterable[str] = (),
    extended: Iterable[str] = (),
    ignored: Iterable[str] = (),
    severities: Mapping[str, Severity] = {},
    options: Mapping[str, Mapping[str, Any]] = {},
) -> Selection:
    """The rules that are on, with their options.

    `selected` replaces the default set, `extended` adds to it. A severity from the configuration turns a rule on, OFF
    turns it off; a rule that is selected by its own name stays on.
    """
    selected, extended = tuple(selected), tuple(extended)
    own = {resolve(book, name): severity for name, severity in severities.items()}
    if selected:
        names = expand(book, selected)
    else:
        names = {rule.name for rule in book.rules.values() if rule.header.default}
        names |= {name for name, severity in own.items() if severity is not Severity.OFF}
    names |= {rule.name for rule in book.rules.values() if rule.header.engine and rule.header.default}
    names |= expand(book, extended)
    named = {resolve(book, word) for word in (*selected, *extended) if not is_group(word)}
    names -= {name for name, severity in own.items() if severity is Severity.OFF and name not in named}
    names -= expand(book, ignored)
    values = {resolve(book, name): values for name, values in options.items()}
    for name, given in values.items():
        _require_options(book.rules[name], given)
    return Selection(book, {name: _set(book.rules[name], own.get(name), values.get(name)) for name in sorted(names)})


def _set(rule: Rule, severity: Severity | None, values: Mapping[str, Any] | None) -> Rule:
    return rule._replace(severity=severity or rule.severity, options={**rule.options, **(values or {})})


def _require_options(rule: Rule, values: Mapping[str, Any]) -> None:
    known = rule.header.options
    for key, value in values.items():
        if key not in known:
            near = nearest(key, known)
            hint = f"; did you mean `{near}`?" if near else f"; it has {', '.join(map('`{}`'.format, known)) or 'none'}"
            raise ConfigError(f"the rule `{rule.name}` has no option `{key}`{hint}")
        wanted = type(known[key].default)
        if type(value) is not wanted:
            raise ConfigError(f"option `{key}` of the rule `{rule.name}` must be a {wanted.__name__}, such as {known[key].default!r}")


def is_group(word: str) -> bool:
    return word == "all" or word in CATEGORIES


def expand(book: Rulebook, words: Iterable[str]) -> set[str]:
    """The rules that names, categories and `all` mean. A category leaves out what is still in preview."""
    found: set[str] = set()
    for word in words:
        if word == "all":
            found |= book.rules.keys()
        elif word in CATEGORIES:
            found |= {rule.name for rule in book.rules.values() if rule.header.category == word and rule.header.status == "stable"}
        else:
            found.add(resolve(book, word))
    return found


def resolve(book: Rulebook, name: str) -> str:
    """The present name of a rule."""
    rule = book.find(name)
    if rule is None:
        raise UsageError(unknown_rule(book, name))
    return rule.name


def unknown_rule(book: Rulebook, name: str) -> str:
    """What to tell somebody who used a name that is not a rule: the name here of another tool's rule, or the nearest."""
    others = book.known_as(name)
    if others:
        return f"there is no rule `{name}`; here it is " + " or ".join(f"`{other}`" for other in others)
    near = nearest(name, (*book.rules, *CATEGORIES))
    return f"there is no rule `{name}`" + (f"; did you mean `{near}`?" if near else "; `dbguard rule` lists them")

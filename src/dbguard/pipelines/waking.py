"""Checks, imported when something first wakes them. One that raises is named, and silences no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from dbguard.model.finding import Finding, Flag
from dbguard.rulebook import Rule

Subject = TypeVar("Subject")
"""A step, a query or a unit of work."""
Check = Callable[[Any], Iterator[Flag]]


def finding_of(rule: Rule, flag: Flag, *, path: str, line: int, **more: Any) -> Finding:
    """What a check said, in the words of its page, at a line. `more` are other fields of the finding."""
    words = rule.wording(flag)
    return Finding(
        **{
            "rule": rule.name,
            "category": rule.category,
            "severity": rule.severity if flag.severity is None else min(rule.severity, flag.severity),
            "path": path,
            "line": line,
            "column": 1,
            "end_line": line,
            "end_column": 1,
            "message": words.message,
            "instead": words.instead,
            "recipe": words.recipe,
            "assumes": flag.assumes,
            "table": flag.facts.get("table", ""),
            **more,
        }
    )


class Checks:
    """The checks of one run. `crashed` has a sentence for each that raised, in order; the run exits with 3."""

    def __init__(self) -> None:
        self.crashed: list[str] = []
        self._known: dict[int, tuple[Sequence[Rule], list[tuple[Rule, Check]]]] = {}  # the rules are kept, so that no others get their id

    def said(self, rules: Sequence[Rule], subject: Subject, where: str) -> list[tuple[Rule, Flag, Subject]]:
        """What the checks of `rules` say of a subject, which `where` names to the user."""
        found = []
        for rule, check in self._checks_of(rules, where):
            try:
                for flag in check(subject):
                    found.append((rule, flag, subject))
            except Exception as error:  # noqa: BLE001 - whatever a check does wrong
                self._crash(rule, where, error)
        return found

    def _checks_of(self, rules: Sequence[Rule], where: str) -> list[tuple[Rule, Check]]:
        known = self._known.get(id(rules))
        if known is not None:
            return known[1]
        found: list[tuple[Rule, Check]] = []
        for rule in rules:
            try:
                found.append((rule, rule.check()))
            except Exception as error:  # noqa: BLE001
                self._crash(rule, where, error)
        self._known[id(rules)] = rules, found
        return found

    def _crash(self, rule: Rule, where: str, error: Exception) -> None:
        self.crashed.append(f"the check of rule {rule.name} crashed on {where}: {type(error).__name__}: {error}")

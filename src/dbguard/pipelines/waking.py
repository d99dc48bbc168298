"""Checks, imported when something first wakes them. One that raises is named, and silences no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from dbguard.model.finding import Finding, Flag
from dbguard.rulebook import Rule

Subject = TypeVar("Subject")
"""A step, a query or a unit of work."""


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
        self._known: dict[int, Callable[[Any], Iterator[Flag]]] = {}

    def said(self, rules: Iterable[Rule], subject: Subject, where: str) -> list[tuple[Rule, Flag, Subject]]:
        """What the checks of `rules` say of a subject, which `where` names to the user."""
        found = []
        known = self._known
        for rule in rules:
            try:
                check = known.get(id(rule)) or known.setdefault(id(rule), rule.check())
                for flag in check(subject):
                    found.append((rule, flag, subject))
            except Exception as error:  # noqa: BLE001 - whatever a check does wrong
                self.crashed.append(f"the check of rule {rule.name} crashed on {where}: {type(error).__name__}: {error}")
        return found

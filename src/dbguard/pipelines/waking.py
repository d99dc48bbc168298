"""Checks, imported when something first wakes them. One that raises is named, and silences no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from dbguard.model.finding import Flag
from dbguard.rulebook import Rule

Subject = TypeVar("Subject")
"""A step, a query or a unit of work."""


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

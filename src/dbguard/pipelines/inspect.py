"""Steps to findings: wake the checks of each step, for every server version where the answer differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dbguard.model.finding import Finding, Flag, Severity
from dbguard.model.names import quote
from dbguard.model.postgres import Server
from dbguard.model.source import Lines, Script, Statement
from dbguard.model.state import EndOfScript, EndOfTransaction, Step
from dbguard.pipelines.because import because
from dbguard.pipelines.waking import Checks
from dbguard.replay.effects import effects
from dbguard.rulebook import Rule
from dbguard.rulebook.select import Selection

if TYPE_CHECKING:
    from dbguard.pipelines.measure import Measure

JUDGED_IN_DOWN = {"locks", "rewrites", "transactions"}
"""A down script undoes what nobody may use any more, so only what it does to others counts, one level lower: errors become
warnings, and warnings would become advice, which is off unless asked for."""


_MOMENTS = frozenset(["EndOfScript", "EndOfTransaction", "Merged"])
Said = list[tuple[Rule, Flag, Step]]
UNRELATED_TO_LOCKS = {"queries", "schema", "security"}


class Inspection:
    """Runs the checks that are on over the steps of one history."""

    def __init__(self, selection: Selection, postgres: tuple[int, int], measure: Measure | None = None, *, brief: bool = False) -> None:
        self._brief = brief
        self._measure = measure
        woken = selection.woken()
        self._always = woken.get("*", ())  # by every operation, not by moments
        self._woken = {name: rules if name in _MOMENTS else (*rules, *self._always) for name, rules in woken.items()}
        self._checks = Checks()
        self.crashed = self._checks.crashed
        self._down: dict[int, tuple[tuple[Rule, ...], tuple[Rule, ...]]] = {}
        self._moments: dict[tuple[type, frozenset[type]], tuple[Rule, ...]] = {}
        self._low, self._high = self._all = postgres
        self._lines: tuple[str, Lines] | None = None
        self._place: tuple[Statement, tuple[int, int, int, int, str]] | None = None
        self._reasons: tuple[Step | None, tuple[str, ...]] = None, ()
        self._older: dict[tuple[int, int], Step] = {}  # steps of this script on other majors: moments ask for them again

    def findings(self, steps: Iterable[Step]) -> Iterator[Finding]:
        for step in steps:
            moment = isinstance(step.operation, EndOfScript | EndOfTransaction)
            kind = type(step.operation).__name__
            rules = self._woken.get(kind, () if kind in _MOMENTS else self._always)
            if moment:
                rules = self._of_moment(step.operation, rules)
            if rules:
                yield from self._step(step, rules)
            if isinstance(step.operation, EndOfScript):
                self._older.clear()

    def _of_moment(self, moment: EndOfScript | EndOfTransaction, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        """Of the rules that a moment wakes, those that are about what was done."""
        kinds = type(moment), frozenset([type(one.operation) for one in moment.steps])
        if kinds not in self._moments:
            seen = {kind.__name__ for kind in kinds[1]}
            self._moments[kinds] = tuple([rule for rule in rules if not rule.header.when or not seen.isdisjoint(rule.header.when)])
        return self._moments[kinds]

    def _of_down(self, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        """Of some rules, those that judge what a down script does."""
        known = self._down.get(id(rules))
        if known is None or known[0] is not rules:
            kept = tuple([rule for rule in rules if rule.category in JUDGED_IN_DOWN and rule.severity > Severity.WARNING])
            known = self._down[id(rules)] = rules, kept
        return known[1]

    def _step(self, step: Step, rules: tuple[Rule, ...]) -> Iterator[Finding]:
        told: dict[tuple[Any, ...], list[Finding]] = {}
        if step.script.direction == "down":
            rules = self._of_down(rules)
            if not rules:
                return
        for one, low, high in self._versions(step, rules):
            for rule, flag, at in one:
                finding = self._finding(rule, flag, at, (low, high))
                told.setdefault((finding.rule, finding.start, finding.message), []).append(finding)
        for same in told.values():
            yield self._merged(same)

    def _versions(self, step: Step, rules: tuple[Rule, ...]) -> Iterator[tuple[Said, int, int]]:
        """What the checks say, newest majors first, each answer with the majors for which it holds.

        An answer holds down to the highest version that effects or checks asked about, and further down while the effects
        stay the same and no check asked.
        """
        low, high = self._low, self._high
        one = self._at(step, high)
        said, own = self._said(one, rules)
        major = high
        while True:
            floor = low
            for asked_about in one.server.asked | own if own else one.server.asked:
                if floor < asked_about <= major:
                    floor = asked_about
            if floor == low:
                yield said, low, high
                return
            older = self._at(step, floor - 1)
            if floor in own or not _same_effects(one, older):
                yield said, floor, high
                high = floor - 1
                said, asked = self._said(older, rules)
                own |= asked
            one, major = older, floor - 1

    def _at(self, step: Step, major: int) -> Step:
        """The step as it goes on another server: the same states, other effects. Its server knows all that was asked."""
        operation = step.operation
        if isinstance(operation, EndOfScript | EndOfTransaction):
            steps = operation.steps if step.server.major == major else tuple([self._at(one, major) for one in operation.steps])
            server = Server(major)
            server.asked.update(*[one.server.asked for one in steps])
            return step._replace(operation=operation._replace(steps=steps), server=server)
        if step.server.major == major:
            return step
        key = (id(step), major)
        if key not in self._older:
            server = Server(major)
            same = not any(major < asked <= step.server.major for asked in step.server.asked)
            if same:
                server.asked |= step.server.asked
            found = step.effects if same else effects(operation, step.before, server)
            self._older[key] = step._replace(effects=found, server=server)
        return self._older[key]

    def _said(self, step: Step, rules: tuple[Rule, ...]) -> tuple[Said, set[int]]:
        """The flags of the checks, and the versions that they asked about."""
        known = set(step.server.asked)
        said = self._checks.said(rules, step, step.script.source.path)
        return said, step.server.asked - known

    def _finding(self, rule: Rule, flag: Flag, step: Step, versions: tuple[int, int]) -> Finding:
        source = step.script.source
        place = flag.at or step.statement
        line, column, end_line, end_column, excerpt = self._where(source.text, place)
        moment = isinstance(step.operation, EndOfScript | EndOfTransaction)
        about = next((s for s in step.operation.steps if s.statement is place), step) if moment else step
        words = rule.wording(flag, step.script.tool if step.script.way else "")
        return Finding(
            rule=rule.name,
            category=rule.category,
            severity=_severity(rule, flag, step.script.direction),
            path=source.path,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
            message=words.message,
            instead=words.instead,
            recipe=_in_its_language(_on_its_path(words.recipe, flag, about), step.script, excerpt),
            assumes=tuple(dict.fromkeys((*flag.assumes, *about.effects.unknown))),
            postgres=self._or_none(versions),
            because=() if self._brief or rule.category in UNRELATED_TO_LOCKS else self._because(about),
            excerpt="" if self._brief else excerpt,
            start=place.start,
            table=flag.facts.get("table", ""),
        )

    def _where(self, text: str, place: Statement) -> tuple[int, int, int, int, str]:
        """Line, column, end line, end column and text of a statement. Remembered for one, as several rules speak of the same."""
        if self._lines is None or self._lines[0] is not text:
            self._lines = (text, Lines(text))
            self._place = None
        if self._place is None or self._place[0] is not place:
            at = self._lines[1].at
            self._place = place, (*at(place.start), *at(place.end), text[place.start : place.end])
        return self._place[1]

    def _because(self, about: Step) -> tuple[str, ...]:
        """Remembered for one step, too."""
        if self._reasons[0] is not about:
            self._reasons = about, because(about.effects, about.before, self._measure.of(about.statement) if self._measure else None)
        return self._reasons[1]

    def _merged(self, same: list[Finding]) -> Finding:
        """The same finding of several segments of majors as one, with the recipe of the oldest, which newer ones know as well."""
        if len(same) == 1:
            return same[0]
        known = [finding.postgres or self._all for finding in same]
        return same[-1]._replace(postgres=self._or_none((min(one[0] for one in known), max(one[1] for one in known))))

    def _or_none(self, versions: tuple[int, int]) -> tuple[int, int] | None:
        """None for all versions of the run."""
        return None if versions == self._all else versions


def _in_its_language(recipe: str | None, script: Script, excerpt: str) -> str | None:
    """The recipe as the migration would have it: SQL, or Python for a migration that is written in Python."""
    if not recipe or not script.way or script.tool not in {"alembic", "django"}:
        return recipe
    from dbguard.reading.recipes import in_alembic, in_django

    return in_alembic(recipe) if script.tool == "alembic" else in_django(recipe, excerpt)


def _on_its_path(recipe: str | None, flag: Flag, about: Step) -> str | None:
    """The recipe with the search_path that the script set, where that runs in sessions of their own and has names without a schema."""
    state, script = about.before, about.script
    if not recipe or "search_path" not in state.settings or script.way or "." in flag.facts.get("table", ""):
        return recipe
    path = state.search_path
    if path in {(), ("public",)} or "search_path" not in script.source.text[: about.statement.start].lower():
        return recipe
    from dbguard.rulebook.page import in_later_migrations

    return in_later_migrations(recipe, f"SET search_path = {', '.join(map(quote, path))};")


def _severity(rule: Rule, flag: Flag, direction: str) -> Severity:
    severity = rule.severity if flag.severity is None else min(rule.severity, flag.severity)
    return Severity(severity - 1) if direction == "down" else severity


def _same_effects(one: Step, other: Step) -> bool:
    if isinstance(one.operation, EndOfScript | EndOfTransaction):
        return all(a.effects == b.effects for a, b in zip(one.operation.steps, other.operation.steps, strict=True))
    return bool(one.effects == other.effects)

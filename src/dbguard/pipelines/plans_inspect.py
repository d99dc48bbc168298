"""Plans to findings: measure each, put beside it what is known about its tables, and wake the checks on plans.

In: plans of any source, the rules of the run. Out: findings, those of the most expensive nodes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dbguard.model.finding import Finding, Flag
from dbguard.model.plan import Measure, Plan, PlanStep, Sample, Size
from dbguard.model.postgres import Server
from dbguard.model.schema import Schema
from dbguard.pipelines.waking import Checks, finding_of
from dbguard.planning.measures import measures
from dbguard.rulebook import Rule
from dbguard.rulebook.select import Selection

MOST_PER_RULE = 3  # findings of one rule on one plan: the partitions of a table say the same


class PlanInspection:
    """Runs the checks that are on over plans."""

    def __init__(self, selection: Selection) -> None:
        self._rules = selection.woken().get("Plan", ())
        self._checks = Checks()
        self.crashed = self._checks.crashed

    def findings(self, step: PlanStep, *, line: int = 1) -> tuple[Finding, ...]:
        """What is wrong with a plan, at the place of its query."""
        found: dict[str, dict[str, tuple[float, Finding]]] = {}
        for rule, flag, _ in self._checks.said(self._rules, step, step.path or "the plan"):
            share = flag.about.share if isinstance(flag.about, Measure) else 1.0
            finding = _finding(rule, flag, step, line)
            found.setdefault(rule.name, {}).setdefault(finding.message, (share, finding))
        kept: list[tuple[float, Finding]] = []
        for said in found.values():
            kept += sorted(said.values(), key=lambda one: -one[0])[:MOST_PER_RULE]
        return tuple([finding for _, finding in sorted(kept, key=lambda one: (-one[1].severity, -one[0]))])


def plan_step(
    plan: Plan,
    *,
    sizes: Mapping[str, Size] = {},
    schema: Schema | None = None,
    settings: Mapping[str, str] = {},
    samples: Iterable[Sample] = (),
    path: str = "",
) -> PlanStep:
    """A plan with its measures. Settings that the plan itself prints go on top of those that are given."""
    printed = plan.facts.get("Settings")
    own = {str(key): str(value) for key, value in printed.items()} if isinstance(printed, Mapping) else {}
    return PlanStep(plan, measures(plan), sizes, schema, {**settings, **own}, tuple(samples), Server(plan.postgres), path, plan.name)


def _finding(rule: Rule, flag: Flag, step: PlanStep, line: int) -> Finding:
    index = flag.facts.get("create_index", "")
    return finding_of(rule, flag, path=step.path, line=line, excerpt=step.plan.sql[:2_000], create_index=index)

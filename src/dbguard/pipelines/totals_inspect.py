"""Totals of pg_stat_statements to findings: resolve each query, gather the facts, and wake the checks on totals."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.model.finding import Finding, Flag
from dbguard.model.state import State
from dbguard.model.units import Counted, Follower, Totals
from dbguard.pipelines.queries_inspect import QueryInspection
from dbguard.pipelines.told import MOST_SHAPES
from dbguard.pipelines.waking import Checks
from dbguard.rulebook import Rule
from dbguard.rulebook.select import Selection


def totals_findings(totals: Totals, state: State, selection: Selection, inspection: QueryInspection, crashed: list[str]) -> Iterator[Finding]:
    """Findings at the lines of exports. Sentences about checks that raised go to `crashed`."""
    rules = selection.woken().get("Totals", ())
    if not rules or not totals.periods:
        return
    from dbguard.workload.followers import followers_of

    steps = {one.sql: inspection.step(one.sql, state) for one in totals.whole[:MOST_SHAPES]}
    checks = Checks()
    for rule, flag, _ in checks.said(rules, Counted(totals, tuple(followers_of(totals, steps))), "pg_stat_statements"):
        if isinstance(flag.about, Follower):
            yield _finding(rule, flag, flag.about)
    crashed += checks.crashed


def _finding(rule: Rule, flag: Flag, follower: Follower) -> Finding:
    words = rule.wording(flag)
    total = follower.total
    return Finding(
        rule=rule.name,
        category=rule.category,
        severity=rule.severity if flag.severity is None else min(rule.severity, flag.severity),
        path=total.source or "-",
        line=max(total.line, 1),
        column=1,
        end_line=max(total.line, 1),
        end_column=1,
        message=words.message,
        instead=words.instead,
        recipe=words.recipe,
        assumes=flag.assumes,
        excerpt=total.sql[:2_000],
        table=follower.table,
        shape=follower.shape,
        calls=total.calls,
    )

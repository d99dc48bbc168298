"""A gate as the result of a check: what a gate says of steps, queries and budgets as findings, for formats that know nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.model.finding import Finding, Result, Severity, Summary
from dbguard.model.verdict import Gate, QueryRisk, StepRisk
from dbguard.report import gate_words as words

RULES = {
    "migration-step-risk": "a step of a migration makes others wait, or fails",
    "query-breaks": "a query that the application sends fails after the pending migrations",
    "query-plan-worse": "a query that the application sends gets slower, or another plan, with the pending migrations",
    "budget-exceeded": "more than the limit that the project set itself",
}
_SEVERITIES = (Severity.ADVICE, Severity.WARNING, Severity.ERROR)


def as_result(gate: Gate) -> Result:
    """Steps, queries and budgets that are not safe, then the findings; the worst first, and those at the place of a step last of their kind."""
    own = [
        *map(_step, words.worst_first(gate.steps)),
        *(_query(query, _place(query, gate)) for query in words.worst_first(gate.queries)),
        *_budgets(gate),
    ]
    told = {(finding.path, finding.line) for finding in own if finding.rule == "migration-step-risk"}
    rest = sorted(gate.findings, key=lambda finding: (finding.path, finding.line) in told)
    findings = tuple(sorted([*own, *rest], key=lambda finding: -finding.severity))
    kinds = [finding.severity for finding in findings]
    summary = Summary(
        migrations=len({step.path for step in gate.steps}),
        statements=len(gate.steps),
        unread=len(gate.unread),
        errors=kinds.count(Severity.ERROR),
        warnings=kinds.count(Severity.WARNING),
        advice=kinds.count(Severity.ADVICE),
        seconds=gate.seconds,
    )
    return Result(findings, gate.unread, summary, gate.postgres, notes=gate.notes, exit_code=gate.exit_code)


def _step(step: StepRisk) -> Finding:
    locks = [f"{mode} on `{relation}`: {blocks}" for mode, relation, blocks in words.locks(step)]
    waiting = [f"{words.waits(one)}: {' '.join(one.sql.split())[:200]}" for one in step.waiting[:5]]
    return _finding(
        "migration-step-risk",
        step.verdict,
        (step.path, step.line, ""),
        step.reasons[0] if step.reasons else f"`{words.title_of_step(step)}` makes others wait",
        (*step.reasons[1:], *locks, words.times_of(step), *waiting, step.counterfactual),
        excerpt=step.sql,
    )


def _query(query: QueryRisk, place: tuple[str, int, str]) -> Finding:
    name = f"`{query.name}`" if query.name else f"the query {query.shape}"
    if query.breaks:
        message, reasons = f"{name} fails after the migration: {words.fails(query)}", words.why(query)
    else:
        message, reasons = f"{name}: {query.reasons[0] if query.reasons else 'its plan gets worse'}", query.reasons[1:]
    return _finding(
        "query-breaks" if query.breaks else "query-plan-worse",
        query.verdict,
        place,
        message,
        (*reasons, f"cost {cost}" if (cost := words.cost(query)) else "", words.growth(query), words.calls(query)),
        excerpt=query.sql,
    )._replace(shape=query.shape, calls=query.calls, places=query.places)


def _place(query: QueryRisk | None, gate: Gate) -> tuple[str, int, str]:
    """Where the application sends it, else the step that breaks it, else what is pending: readers want a file that exists."""
    if query is not None and query.places:
        return query.places[0]
    if query is not None and query.changed_by:
        return (*query.changed_by, "")
    return (gate.steps[0].path, 1, "") if gate.steps else ("dbguard", 1, "")


def _budgets(gate: Gate) -> Iterator[Finding]:
    queries = {key: query for query in gate.queries for key in (query.shape, query.name)}
    for budget in gate.budgets:
        if budget.exceeded:
            path, test, _ = budget.subject.partition("::")
            place = (path, 1, "") if test else _place(queries.get(budget.subject), gate)
            message = f"{budget.name} of `{budget.subject}`: {words.budget(budget)}"
            yield _finding("budget-exceeded", "review", place, message, (words.drift(budget),), excerpt="")


def _finding(rule: str, verdict: str, place: tuple[str, int, str], message: str, because: tuple[str, ...], *, excerpt: str) -> Finding:
    lines = excerpt.rstrip().splitlines() or [""]
    at = max(place[1], 1)
    one = rule != "migration-step-risk" or len(lines) == 1  # the text of a query does not stand at its place as it is
    return Finding(
        rule=rule,
        category="locks" if rule == "migration-step-risk" else "queries",
        severity=_SEVERITIES[words.severity(verdict)],
        path=place[0],
        line=at,
        column=1,
        end_line=at if one else at + len(lines) - 1,
        end_column=len(lines[-1]) + 1 if rule == "migration-step-risk" else 1,
        message=message,
        because=tuple(filter(None, because)),
        excerpt=excerpt,
    )

"""A gate as one HTML file: verdict and reasons, the lock timeline of each migration, plans side by side, growth, call stacks, findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from dbguard.model.quantities import count, duration, number, times
from dbguard.model.verdict import Budget, Gate, QueryRisk, StepRisk, Waiting
from dbguard.report import gate_words as words
from dbguard.report.html_findings import findings, is_repeated, more, repeated, unseen
from dbguard.report.html_page import Part, document
from dbguard.report.html_parts import LEVELS, Html, block, code, el, join, labelled, listed, prose, sign, table, verdict
from dbguard.report.html_plans import growth, plans
from dbguard.report.html_timeline import timeline
from dbguard.report.words import counted, versions

MOST_MIGRATIONS = 120
MOST_QUERIES = 150
MOST_WAITING = 20


def render(gate: Gate) -> str:
    """A page that needs nothing beside it."""
    stacks = [finding for finding in gate.findings if is_repeated(finding)]
    others = [finding for finding in gate.findings if not is_repeated(finding)]
    paths = len({step.path for step in gate.steps})
    parts = (
        Part("migrations", "Migrations", _migrations(gate.steps), f"{paths:,}"),
        Part("queries", "Queries", _queries(gate.queries), f"{len(gate.queries):,}"),
        Part("repeated", "Repeated queries", repeated(stacks), f"{len(stacks):,}"),
        Part("findings", "Findings", findings(others), f"{len(others):,}"),
        Part("budgets", "Budgets", _budgets(gate.budgets), f"{len(gate.budgets):,}"),
        Part("unseen", "Not seen, or assumed", unseen(gate.unread, gate.assumes, gate.notes)),
    )
    return document(f"dbguard gate: {gate.verdict}", _head(gate), parts, f"{versions(gate.postgres)}. Looked at in {duration(gate.seconds)}.")


def _head(gate: Gate) -> Html:
    level = words.severity(gate.verdict)
    return el(
        "div",
        el("p", "dbguard gate", class_="kicker"),
        el("h1", sign(level), gate.verdict.capitalize()),
        listed(words.reasons(gate), class_="reasons"),
        el("dl", *_figures(gate), class_="figures"),
        class_=f"banner level{level}",
    )


def _figures(gate: Gate) -> Iterator[Html]:
    """Four numbers at most: what a glance should take away."""
    for risks, title in ((gate.steps, "steps not safe"), (gate.queries, "queries not safe")):
        if risks:
            bad = sum(words.severity(risk.verdict) > 0 for risk in risks)
            yield _figure(title, join([f"{bad:,}", el("small", f" of {len(risks):,}")]))
    locking = [step for step in gate.steps if any("read" in lock.mode.blocks or "write" in lock.mode.blocks for lock in step.effects.locks)]
    held = [step.held or step.seconds for step in locking]
    if None in held:
        yield _figure("longest lock", "not known")
    elif held:
        yield _figure("longest lock, nine of ten times", duration(max(one.p90 for one in held if one is not None)))
    waiting = max((sum(one.queries for one in step.waiting) for step in gate.steps), default=0)
    if waiting:
        yield _figure("queries wait behind one step", count(waiting))


def _figure(title: str, value: str) -> Html:
    return el("div", el("dt", title), el("dd", value))


def _migrations(steps: Sequence[StepRisk]) -> Html:
    groups = [(path, list(of_path)) for path, of_path in groupby(steps, key=lambda step: step.path)]
    return join([*(_migration(path, of_path) for path, of_path in groups[:MOST_MIGRATIONS]), more(len(groups) - MOST_MIGRATIONS, "migration")])


def _migration(path: str, steps: Sequence[StepRisk]) -> Html:
    level = max(words.severity(step.verdict) for step in steps)
    title = el("h3", code(path, 200), " ", verdict(LEVELS[level], level))
    safe = sum(words.severity(step.verdict) == 0 for step in steps)
    told = el("p", f"{counted(safe, 'step is', 'steps are')} safe", class_="muted") if safe else None
    shown = [_step(step) for step in words.worst_first(steps)]
    return el("article", title, timeline(steps), *shown[:100], more(len(shown) - 100, "step"), told, class_="card")


def _step(step: StepRisk) -> Html:
    level = words.severity(step.verdict)
    summary = el(
        "summary",
        verdict(step.verdict, level),
        el("span", code(words.title_of_step(step), 90), class_="what"),
        el("span", f"line {step.line}", class_="where"),
    )
    held = [f"{mode} on `{relation}`: {blocks}" for mode, relation, blocks in words.locks(step)]
    facts = (
        ("why", listed(step.reasons)),
        ("takes", words.times_of(step)),
        ("work", words.work(step)),
        ("locks", listed(held)),
        ("fails", step.effects.fails or ""),
        ("instead", step.counterfactual),
    )
    return el("details", summary, el("div", block(step.sql), labelled(facts), _waiting(step.waiting), class_="inside"), open=level > 1)


def _waiting(waiting: Sequence[Waiting]) -> Html:
    if not waiting:
        return Html("")
    head = (("query", ""), ("a second", "n"), ("wait", "n"), ("on average", "n"))
    rows = [
        (
            join([code(one.sql, 160), *([el("div", words.place(one.places[0]), class_="muted")] if one.places else [])]),
            count(one.a_second) if one.a_second else "?",
            count(one.queries) if one.a_second else "?",
            duration(one.seconds / one.queries) if one.queries else "",
        )
        for one in waiting[:MOST_WAITING]
    ]
    return join([table(head, rows, "Who waits"), more(len(waiting) - MOST_WAITING, "query", "queries")])


def _queries(queries: Sequence[QueryRisk]) -> Html:
    shown = words.worst_first(queries)
    safe = len(queries) - len(shown)
    blocks = [_query(query, opened=position < 20) for position, query in enumerate(shown[:MOST_QUERIES])]
    told = el("p", f"{counted(safe, 'query is', 'queries are')} as before", class_="muted") if safe else ""
    return join([*blocks, more(len(shown) - MOST_QUERIES, "query", "queries"), told])


def _query(query: QueryRisk, *, opened: bool) -> Html:
    level = words.severity(query.verdict)
    change = times(query.before.cost, query.after.cost) if query.before and query.after else ""
    summary = el(
        "summary",
        verdict(query.verdict, level),
        el("span", code(query.name or query.sql, 90), class_="what"),
        el("span", "fails" if query.breaks else change, class_="where"),
    )
    places = [join([code(f"{path}:{line}", 200), f" {function}"]) for path, line, function in query.places[:8]]
    facts = (
        ("why", listed(words.why(query))),
        ("fails", words.fails(query)),
        ("sent", words.calls(query)),
        ("from", listed(places)),
        ("cost", words.cost(query)),
        ("grows", words.growth(query)),
        ("assumed", listed(query.assumes)),
    )
    inside = el("div", block(query.sql), labelled(facts), plans(query), growth(query.growth), class_="inside")
    return el("details", summary, inside, open=opened and level > 1, class_="query")


def _budgets(budgets: Sequence[Budget]) -> Html:
    if not budgets:
        return Html("")
    head = (("", ""), ("budget", ""), ("now", "n"), ("limit", "n"), ("baseline", "n"), ("drift", "n"))
    rows = [
        (
            verdict("exceeded", 1) if one.exceeded else verdict("within", 0) if one.limit is not None else "",
            join([prose(one.name), " of ", code(one.subject, 200)]),
            *("" if value is None else number(value) for value in (one.now, one.limit, one.recorded)),
            words.drift(one),
        )
        for one in sorted(budgets, key=lambda budget: not budget.exceeded)[:500]
    ]
    return table(head, rows, "Limits that the project set, and what the baseline has")

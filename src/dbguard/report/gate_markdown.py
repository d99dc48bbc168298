"""A gate as Markdown, for a comment on a pull request: verdict and reasons, a table of steps and one of queries, the details folded."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.model.finding import Result
from dbguard.model.plan import Plan
from dbguard.model.quantities import count, duration, number, times
from dbguard.model.verdict import Budget, Gate, QueryRisk, StepRisk
from dbguard.planning.measures import measures
from dbguard.planning.node_names import title
from dbguard.report import gate_words as words
from dbguard.report.markdown import REST, finding_details, unread
from dbguard.report.markdown_parts import COMMENT_LIMIT, Section, code, code_html, fence, fold, page, plain_html, row, sentence
from dbguard.report.words import counted, one_line, versions

MARKS = ("✅", "⚠️", "⛔")
_MOST_SQL = 60
_MOST_NODES = 60


def render(gate: Gate) -> str:
    """Fewer than 65,536 characters, which is what GitHub takes."""
    return limited(gate, COMMENT_LIMIT)


def limited(gate: Gate, limit: int) -> str:
    """The page in fewer than `limit` bytes: the worst first, whole rows and blocks only."""
    steps, queries = words.worst_first(gate.steps), words.worst_first(gate.queries)
    findings = sorted(gate.findings, key=lambda finding: -finding.severity)
    sections = [
        _steps(steps, len(gate.steps)),
        _queries(queries, len(gate.queries)),
        _budgets(gate),
        Section("step in full", steps, _step_details, "### Steps\n\n", "", 0.3, "\n\n", "steps in full"),
        Section("query in full", queries, _query_details, "### Queries\n\n", "", 0.3, "\n\n", "queries in full"),
        Section("finding", findings, finding_details, "### Findings\n\n", share=0.3, between="\n\n"),
        unread(Result(unread=gate.unread)),
        Section("remark", [*dict.fromkeys(gate.assumes), *gate.notes], _remark, "**Assumed, and noted**\n\n"),
    ]
    return page("\n\n".join(_opening(gate)), sections, limit, REST)


def _mark(verdict: str) -> str:
    return f"{MARKS[words.severity(verdict)]} {sentence(verdict, 20)}"


def _opening(gate: Gate) -> Iterator[str]:
    yield f"## dbguard: {_mark(gate.verdict)}"
    if told := words.reasons(gate):
        yield "\n".join(f"- {sentence(reason)}" for reason in told)
    yield f"{sentence(words.headline(gate))} ({versions(gate.postgres)})."


def _steps(steps: list[StepRisk], in_all: int) -> Section:
    head = "| | step | locks | under its lock | who waits |\n|---|---|---|--:|---|\n"
    safe = in_all - len(steps)
    tail = f"{safe:,} more {'step is' if safe == 1 else 'steps are'} safe." if safe and steps else ""
    return Section("row of the table of steps", steps, _step, head, tail, share=0.25, many="rows of the table of steps")


def _step(step: StepRisk) -> str:
    locks = "<br>".join(f"{mode} on {code(relation.removeprefix('public.'))}" for mode, relation, _ in list(words.locks(step))[:4])
    held = step.held or step.seconds
    under = "not known" if held is None else f"{duration(held.p50)} (90 %: {duration(held.p90)})"
    waiting = sum(one.queries for one in step.waiting)
    a_second = sum(one.a_second for one in step.waiting)
    told = [f"{count(a_second)}/s"] if a_second else []
    told += [f"{count(waiting)} {'query' if waiting == 1 else 'queries'}"] if waiting else []
    who = ", ".join(told) or ("not known" if held is None or step.waiting else "nobody")
    return row(_mark(step.verdict), f"{code(f'{step.path}:{step.line}')}<br>{code(step.sql, _MOST_SQL)}", locks or "none", under, who)


def _queries(queries: list[QueryRisk], in_all: int) -> Section:
    head = "| | query | calls a day | cost before | after | |\n|---|---|--:|--:|--:|---|\n"
    safe = in_all - len(queries)
    tail = f"{safe:,} more {'query is' if safe == 1 else 'queries are'} as before." if safe and queries else ""
    return Section("row of the table of queries", queries, _query, head, tail, share=0.25, many="rows of the table of queries")


def _query(query: QueryRisk) -> str:
    name = code(query.name) if query.name else code(query.sql, _MOST_SQL)
    where = f"<br>{code(words.place(query.places[0]))}" if query.places else ""
    change = times(query.before.cost, query.after.cost) if query.before and query.after else ""
    what = f"fails: {sentence(query.breaks, 120)}" if query.breaks else change
    daily = "" if query.a_day is None else count(query.a_day)
    return row(_mark(query.verdict), f"{name}{where}", daily, _cost(query.before), _cost(query.after), what)


def _cost(plan: Plan | None) -> str:
    return "" if plan is None else number(plan.cost)


def _budgets(gate: Gate) -> Section:
    head = "| | budget | now | limit | baseline | drift |\n|---|---|--:|--:|--:|--:|\n"
    return Section("budget", sorted(gate.budgets, key=lambda budget: not budget.exceeded), _budget, head, share=0.1)


def _budget(one: Budget) -> str:
    numbers = ("" if value is None else number(value) for value in (one.now, one.limit, one.recorded))
    return row("⚠️ exceeded" if one.exceeded else "", f"{sentence(one.name)} of {code(one.subject)}", *numbers, words.drift(one))


def _remark(text: str) -> str:
    return f"- {sentence(text)}"


def _step_details(step: StepRisk) -> str:
    said = [
        *step.reasons,
        words.times_of(step),
        words.work(step),
        step.effects.fails or "",
        _instead(step),
    ]
    told = [f"- {sentence(one)}" for one in said if one]
    told += [f"- {mode} on {code(relation)}: {blocks}" for mode, relation, blocks in words.locks(step)]
    told += [f"- waits: {words.waits(one)}: {code(one.sql)}{_from(one.places)}" for one in step.waiting[:10]]
    if len(step.waiting) > 10:
        told.append(f"- {counted(len(step.waiting) - 10, 'more query', 'more queries')} wait")
    summary = f"{MARKS[words.severity(step.verdict)]} {code_html(f'{step.path}:{step.line}')} {plain_html(step.verdict)}"
    return fold(summary, fence(step.sql, "sql", 1_500) + "\n\n" + "\n".join(told))


def _instead(step: StepRisk) -> str:
    return f"instead: {step.counterfactual}" if step.counterfactual else ""


def _from(places: tuple[tuple[str, int, str], ...]) -> str:
    return f" from {code(words.place(places[0]))}" if places else ""


def _query_details(query: QueryRisk) -> str:
    said = [words.fails(query), *words.why(query), words.calls(query)]
    said += [f"cost {cost}" if (cost := words.cost(query)) else "", f"grows: {grows}" if (grows := words.growth(query)) else ""]
    told = [f"- {sentence(one)}" for one in [*said, *(f"assumed: {one}" for one in query.assumes)] if one]
    told += [f"- from {code(words.place(where))}" for where in query.places[:5]]
    parts = [fence(query.sql, "sql", 1_500), "\n".join(told)]
    for label, plan in (("before", query.before), ("after", query.after)):
        if plan is not None and not (query.before == query.after and label == "before"):
            parts.append(f"{label}\n\n{fence(_tree(plan))}")
    summary = f"{MARKS[words.severity(query.verdict)]} {code_html(words.title(query))} {plain_html(query.verdict)}"
    return fold(summary, "\n\n".join(filter(None, parts)))


def _tree(plan: Plan) -> str:
    """As EXPLAIN prints it, the costs in a column of their own."""
    lines = [("  " * min(one.depth, 20) + one_line(title(one.node))[:100], one.node) for one in measures(plan)[:_MOST_NODES]]
    width = max(len(text) for text, _ in lines)
    rows = ((text, number(node.total_cost), number(node.rows)) for text, node in lines)
    return "\n".join(f"{text:<{width}}  cost {cost:>10}  rows {many:>10}" for text, cost, many in rows)

"""A gate for the terminal: the verdict and why, then steps, queries, findings and budgets, and what was not seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbguard.model.plan import Plan
from dbguard.model.quantities import duration
from dbguard.model.verdict import Gate, QueryRisk, StepRisk
from dbguard.report import gate_words as words
from dbguard.report.full import Painter, finding_lines, painter
from dbguard.report.words import counted, one_line, versions, visible

MOST_WAITING = 5
MOST_SQL_LINES = 6
WIDEST = 96
_COLORS = ("1;32", "1;33", "1;31")
_BOLD, _DIM = "1", "2"


def render(gate: Gate, *, color: bool = False) -> str:
    """The report; with `color`, escape sequences for a terminal."""
    paint = painter(color=color)
    blocks = ["\n".join(_verdict(gate, paint))]
    steps = ["\n".join(_step(step, paint)) for step in words.worst_first(gate.steps)]
    queries = ["\n".join(_query(query, paint)) for query in words.worst_first(gate.queries)]
    for heading, shown, in_all in (("steps", steps, len(gate.steps)), ("queries", queries, len(gate.queries))):
        if shown:
            blocks += [paint(heading, _BOLD), *shown]
            if safe := in_all - len(shown):
                blocks.append(f"  {safe:,} more {'is' if safe == 1 else 'are'} safe")
    if gate.findings:
        blocks += [paint("findings", _BOLD), *("\n".join(finding_lines(finding, paint)) for finding in gate.findings)]
    if gate.budgets:
        blocks.append("\n".join([paint("budgets", _BOLD), *_budgets(gate, paint)]))
    if unseen := list(_unseen(gate)):
        blocks.append("\n".join([paint("not seen, or assumed", _BOLD), *unseen]))
    return "\n\n".join([*blocks, _last_line(gate)]) + "\n"


def _painted(verdict: str, paint: Painter) -> str:
    return paint(one_line(verdict), _COLORS[words.severity(verdict)])


def _verdict(gate: Gate, paint: Painter) -> Iterator[str]:
    yield f"{_painted(gate.verdict, paint)}  {words.headline(gate)}"
    for reason in words.reasons(gate):
        yield f"  - {one_line(reason)}"


def _step(step: StepRisk, paint: Painter) -> Iterator[str]:
    yield f"{paint(one_line(f'{step.path}:{step.line}'), _BOLD)}  {_painted(step.verdict, paint)}"
    yield from _sql(step.sql)
    yield from _labelled(paint, "locks", (f"{mode} on {one_line(relation)} ({blocks})" for mode, relation, blocks in words.locks(step)))
    yield from _labelled(paint, "work", [words.work(step)])
    yield from _labelled(paint, "takes", [words.times_of(step)])
    waiting = [f"{words.waits(one)}: {_short(one.sql)}{_from(one.places)}" for one in step.waiting[:MOST_WAITING]]
    if len(step.waiting) > MOST_WAITING:
        waiting.append(f"and {counted(len(step.waiting) - MOST_WAITING, 'more query', 'more queries')}")
    yield from _labelled(paint, "waits", waiting)
    yield from _labelled(paint, "fails", [step.effects.fails or ""])
    yield from _labelled(paint, "because", step.reasons)
    yield from _labelled(paint, "instead", [step.counterfactual])


def _query(query: QueryRisk, paint: Painter) -> Iterator[str]:
    yield f"{paint(one_line(words.title(query)), _BOLD)}  {_painted(query.verdict, paint)}"
    yield from _sql(query.sql)
    yield from _labelled(paint, "from", [", ".join(words.place(where) for where in query.places[:3])])
    yield from _labelled(paint, "calls", [words.calls(query)])
    yield from _labelled(paint, "fails", [words.fails(query)])
    yield from _labelled(paint, "cost", [words.cost(query)])
    yield from _labelled(paint, "plan", _change(query.before, query.after))
    yield from _labelled(paint, "grows", [words.growth(query)])
    yield from _labelled(paint, "because", [*words.why(query), *(f"assumed: {sentence}" for sentence in query.assumes)])


def _change(before: Plan | None, after: Plan | None) -> list[str]:
    """Which nodes went and which came."""
    if before is None or after is None:
        return []
    gone, new = words.told_apart(before, after)
    sentences = [
        f"{verb} {', '.join(list(nodes)[:4])}{', ...' if len(nodes) > 4 else ''}" for verb, nodes in (("no more", gone), ("now", new)) if nodes
    ]
    return sentences or (["the same nodes"] if before.cost != after.cost else [])


def _labelled(paint: Painter, label: str, sentences: Iterable[str]) -> Iterator[str]:
    for position, sentence in enumerate(sentence for sentence in sentences if sentence):
        yield f"  {paint(f'{label:<7}', _DIM) if position == 0 else ' ' * 7}  {one_line(sentence)}"


def _sql(sql: str) -> Iterator[str]:
    lines = visible(sql).strip().splitlines()
    for line in lines[:MOST_SQL_LINES]:
        shown = line.expandtabs(4).rstrip()
        yield f"    {shown[:WIDEST]}{' ...' if len(shown) > WIDEST else ''}"
    if len(lines) > MOST_SQL_LINES:
        yield f"    ... {counted(len(lines) - MOST_SQL_LINES, 'more line')}"


def _short(sql: str) -> str:
    text = " ".join(visible(sql).split())
    return f"{text[:60]} ..." if len(text) > 64 else text


def _from(places: tuple[tuple[str, int, str], ...]) -> str:
    return f" ({words.place(places[0])})" if places else ""


def _budgets(gate: Gate, paint: Painter) -> Iterator[str]:
    for one in sorted(gate.budgets, key=lambda budget: not budget.exceeded):
        mark = paint("exceeded", _COLORS[1]) if one.exceeded else "within  " if one.limit is not None else "no limit"
        drift = words.drift(one)
        yield f"  {mark}  {one_line(one.name)} of {one_line(one.subject)}: {words.budget(one)}{f' ({drift})' if drift else ''}"


def _unseen(gate: Gate) -> Iterator[str]:
    for part in gate.unread:
        yield f"  {'unreadable' if part.fatal else 'not read'}  {one_line(f'{part.path}:{part.line}  {part.reason}')}"
    for sentence in dict.fromkeys(gate.assumes):
        yield f"  assumed  {one_line(sentence)}"
    for note in gate.notes:
        yield f"  note  {one_line(note)}"


def _last_line(gate: Gate) -> str:
    return one_line(f"{gate.verdict}: {words.headline(gate)} ({versions(gate.postgres)}). Looked at in {duration(gate.seconds)}.")

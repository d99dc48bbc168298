"""What a gate says, in words that all of its formats share: no markup, numbers in units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from dbguard.model.plan import Plan, nodes
from dbguard.model.quantities import count, duration, number, size, times
from dbguard.model.verdict import VERDICTS, Budget, Gate, QueryRisk, StepRisk, Waiting
from dbguard.planning.node_names import title as node_title
from dbguard.report.locks_text import blocked
from dbguard.report.words import counted

Risk = TypeVar("Risk", StepRisk, QueryRisk)
MOST_REASONS = 3


def severity(verdict: str) -> int:
    """0 for safe, 1 for review, 2 for stop; what is not known counts as the worst."""
    return VERDICTS.index(verdict) if verdict in VERDICTS else len(VERDICTS) - 1


def worst_first(risks: Iterable[Risk]) -> list[Risk]:
    """Those that are not safe, the worst first, otherwise in their order."""
    return sorted((risk for risk in risks if severity(risk.verdict)), key=lambda risk: -severity(risk.verdict))


def headline(gate: Gate) -> str:
    """`2 of 6 steps, 2 of 5 queries, 3 findings, 2 budgets`: how much is not safe, of how much."""
    parts = [_share(gate.steps, "step"), _share(gate.queries, "query", "queries")]
    if gate.findings:
        parts.append(counted(len(gate.findings), "finding"))
    if exceeded := sum(budget.exceeded for budget in gate.budgets):
        parts.append(f"{counted(exceeded, 'budget')} exceeded")
    return ", ".join(filter(None, parts)) or "nothing to judge"


def _share(risks: Sequence[StepRisk] | Sequence[QueryRisk], one: str, many: str = "") -> str:
    if not risks:
        return ""
    bad = sum(severity(risk.verdict) > 0 for risk in risks)
    told = f"{bad:,} of {counted(len(risks), one, many)}" if bad else counted(len(risks), one, many)
    if unplanned := sum(isinstance(risk, QueryRisk) and bool(risk.unplanned) for risk in risks):
        safe = "" if bad else f"{len(risks) - unplanned:,} safe, "
        return f"{told} ({safe}{unplanned:,} not planned)"
    return told if bad else f"{told} (safe)"


def reasons(gate: Gate) -> tuple[str, ...]:
    """The two or three sentences that a reader needs first."""
    if gate.reasons:
        return gate.reasons[:MOST_REASONS]
    if severity(gate.verdict) == 0:
        if not gate.steps:
            return ("nothing is pending",)
        return ("nobody waits for long, no query gets slower or fails",)
    return ()


def locks(step: StepRisk) -> Iterator[tuple[str, str, str]]:
    """Mode, relation and what is blocked, for each lock."""
    for lock in step.effects.locks:
        yield str(lock.mode), str(lock.relation), blocked(lock.mode.blocks)


def work(step: StepRisk) -> str:
    """What is done under the lock: `reads 9.1 GB, writes 1.2 GB, 1.2 GB of WAL`."""
    amounts = (("reads {}", step.read_bytes), ("writes {}", step.written_bytes), ("{} of WAL", step.wal_bytes))
    told = [words.format(size(amount)) for words, amount in amounts if amount]
    names = (("rewrites", step.effects.rewrites), ("scans", step.effects.scans), ("builds", step.effects.builds))
    told += [f"{verb} {', '.join(f'`{name}`' for name in relations)}" for verb, relations in names if relations]
    if step.replica_lag is not None and step.replica_lag >= 1:
        told.append(f"replicas are {duration(step.replica_lag)} behind then")
    return ", ".join(told)


def times_of(step: StepRisk) -> str:
    """How long it runs, how long its locks are held, and how long it waits for them."""
    if step.seconds is None:
        return "how long is not known: no size of its tables is known"
    told = [f"{duration(step.seconds.p50)}, nine of ten times at most {duration(step.seconds.p90)}"]
    if step.held is not None and step.held.p90 > step.seconds.p90 * 1.05 + 0.001:
        told.append(f"locks held until the transaction ends: at most {duration(step.held.p90)}")
    if step.to_get_lock:
        told.append(f"up to {duration(step.to_get_lock)} until it gets its lock")
    return "; ".join(told)


def waits(waiting: Waiting) -> str:
    """`240/s, 17,000 wait, 36 s on average`, as far as it is known."""
    told = []
    if waiting.a_second:
        told.append(f"{count(waiting.a_second)}/s")
    if waiting.queries:
        told.append(f"{count(waiting.queries)} wait")
        if waiting.seconds:
            told.append(f"{duration(waiting.seconds / waiting.queries)} on average")
    return ", ".join(told) or "how many is not known"


def calls(query: QueryRisk) -> str:
    told = []
    if query.a_day is not None:
        told.append(f"{count(query.a_day)} calls a day")
    elif query.calls:
        told.append(counted(query.calls, "captured call"))
    if query.seconds_a_day is not None:
        told.append(f"{duration(query.seconds_a_day)} a day")
    return ", ".join(told)


def cost(query: QueryRisk) -> str:
    """`12.61 before, 48,211 after (3,823 times)`; nothing where it was not planned."""
    if query.before is None or query.after is None:
        only = query.after or query.before
        return "" if only is None else f"{number(only.cost)} {'after' if query.after else 'before'}"
    if query.before.cost == query.after.cost:
        return f"{number(query.after.cost)}, as before"
    change = times(query.before.cost, query.after.cost)
    return f"{number(query.before.cost)} before, {number(query.after.cost)} after{f' ({change})' if change else ''}"


def growth(query: QueryRisk) -> str:
    """`48,211 now, 470,300 at 10 times the data, 4,699,000 at 100 times (another plan)`."""
    told = []
    for point in query.growth:
        where = "now" if point.scale == 1 else f"at {number(point.scale)} times the data"
        told.append(f"{number(point.cost)} {where}{'' if point.same_shape else ' (another plan)'}")
    return ", ".join(told)


def why(query: QueryRisk) -> tuple[str, ...]:
    """Its reasons; none where `fails` says the same."""
    return () if query.breaks else query.reasons


def fails(query: QueryRisk) -> str:
    if not query.breaks:
        return ""
    return f"{query.breaks}, since {query.changed_by[0]}:{query.changed_by[1]}" if query.changed_by else query.breaks


def place(where: tuple[str, int, str]) -> str:
    path, line, function = where
    return f"{path}:{line} {function}".rstrip()


def title(query: QueryRisk) -> str:
    return query.name or query.shape


def budget(one: Budget) -> str:
    """`164, the limit is 100, the baseline has 98`."""
    told = [number(one.now)]
    if one.limit is not None:
        told.append(f"the limit is {number(one.limit)}")
    if one.recorded is not None:
        told.append(f"the baseline has {number(one.recorded)}")
    return ", ".join(told)


def drift(one: Budget) -> str:
    """What became of the baseline's number: `+67 %`, `3,823 times`, `unchanged`."""
    if not one.recorded or one.recorded < 0:
        return ""
    if one.now == one.recorded:
        return "unchanged"
    if one.now > 3 * one.recorded:
        return times(one.recorded, one.now)
    return f"{(one.now - one.recorded) / one.recorded:+.0%}".replace("%", " %")


def told_apart(before: Plan, after: Plan) -> tuple[Counter[str], Counter[str]]:
    """Nodes of either plan that the other does not have, by their titles."""
    old, new = (Counter(map(node_title, nodes(plan.root))) for plan in (before, after))
    return old - new, new - old


def title_of_step(step: StepRisk) -> str:
    """Its first words, as a name: `CREATE INDEX orders_customer_id_idx ON orders (customer_id)`."""
    text = " ".join(step.sql.split()).rstrip(";")
    return f"{text[:77]}..." if len(text) > 80 else text or "(empty)"

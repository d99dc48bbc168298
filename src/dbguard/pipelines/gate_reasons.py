"""Why a step or a change is to be reviewed or stopped, in words and numbers; and what the recipe would change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, takewhile

from dbguard.model.finding import Finding
from dbguard.model.names import Name
from dbguard.model.postgres import LockMode
from dbguard.model.quantities import count, duration, size, times
from dbguard.model.source import Script, Source
from dbguard.model.state import EndOfScript, EndOfTransaction, State
from dbguard.model.verdict import VERDICTS, QueryRisk, StepRisk
from dbguard.parsing import parse
from dbguard.planning.risk import Cause, Context, Judged, step_risk
from dbguard.planning.risk_plans import Change
from dbguard.replay import replay

MOST_REASONS = 3
A_DAY = 86_400.0
AT_LEAST = 0.5  # seconds of blocking that a recipe saves, to be worth a sentence
_ONE_FAILS = "1 query fails since it"
_WORKS = "it works for about"
_UNKNOWN_SECONDS = 60.0  # that stand for "not known" when blocked times are compared
_WHO = {
    LockMode.ACCESS_EXCLUSIVE: "reads and writes wait",
    LockMode.EXCLUSIVE: "writes and SELECT ... FOR UPDATE wait",
    LockMode.SHARE_ROW_EXCLUSIVE: "writes wait",
    LockMode.SHARE: "writes wait",
}


def worst(verdicts: Iterable[str]) -> str:
    return max(verdicts, key=VERDICTS.index, default="safe")


def with_reasons(judged: Judged, context: Context, counterfactual: str = "", later: Iterable[Judged] = ()) -> StepRisk:
    """The risk of a step with its reasons in words, the worst first. `later` are the steps that follow it."""
    causes = sorted(judged.causes, key=lambda cause: -VERDICTS.index(cause.verdict))
    same = takewhile(lambda one: one.risk.transaction == judged.risk.transaction, chain((judged,), later))
    worker = next((one for one in same if one.work.unknown), judged)
    work = _work(worker) if worker is judged else f"{_work(worker)} later in its transaction (line {worker.risk.line})"
    sentences = tuple(dict.fromkeys(reason(cause, work, context) for cause in causes))
    return judged.risk._replace(reasons=sentences[:MOST_REASONS], counterfactual=counterfactual)


def reason(cause: Cause, work: str, context: Context) -> str:
    """One cause in words. `work` is what takes how long nobody knows."""
    table = "" if cause.relation is None else f"`{short(cause.relation)}`{_size(cause.relation, context)}"
    match cause.kind:
        case "fails":
            return f"it fails: {cause.text}"
        case "blocked" if cause.mode is not None and cause.seconds is not None:
            more = _how_many(cause)
            time = f"{duration(cause.seconds.p50)} (nine of ten times at most {duration(cause.seconds.p90)})"
            longest = f", most of it for line {cause.line}" if cause.line else ""
            return f"{cause.mode} lock on {table}: {_WHO[cause.mode]} for about {time}{longest}{more}"
        case "works" if cause.mode is not None and cause.seconds is not None:
            lock = f"the {cause.mode} lock on {table} of line {cause.line}"
            return f"{_WORKS} {duration(cause.seconds.p50)} while its transaction holds {lock}"
        case "unknown" if cause.mode is not None:
            return f"{cause.mode} lock on {table} while {work}: {_WHO[cause.mode]} for as long as that takes, which is not known without sizes"
        case "waits" if cause.seconds is not None:
            open_for = duration(cause.seconds.p50)
            opening = f"the lock on {table} waits for transactions that are open (the longest was open for {open_for})"
            return f"{opening}, and whoever needs the table waits behind it: set lock_timeout"
        case "rows":
            time = "" if cause.seconds is None else f", for about {duration(cause.seconds.p50)}"
            who = f"; {_rate(cause.a_second)} that change rows of it, and wait where they meet one" if cause.a_second else ""
            return f"it changes {count(cause.rows)} rows of {table} in one statement: each stays locked until the end{time}{who}"
        case "index dropped" if cause.relation is not None:
            return f"it drops index `{short(cause.relation)}`, which is used: {_often(cause.a_second)}"
        case "table dropped" if cause.relation is not None:
            return f"it drops `{short(cause.relation)}`, which is used: {_often(cause.a_second)}"
        case "rows unknown":
            return f"it changes rows of {table} in one statement: how many is not known"
    return cause.text


def _how_many(cause: Cause) -> str:
    if not cause.a_second:
        return "" if cause.a_second is None else "; none were counted"
    return f"; {_rate(cause.a_second)}, so up to {count(cause.queries)} queries wait, {duration(cause.waited)} in all"


def _rate(a_second: float) -> str:
    return f"{count(a_second)} a second come" if a_second >= 0.95 else f"{count(a_second * 3600)} an hour come"


def _often(a_second: float | None) -> str:
    rate = a_second or 0.0
    return (
        f"{count(rate)} times a second"
        if rate >= 0.95
        else f"{count(rate * 3600)} times an hour"
        if rate * 3600 >= 0.95
        else f"{count(rate * 86_400)} times a day"
    )


def _size(name: Name, context: Context) -> str:
    rows, total = context.sizes.rows(name), context.sizes.bytes(name)
    return "" if rows is None or total is None else f" ({count(rows)} rows, {size(total)})"


def _work(judged: Judged) -> str:
    effects = judged.risk.effects
    told = [
        f"{verb} {', '.join(f'`{short(name)}`' for name in names[:2])}{' and more' if len(names) > 2 else ''}"
        for verb, names in (("it rewrites", effects.rewrites), ("it reads all of", effects.scans), ("it builds", effects.builds))
        if names
    ]
    return " and ".join(told) or f"it works on {', '.join(f'`{short(name)}`' for name in judged.work.unknown[:2]) or 'its tables'}"


def short(name: Name) -> str:
    return str(Name(None, name.name) if name.schema == "public" else name)


def counterfactual(judged: Judged, findings: Sequence[Finding], context: Context, major: int) -> str:
    """What the recipe of a finding would change: its SQL goes through the same model. Empty if it saves nothing."""
    before = _total(judged)
    for finding in findings:
        if not finding.recipe:
            continue
        after = _of_recipe(finding.recipe, judged.steps[0].before, context, major)
        if after is None:
            continue
        for word in ("reads and writes", "writes", "reads"):
            if word not in before or before[word] is None:
                continue
            now, then = before[word], after.get(word, after.get("reads and writes", 0.0) if word == "writes" else 0.0)
            if now is not None and then is not None and now - then >= AT_LEAST:
                return f"with the recipe: {duration(now)} of blocked {word} become {duration(then) if then >= 0.001 else '0'}"
        unknown = next((word for word, value in before.items() if value is None), None)
        if unknown is not None and max((value or 0.0 for value in after.values()), default=0.0) < AT_LEAST:
            return f"with the recipe no {unknown.replace(' and ', ' or ')} wait for that work"
    return ""


def _total(judged: Judged) -> dict[str, float | None]:
    """Seconds that reads and writes, or only writes, wait; None where that is not known."""
    if judged.risk.held is None:
        modes = [cause.mode for cause in judged.causes if cause.kind == "unknown" and cause.mode is not None]
        if not modes:
            return {}
        return {"reads and writes" if max(modes) is LockMode.ACCESS_EXCLUSIVE else "writes": None}
    return _words(judged.blocked)


def _words(blocked: object) -> dict[str, float | None]:
    found = dict(blocked) if isinstance(blocked, dict) else {}
    if "reads" in found and found.get("reads") == found.get("writes"):
        return {"reads and writes": found["reads"]}
    return dict(found)


def _of_recipe(recipe: str, state: State, context: Context, major: int) -> dict[str, float | None] | None:
    """The longest that reads and writes wait for one transaction of the recipe; None if it cannot be understood.

    Work whose size is not known counts only where it happens under a lock that blocks somebody.
    """
    start = state._replace(transaction=None)
    parsed = parse(Script(Source("recipe", recipe), ((0, len(recipe)),), transaction="none"))
    if not parsed.statements or any(statement.unread for statement in parsed.statements):
        return None
    steps = list(replay([parsed], start, major))
    if not any(not isinstance(step.operation, EndOfScript | EndOfTransaction) for step in steps):
        return None
    found: dict[str, float | None] = {}
    fresh = context._replace(sizes=context.sizes.copy(), calibration=context.calibration)
    for one in step_risk(steps, fresh):
        if one.risk.effects.fails:
            return None
        if one.risk.held is None:
            for cause in one.causes:
                if cause.kind == "unknown" and cause.mode is not None:
                    for word in ("reads", "writes") if cause.mode is LockMode.ACCESS_EXCLUSIVE else ("writes",):
                        found[word] = _UNKNOWN_SECONDS
            continue
        for word, value in one.blocked.items():
            found[word] = max(found.get(word) or 0.0, value)
    both = min(found.get("reads") or 0.0, found.get("writes") or 0.0)
    return {**found, "reads and writes": both}


def of_gate(steps: Sequence[StepRisk], queries: Sequence[QueryRisk], findings: Sequence[Finding], others: Sequence[str]) -> tuple[str, ...]:
    """The two or three sentences that a reader needs first."""
    ranked: list[tuple[int, str]] = []
    told: set[int] = set()
    for step in steps:
        if step.verdict != "safe" and step.reasons and not (step.transaction in told and step.reasons[0].startswith(_WORKS)):
            told.add(step.transaction)
            ranked.append((VERDICTS.index(step.verdict), f"{step.path}:{step.line}: {step.reasons[0]}"))
    with_query = {(step.path, step.line) for step in steps if step.reasons and step.reasons[0].startswith(_ONE_FAILS)}
    for query in queries:
        if query.verdict != "safe" and query.reasons and not (query.breaks and query.changed_by in with_query):
            ranked.append((VERDICTS.index(query.verdict), f"{named_query(query)}: {query.reasons[0]}"))
    ranked += [(1 if finding.severity < 3 else 2, f"{finding.path}:{finding.line}: {finding.message}") for finding in findings]
    ranked += [(1, sentence) for sentence in others]
    ordered = sorted(range(len(ranked)), key=lambda index: (-ranked[index][0], index))
    return tuple(dict.fromkeys(ranked[index][1] for index in ordered))[:MOST_REASONS]


def with_harm(steps: Sequence[StepRisk], queries: Sequence[QueryRisk]) -> tuple[StepRisk, ...]:
    """Steps that also answer for the queries that fail or get slower since them."""
    harmed: dict[tuple[str, int], list[QueryRisk]] = {}
    for query in queries:
        if query.verdict != "safe" and query.changed_by is not None:
            harmed.setdefault(query.changed_by, []).append(query)
    found = []
    for step in steps:
        own = harmed.pop((step.path, step.line), [])
        if own:
            broken, slower = [one for one in own if one.breaks], [one for one in own if not one.breaks]
            sentences = [*_harm(broken, "fails", "fail"), *_harm(slower, "gets slower", "get slower")]
            said = worst([step.verdict, *(one.verdict for one in own)])
            kept = [*sentences, *step.reasons] if step.verdict != "stop" else [*step.reasons[:1], *sentences, *step.reasons[1:]]
            found.append(step._replace(verdict=said, reasons=tuple(kept[:MOST_REASONS])))
        else:
            found.append(step)
    return tuple(found)


def _harm(queries: Sequence[QueryRisk], one: str, many: str) -> Iterator[str]:
    if queries:
        told = f"1 query {one}" if len(queries) == 1 else f"{len(queries)} queries {many}"
        a_day = sum(query.a_day or 0.0 for query in queries)
        often = f", sent {count(a_day)} times a day" if a_day else ""
        named = ", ".join(map(named_query, queries[:3])) + (f" and {len(queries) - 3} more" if len(queries) > 3 else "")
        why = f": {queries[0].breaks}" if len(queries) == 1 and queries[0].breaks else ""
        yield f"{told} since it{often}: {named}{why}"


def named_query(query: QueryRisk) -> str:
    """Where the application sends it, else how it begins."""
    return f"{query.places[0][0]}:{query.places[0][1]}" if query.places else f"`{_beginning(query.sql)}`"


def _beginning(sql: str, most: int = 50) -> str:
    """A query on one line, cut at a word."""
    line = " ".join(sql.split())
    return line if len(line) <= most else line[:most].rpartition(" ")[0] + " ..."


def of_change(risk: QueryRisk, change: Change | None, breaks: str, at: tuple[str, int] | None) -> tuple[str, ...]:
    """Why a query is not safe."""
    where = f" since {at[0]}:{at[1]}" if at is not None else ""
    if breaks:
        often = f", sent {count(risk.a_day)} times a day" if risk.a_day else f", {risk.calls} captured calls" if risk.calls else ""
        return (f"it fails{where}{often}: {breaks}",)
    if change is None:
        return ()
    sentences = []
    if change.slower >= 1.5:
        sentences.append(f"it gets about {times(1.0, change.slower)} slower{where}{_more_a_day(risk, change.slower)}")
    if change.lost:
        names = ", ".join(f"`{name}`" for name in change.lost[:3])
        full = f": it reads all of {', '.join(f'`{_bare(name)}`' for name in change.read_in_full)}" if change.read_in_full else ""
        sentences.append(f"it does not use {names} any more{full}")
    elif change.read_in_full:
        sentences.append(f"it reads all of {', '.join(f'`{_bare(name)}`' for name in change.read_in_full)} now")
    return tuple(sentences)


def _more_a_day(risk: QueryRisk, ratio: float) -> str:
    if not risk.seconds_a_day:
        return ""
    after = risk.seconds_a_day * ratio
    busy = f"{count(after / A_DAY)} processors, all day" if after > 1.5 * A_DAY else duration(after)
    return f": {duration(risk.seconds_a_day)} of one processor a day become about {busy}"


def _bare(name: str) -> str:
    return name.removeprefix("public.")

"""The lock timeline of one migration: its steps on an axis of time, the locks they hold until their transaction ends, and who waits.

Drawn for nine of ten runs (p90), with half of the runs (p50) as the solid part of each bar. Positions are percentages, so that the
picture is as wide as its page and its letters are not scaled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor, isfinite, log10

from dbguard.model.postgres import LockMode
from dbguard.model.quantities import count, duration
from dbguard.model.record import Record
from dbguard.model.verdict import StepRisk, Waiting
from dbguard.report.gate_words import title_of_step
from dbguard.report.html_parts import Html, code, el, join
from dbguard.report.words import counted

LEAST_WIDTH = 0.5  # percent: what takes next to no time is still there
MOST_LANES = 24
_TICKS = (0.25, 0.5, 1, 2, 5, 10, 15, 30, 60)


class Bar(Record):
    """Seconds since the migration began."""

    start: float
    usual: float  # end, in half of the runs
    end: float
    known: bool = True


class Lane(Record):
    """A step, a lock that is held, or a queue behind it."""

    kind: str  # step, queue, or by what the lock makes wait: reads, writes, ddl
    label: Html
    bar: Bar
    told: str
    wait: Bar | None = None  # until the lock is there


class Held(Record):
    """A lock that a transaction has. Queries wait as soon as it is asked for: behind the request, before it is granted."""

    mode: LockMode
    start: float
    wait: Bar | None
    waiting: dict[str, Waiting]  # by shape, the most of any step
    is_index: bool = False


def timeline(steps: Sequence[StepRisk]) -> Html:
    """A figure; nothing for steps that lock nothing."""
    if not any(lock.mode.blocks for step in steps for lock in step.effects.locks):
        return Html("")
    lanes, total = _lanes(steps)
    known = all(step.seconds is not None for step in steps)
    shown, hidden = lanes[:MOST_LANES], len(lanes) - MOST_LANES
    rows = [_row(lane, total) for lane in shown]
    more = el("p", f"and {hidden} more lines", class_="muted") if hidden > 0 else None
    axis = _axis(total) if known else el("p", "Lengths are not to scale: the size of a table is not known.", class_="muted")
    return el(
        "figure",
        el("figcaption", "Steps, and the locks that they hold until their transaction ends", class_="muted"),
        el("div", *rows, el("div", el("div"), axis, class_="lane axis"), class_="lanes"),
        more,
        _legend(shown),
        class_="timeline",
    )


def _lanes(steps: Sequence[StepRisk]) -> tuple[list[Lane], float]:
    known = [_finite(step.seconds.p90) for step in steps if step.seconds is not None]
    nominal = max(sum(known) * 2, 1e-3)  # what is not known may well be the longest
    clock, number = 0.0, -1
    lanes: list[Lane] = []
    locks: dict[str, Held] = {}
    indexes = {_short(str(name)) for step in steps for name in step.effects.builds}
    for step in steps:
        if step.transaction != number or step.transaction == 0:
            lanes += _released(locks, clock)
            locks, number = {}, step.transaction
        asked = {_short(str(lock.relation)): lock.mode for lock in step.effects.locks}
        new = [name for name, mode in asked.items() if name not in locks or mode > locks[name].mode]
        wait = _finite(step.to_get_lock or 0.0) if new else 0.0
        waiting = Bar(clock, clock, clock + wait) if wait else None
        start = clock + wait
        usual, end = (start + _finite(step.seconds.p50), start + _finite(step.seconds.p90)) if step.seconds else (start, start + nominal)
        label = join([el("span", str(step.line), class_="line"), code(title_of_step(step), 70)])
        told = f"about {duration(usual - start)}, at most {duration(end - start)}" if step.seconds else "how long is not known"
        lanes.append(Lane("step", label, Bar(start, usual, end, step.seconds is not None), told, waiting))
        for name in new:
            before = locks.get(name, Held(asked[name], start, waiting, {}, name in indexes))
            locks[name] = before._replace(mode=asked[name])
        _queue(locks, step)
        clock = end
    lanes += _released(locks, clock)
    return lanes, max(clock, 1e-6)


def _queue(locks: dict[str, Held], step: StepRisk) -> None:
    """A query waits once for the lock of a transaction, however many steps name it."""
    for one in step.waiting:
        held = locks.get(_short(one.relation))
        if held is not None and ((known := held.waiting.get(one.shape)) is None or known.queries < one.queries):
            held.waiting[one.shape] = one


def _short(name: str) -> str:
    return name.removeprefix("public.")


def _released(locks: dict[str, Held], clock: float) -> Iterator[Lane]:
    """The locks of a transaction that ends at `clock`, the strongest first, each with its queue.

    Those that stop nobody are left out, and those on indexes where a table is locked as strongly: the same queries wait for it.
    """
    strongest = max((held.mode for held in locks.values() if not held.is_index), default=LockMode.ACCESS_SHARE)
    for name, held in sorted(locks.items(), key=lambda item: -item[1].mode):
        if not held.mode.blocks or (held.is_index and held.mode <= strongest):
            continue
        label = join([el("span", "lock", class_="line"), code(name, 70), el("span", str(held.mode), class_="mode")])
        yield Lane(_kind(held.mode), label, Bar(held.start, clock, clock), _waits(held.mode), held.wait)
        queries = sum(one.queries for one in held.waiting.values())
        if queries:
            seconds = sum(one.seconds for one in held.waiting.values())
            told = f"{count(queries)} queries wait, {duration(seconds / queries)} on average"
            label = join([el("span", "queue", class_="line"), el("span", f"{counted(len(held.waiting), 'query', 'queries')} of the application")])
            yield Lane("queue", label, Bar(held.wait.start if held.wait else held.start, clock, clock), told)


def _waits(mode: LockMode) -> str:
    words = {"read": "reads", "write": "writes"}
    told = [words[word] for word in mode.blocks if word in words]
    return f"{' and '.join(told)} wait" if told else "only VACUUM and DDL wait"


def _row(lane: Lane, total: float) -> Html:
    shapes = [_rect(lane.wait.start, lane.wait.end, total, "request", fill="url(#dots)")] if lane.wait else []
    bar = lane.bar
    if lane.kind == "step":
        shapes.append(_rect(bar.start, bar.end, total, "later" if bar.known else "unknown"))
        if bar.known:
            shapes.append(_rect(bar.start, bar.usual, total, "usual"))
    elif lane.kind == "queue":
        shapes.append(_wedge(bar, total))
    else:
        shapes.append(_rect(bar.start, bar.end, total, lane.kind, fill="url(#stripes)" if lane.kind == "writes" else None))
    picture = el("svg", *shapes, width="100%", height=18, role="img", aria_label=lane.told)
    told = el("div", picture, el("span", lane.told, class_="told"), class_="bar")
    return el("div", el("div", lane.label, class_="label"), told, class_=f"lane of-{lane.kind}")


def _wedge(bar: Bar, total: float) -> Html:
    """A queue that grows until the lock is released."""
    left, width = _share(bar.start, bar.end, total)
    wedge = el("path", d="M0 100 100 0V100z", class_="wedge")
    return el("svg", wedge, x=f"{left:.2f}%", y=1, width=f"{width:.2f}%", height=16, viewBox="0 0 100 100", preserveAspectRatio="none")


def _kind(mode: LockMode) -> str:
    return "reads" if "read" in mode.blocks else "writes" if "write" in mode.blocks else "ddl"


def _rect(start: float, end: float, total: float, kind: str, fill: str | None = None) -> Html:
    left, width = _share(start, end, total)
    return el("rect", x=f"{left:.2f}%", y=2, width=f"{width:.2f}%", height=14, rx=2, class_=kind, fill=fill)


def _share(start: float, end: float, total: float) -> tuple[float, float]:
    """Left edge and width in percent."""
    width = min(max((end - start) / total * 100, LEAST_WIDTH), 100.0)
    return min(start / total * 100, 100 - width), width


def _axis(total: float) -> Html:
    step = tick(total)
    marks = []
    for number in range(int(total / step + 1e-9) + 1):
        at = number * step
        anchor = "start" if number == 0 else "end" if at > total * 0.94 else "middle"
        marks.append(el("line", x1=f"{at / total * 100:.2f}%", x2=f"{at / total * 100:.2f}%", y1=0, y2=5))
        marks.append(el("text", duration(at), x=f"{at / total * 100:.2f}%", y=18, text_anchor=anchor))
    return el("svg", *marks, width="100%", height=22, aria_hidden="true", class_="ticks")


def tick(total: float) -> float:
    """The distance of marks on an axis of `total` seconds: four or fewer, at round numbers."""
    unit = 60.0 if total > 90 else 1.0
    if unit == 60.0:
        while total / unit / _TICKS[-1] > 4:
            unit *= 60
        return next(unit * size for size in _TICKS if total / (unit * size) <= 4.5)
    power: float = 10.0 ** floor(log10(total))
    return next(power * size for size in (0.25, 0.5, 1, 2, 5, 10) if total / (power * size) <= 4.5)


def _finite(seconds: float) -> float:
    return min(max(seconds, 0.0), 1e9) if isfinite(seconds) else 1e9


def _legend(lanes: Sequence[Lane]) -> Html:
    """What is in this picture, and nothing else."""
    kinds = {lane.kind for lane in lanes if lane.bar.known} | {"request" for lane in lanes if lane.wait}
    items = (
        ("step", "usual", "half of the runs", None),
        ("step", "later", "nine of ten", None),
        ("request", "request", "waits for its lock", "url(#dots)"),
        ("reads", "reads", "reads and writes wait", None),
        ("writes", "writes", "writes wait", "url(#stripes)"),
        ("ddl", "ddl", "only VACUUM and DDL wait", None),
    )
    keys = (
        el("li", el("svg", el("rect", x=1, y=1, width=20, height=10, rx=2, class_=kind, fill=fill), width=22, height=12, aria_hidden="true"), told)
        for lane, kind, told, fill in items
        if lane in kinds
    )
    return el("ul", *keys, class_="legend")

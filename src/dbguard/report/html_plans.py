"""Plans before and after side by side, and the curve of a plan's cost when the data grows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import isfinite, log10

from dbguard.model.plan import Measure, Plan
from dbguard.model.quantities import number
from dbguard.model.verdict import Growth, QueryRisk
from dbguard.planning.measures import measures
from dbguard.planning.node_names import title
from dbguard.report import gate_words as words
from dbguard.report.html_parts import Html, code, el
from dbguard.report.words import one_line

MOST_NODES = 80
HEAVY = 0.3  # share of the cost from which a node is marked
DEEPEST = 10
MOST_POINTS = 12
HEIGHT, TOP, BOTTOM = 190, 34, 148
_PARTS = re.compile(r"(.*?)(?:( )((?:using|on) .*))?")
_CONDITIONS = ("Index Cond", "Hash Cond", "Merge Cond", "Recheck Cond", "Join Filter", "Filter", "Sort Key", "Group Key")


def plans(query: QueryRisk) -> Html:
    """Two trees, or one where there is one or nothing changed."""
    before, after = query.before, query.after
    if before is not None and after is not None and before.root != after.root:
        gone, new = words.told_apart(before, after)
        trees = [_tree("before", before, gone, "gone"), _tree("after", after, new, "new")]
    else:
        one = after or before
        trees = [] if one is None else [_tree("after, as before" if before and after else "after" if after else "before", one, Counter(), "")]
    return el("div", *trees, class_=f"plans of-{len(trees)}") if trees else Html("")


def _tree(name: str, plan: Plan, marked: Counter[str], mark: str) -> Html:
    left = marked.copy()
    rows = []
    found = measures(plan)
    for measure in found[:MOST_NODES]:
        words_of_node = title(measure.node)
        changed = left[words_of_node] > 0
        left[words_of_node] -= changed
        rows.append(_node(measure, mark if changed else ""))
    if len(found) > MOST_NODES:
        rows.append(el("tr", el("td", f"and {len(found) - MOST_NODES:,} more nodes", colspan=3)))
    head = el("tr", el("th", "node", scope="col"), el("th", "cost", scope="col", class_="n"), el("th", "rows", scope="col", class_="n"))
    caption = el("caption", el("b", name), f" cost {number(plan.cost)}")
    return el("table", caption, el("thead", head), el("tbody", *rows), class_="plan")


def _node(measure: Measure, mark: str) -> Html:
    node, heavy = measure.node, measure.share >= HEAVY
    parts = _PARTS.fullmatch(one_line(title(node))[:300])
    assert parts is not None  # it matches any line
    kind, space, what = parts.groups("")
    marks = [el("span", mark, class_=f"mark {mark}")] if mark else []
    marks += [el("span", f"{measure.share * 100:.0f} % of the cost", class_="mark heavy")] if heavy else []
    conditions = [el("div", f"{key}: ", code(_text(node.facts[key]), 160), class_="condition") for key in _CONDITIONS if node.facts.get(key)]
    named = el("div", el("b", kind), space, code(what) if what else None, " ", *marks)
    cell = el("td", el("div", named, *conditions, class_=f"in{min(measure.depth, DEEPEST)}"))
    return el(
        "tr", cell, el("td", number(node.total_cost), class_="n"), el("td", number(node.rows), class_="n"), class_="is-heavy" if heavy else None
    )


def _text(condition: object) -> str:
    return ", ".join(map(str, condition)) if isinstance(condition, list | tuple) else str(condition)


def growth(points: Sequence[Growth]) -> Html:
    """The cost against the size of the data, both logarithmic: a straight line that is as steep as the dashed one grows as the data does."""
    usable = [point for point in points if point.cost > 0 and point.scale > 0 and isfinite(point.cost) and isfinite(point.scale)][:MOST_POINTS]
    if len(usable) < 2:
        return Html("")
    at = _places(usable)
    told = ", ".join(f"{number(point.cost)} at {number(point.scale)} times the data" for point in usable)
    dashed = "; dashed: as fast as the data" if any(_slope(usable, at)) else ""
    picture = el("svg", *_curve(usable, at), width="100%", height=HEIGHT, role="img", aria_label=f"cost: {told}", class_="curve")
    return el("figure", el("figcaption", f"Cost when the data grows{dashed}", class_="muted"), picture, class_="growth")


def _places(points: Sequence[Growth]) -> list[tuple[float, float]]:
    """x in percent, y in pixels; both axes have the same scale of powers, so that slopes can be compared."""
    xs, ys = [log10(point.scale) for point in points], [log10(point.cost) for point in points]
    wide, high = max(xs) - min(xs) or 1.0, max(max(ys) - min(ys), max(xs) - min(xs)) or 1.0
    return [(12 + (x - min(xs)) / wide * 72, BOTTOM - (y - min(ys)) / high * (BOTTOM - TOP)) for x, y in zip(xs, ys, strict=True)]


def _curve(points: Sequence[Growth], at: Sequence[tuple[float, float]]) -> Iterator[Html]:
    yield el("line", x1="4%", x2="96%", y1=BOTTOM + 10, y2=BOTTOM + 10, class_="base")
    yield from _slope(points, at)
    for (x1, y1), (x2, y2) in pairwise(at):
        yield el("line", x1=f"{x1:.2f}%", y1=f"{y1:.1f}", x2=f"{x2:.2f}%", y2=f"{y2:.1f}", class_="line")
    for point, (x, y) in zip(points, at, strict=True):
        shape = el("circle", r=5) if point.same_shape else el("path", d="M0-7 7 0 0 7-7 0z")
        yield el("svg", shape, x=f"{x:.2f}%", y=f"{y:.1f}", class_="point" if point.same_shape else "point other")
        yield el("text", number(point.cost), x=f"{x:.2f}%", y=f"{y - 12:.1f}", text_anchor="middle", class_="value")
        if not point.same_shape:
            yield el("text", "another plan", x=f"{x:.2f}%", y=f"{y + 22:.1f}", text_anchor="middle")
        scale = "now" if point.scale == 1 else f"{number(point.scale)} times"
        yield el("text", scale, x=f"{x:.2f}%", y=BOTTOM + 28, text_anchor="middle")


def _slope(points: Sequence[Growth], at: Sequence[tuple[float, float]]) -> Iterator[Html]:
    """Where the cost would be if it grew as the data does."""
    (x1, y1), (x2, _) = at[0], at[-1]
    ys, wide = [log10(point.cost) for point in points], log10(points[-1].scale) - log10(points[0].scale)
    high = max(max(ys) - min(ys), abs(wide)) or 1.0
    y2 = y1 - wide / high * (BOTTOM - TOP)
    if wide > 0 and y2 >= TOP - 20:
        yield el("line", x1=f"{x1:.2f}%", y1=f"{y1:.1f}", x2=f"{x2:.2f}%", y2=f"{y2:.1f}", class_="slope")

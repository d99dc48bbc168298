"""What `benchmarks.mutations` measured, against what the gate says: precision, recall and time bands; and the fit of its weights."""

from __future__ import annotations

import json
from functools import cache
from math import log, log10
from typing import Any

from benchmarks import ghost_schema
from benchmarks.mutations import FOLDER, Outcome

from dbguard.planning.plans import of_json
from dbguard.planning.risk_reads import Index, Tables
from dbguard.planning.risk_seconds import WEIGHTS, cached_seconds, touched

SLOWER = 5.0
WORTH = 0.001  # seconds: what takes less afterwards is not called slow


def report() -> None:
    found = [Outcome(*row) for path in sorted(FOLDER.glob("mutations-*.json")) for row in json.loads(path.read_text())]
    changes: dict[tuple[str, str, str], list[Outcome]] = {}
    for one in found:
        changes.setdefault((one.database, one.kind, one.name), []).append(one)
    harmful = sum(any(_is_slower(one) for one in group) for group in changes.values())
    print(f"{len(changes)} changes, {len(found)} pairs of a change and a query")
    print(f"really at least {SLOWER:g} times slower for some query: {harmful} changes; harmless: {len(changes) - harmful}")
    for title, said in (("times slower by what is touched", _said), ("by cost alone", _by_cost)):
        _score(f"{title}: changes", [(any(map(said, group)), any(map(_is_slower, group))) for group in changes.values()])
        _score(f"{title}: queries", [(said(one), _is_slower(one)) for one in found])
    for kind in dict.fromkeys(kind for _, kind, _ in changes):
        _score(f"  {kind}", [(any(map(_said, group)), any(map(_is_slower, group))) for (_, own, _), group in changes.items() if own == kind])
    for title, half in (("held out", True), ("looked at", False)):
        chosen = [[one for one in group if _is_held_out(one) == half] for group in changes.values()]
        _score(f"queries {title}: changes", [(any(map(_said, group)), any(map(_is_slower, group))) for group in chosen if group])
        _score(f"queries {title}: queries", [(_said(one), _is_slower(one)) for group in chosen for one in group])
    _bands(found)
    for one in found:
        if _said(one) != _is_slower(one):
            times = f"{(one.seconds_before or 0) * 1000:.2f} -> {(one.seconds_after or 0) * 1000:.2f} ms, said {_seconds(one)[0] * 1000:.2f} -> {_seconds(one)[1] * 1000:.2f}"
            print(
                "missed" if _is_slower(one) else "false ",
                one.database,
                one.kind,
                one.name,
                one.query,
                f"cost {one.cost_before:.0f} -> {one.cost_after or 0:.0f}",
                times,
            )


@cache
def _base(which: str) -> Any:
    return json.loads((FOLDER / f"base-{which}.json").read_text())


def _seconds(one: Outcome) -> tuple[float, float]:
    """As estimated, before and after."""
    base = _base(one.database)
    grown = 10.0 if one.kind == "grow" else 1.0

    before = cached_seconds(of_json(base["plans"][one.query])[0], _tables(one.database))
    if one.plan is None:
        return before, before
    return before, cached_seconds(of_json(one.plan)[0], _tables(one.database, grown))


@cache
def _tables(which: str, scale: float = 1.0) -> Tables:
    base = _base(which)
    sizes = {name: (rows * scale, pages * scale) for name, (rows, pages) in base["sizes"].items()}
    indexes = {name: Index(method, pages * scale) for name, (method, pages) in base["indexes"].items()}
    return Tables(sizes, {(table, column): value for table, column, value in base["correlations"]}, indexes, base["settings"])


def fit() -> None:
    """Weights that make the logarithms of estimates and measurements agree best, on TPC-H and the half of the shop's queries that may be looked at.

    Each plan counts once, however many changes lead to it. A weight about which the plans say little stays what it is.
    """
    plans: dict[str, tuple[dict[str, float], list[float]]] = {}
    for path in sorted(FOLDER.glob("mutations-*.json")):
        for one in map(Outcome._make, json.loads(path.read_text())):
            if one.seconds_before is None or one.seconds_after is None or one.plan is None or one.kind == "skew a tenant" or _is_held_out(one):
                continue
            tables = _tables(one.database), _tables(one.database, 10.0 if one.kind == "grow" else 1.0)
            for plan, known, took in zip(
                (_base(one.database)["plans"][one.query], one.plan), tables, (one.seconds_before, one.seconds_after), strict=True
            ):
                if 0.00003 < took < 19:
                    terms = touched(of_json(plan)[0], known)
                    plans.setdefault(one.database + one.query + json.dumps(terms), (terms, []))[1].append(log(took))
    rows = [(terms, min(times)) for terms, times in plans.values()]
    weights = dict(WEIGHTS)

    def loss() -> float:
        total = sum(abs(log(sum(weights[term] * amount for term, amount in terms.items())) - took) for terms, took in rows)
        return total + 3 * sum(abs(log(weights[term] / WEIGHTS[term])) for term in weights)

    best, step = loss(), 2.0
    while step > 1.03:
        improved = False
        for term in weights:
            for factor in (step, 1 / step):
                weights[term] *= factor
                if (now := loss()) < best - 1e-6:
                    best, improved = now, True
                    break
                weights[term] /= factor
        step = step if improved else step**0.5
    print(f"# loss {best:.1f} over {len(rows)} plans")
    for term, value in weights.items():
        print(f'    "{term}": {value:.2g},')


def _is_slower(one: Outcome) -> bool:
    if one.seconds_before is None or one.seconds_after is None:
        return False
    return one.seconds_after >= WORTH and one.seconds_after >= SLOWER * one.seconds_before


def _said(one: Outcome) -> bool:
    before, after = _seconds(one)
    return after >= SLOWER * before and after >= WORTH


def _by_cost(one: Outcome) -> bool:
    return one.cost_after is not None and one.cost_after >= SLOWER * one.cost_before


def _score(title: str, pairs: list[tuple[bool, bool]]) -> None:
    right = sum(said and true for said, true in pairs)
    said, true = sum(one for one, _ in pairs), sum(one for _, one in pairs)
    precision = f"{right / said:.2f}" if said else "-"
    recall = f"{right / true:.2f}" if true else "-"
    print(f"{title:36} {len(pairs):5} judged, {true:4} slower, {said:4} said so: precision {precision}, recall {recall}")


def _bands(found: list[Outcome]) -> None:
    """How far times lie from estimates, on plans of queries that may be looked at and on those held out; and what came true of each ratio that was said."""
    for title, of in (("estimated seconds", _seconds), ("cost", lambda one: (one.cost_before, one.cost_after or 0.0))):
        points: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
        seen: set[tuple[str, str]] = set()
        for one in found:
            if one.seconds_before is None or one.seconds_after is None or one.plan is None:
                continue
            before, after = of(one)
            pairs = [(after, one.seconds_after)] if one.seconds_after < 19 else []
            if (one.database, one.query) not in seen:
                seen.add((one.database, one.query))
                pairs.append((before, one.seconds_before))
            points[_is_held_out(one)] += [(log10(said), log10(took)) for said, took in pairs if said > 0]
        _band(title, points[False], points[True])
    print("said times slower: measured pairs, of which really at least five times and worth it")
    for low, high in ((0, 2), (2, 3.5), (3.5, 5), (5, 7), (7, 15), (15, 1e9)):
        group = [one for one in found if one.seconds_before is not None and low <= _seconds(one)[1] / _seconds(one)[0] < high]
        print(f"  {low:g} to {high:g}: {len(group)}, {sum(map(_is_slower, group))}")


def _band(title: str, fitted: list[tuple[float, float]], others: list[tuple[float, float]]) -> None:
    """A line through the logarithms, the factor within which nine of ten lie, and how many of the others do."""
    mean_x, mean_y = (sum(values) / len(fitted) for values in zip(*fitted, strict=True))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in fitted) / sum((x - mean_x) ** 2 for x, _ in fitted)
    off = sorted(abs(y - mean_y - slope * (x - mean_x)) for x, y in fitted)
    band = off[int(len(off) * 0.9)]
    inside = sum(abs(y - mean_y - slope * (x - mean_x)) <= band for x, y in others) / max(len(others), 1)
    line = f"10^({mean_y - slope * mean_x:.2f} + {slope:.2f} log10 {title})"
    print(f"time bands: seconds = {line}, nine of ten of {len(fitted)} within {10**band:.1f} times; of {len(others)} held out {inside:.0%} are")


def _is_held_out(one: Outcome) -> bool:
    return one.database.endswith("shop") and ghost_schema.half(one.query) == "held-out"

"""From the planner's cost to seconds: a line through the logarithms of both, and how far times lie from it.

Cost has no unit of time. Without calibration the line is that of one measurement (PostgreSQL 18, 51 statements, warm cache, one process) and
says an order of magnitude. With pairs of cost and duration from auto_explain it is the user's own server's.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path

from dbguard.errors import UnreadableSource, UsageError
from dbguard.model.record import Record
from dbguard.planning.plans import read_plans

VERSION = 1
FEWEST_PAIRS = 20
_HEAD = re.compile(r"duration: (\d+(?:\.\d+)?) ms\s+plan:[ \t]*")
_JSON_LOG = re.compile(r'"message":\s?"duration: [\d.]+ ms  plan:')
_MOST = 200_000


class Times(Record):
    """log10(milliseconds) = intercept + slope * log10(cost); nine of ten lie below `factor` times that."""

    intercept: float = -3.73
    slope: float = 1.25
    factor: float = 8.2
    pairs: int = 0  # that it was fitted on; 0: not calibrated
    lowest: float = 0.0  # costs that were seen
    highest: float = 0.0

    @property
    def calibrated(self) -> bool:
        return self.pairs > 0


UNCALIBRATED = Times()


def seconds(cost: float, times: Times = UNCALIBRATED) -> tuple[float, float]:
    """Seconds that half and nine of ten of the plans of this cost take at most."""
    middle = 10 ** min(times.intercept + times.slope * math.log10(max(cost, 0.01)), 12) / 1000
    return middle, middle * times.factor


def pairs_in(text: str) -> list[tuple[float, float]]:
    """Cost and milliseconds of every plan that auto_explain wrote into a log, in text or JSON. Plans that cannot be read are left out."""
    text = _messages(text)
    heads = list(_HEAD.finditer(text))[:_MOST]
    found = []
    for head, following in zip_longest(heads, heads[1:]):
        end = following.start() if following is not None else len(text)
        try:
            plan = read_plans(text[head.end() : min(end, head.end() + 1_000_000)].replace('""', '"'))[0]
        except UnreadableSource:
            continue
        if plan.cost > 0 and float(head[1]) > 0:
            found.append((plan.cost, float(head[1])))
    return found


def _messages(text: str) -> str:
    """The messages of a jsonlog, each an object on a line of its own; any other log as it is."""
    if _JSON_LOG.search(text) is None:
        return text
    found = []
    for line in text.splitlines():
        if _JSON_LOG.search(line) is not None:
            with suppress(ValueError, RecursionError, AttributeError):
                found.append(str(json.loads(line).get("message", "")))
    return "\n".join(found)


def fit(pairs: Sequence[tuple[float, float]]) -> Times:
    """A line through the pairs that few outliers do not turn (Theil and Sen). Raises UsageError if they are too few or of one cost."""
    if len(pairs) < FEWEST_PAIRS:
        raise UsageError(f"{len(pairs)} plans with a duration are too few to calibrate on: {FEWEST_PAIRS} are needed; is auto_explain on?")
    points = sorted((math.log10(cost), math.log10(milliseconds)) for cost, milliseconds in pairs)
    if points[-1][0] - points[0][0] < 1.0:
        raise UsageError("the plans have all much the same cost: calibrate on a log with cheap and expensive queries")
    sample = points[:: max(1, len(points) // 400)]
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for index, a in enumerate(sample) for b in sample[index + 1 :] if b[0] - a[0] > 0.2)
    slope = min(max(slopes[len(slopes) // 2] if slopes else 1.0, 0.3), 3.0)
    rests = sorted(y - slope * x for x, y in points)
    intercept = rests[len(rests) // 2]
    factor = 10 ** (rests[min(int(len(rests) * 0.9), len(rests) - 1)] - intercept)
    return Times(
        round(intercept, 4), round(slope, 4), round(max(factor, 1.0), 2), len(pairs), round(10 ** points[0][0], 2), round(10 ** points[-1][0], 2)
    )


def load(path: str | Path) -> Times:
    """What `save` wrote. Raises UnreadableSource."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        if found["version"] != VERSION:
            raise UnreadableSource(f"{path}: a calibration of version {found['version']}; this dbguard reads {VERSION}")
        values = {key: float(found[key]) for key in ("intercept", "slope", "factor", "lowest", "highest")}
        times = Times(**values, pairs=int(found["pairs"]))
    except OSError as error:
        raise UnreadableSource(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableSource(f"{path} is no calibration: {type(error).__name__} {error}; make one with `dbguard explain --calibrate LOG`") from None
    if not all(map(math.isfinite, times)) or times.factor < 1 or not 0 < times.slope <= 10:
        raise UnreadableSource(f"{path} is no calibration: its numbers make no sense; make one with `dbguard explain --calibrate LOG`")
    return times


def saved(times: Times) -> str:
    """The text of a calibration, for a file that the user commits. No query is in it."""
    return json.dumps({"version": VERSION, **times._asdict()}, indent=2) + "\n"


def spread(pairs: Iterable[tuple[float, float]], times: Times) -> float:
    """The part of the pairs that lies below the 90 % line: what should be about 0.9."""
    found = [milliseconds / 1000 <= seconds(cost, times)[1] for cost, milliseconds in pairs]
    return sum(found) / len(found) if found else 0.0

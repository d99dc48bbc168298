"""A down migration that leaves another schema than its up migration found. Seen by running both."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.source import RoundTrip
from dbguard.model.state import Step


def check(trip: RoundTrip, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the trip says it all
    if trip.down_fails:
        yield flag(variant="fails", reason=trip.down_fails)
    elif trip.left:
        yield flag(changes=_listed(trip.left))
    if trip.up_fails:
        yield flag(variant="again", reason=trip.up_fails)
    elif trip.again:
        yield flag(variant="differs", changes=_listed(trip.again))


def _listed(sentences: tuple[str, ...], most: int = 3) -> str:
    text = "; ".join(sentences[:most])
    return text if len(sentences) <= most else f"{text}; and {len(sentences) - most} more"

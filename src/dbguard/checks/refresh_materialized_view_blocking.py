"""REFRESH MATERIALIZED VIEW without CONCURRENTLY."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Refresh
from dbguard.model.state import Step


def check(refresh: Refresh, step: Step) -> Iterator[Flag]:
    if refresh.concurrently or not refresh.with_data or step.is_new(refresh.name):
        return
    view = step.table(refresh.name)
    unique = any(index.unique and index.where is None and len(index.columns) == len(index.keys) for index in view.indexes.values())
    yield flag(view=refresh.name, variant="" if unique or not view.known else "index")

"""CLUSTER."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.operations import Cluster
from dbguard.model.state import Step


def check(cluster: Cluster, step: Step) -> Iterator[Flag]:
    if cluster.table is None:
        yield flag(variant="all", table="")
    elif not step.is_new_or_empty(cluster.table) and not step.effects.fails:
        yield flag(table=cluster.table)

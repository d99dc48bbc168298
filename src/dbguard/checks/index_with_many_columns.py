"""A long index that is not unique."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.checks import Flag, flag
from dbguard.model.operations import CreateIndex
from dbguard.model.sql import index_name
from dbguard.model.state import Step


def check(index: CreateIndex, step: Step, options: Mapping[str, Any]) -> Iterator[Flag]:
    if not index.unique and index.method == "btree" and len(index.keys) > options["columns"]:
        yield flag(table=index.table, index=index_name(index, step.table(index.table)), count=len(index.keys))

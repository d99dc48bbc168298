"""ALTER COLUMN TYPE that writes every row again."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.column_types import is_zone_change, narrowing
from dbguard.model.columns import constrained_domain, domain_conditions, free_name, replacement
from dbguard.model.names import quote
from dbguard.model.operations import ChangeColumnType
from dbguard.model.schema import Column
from dbguard.model.sql import choose_name, default_text
from dbguard.model.state import Step


def check(change: ChangeColumnType, step: Step) -> Iterator[Flag]:
    if not step.effects.rewrites or step.is_new_or_empty(change.table):
        return
    table = step.table(change.table)
    old = table.columns.get(change.column)
    if is_zone_change(old, change) or (old is not None and narrowing(old.type, change)):
        return
    new = free_name(table, f"{change.column}_new")
    collation = f" COLLATE {change.collation}" if change.collation is not None else ""
    domain = constrained_domain(change.type, step.before)
    seen = flag(
        variant=_variant(change, old, step),
        table=change.table,
        column=quote(change.column),
        type=f"{change.type}{collation}",
        check=quote(choose_name(change.table.name, (change.column,), "check", table.constraints)),
        conditions=domain_conditions(domain, change.column) if domain is not None else "",
    )
    yield seen._replace(
        facts={
            **seen.facts,
            **replacement(
                step.before, change.table, change.column, new, value=None if change.using is None else default_text(change.using), to=change.type
            ),
        }
    )


def _variant(change: ChangeColumnType, old: Column | None, step: Step) -> str:
    if change.type.array:
        return "array"
    if constrained_domain(change.type, step.before):
        return "domain"
    if change.type.builtin == "int8" and old is not None and old.type.builtin in {"int2", "int4"}:
        return "bigint"
    return ""

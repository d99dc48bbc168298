"""CHECK whose answer for the same row changes: the clock, chance, or other tables."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.names import Name, quote
from dbguard.model.operations import AddColumn, AddConstraint, CreateTable
from dbguard.model.questions import constraints_added
from dbguard.model.state import State, Step

_CHANGING = frozenset(
    {
        "now", "current_timestamp", "current_date", "current_time", "localtime", "localtimestamp", "clock_timestamp", "statement_timestamp",
        "transaction_timestamp", "timeofday", "random", "gen_random_uuid", "uuid_generate_v4", "nextval", "current_setting",
    }
)  # fmt: skip
_READS_TABLES = re.compile(r"\bfrom\s+(?!jsonb?_|unnest|generate_series|regexp_|string_to_table)[\w\".]+", re.IGNORECASE)


def check(addition: AddColumn | AddConstraint | CreateTable, step: Step) -> Iterator[Flag]:  # noqa: ARG001 - the step knows what it adds
    for table, constraint in constraints_added(step):
        if constraint.kind != "check" or constraint.expression is None:
            continue
        for function in constraint.expression.functions:
            if function.name in _CHANGING and function.schema in {None, "pg_catalog", "public"}:
                yield flag(table=step.display(table.name), constraint=quote(constraint.name), function=quote(function.name))
                break
            if _reads_tables(function, step.before):
                yield flag(variant="table", table=step.display(table.name), constraint=quote(constraint.name), function=function)
                break


def _reads_tables(function: Name, state: State) -> bool:
    namespaces = state.search_path if function.schema is None else (function.schema,)
    for namespace in namespaces:
        for known in state.schema.functions.get(Name(namespace, function.name), ()):
            if known.volatility != "immutable" and _READS_TABLES.search(known.body):
                return True
    return False

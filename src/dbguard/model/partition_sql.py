"""Bounds of partitions as SQL text, and the CHECK that proves one, for recipes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dbguard.model.keys import PartitionBound
from dbguard.model.names import Name, quote, quote_all, text_literal
from dbguard.model.operations.indexes import CreateIndex
from dbguard.model.operations.tables import ConstraintDefinition
from dbguard.model.schema import Index, PartitionKey, Table
from dbguard.model.sql import constraint_clause, constraint_name


def bound_clause(bound: PartitionBound) -> str | None:
    """`FOR VALUES ...` or `DEFAULT`; None if a value is more than a literal."""
    if bound.default:
        return "DEFAULT"
    if bound.modulus:
        return f"FOR VALUES WITH (MODULUS {bound.modulus}, REMAINDER {bound.remainder})"
    lower, upper, values = (_values(trees) for trees in (bound.lower, bound.upper, bound.values))
    if lower is None or upper is None or values is None:
        return None
    return f"FOR VALUES IN ({', '.join(values)})" if values else f"FOR VALUES FROM ({', '.join(lower)}) TO ({', '.join(upper)})"


def bound_condition(key: PartitionKey | None, bound: PartitionBound) -> str | None:
    """The condition that all rows of a partition meet, for a partition key of one plain column; None if it cannot be told.

    `IS NOT NULL` is part of it: without, PostgreSQL cannot prove the bound and reads the table (get_qual_for_range, get_qual_for_list).
    """
    if key is None or len(key.keys) != 1 or key.keys[0].column is None or bound.default or bound.modulus:
        return None
    column = quote(key.keys[0].column)
    lower, upper, values = (_values(trees) for trees in (bound.lower, bound.upper, bound.values))
    if lower is None or upper is None or values is None:
        return None
    parts = [f"{column} IS NOT NULL"]
    if values:
        if "NULL" in values:
            rest = [value for value in values if value != "NULL"]
            return f"{column} IS NULL OR {column} IN ({', '.join(rest)})" if rest else f"{column} IS NULL"
        parts.append(f"{column} IN ({', '.join(values)})")
    parts += [f"{column} >= {value}" for value in lower if value != "MINVALUE"]
    parts += [f"{column} < {value}" for value in upper if value != "MAXVALUE"]
    return " AND ".join(parts)


def _values(trees: tuple[tuple[Any, ...], ...]) -> list[str] | None:
    texts = [literal(tree) for tree in trees]
    return None if None in texts else [text for text in texts if text is not None]


def literal(tree: tuple[Any, ...]) -> str | None:
    """A literal as SQL text; None for anything that is not one."""
    match tree:
        case ("null",):
            return "NULL"
        case ("minvalue" | "maxvalue" as word,):
            return str(word).upper()
        case ("const", bool() as truth):
            return str(truth).upper()
        case ("const", int() as number):
            return str(number)
        case ("const", text):
            return text_literal(str(text))
        case ("number", text):
            return str(text)
        case ("cast", data_type, inner):
            value = literal(inner)
            return None if value is None else f"{value}::{data_type}"
        case ("op", "-", inner):
            value = literal(inner)
            return None if value is None else f"-{value}"
    return None


def key_on_partitions(definition: ConstraintDefinition, table: Table, partitions: Iterable[tuple[Table, Name]]) -> str | None:
    """Steps that give a partitioned table a UNIQUE or PRIMARY KEY without a build under its lock; None for nested partitions.

    Manual section 5.12.2.2: the constraint on ONLY the parent is invalid until the index of every partition is attached.
    `partitions` come with their names as written.
    """
    parent = constraint_name(definition, table)
    word = "UNIQUE" if definition.kind == "unique" else "PRIMARY KEY"
    first = [f"ALTER TABLE ONLY {{table}} ADD {constraint_clause(definition, table)};"]
    builds, attaches = [], []
    for child, name in partitions:
        if child.kind != "table":
            return None
        own = constraint_name(definition._replace(name=None), child)
        options = f" INCLUDE ({quote_all(definition.include)})" * bool(definition.include) + " NULLS NOT DISTINCT" * definition.nulls_not_distinct
        builds.append(f"CREATE UNIQUE INDEX CONCURRENTLY {own} ON {name} ({quote_all(definition.columns)}){options};")
        attaches.append(f"ALTER TABLE {name} ADD CONSTRAINT {own} {word} USING INDEX {own};")
        attaches.append(f"ALTER INDEX {parent} ATTACH PARTITION {own};")
    return "\n".join([*first, "-- next migration, outside a transaction", *builds, "-- next migration", *attaches])


def as_created(index: Index, table: Name) -> CreateIndex:
    """The statement that builds an index like `index` on another table, with a name of its own."""
    keys = index.keys
    return CreateIndex(
        table=table,
        keys=keys,
        method=index.method,
        include=index.include,
        unique=index.unique,
        nulls_not_distinct=index.nulls_not_distinct,
        where=index.where,
    )

"""Keys of indexes and bounds of partitions: the same in a statement and in the schema."""

from __future__ import annotations

from dbguard.model.expression import Expression
from dbguard.model.names import Name
from dbguard.model.record import Record


class IndexKey(Record):
    column: str | None  # None: an expression
    expression: Expression | None = None
    collation: Name | None = None
    opclass: Name | None = None
    descending: bool = False
    nulls_first: bool | None = None  # None: the default for the direction
    name: str | None = None  # of an expression: what PostgreSQL calls it, for choosing the names of indexes


class PartitionBound(Record):
    """FOR VALUES ... or DEFAULT. Values are expression trees; ("minvalue",) and ("maxvalue",) in a range."""

    default: bool = False
    lower: tuple[tuple[object, ...], ...] = ()
    upper: tuple[tuple[object, ...], ...] = ()
    values: tuple[tuple[object, ...], ...] = ()
    modulus: int = 0
    remainder: int = 0

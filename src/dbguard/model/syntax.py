"""A query as it is written, names not yet looked up: what `parsing` gives and `queries` resolves against a schema.

Expressions are trees like those of `model.expression`, with more kinds of nodes, because a query needs them:

    ("ref", parts)  a column as written, ("a", "b") for `a.b`      ("star", parts)  `*` or `a.*`
    ("param", number)      ("query", kind, operator, test, Body)   kind: exists, any, all, expr, array
    ("call", Name, *arguments)   arguments may end with ("distinct",), ("filter", tree), ("order", *trees)
    ("window", call, *trees)     ("case", operand, ("when", condition, result) ..., ("else", tree))
    ("row", *trees)  ("coalesce", *trees)  ("truth", "is_true", tree)  ("distinct from", left, right)
    ("field", tree, *names)  ("collate", tree)  ("default",)
"""

from __future__ import annotations

from dbguard.model.expression import Tree
from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.model.types import DataType


class From(Record):
    """An item of FROM or USING, or the target of a change. `kind`: table, query, function, join."""

    joins: tuple[From, ...] = ()  # left and right of a join
    kind: str = "table"
    name: Name | None = None  # of a table
    alias: str = ""
    column_aliases: tuple[str, ...] = ()
    body: Body | None = None  # of a sub-query
    lateral: bool = False
    calls: tuple[Tree, ...] = ()  # of functions
    defined: tuple[tuple[str, DataType], ...] = ()  # columns that the query itself defines: f() AS t(a int)
    ordinality: bool = False
    how: str = "inner"  # of a join: inner, left, right, full, cross
    on: Tree | None = None
    using: tuple[str, ...] = ()
    natural: bool = False
    sampled: bool = False


class Target(Record):
    """One item of a SELECT list or RETURNING."""

    tree: Tree
    name: str = ""  # "" for what PostgreSQL calls ?column?
    named: bool = False  # AS was written


class SortKey(Record):
    tree: Tree
    descending: bool = False
    nulls_first: bool = False


class Locking(Record):
    """FOR UPDATE and its siblings."""

    of: tuple[str, ...]
    strength: str  # update, no key update, share, key share
    wait: str  # block, skip, error


class With(Record):
    body: Body
    name: str = ""
    columns: tuple[str, ...] = ()
    materialized: bool | None = None  # None: nothing was said


class Assignment(Record):
    tree: Tree
    column: str = ""


class Conflict(Record):
    """ON CONFLICT."""

    columns: tuple[str, ...] = ()
    action: str = "nothing"
    assigned: tuple[Assignment, ...] = ()
    where: Tree | None = None
    trees: tuple[Tree, ...] = ()  # expressions of the inferred index


class When(Record):
    """A branch of MERGE."""

    matched: str  # matched, not matched, not matched by source
    action: str  # insert, update, delete, nothing
    condition: Tree | None = None
    columns: tuple[str, ...] = ()
    assigned: tuple[Assignment, ...] = ()


class Body(Record):
    """One level of a query: SELECT, VALUES, a set operation, or a change of rows."""

    ctes: tuple[With, ...] = ()
    recursive: bool = False
    command: str = "select"  # select, values, union, union all, intersect, except, insert, update, delete, merge, other
    target: From | None = None
    sources: tuple[From, ...] = ()
    where: Tree | None = None
    outputs: tuple[Target, ...] = ()
    group: tuple[Tree, ...] = ()
    having: Tree | None = None
    distinct: bool = False
    distinct_on: tuple[Tree, ...] = ()
    order: tuple[SortKey, ...] = ()
    limit: Tree | None = None
    offset: Tree | None = None
    locks: tuple[Locking, ...] = ()
    windows: tuple[Tree, ...] = ()
    arms: tuple[Body, ...] = ()
    rows: tuple[tuple[Tree, ...], ...] = ()  # of VALUES
    columns: tuple[str, ...] = ()  # of INSERT
    source: Body | None = None  # of INSERT
    assigned: tuple[Assignment, ...] = ()
    conflict: Conflict | None = None
    whens: tuple[When, ...] = ()
    join: Tree | None = None  # ON of MERGE


class Text(Record):
    """One statement as it was sent, made readable for PostgreSQL."""

    sql: str  # with $n for every placeholder, comments left out
    body: Body | None
    parameters: tuple[str, ...] = ()  # names of $1, $2 ...; "" where the driver has none
    tags: tuple[tuple[str, str], ...] = ()  # of sqlcommenter
    comments: tuple[str, ...] = ()
    wrapped: str = ""  # explain, prepare, cursor, cursor with hold, create table as, copy: the body is inside of that
    session: str = ""  # what it leaves in the session: setting, listen, temporary table, prepared statement, session lock, cursor with hold
    unread: str = ""  # why nothing is known

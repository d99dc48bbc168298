"""Expressions and what a query touches, reduced to what effects and checks ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.model.types import DataType

Tree = tuple[Any, ...]
"""A node of an expression, its kind first:

    ("null",)  ("const", value)  ("column", "name")  ("call", Name, *arguments)  ("cast", DataType, tree)
    ("op", "<", left, right)  ("op", "-", operand)  ("and", *trees)  ("or", *trees)  ("not", tree)
    ("is_null", tree)  ("is_not_null", tree)  ("in", tree, *trees)  ("array", *trees)  ("other", kind, *trees)

`value` is an int, str or bool; a number too large or with a fraction stays text: ("number", "1.5").
CURRENT_TIMESTAMP and its like are calls of `pg_catalog.current_timestamp`. "other" keeps what nothing here reasons about.
`BETWEEN` is written out as two comparisons; a column keeps only its last name.
"""


class Expression(Record):
    """One scalar expression: a default, a CHECK, a predicate of a partial index, a USING clause."""

    sql: str  # as the user wrote it
    tree: Tree

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(node[1] for node in walk(self.tree) if node[0] == "column")

    @property
    def functions(self) -> tuple[Name, ...]:
        return tuple(node[1] for node in walk(self.tree) if node[0] == "call")

    @property
    def types(self) -> tuple[DataType, ...]:
        """Types that values are cast to."""
        return tuple(node[1] for node in walk(self.tree) if node[0] == "cast")

    @property
    def is_null(self) -> bool:
        """Whether this is NULL itself, cast or not."""
        tree = self.tree
        while tree[0] == "cast":
            tree = tree[2]
        return bool(tree[0] == "null")


def walk(tree: Tree) -> Iterator[Tree]:
    """Every node of an expression, in text order, without recursion: expressions of 2,000 terms are real."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack.extend([child for child in node[:0:-1] if type(child) is tuple and child and type(child[0]) is str])


class Write(Record):
    """One table that a query writes, data-modifying WITH included."""

    command: str  # insert, update, delete, merge
    table: Name
    columns: tuple[str, ...] = ()  # assigned columns; for insert the column list, empty if there is none
    only: bool = False
    actions: frozenset[str] = frozenset()  # of merge: which of insert, update, delete its WHEN clauses do
    twice: str = ""  # a column that is assigned more than once, which is an error


class Uses(Record):
    """Everything that a query touches, views not expanded, names not yet resolved."""

    reads: tuple[Name, ...] = ()  # tables and views in FROM, sub-queries included; CTE names are not tables
    row_locks: tuple[Name, ...] = ()  # tables whose rows SELECT ... FOR UPDATE/SHARE locks
    writes: tuple[Write, ...] = ()
    functions: tuple[Name, ...] = ()
    sequences: tuple[Name, ...] = ()  # literal arguments of nextval, setval, currval
    columns: frozenset[str] = frozenset()  # last names of all columns mentioned
    star: bool = False  # `*` or `t.*` in a target list
    needs: tuple[int, str] | None = None  # the first major version that knows the newest syntax in it, and the words for that
    only: frozenset[Name] = frozenset()  # those of `reads` that are read with ONLY everywhere

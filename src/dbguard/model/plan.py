"""A plan of PostgreSQL: what EXPLAIN says, as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.model.record import Record


class Node(Record):
    """One node. Costs are the planner's units; rows are per loop, as EXPLAIN prints them."""

    kind: str  # "Seq Scan", "Nested Loop", ... as EXPLAIN names it
    startup_cost: float = 0.0
    total_cost: float = 0.0
    rows: float = 0.0
    width: int = 0
    actual_rows: float | None = None  # None: it was not executed
    loops: float | None = None
    seconds: float | None = None  # of one loop, children included
    relation: str = ""  # schema-qualified where EXPLAIN said so (VERBOSE)
    alias: str = ""
    index: str = ""
    role: str = ""  # Parent Relationship: Outer, Inner, InitPlan, SubPlan, Member
    children: tuple[Node, ...] = ()
    facts: Mapping[str, Any] = {}  # every other key of EXPLAIN (FORMAT JSON), as it is named there


class Plan(Record):
    """The plan of one statement."""

    root: Node
    sql: str = ""
    name: str = ""
    postgres: int = 18  # major of the server that planned it
    planning_seconds: float | None = None
    execution_seconds: float | None = None
    facts: Mapping[str, Any] = {}  # Settings, Triggers, JIT, Planning, Serialization
    json: Mapping[str, Any] = {}  # PostgreSQL's own, of the root node; empty where the plan was text

    @property
    def cost(self) -> float:
        return self.root.total_cost

    @property
    def rows(self) -> float:
        return self.root.rows

    @property
    def executed(self) -> bool:
        return self.root.actual_rows is not None


def nodes(node: Node) -> Iterator[Node]:
    """The node and all below it, in the order in which EXPLAIN prints them."""
    pending = [node]
    while pending:
        one = pending.pop()
        yield one
        pending += reversed(one.children)

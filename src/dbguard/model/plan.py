"""A plan of PostgreSQL: what EXPLAIN says, as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.model.names import Name
from dbguard.model.postgres import Server
from dbguard.model.record import Record
from dbguard.model.schema import Schema, Table


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
    index: str = ""  # type: ignore[assignment]  # tuples have a method of that name
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


class Measure(Record):
    """What a node of a plan costs on its own, and how far its estimate is off. Totals count every time that the node runs."""

    node: Node
    number: int  # in the order of EXPLAIN
    parent: int | None = None
    depth: int = 0
    times: float = 1.0  # that it runs: as executed, else as the costs suppose
    part: float = 1.0  # of its rows that is asked for, below 1 under a LIMIT that ends it early; estimated plans only
    stops_early: bool = False  # something above may end it before its last row: LIMIT, EXISTS, a merge join
    cost: float = 0.0  # planner's units, all times, children included
    own_cost: float = 0.0
    seconds: float | None = None  # wall time of all times, children included; None without timing
    own_seconds: float | None = None
    share: float = 0.0  # own part of the whole plan: of time where it is known, else of cost
    total_rows: float = 0.0  # returned in all, as executed, else as estimated
    removed: float | None = None  # rows that its filter, its recheck and its join filter threw away in all; None if not executed
    error: float | None = None  # actual / estimated rows of one run, or the inverse, at least 1.0; None if not executed
    under: bool = False  # whether fewer rows were estimated than came


class Size(Record):
    """How large a relation is, where that is known."""

    rows: float
    pages: int
    guessed: bool = False  # never analyzed: the planner makes its rows up from the size of the file
    whole: str = ""  # of a partition the table at the top, as SQL, `public` left out


class Sample(Record):
    """A plan for one choice of parameters. `values` says which in words, never a value: `status: rare`."""

    values: tuple[str, ...]
    cost: float
    rows: float
    shape: str  # equal for plans with the same nodes on the same relations and indexes
    generic: bool = False  # planned without values
    absent: bool = False  # of a value that its column does not have: nobody minds what that costs


class PlanStep(Record):
    """A plan, its measures and what is known about its relations: the subject that wakes checks on plans."""

    plan: Plan
    measures: tuple[Measure, ...]
    sizes: Mapping[str, Size] = {}  # by relation as EXPLAIN names it, with its schema and without
    schema: Schema | None = None
    settings: Mapping[str, str] = {}
    samples: tuple[Sample, ...] = ()
    server: Server = Server(18)
    path: str = ""
    name: str = ""

    @property
    def operation(self) -> Plan:
        return self.plan

    def above(self, measure: Measure) -> Iterator[Measure]:
        """The nodes above, the nearest first."""
        number = measure.parent
        while number is not None:
            yield self.measures[number]
            number = self.measures[number].parent

    def below(self, measure: Measure) -> tuple[Measure, ...]:
        """The children, in order."""
        found = []
        for place in range(measure.number + 1, len(self.measures)):
            one = self.measures[place]
            if one.parent is None or one.parent < measure.number:
                break  # what is below a node stands right after it
            if one.parent == measure.number:
                found.append(one)
        return tuple(found)

    def size(self, node: Node) -> Size | None:
        return self.sizes.get(node.relation)

    def table(self, node: Node) -> Table | None:
        """The table that a node reads, if its schema is known."""
        if self.schema is None or not node.relation:
            return None
        schema, _, name = node.relation.rpartition(".")
        return self.schema.tables.get(Name(schema or "public", name))

"""One query of an application with its names looked up in a schema, and what is known about it there.

Expressions are trees of `model.syntax` in which every column is ("at", source number, name), a row of a source is
("row of", number), and a sub-query is ("query", kind, operator, test, block number).
"""

from __future__ import annotations

from collections.abc import Mapping

from dbguard.model.expression import Tree
from dbguard.model.names import Name
from dbguard.model.operations.indexes import CreateIndex
from dbguard.model.postgres import Server
from dbguard.model.record import Record
from dbguard.model.schema import Index, Table
from dbguard.model.source import Source as File
from dbguard.model.state import State
from dbguard.model.syntax import Locking, Text
from dbguard.model.types import DataType


class Written(Record):
    """A query in a file: offsets of its text, its name, and what the file says about its result."""

    source: File
    start: int
    end: int
    name: str = ""
    rows: str = ""  # one, many, exec, ...; "" if nothing is said
    unread: str = ""  # why it is no query of its own

    @property
    def sql(self) -> str:
        return self.source.text[self.start : self.end]


class Source(Record):
    """Something that gives rows: a table in FROM, a sub-query, a function."""

    number: int
    kind: str  # table, view, catalog, cte, query, function, values, row (EXCLUDED, OLD, NEW)
    alias: str
    block: int  # the level of the query it stands in
    table: Name | None = None  # full name
    columns: Mapping[str, DataType | None] = {}  # in order; the type is None where it is not known
    known: bool = True  # whether these are all columns
    inner: int | None = None  # the block that makes its rows; of a view, if its definition is known
    lateral: bool = False
    renamed: Mapping[str, str] = {}  # of a sub-query: its name for a column here to the one inside, where they differ
    only: bool = False


class Condition(Record):
    """One part, joined by AND, of WHERE or of what stands after ON.

    A CROSS JOIN that was written, or ON TRUE, is ("cross", left, right). `side` are the sources whose rows the condition picks: those
    that an outer join fills with nulls; empty where it picks rows of all.
    """

    tree: Tree
    side: frozenset[int] = frozenset()
    full: bool = False  # of a full join: it picks nothing
    on: bool = False  # it was written as a join condition


class Output(Record):
    name: str
    tree: Tree
    type: DataType | None = None


class Order(Record):
    tree: Tree
    descending: bool = False
    nulls_first: bool = False


class Block(Record):
    """One level: a SELECT, a set operation, a VALUES, or a change."""

    number: int
    parent: int | None
    role: str  # main, cte, from, source (of INSERT), arm, and the kinds of sub-queries: exists, any, all, expr, array
    command: str = "select"
    sources: tuple[int, ...] = ()  # of FROM and USING, the target included
    target: int | None = None
    conditions: tuple[Condition, ...] = ()
    outputs: tuple[Output, ...] = ()
    group: tuple[Tree, ...] = ()
    having: Tree | None = None
    distinct: bool = False
    distinct_on: tuple[Tree, ...] = ()
    order: tuple[Order, ...] = ()
    limit: Tree | None = None
    offset: Tree | None = None
    locks: tuple[Locking, ...] = ()
    arms: tuple[int, ...] = ()
    rows: int = 0  # of VALUES
    columns: tuple[str, ...] = ()  # of INSERT
    assigned: tuple[tuple[str, Tree], ...] = ()
    values: int | None = None  # the block whose rows INSERT puts in
    conflict: str = ""  # "", nothing, update
    aggregates: bool = False
    windows: bool = False
    multiplies: bool = False  # a function in the SELECT list returns sets
    star: bool = False  # `*` or `t.*` was written
    recursive: bool = False
    materialized: bool = False  # a CTE into which PostgreSQL pushes no condition
    trees: tuple[Tree, ...] = ()  # other expressions: window definitions, arguments of functions in FROM
    view: bool = False  # it stands in the definition of a view that the query reads


class Query(Record):
    """A query with its columns resolved. `unread` says which names were not found, and that nothing else is known then."""

    text: Text
    sources: tuple[Source, ...] = ()
    blocks: tuple[Block, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def main(self) -> Block:
        return self.blocks[0]

    @property
    def command(self) -> str:
        return self.blocks[0].command if self.blocks else "other"

    @property
    def written(self) -> tuple[Block, ...]:
        """The levels that stand in the text itself."""
        return tuple([block for block in self.blocks if not block.view])

    def tables(self) -> tuple[Source, ...]:
        """Occurrences of real tables, those that views read included."""
        return tuple([source for source in self.sources if source.kind == "table" and source.table is not None])


class Clause(Record):
    """What a condition says about one table: `key` is compared with something that is known before the table is read.

    `kind`: equal, in, range, prefix (LIKE 'x%'), contains, like, null, not null, array, json, truth.
    """

    source: int
    kind: str
    key: Tree  # columns are ("column", name), as in the schema
    operator: str
    value: Tree
    needs: frozenset[int] = frozenset()  # sources that must be read before
    condition: Tree = ()
    parameter: bool = False  # the value has a parameter or comes from the application's text
    names: tuple[Tree, ...] = ()  # of a row comparison: all keys
    spoiled: str = ""  # why no index on the bare column serves it: "cast", "function", "arithmetic", "type"
    joins: bool = False


class Use(Record):
    """How an index serves a table: conditions on its first keys, in order."""

    through: Index
    equal: int = 0  # keys bound by equality
    range: bool = False  # the next key is bound by a range
    sorted: bool = False  # rows come in the order that the query asks for
    first: bool = True  # the first key is bound; otherwise the whole index is read
    clauses: tuple[Clause, ...] = ()


class Access(Record):
    """How one table is read."""

    source: int
    table: Name
    use: Use | None = None
    way: str = ""  # filter, join, order, all (it is read in full), none (something picks rows, and no index serves)
    clauses: tuple[Clause, ...] = ()  # conditions that pick rows, for which an index could serve
    close: tuple[str, ...] = ()  # indexes that come close, and why they do not serve, in words
    others: tuple[Tree, ...] = ()  # conditions on it that no index can serve


class Candidate(Record):
    """An index that would serve a query."""

    table: Name
    create: CreateIndex
    why: str  # filter, join, order, foreign key
    source: int
    clauses: tuple[Clause, ...] = ()
    close: tuple[str, ...] = ()


class Growth(Record):
    """Whether the rows that a query returns, or those that it locks or writes, are bounded.

    `how`: limit, parameter (LIMIT $1), aggregate, key, values, small, fan-out (rows of one parent), none.
    """

    bounded: bool
    how: str
    table: Name | None = None  # which makes it grow
    source: int | None = None


class Serving(Record):
    """Which index serves each table, and which indexes are missing."""

    accesses: tuple[Access, ...] = ()
    candidates: tuple[Candidate, ...] = ()


class QueryStep(Record):
    """A query where it stands, the schema it runs on, and the facts: the subject that wakes checks on queries."""

    query: Query
    state: State
    growth: Growth
    serving: Serving
    server: Server
    locked: tuple[tuple[int, Growth], ...] = ()  # blocks that lock rows, and whether these are bounded
    shape: str = ""
    small: frozenset[tuple[str, str]] = frozenset()  # schema ("" for any) and name of tables known or seen to be small
    path: str = ""
    name: str = ""  # what the query file or the application calls it
    rows: str = ""  # what it says about its result: one, many, exec, ...; "" if nothing
    variants: tuple[str, ...] = ()  # texts of this shape that one line of code sent, if there are several
    large: frozenset[tuple[str, str]] = frozenset()  # schema and name of tables whose rows were counted and are many

    @property
    def operation(self) -> Query:
        return self.query

    def display(self, name: Name) -> Name:
        """A full name as the user would write it here."""
        short = Name(None, name.name)
        return short if self.state.resolve(short) == name else name

    def access(self, source: int) -> Access | None:
        return next((one for one in self.serving.accesses if one.source == source), None)

    def table(self, source: int) -> Table | None:
        """The table behind a source, if it is known."""
        name = self.query.sources[source].table
        table = None if name is None else self.state.schema.tables.get(name)
        return table if table is not None and table.known else None

    def is_small(self, name: Name | None) -> bool:
        return name is not None and ((name.schema or "", name.name) in self.small or ("", name.name) in self.small)

    def is_large(self, name: Name | None) -> bool:
        return name is not None and (name.schema or "", name.name) in self.large

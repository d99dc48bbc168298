"""Indexes that help the explained queries: tried on the ghost, chosen for all queries together, written as the project writes migrations.

In: an explanation whose plans were made on a ghost. Out: the same with advice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from dbguard.config import Config
from dbguard.errors import DbguardError, UsageError
from dbguard.model.explained import Advised, Asked, Explained, Explanation
from dbguard.model.names import Name
from dbguard.model.operations.indexes import CreateIndex
from dbguard.model.plan import Plan, nodes
from dbguard.model.record import Record
from dbguard.model.schema import Schema
from dbguard.model.snapshot import Activity, Snapshot
from dbguard.model.sql import index_statement
from dbguard.model.state import State
from dbguard.parsing.explainable import explainable
from dbguard.parsing.query import read_query
from dbguard.pipelines.explain import schema_of
from dbguard.planning import advice
from dbguard.planning.candidates import About, Facts, candidates, identity
from dbguard.planning.existing_indexes import redundant
from dbguard.planning.hidden_columns import Hidden
from dbguard.planning.hidden_values import opened
from dbguard.planning.node_names import title
from dbguard.planning.plan_candidates import from_plan
from dbguard.queries.resolve import resolve
from dbguard.queries.scopes import TooLargeError

if TYPE_CHECKING:
    from dbguard.postgres.explain import Prepared
    from dbguard.postgres.ghost import Ghost
    from dbguard.postgres.trials import Trials

MOST_CANDIDATES = 600
UPKEEP = 2.0  # planner's units for one entry of an index: two pages that are likely in memory, and the walk down
PREFIX = "dbguard_trial_"


class _Trial(Record):
    number: int
    name: str
    create: CreateIndex
    statement: str
    queries: tuple[int, ...]  # places of queries that it was made for


def advised(
    config: Config, explanation: Explanation, ghost: Ghost, snapshot: Snapshot, budget: int | None, *, hidden: Hidden | None = None
) -> Explanation:
    """The explanation with indexes that help, for each query and for all together. Raises ServerError."""
    from dbguard.postgres.trials import trials

    about = about_snapshot(snapshot, schema_of(snapshot))
    made = trial_indexes(explanation.queries, about)
    if not made:
        return explanation
    with trials(ghost, {one.name: one.statement for one in made}) as server:
        made = [one for one in made if server.has(one.name)]
        chosen = _Chosen(explanation.queries, made, server, snapshot, budget, hidden=hidden)
        every = tuple(chosen.advised(about, _framework(config, snapshot)))
    queries = []
    for place, one in enumerate(explanation.queries):
        own = tuple([each for each, places in every if place in places])
        queries.append(one._replace(advice=tuple(chosen.for_query(place, each) for each in own)))
    return explanation._replace(queries=tuple(queries), advice=tuple([each for each, _ in every]))


def about_snapshot(snapshot: Snapshot, schema: Schema) -> About:
    """Statistics of columns as candidates need them."""
    rows = {one.name: max(one.tuples, 0.0) for one in snapshot.relations if one.kind in {"r", "m", "p"}}
    facts: dict[tuple[Name, str], Facts] = {}
    for one in snapshot.columns:
        distinct = one.n_distinct if one.n_distinct >= 0 else -one.n_distinct * rows.get(one.relation, 0.0)
        common = dict(zip(_elements(one.most_common_vals), _numbers(one.most_common_freqs), strict=False)) if not one.masked else {}
        facts[one.relation, one.column] = Facts(distinct, common, one.null_frac, one.correlation or 0.0, one.avg_width)
    return About(State(schema=schema), facts, rows, {name: place for name, _, place in snapshot.extensions})


def trial_indexes(queries: Sequence[Explained], about: About) -> list[_Trial]:
    """Candidates of all queries, equal ones once, each with the statement that creates it under a name of its own."""
    found: dict[tuple[object, ...], tuple[CreateIndex, list[int]]] = {}
    for place, one in enumerate(queries):
        if one.plan is None:
            continue
        with suppress(TooLargeError, RecursionError, UsageError):
            query = resolve(read_query(explainable(one.asked.sql).sql), about.state)
            for made in candidates(query, about):
                found.setdefault(identity(made), (made, []))[1].append(place)
        for made in from_plan(one.plan, about):
            places = found.setdefault(identity(made), (made, []))[1]
            places += [place] if place not in places else []
    trials = []
    for number, (made, places) in enumerate(list(found.values())[:MOST_CANDIDATES]):
        name = f"{PREFIX}{number}"
        table = about.state.schema.table(_full(made, about))
        statement = index_statement(made._replace(name=name, concurrently=False, table=table.name), table)
        trials.append(_Trial(number, name, made, statement, tuple(places)))
    return trials


class _Chosen:
    """The indexes that were chosen, and what each query costs with and without them."""

    def __init__(
        self,
        queries: Sequence[Explained],
        made: Sequence[_Trial],
        server: Trials,
        snapshot: Snapshot,
        budget: int | None,
        *,
        hidden: Hidden | None = None,
    ) -> None:
        self._queries, self._server, self._snapshot = queries, server, snapshot
        self._trials = {one.number: one for one in made}
        self._bytes: dict[str, int] = server.sizes()
        self._parts: dict[str, str] = server.parts
        self._prepared: dict[int, Prepared] = {}
        self._plans: dict[tuple[int, frozenset[int]], Plan | None] = {}
        loads = []
        for place in sorted({place for one in made for place in one.queries}):
            with suppress(DbguardError):
                self._prepared[place] = _prepared(server, queries[place].asked.sql, hidden)
                loads.append(advice.Load(place, self._weight(queries[place].asked), self._visible(place)))
        self.work = advice.Workload(loads, self._options(), self._cost)
        self.numbers = advice.choose(self.work, budget)

    def _weight(self, asked: Asked) -> float:
        """Executions: over the time that the snapshot counted, where it knows how often; else those of the capture."""
        seconds = self._weighs_seconds()
        return asked.a_second * seconds if seconds and asked.a_second is not None else float(max(asked.calls, 1))

    def _visible(self, place: int) -> frozenset[int]:
        """Trials on the tables that the query reads."""
        plan = self._queries[place].plan
        assert plan is not None
        tables = {node.relation.rpartition(".")[2] for node in nodes(plan.root) if node.relation}
        tables |= {one.create.table.name for one in self._trials.values() if place in one.queries}
        return frozenset(number for number, one in self._trials.items() if one.create.table.name in tables)

    def _options(self) -> list[advice.Option]:
        keys = {number: _prefix_key(one.create) for number, one in self._trials.items()}
        short = advice.narrower(keys)
        per_second = self._weighs_seconds()
        found = []
        for number, one in self._trials.items():
            writes = self._writes(one.create)
            upkeep = (writes or 0.0) * UPKEEP * per_second
            found.append(advice.Option(number, one.create.table.name, self._bytes.get(one.name, 0), upkeep, short[number]))
        return found

    def _weighs_seconds(self) -> float:
        """Seconds that the weights of the queries stand for; 0.0 where calls and writes cannot be set against each other."""
        if self._snapshot.seconds and any(one.asked.a_second for one in self._queries):
            return self._snapshot.seconds
        return 0.0

    def _writes(self, index: CreateIndex) -> float | None:
        """Entries a second that would have to be made: inserts, and updates that are no HOT updates already."""
        seconds = self._snapshot.seconds
        found = [one for one in self._snapshot.activity if _is(one, index)]
        if not found or not seconds:
            return None
        return sum(one.inserts + max(one.updates - one.hot_updates, 0) for one in found) / seconds

    def plan(self, place: int, seen: frozenset[int]) -> Plan | None:
        key = place, seen
        if key not in self._plans:
            try:
                self._plans[key] = self._server.plan(self._prepared[place], [self._trials[one].name for one in seen])
            except UsageError:
                self._plans[key] = None
        return self._plans[key]

    def _cost(self, place: int, seen: frozenset[int]) -> tuple[float, frozenset[int]]:
        plan = self.plan(place, seen)
        if plan is None:
            return float("inf"), seen
        names = {node.index for node in nodes(plan.root) if node.index}
        trials = {self._parts.get(name, name) for name in names}
        return plan.cost, frozenset(one for one in seen if self._trials[one].name in trials)

    def advised(self, about: About, framework: str) -> Iterable[tuple[Advised, tuple[int, ...]]]:
        """Each index with the places of the queries that it makes clearly cheaper."""
        every = frozenset(self.numbers)
        for number in self.numbers:
            one = self._trials[number]
            served = [load for load in self.work.loads if number in load.options and self._serves(load, every, number)]
            if not served:
                continue
            table = about.state.schema.table(_full(one.create, about))
            statement = index_statement(one.create, table)
            before = sum(load.weight * self.work.query(load, frozenset()) for load in served)
            after = sum(load.weight * self.work.query(load, every & load.options) for load in served)
            yield (
                Advised(
                    statement=statement,
                    table=str(one.create.table),
                    cost_before=round(before, 2),
                    cost_after=round(after, 2),
                    bytes=self._bytes.get(one.name, 0),
                    writes_a_second=self._writes(one.create),
                    redundant=redundant(one.create, table),
                    migration=_migration(statement, framework),
                    queries=tuple([self._queries[load.number].asked.name or "the query" for load in served]),
                    node=self._node(served[0].number, every & served[0].options, one.name),
                ),
                tuple([load.number for load in served]),
            )

    def _serves(self, load: advice.Load, every: frozenset[int], number: int) -> bool:
        """Whether the plan uses the index and the query becomes at least twice as cheap by all, and dearer without this one."""
        mine = every & load.options
        before, after = self.work.query(load, frozenset()), self.work.query(load, mine)
        used = number in self._cost(load.number, mine)[1]
        return used and advice.is_worth_telling(before, after) and self.work.query(load, mine - {number}) > after * 1.05

    def _node(self, place: int, seen: frozenset[int], name: str) -> str:
        plan = self.plan(place, seen)
        return next((title(node) for node in nodes(plan.root) if self._parts.get(node.index, node.index) == name), "") if plan is not None else ""

    def for_query(self, place: int, each: Advised) -> Advised:
        """The advice with the costs of one query alone."""
        load = next(one for one in self.work.loads if one.number == place)
        before = self.work.query(load, frozenset())
        after = self.work.query(load, frozenset(self.numbers) & load.options)
        return each._replace(cost_before=before, cost_after=after, queries=())


def _prepared(server: Trials, sql: str, hidden: Hidden | None) -> Prepared:
    query = explainable(sql)
    found = opened(query, hidden).query if hidden is not None else query
    if found is not query:
        with suppress(UsageError):
            return server.prepare(found)
    return server.prepare(query)


def _full(index: CreateIndex, about: About) -> Name:
    return index.table if index.table.schema is not None else about.state.resolve(index.table)


def _prefix_key(index: CreateIndex) -> tuple[object, ...]:
    own = identity(index)
    keys = own[3]
    assert isinstance(keys, tuple)
    return (own[0], own[1], own[2], own[5], *keys)


def _is(activity: Activity, index: CreateIndex) -> bool:
    name = activity.relation
    return name.name == index.table.name and (index.table.schema is None or name.schema == index.table.schema)


def _framework(config: Config, snapshot: Snapshot) -> str:
    """The tool that the database says it is migrated with, else that of the project's migrations; "" for SQL."""
    if applied := {one.tool for one in snapshot.applied}:
        return next((tool for tool in ("alembic", "django") if tool in applied), "")
    from dbguard.reading import read_all

    with suppress(DbguardError):
        tools = [history.tool for history in read_all(config._replace(paths=(), queries=())).histories]
        return next((tool for tool in tools if tool in {"alembic", "django"}), "")
    return ""


def _migration(statement: str, framework: str) -> str:
    if not framework:
        return ""
    from dbguard.reading.recipes import in_alembic, in_django

    recipe = f"-- outside a transaction\n{statement};" if " CONCURRENTLY " in statement else f"{statement};"
    return in_alembic(recipe) if framework == "alembic" else in_django(recipe)


def _elements(array: str | None) -> list[str]:
    """Elements of an array in PostgreSQL's text form, without nested ones."""
    if not array or not array.startswith("{"):
        return []
    import re

    return [(quoted or plain).replace('\\"', '"').replace("\\\\", "\\") for quoted, plain in re.findall(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)', array)]


def _numbers(array: str | None) -> list[float]:
    return [float(one) for one in _elements(array)]

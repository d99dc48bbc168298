"""How good the advice on indexes is: against Extend on the same server and candidates, on the loaded database, and on indexes that were dropped.

    python -m benchmarks.index_advice tpch 0.1      # three budgets, ours and Extend; then built on the loaded database
    python -m benchmarks.index_advice dropped 0.1   # every index of the second schema dropped, one at a time: is it proposed again?

Extend (Schlosser, Kossmann, Boissier: "Efficient Scalable Multi-Attribute Index Selection Using Recursive Strategies", ICDE 2019) is
written here from its description: begin with nothing; each step adds a one-column index or appends a column to a chosen one,
whichever saves most for each byte; stop when the budget is used or a step saves less than 0.3 percent.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from benchmarks import ghost_schema, tpch

from dbguard.model.explained import Asked, Explained
from dbguard.model.plan import nodes
from dbguard.pipelines.explain import Wishes, plan_all, schema_of
from dbguard.pipelines.explain_advice import _Chosen, _Trial, about_snapshot, trial_indexes
from dbguard.planning import advice
from dbguard.postgres.ghost import open_ghost
from dbguard.postgres.session import open_read_only
from dbguard.postgres.snapshot import Wishes as SnapshotWishes
from dbguard.postgres.snapshot import take
from dbguard.postgres.trials import trials

BUDGETS = (0.05, 0.15, 0.5)  # of the size of the tables
SECONDARY = """
SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema') AND NOT i.indisunique AND NOT i.indisexclusion AND NOT c.relispartition
ORDER BY 1"""


@contextmanager
def snapshot_of(dsn: str) -> Iterator[tuple[object, list[tuple[str, str]]]]:
    with psycopg.connect(dsn) as connection:
        secondary = connection.execute(SECONDARY).fetchall()
    with open_read_only(dsn) as connection:
        yield take(connection, SnapshotWishes(values="full", statements=0)), secondary


def planned(dsn: str, queries: dict[str, str]) -> list[Explained]:
    with open_read_only(dsn) as connection:
        found = plan_all(connection, [Asked(name, sql) for name, sql in queries.items()], Wishes(sweep=False), check_functions=False)
    return [Explained(one.asked, one.plan, unread=one.unread) for one in found]


def extend(work: advice.Workload, trials_by_number: dict[int, _Trial], budget: int) -> frozenset[int]:
    """Of the candidates those that are btrees of plain columns, without predicate and included columns."""
    plain = {
        number: tuple(key.column for key in one.create.keys)
        for number, one in trials_by_number.items()
        if one.create.method == "btree" and not one.create.include and one.create.where is None and all(key.column for key in one.create.keys)
    }
    by_keys = {(trials_by_number[number].create.table, keys): number for number, keys in plain.items()}
    chosen: frozenset[int] = frozenset()
    while True:
        now, used = work.total(chosen), work.size(chosen)
        best = None
        for (table, keys), number in by_keys.items():
            if number in chosen:
                continue
            if len(keys) == 1:
                after = chosen | {number}
            else:
                base = by_keys.get((table, keys[:-1]))
                if base not in chosen:
                    continue
                after = (chosen - {base}) | {number}
            saved, more = now - work.total(after), max(work.size(after) - used, 1)
            if work.size(after) <= budget and saved > 0.003 * now and (best is None or saved / more > best[0]):
                best = (saved / more, after)
        if best is None:
            return chosen
        chosen = best[1]


def on_tpch(scale: float) -> None:
    with tpch.loaded(scale) as dsn, snapshot_of(dsn) as (snapshot, secondary):
        about = about_snapshot(snapshot, schema_of(snapshot))
        drops = [f"DROP INDEX {name}" for name, _ in secondary]
        tables = sum(one.pages * 8192 for one in snapshot.relations if one.kind == "r")
        began = time.perf_counter()
        with open_ghost(snapshot, ddl=drops) as ghost:
            queries = planned(ghost.dsn(), tpch.QUERIES)
            bare = about._replace(state=about.state._replace(schema=without(about.state.schema, {name for name, _ in secondary})))
            made = trial_indexes(queries, bare)
            with trials(ghost, {one.name: one.statement for one in made}) as server:
                made = [one for one in made if server.has(one.name)]
                print(f"TPC-H {scale:g}: {len(made)} candidates, tables {tables >> 20} MB")
                chosen = _Chosen(queries, made, server, snapshot, 0)
                for share in BUDGETS:
                    budget = int(tables * share)
                    started = time.perf_counter()
                    chosen.numbers = advice.choose(chosen.work, budget)
                    seconds = time.perf_counter() - started
                    work = chosen.work
                    asked = work.asked
                    work = advice.Workload(work.loads, work.options.values(), chosen._cost)  # which leaves no option out of account
                    theirs = extend(work, {one.number: one for one in made}, budget)
                    start = work.total(frozenset())
                    ours = frozenset(chosen.numbers)
                    print(
                        f"  budget {budget >> 20:5} MB: ours {work.total(ours) / start:7.2%} ({len(ours)} indexes, {work.size(ours) >> 20} MB, {seconds:.1f} s,"
                        f" {asked} plans)  Extend {work.total(theirs) / start:7.2%} ({len(theirs)} indexes, {work.size(theirs) >> 20} MB)"
                        f"  ours/Extend {work.total(ours) / work.total(theirs):.3f}"
                    )
                    told = list(chosen.advised(bare, ""))
                    build(dsn, snapshot, secondary, [one for one, _ in told])
        print(f"  {time.perf_counter() - began:.0f} s in all")


def build(dsn: str, snapshot: object, secondary: list[tuple[str, str]], told: list[object]) -> None:
    """Build what was told on the loaded database, in a transaction that is rolled back, and see whether plans use it."""
    with psycopg.connect(dsn) as connection:
        for name, _ in secondary:
            connection.execute(f"DROP INDEX {name}")
        names = {}
        for number, one in enumerate(told):
            statement = one.statement.replace(" CONCURRENTLY", "").replace(f"INDEX {one.statement.split()[3]}", f"INDEX told_{number}", 1)
            connection.execute(statement)
            names[f"told_{number}"] = one.statement
        connection.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        used = set()
        for sql in tpch.QUERIES.values():
            text = str(connection.execute(f"EXPLAIN {sql}").fetchall())
            used |= {name for name in names if f"{name} " in text or f"{name}\\n" in text or f"{name} on" in text}
        connection.rollback()
    print(f"    built on the loaded database: {len(used)} of {len(names)} printed indexes are used")
    for name in sorted(set(names) - used):
        print(f"      not used: {names[name]}")


def without(schema: object, names: set[str]) -> object:
    """The schema without indexes of these names."""
    bare = {name.rpartition(".")[2].strip('"') for name in names}
    tables = {
        key: table._replace(indexes={name: index for name, index in table.indexes.items() if name not in bare})
        for key, table in schema.tables.items()
    }
    return schema._replace(tables=tables, index_tables={name: table for name, table in schema.index_tables.items() if name.name not in bare})


def on_dropped(scale: float) -> None:
    workload = ghost_schema.queries()
    with ghost_schema.loaded(scale) as dsn, snapshot_of(dsn) as (snapshot, secondary):
        about = about_snapshot(snapshot, schema_of(snapshot))
        total = proposed = restored = 0
        with open_ghost(snapshot) as ghost:
            before = planned(ghost.dsn(), workload)
            users: dict[str, list[int]] = {}
            for place, one in enumerate(before):
                for name in {node.index for node in nodes(one.plan.root) if node.index} if one.plan is not None else ():
                    users.setdefault(name, []).append(place)
            for name, definition in secondary:
                short = name.rpartition(".")[2].strip('"')
                places = [place for index, found in users.items() if index == short or index.startswith(short[:20]) for place in found]
                if not places:
                    continue
                with ghost.what_if(f"DROP INDEX {name}") as changed:
                    after = planned(changed.dsn(), {before[place].asked.name: before[place].asked.sql for place in dict.fromkeys(places)})
                    worse = [
                        (was, now)
                        for was, now in zip([before[place] for place in dict.fromkeys(places)], after, strict=True)
                        if now.plan is not None and was.plan is not None and now.plan.cost > 2 * was.plan.cost and now.plan.cost > 50
                    ]
                    if not worse:
                        continue
                    total += 1
                    bare = about._replace(state=about.state._replace(schema=without(about.state.schema, {name})))
                    queries = [now for _, now in worse]
                    made = trial_indexes(queries, bare)
                    with trials(changed, {one.name: one.statement for one in made}) as server:
                        made = [one for one in made if server.has(one.name)]
                        chosen = _Chosen(queries, made, server, snapshot, None)
                        told = [one for one, _ in chosen.advised(bare, "")]
                        every = frozenset(chosen.numbers)
                        good = all(
                            chosen.work.query(load, every & load.options) <= 1.1 * worse[load.number][0].plan.cost for load in chosen.work.loads
                        )
                    restored += good and len(chosen.work.loads) == len(worse)
                    found = bool(told)
                    proposed += found
                    if not found or not good:
                        print(f"  {definition}\n    told: {[one.statement for one in told]}")
                        for load in chosen.work.loads:
                            was = worse[load.number][0]
                            print(
                                f"      {was.asked.name}: {was.plan.cost:.1f} -> {queries[load.number].plan.cost:.1f} -> {chosen.work.query(load, every & load.options):.1f}  {was.asked.sql[:150]!r}"
                            )
        print(
            f"dropped indexes that some query needs: {total}; an index is proposed for {proposed}; the old cost is back (within 10 %) for {restored}"
        )


if __name__ == "__main__":
    what, scale = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.1
    (on_tpch if what == "tpch" else on_dropped)(scale)

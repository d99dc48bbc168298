"""Does the gate see what gets slower? At least 200 changes on TPC-H and on a shop, half of them harmless, against real times.

A change is a migration (an index dropped, narrowed or added, a type changed, a column added), another condition in a query, ten times the rows,
or a tenant that owns most rows. Prediction: the plans of a ghost before and after, as `dbguard gate` compares them. Truth: the change is made on the
loaded database inside a transaction, and every query whose plan differs there is executed, the best of three runs before and after.

    python -m benchmarks.mutations [shop|tpch] [kind ...]
    python -m benchmarks.mutations report
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from functools import cache
from math import log10
from pathlib import Path
from typing import Any

import psycopg
from benchmarks import ghost_schema, kept, tpch
from benchmarks.lock_time import _waited

from dbguard.model.record import Record
from dbguard.planning.risk_seconds import Tables, tables_of

SLOWER = 5.0
WORTH = 0.001  # seconds: what takes less afterwards is not called slow
LIMIT = "20s"
FOLDER = Path(os.environ.get("DBGUARD_BENCH", "/work/scratch/bench")).parent / "risk"
SCALE = float(os.environ.get("DBGUARD_SCALE", "1"))
MOST_QUERIES = 25  # timed of one change


class Mutation(Record):
    kind: str
    name: str
    ddl: tuple[str, ...] = ()
    query: tuple[str, str, str] | None = None  # name, text before, text after
    analyze: str = ""


class Outcome(Record):
    """One query under one change: costs as predicted, seconds as measured. Cost after None: it does not plan."""

    database: str
    kind: str
    name: str
    query: str
    cost_before: float
    cost_after: float | None
    seconds_before: float | None  # None: the server's plan is the same
    seconds_after: float | None
    plan: Any = None  # PostgreSQL's JSON of the plan after, where it is another than before


def databases(which: str) -> Any:
    fill = {"shop": lambda dsn: ghost_schema.fill(dsn, SCALE), "tpch": lambda dsn: tpch.fill(dsn, SCALE)}[which]
    return kept.served(f"risk-{which}-{SCALE:g}", fill)


def queries(which: str) -> dict[str, str]:
    texts = ghost_schema.queries() if which == "shop" else dict(tpch.QUERIES)
    return {str(name): text for name, text in texts.items() if text.lstrip().upper().startswith(("SELECT", "WITH")) and "FOR UPDATE" not in text}


# -- changes ------------------------------------------------------------------------------------------------------------------------------


def mutations(which: str, connection: psycopg.Connection[Any]) -> list[Mutation]:
    return [*_indexes(connection), *_types(which), *_harmless(which, connection), *_predicates(which), *_skewed(which)]


def _indexes(connection: psycopg.Connection[Any]) -> Iterator[Mutation]:
    rows = connection.execute(
        """SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid), i.indnkeyatts, n.nspname || '.' || t.relname,
                  ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true) FROM generate_series(1, i.indnkeyatts) k)
           FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
           WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND NOT t.relispartition
             AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid) ORDER BY 1"""
    ).fetchall()
    for name, definition, count, _table, keys in rows:
        yield Mutation("drop index", name, (f"DROP INDEX {name}",))
        if count > 1:
            for title, kept_keys in (("first", keys[:1]), ("rest", keys[1:])):
                narrowed = _with_keys(definition, kept_keys)
                if narrowed:
                    yield Mutation(f"narrow index to its {title}", name, (f"DROP INDEX {name}", narrowed))


def _with_keys(definition: str, keys: list[str]) -> str:
    """The definition with some of its keys, not unique any more."""
    head, _, rest = definition.partition(" (")
    depth, end = 1, 0
    for end, character in enumerate(rest):  # noqa: B007
        depth += (character == "(") - (character == ")")
        if not depth:
            break
    return f"{head.replace('CREATE UNIQUE', 'CREATE')} ({', '.join(keys)}){rest[end + 1 :]}"


_TYPE_CHANGES = {
    "shop": (
        ("orders", "customer_id", "numeric"), ("orders", "note", "varchar(500)"), ("payments", "order_id", "numeric"), ("order_items", "variant_id", "numeric"),
        ("tasks", "title", "varchar(1000)"), ("tasks", "priority", "integer"), ("task_comments", "task_id", "numeric"), ("customers", "email", "varchar(300)"),
        ("customers", "segment", "varchar(100)"), ("reviews", "stars", "integer"), ("reviews", "product_id", "numeric"), ("shipments", "order_id", "numeric"),
        ("sessions", "token", "varchar(200)"), ("attachments", "bytes", "numeric"), ("addresses", "city", "varchar(200)"), ("addresses", "customer_id", "numeric"),
        ("variants", "product_id", "numeric"), ("users", "full_name", "varchar(400)"), ("sensor_readings", "value", "numeric"), ("places", "name", "varchar(300)"),
        ("payments", "reference", "varchar(80)"), ("coupons", "percent", "integer"), ("order_items", "quantity", "integer"), ("sensor_readings", "device_id", "bigint"),
        ("customers", "tenant_id", "numeric"), ("memberships", "user_id", "numeric"),
    ),
    "tpch": (
        ("lineitem", "l_partkey", "numeric"), ("orders", "o_custkey", "numeric"), ("orders", "o_custkey", "bigint"), ("lineitem", "l_shipdate", "timestamp"),
        ("orders", "o_orderdate", "timestamp"), ("lineitem", "l_quantity", "double precision"), ("customer", "c_nationkey", "bigint"), ("partsupp", "ps_suppkey", "numeric"),
        ("part", "p_size", "bigint"), ("part", "p_brand", "text"), ("customer", "c_mktsegment", "varchar(20)"), ("lineitem", "l_suppkey", "numeric"),
    ),
}  # fmt: skip


def _types(which: str) -> Iterator[Mutation]:
    for table, column, to in _TYPE_CHANGES[which]:
        yield Mutation("change type", f"{table}.{column} to {to}", (f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {to}",), analyze=table)


def _harmless(which: str, connection: psycopg.Connection[Any]) -> Iterator[Mutation]:
    """Indexes that nobody needs, columns, constraints, renamed indexes."""
    rows = connection.execute(
        """SELECT c.oid::regclass::text, a.attname, t.typname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind = 'r' AND NOT c.relispartition AND n.nspname IN ('public', 'billing', 'ops') AND c.reltuples > 500
             AND t.typname IN ('int4', 'int8', 'text', 'varchar', 'timestamptz', 'date', 'numeric', 'bpchar') ORDER BY 1, 2"""
    ).fetchall()
    step = max(1, len(rows) // (45 if which == "shop" else 15))
    for table, column, _ in rows[::step]:
        yield Mutation("add index", f"{table}.{column}", (f'CREATE INDEX ON {table} ("{column}")',))
    for table in sorted({row[0] for row in rows})[:: 4 if which == "shop" else 3]:
        yield Mutation("add column", table, (f"ALTER TABLE {table} ADD COLUMN mutated integer NOT NULL DEFAULT 0",))
        yield Mutation(
            "add check", table, (f"ALTER TABLE {table} ADD CONSTRAINT mutated CHECK ({rows[0][1] if table == rows[0][0] else '1'} IS NOT NULL)",)
        )


def _predicates(which: str) -> Iterator[Mutation]:
    """Another condition: some keep an index from being used, most only pick fewer rows."""
    for name, text in queries(which).items():
        for title, pattern, to in (
            ("computed key", r"(?<![\w.])((?:\w+\.)?(?:tenant_id|customer_id|user_id|order_id|product_id)) = (\d+)", r"\1 + 0 = \2"),
            ("true condition", r"(?i)\bWHERE\b", "WHERE 1 = 1 AND"),
        ):
            changed = re.sub(pattern, to, text, count=1)
            if changed != text and (title == "computed key" or int(re.sub(r"\D", "", name) or 0) % (4 if which == "shop" else 2) == 0):
                yield Mutation("add a predicate" if title != "computed key" else "compute on a key", name, query=(name, text, changed))


def _skewed(which: str) -> Iterator[Mutation]:
    if which == "shop":
        for table, column in (("orders", "tenant_id"), ("customers", "tenant_id"), ("tasks", "tenant_id")):
            for tenant in (3, 250):
                yield Mutation("skew a tenant", f"{table} {tenant}", (f"UPDATE {table} SET {column} = {tenant} WHERE id % 10 < 7",), analyze=table)


# -- prediction and truth -----------------------------------------------------------------------------------------------------------------


class Base(Record):
    """The database as it is: costs on the ghost, plans and seconds on the server."""

    which: str
    dsn: str
    texts: dict[str, str]
    plans: dict[str, Any]
    shapes: dict[str, str]


def run(which: str, kinds: list[str]) -> None:
    from dbguard.pipelines.gate_ghost import ghost_of

    texts = queries(which)
    found: list[Outcome] = []
    with databases(which) as dsn, _connect(dsn) as connection:
        chosen = [one for one in mutations(which, connection) if not kinds or one.kind in kinds]
        print(f"{which}: {len(chosen)} changes, {len(texts)} queries", flush=True)
        shapes = {name: _shape(connection, text) for name, text in texts.items()}
        snapshot = _snapshot(dsn)
        with ghost_of(snapshot) as ghost:
            with ghost.before() as ask:
                base = Base(which, dsn, texts, {name: ask(text) for name, text in texts.items()}, shapes)
            _keep_base(base, snapshot)
            for number, one in enumerate(chosen):
                began = time.perf_counter()
                try:
                    results = list(_one(one, base, ghost, connection))
                except Exception as error:  # noqa: BLE001 - one change must not cost the others
                    print(f"  {one.kind} {one.name}: {type(error).__name__}: {str(error)[:150]}", flush=True)
                    continue
                found += results
                worst = max((o.seconds_after / o.seconds_before for o in results if o.seconds_before and o.seconds_after), default=1.0)
                print(f"  {number:3} {one.kind:24} {one.name[:44]:44} {worst:8.1f} x  {time.perf_counter() - began:5.1f} s", flush=True)
                _keep(which, kinds, found)


def _connect(dsn: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(dsn, autocommit=True)
    connection.execute(f"SET statement_timeout = '{LIMIT}'".encode())
    return connection


def _keep(which: str, kinds: list[str], found: list[Outcome]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = f"mutations-{which}{'-' + '-'.join(kinds).replace(' ', '_') if kinds else ''}.json"
    (FOLDER / name).write_text(json.dumps([list(one) for one in found]))


def _one(one: Mutation, base: Base, ghost: Any, connection: psycopg.Connection[Any]) -> list[Outcome]:
    if one.kind == "skew a tenant":
        return _skew(one, base)
    if one.query is not None:
        name, old, new = one.query
        with ghost.before() as ask:
            plan = ask(new)
        if _shape(connection, new) == base.shapes[name]:
            return [_outcome(one, base, name, plan)]
        return [_outcome(one, base, name, plan, _best(connection, old), _best(connection, new))]
    with ghost.after(list(one.ddl)) as ask:
        plans = {name: ask(text) for name, text in base.texts.items()}
    return _timed(one, base, plans, connection)


def _timed(one: Mutation, base: Base, plans: dict[str, Any], connection: psycopg.Connection[Any]) -> list[Outcome]:
    """Makes the change in a transaction and times the queries whose plan on the server differs now; before it, right afterwards."""
    differing: dict[str, float] = {}
    connection.execute(b"BEGIN")
    try:
        for statement in one.ddl:
            connection.execute(statement.encode())
        if one.analyze:
            connection.execute(f"ANALYZE {one.analyze}".encode())
        for name, text in base.texts.items():
            try:
                if len(differing) < MOST_QUERIES and _shape(connection, text) != base.shapes[name]:
                    differing[name] = _best(connection, text)
            except psycopg.Error:
                continue  # it fails now, on the ghost as well: what breaks is counted elsewhere
    finally:
        connection.execute(b"ROLLBACK")
    before = {name: _best(connection, base.texts[name]) for name in differing}
    asked = [name for name in base.texts if not isinstance(base.plans[name], str)]
    return [_outcome(one, base, name, plans[name], before.get(name), differing.get(name)) for name in asked]


def _skew(one: Mutation, base: Base) -> list[Outcome]:
    """The change is one of data: a copy of the database gets it, and a snapshot of its own."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    from dbguard.pipelines.gate_ghost import ghost_of

    asked = {name: text for name, text in base.texts.items() if re.search(rf"\b{one.analyze}\b", text) and not isinstance(base.plans[name], str)}
    with _connect(base.dsn) as own:
        before = {name: _best(own, text) for name, text in asked.items()}
        name = own.info.dbname
    options = conninfo_to_dict(base.dsn)
    with psycopg.connect(**{**options, "dbname": "template1"}, autocommit=True) as other:
        other.execute(b"DROP DATABASE IF EXISTS skewed WITH (FORCE)")
        other.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'".encode())
        other.execute(f'CREATE DATABASE skewed TEMPLATE "{name}" STRATEGY file_copy'.encode())
    dsn = make_conninfo(base.dsn, dbname="skewed")
    with _connect(dsn) as copy:
        copy.execute(b"SET statement_timeout = 0")
        for statement in one.ddl:
            copy.execute(statement.encode())
        copy.execute(f"VACUUM FULL ANALYZE {one.analyze}".encode())
        copy.execute(f"SET statement_timeout = '{LIMIT}'".encode())
        with ghost_of(_snapshot(dsn)) as ghost, ghost.before() as ask:
            plans = {name: ask(text) for name, text in asked.items()}
        return [_outcome(one, base, name, plans[name], before[name], _best(copy, text)) for name, text in asked.items()]


def _outcome(one: Mutation, base: Base, name: str, plan: Any, before: float | None = None, after: float | None = None) -> Outcome:
    if isinstance(plan, str):
        return Outcome(base.which, one.kind, one.name, name, base.plans[name].cost, None, before, after)
    other = None if plan.cost == base.plans[name].cost else dict(plan.json)
    return Outcome(base.which, one.kind, one.name, name, base.plans[name].cost, plan.cost, before, after, other)


def _keep_base(base: Base, snapshot: Any) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    tables = tables_of(snapshot)
    plans = {name: dict(plan.json) for name, plan in base.plans.items() if not isinstance(plan, str)}
    (FOLDER / f"base-{base.which}.json").write_text(
        json.dumps({"sizes": tables.sizes, "correlations": [(*key, value) for key, value in tables.correlations.items()], "plans": plans})
    )


def grow(which: str) -> None:
    """Ten times the rows: the ghost of the small database at scale 10, against the database that is really ten times as large."""
    from dbguard.pipelines.gate_ghost import Ghosts
    from dbguard.postgres.ghost import open_ghost

    texts = queries(which)
    module = ghost_schema if which == "shop" else tpch
    with databases(which) as dsn, _connect(dsn) as connection:
        seconds = {name: _best(connection, text) for name, text in texts.items()}
        snapshot = _snapshot(dsn)
    plans: list[dict[str, Any]] = []
    for scale in (1.0, 10.0):
        with open_ghost(snapshot, scale=scale) as ghost, Ghosts(ghost).before() as ask:
            plans.append({name: ask(text) for name, text in texts.items()})
    small = f"small {which}"
    _keep_base(Base(small, "", texts, plans[0], {}), snapshot)
    found = []
    with module.loaded(SCALE * 10) as dsn, _connect(dsn) as connection:
        for name, text in texts.items():
            if not isinstance(plans[0][name], str) and not isinstance(plans[1][name], str):
                costs = plans[0][name].cost, plans[1][name].cost
                took = _best(connection, text)
                found.append(Outcome(small, "grow", f"{name} x 10", name, *costs, seconds[name], took, dict(plans[1][name].json)))
    _keep(which, ["grow"], found)


def _snapshot(dsn: str) -> Any:
    from dbguard.postgres.session import open_read_only
    from dbguard.postgres.snapshot import Wishes, take

    with open_read_only(dsn) as connection:
        return take(connection, Wishes(values="full"))


def _shape(connection: psycopg.Connection[Any], text: str) -> str:
    """The server's own plan without its numbers."""
    with connection.transaction():
        rows = connection.execute(f"EXPLAIN (COSTS off) {text}".encode()).fetchall()
    return "\n".join(row[0] for row in rows)


def _best(connection: psycopg.Connection[Any], text: str) -> float:
    """Seconds of the fastest of three runs, of fewer where one takes long."""
    best, spent = float("inf"), 0.0
    for _ in range(4):
        try:
            with connection.transaction():
                waited, began = _waited(connection), time.perf_counter()
                connection.execute(text.encode())
                took = max(time.perf_counter() - began - (_waited(connection) - waited), 1e-5)
        except psycopg.errors.QueryCanceled:
            return 20.0
        best, spent = min(best, took), spent + took
        if spent > 3:
            break
    return best


# -- report -------------------------------------------------------------------------------------------------------------------------------


def report() -> None:
    found = [Outcome(*row) for path in sorted(FOLDER.glob("mutations-*.json")) for row in json.loads(path.read_text())]
    changes: dict[tuple[str, str, str], list[Outcome]] = {}
    for one in found:
        changes.setdefault((one.database, one.kind, one.name), []).append(one)
    harmful = sum(any(_is_slower(one) for one in group) for group in changes.values())
    print(f"{len(changes)} changes, {len(found)} pairs of a change and a query")
    print(f"really at least {SLOWER:g} times slower for some query: {harmful} changes; harmless: {len(changes) - harmful}")
    for title, said in (("times slower by what is touched", _said), ("by cost alone", _by_cost)):
        _score(f"{title}: changes", [(any(map(said, group)), any(map(_is_slower, group))) for group in changes.values()])
        _score(f"{title}: queries", [(said(one), _is_slower(one)) for one in found])
    for kind in dict.fromkeys(kind for _, kind, _ in changes):
        _score(f"  {kind}", [(any(map(_said, group)), any(map(_is_slower, group))) for (_, own, _), group in changes.items() if own == kind])
    held_out = [one for one in found if one.database == "shop" and ghost_schema.half(one.query) == "held-out"]
    _score("queries that no weight was fitted to", [(_said(one), _is_slower(one)) for one in held_out])
    _bands(found)
    for one in found:
        if _said(one) != _is_slower(one):
            times = f"{(one.seconds_before or 0) * 1000:.2f} -> {(one.seconds_after or 0) * 1000:.2f} ms, said {_seconds(one)[0] * 1000:.2f} -> {_seconds(one)[1] * 1000:.2f}"
            print(
                "missed" if _is_slower(one) else "false ",
                one.database,
                one.kind,
                one.name,
                one.query,
                f"cost {one.cost_before:.0f} -> {one.cost_after or 0:.0f}",
                times,
            )


@cache
def _base(which: str) -> Any:
    return json.loads((FOLDER / f"base-{which}.json").read_text())


def _seconds(one: Outcome) -> tuple[float, float]:
    """As estimated, before and after."""
    from dbguard.planning.plans import of_json
    from dbguard.planning.risk_seconds import cached_seconds

    base = _base(one.database)
    grown = 10.0 if one.kind == "grow" else 1.0

    before = cached_seconds(of_json(base["plans"][one.query])[0], _tables(one.database))
    if one.plan is None:
        return before, before
    return before, cached_seconds(of_json(one.plan)[0], _tables(one.database, grown))


@cache
def _tables(which: str, scale: float = 1.0) -> Tables:
    base = _base(which)
    sizes = {name: (rows * scale, pages * scale) for name, (rows, pages) in base["sizes"].items()}
    return Tables(sizes, {(table, column): value for table, column, value in base.get("correlations", ())})


def fit() -> None:
    """Weights that make the logarithms of estimates and measurements agree best, on the half of the shop's queries that may be looked at."""
    from math import log

    from dbguard.planning.plans import of_json
    from dbguard.planning.risk_seconds import WEIGHTS, touched

    rows: list[tuple[dict[str, float], float]] = []
    for path in sorted(FOLDER.glob("mutations-*.json")):
        for one in map(Outcome._make, json.loads(path.read_text())):
            if one.seconds_before is None or one.seconds_after is None or one.plan is None or one.kind in {"grow", "skew a tenant"}:
                continue
            if one.database == "shop" and ghost_schema.half(one.query) == "held-out":
                continue
            base = _base(one.database)
            for plan, took in ((base["plans"][one.query], one.seconds_before), (one.plan, one.seconds_after)):
                if 0.0001 < took < 19:
                    rows.append((touched(of_json(plan)[0], _tables(one.database)), log(took)))
    weights = dict(WEIGHTS)

    def loss() -> float:
        total = sum(abs(log(sum(weights[term] * amount for term, amount in terms.items())) - took) ** 1.3 for terms, took in rows)
        return total + 0.2 * sum(abs(log(weights[term] / WEIGHTS[term])) for term in weights)

    best, step = loss(), 2.0
    while step > 1.03:
        improved = False
        for term in weights:
            for factor in (step, 1 / step):
                weights[term] *= factor
                if (now := loss()) < best - 1e-6:
                    best, improved = now, True
                    break
                weights[term] /= factor
        step = step if improved else step**0.5
    print(f"# loss {best:.1f} over {len(rows)} plans")
    for term, value in weights.items():
        print(f'    "{term}": {value:.2g},')


def _is_slower(one: Outcome) -> bool:
    if one.seconds_before is None or one.seconds_after is None:
        return False
    return one.seconds_after >= WORTH and one.seconds_after >= SLOWER * one.seconds_before


def _said(one: Outcome) -> bool:
    before, after = _seconds(one)
    return after >= SLOWER * before and after >= WORTH


def _by_cost(one: Outcome) -> bool:
    return one.cost_after is not None and one.cost_after >= SLOWER * one.cost_before


def _score(title: str, pairs: list[tuple[bool, bool]]) -> None:
    right = sum(said and true for said, true in pairs)
    said, true = sum(one for one, _ in pairs), sum(one for _, one in pairs)
    precision = f"{right / said:.2f}" if said else "-"
    recall = f"{right / true:.2f}" if true else "-"
    print(f"{title:36} {len(pairs):5} judged, {true:4} slower, {said:4} said so: precision {precision}, recall {recall}")


def _bands(found: list[Outcome]) -> None:
    """A line through cost and time of half the queries, and how many of the others lie in its bands."""
    seen: dict[tuple[str, str], tuple[float, float]] = {}
    for one in found:
        if one.seconds_before and one.cost_before > 0:
            seen[one.database, one.query] = one.cost_before, max(one.seconds_before, 1e-5)
    points = [(log10(cost), log10(took)) for _, (cost, took) in sorted(seen.items())]
    if len(points) < 10:
        return
    fitted, others = points[::2], points[1::2]
    mean_x, mean_y = (sum(values) / len(fitted) for values in zip(*fitted, strict=True))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in fitted) / sum((x - mean_x) ** 2 for x, _ in fitted)
    start = mean_y - slope * mean_x
    off = sorted(abs(y - start - slope * x) for x, y in fitted)
    band = off[int(len(off) * 0.9)]
    inside = sum(abs(y - start - slope * x) <= band for x, y in others) / len(others)
    print(
        f"time bands: seconds = 10^({start:.2f} + {slope:.2f} log10 cost), nine of ten within {10**band:.1f} times; of {len(others)} other queries {inside:.0%} are"
    )


if __name__ == "__main__":
    verb, *rest = sys.argv[1:] or ["report"]
    if verb in {"report", "fit"}:
        {"report": report, "fit": fit}[verb]()
    elif rest == ["grow"]:
        grow(verb)
    else:
        run(verb, rest)

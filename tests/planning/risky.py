"""Migrations and snapshots for tests of risk: SQL in, what it costs out."""

from __future__ import annotations

from dbguard.model.names import Name
from dbguard.model.snapshot import Activity, ColumnStatistics, Relation, Snapshot
from dbguard.model.source import Script, Source
from dbguard.model.state import State, Step
from dbguard.parsing import parse
from dbguard.pipelines.locks import base_state
from dbguard.planning.risk import Context, Judged, step_risk
from dbguard.planning.risk_sizes import Sizes
from dbguard.planning.risk_traffic import Sent, counters, traffic
from dbguard.replay import replay

SCHEMA = """
CREATE TABLE customers (id bigint PRIMARY KEY, email text);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, status text, total numeric(12,2), note text);
CREATE INDEX orders_customer_id_idx ON orders (customer_id);
CREATE TABLE countries (code text PRIMARY KEY, name text);
CREATE VIEW open_orders AS SELECT id, status FROM orders WHERE status = 'open';
"""


def public(name: str) -> Name:
    return Name("public", name)


def table(name: str, rows: float, pages: int) -> Relation:
    return Relation(public(name), "r", pages=pages, tuples=rows, relation_bytes=pages * 8192)


def snapshot(rows: float = 48_000_000, schema: str = SCHEMA) -> Snapshot:
    """Orders in the number given, 200 bytes each."""
    pages = max(1, int(rows / 40))
    return Snapshot(
        schema=schema,
        relations=(
            table("orders", rows, pages),
            table("customers", 2_000_000, 20_000),
            table("countries", 240, 3),
            Relation(public("orders_pkey"), "i", pages=max(1, pages // 9), tuples=rows, method="btree", table=public("orders")),
            Relation(public("orders_customer_id_idx"), "i", pages=max(1, pages // 9), tuples=rows, method="btree", table=public("orders")),
        ),
        columns=(
            ColumnStatistics(public("orders"), "id", avg_width=8, n_distinct=-1, correlation=1.0),
            ColumnStatistics(public("orders"), "customer_id", avg_width=8, n_distinct=-0.04, correlation=0.01),
            ColumnStatistics(public("orders"), "status", null_frac=0.0, avg_width=6, n_distinct=50, correlation=0.2),
            ColumnStatistics(public("orders"), "note", null_frac=0.9, avg_width=60, n_distinct=-0.1, correlation=0.0),
        ),
        activity=(
            Activity(public("orders"), seq_scans=0, index_scans=1_000_000, inserts=240_000, updates=0, deletes=0),
            Activity(public("customers"), index_scans=5_000, inserts=100),
            Activity(public("countries"), seq_scans=10),
        ),
        seconds=1_000.0,
    )


def state(schema: str = SCHEMA) -> State:
    return base_state(Source("schema", schema), 18)


def steps(sql: str, *, transaction: str = "one", schema: str = SCHEMA) -> list[Step]:
    script = Script(Source("m.sql", sql), ((0, len(sql)),), transaction=transaction)
    return list(replay([parse(script)], state(schema), 18))


def context(found: Snapshot | None, *sent: Sent, longest: float | None = None, small: tuple[str, ...] = ()) -> Context:
    sizes = Sizes(found, small)
    known = traffic(sent, state(), 18)
    return Context(sizes, (*known, *counters(sizes, known)), longest)


def judge(sql: str, found: Snapshot | None, *sent: Sent, transaction: str = "one", **more: object) -> list[Judged]:
    return step_risk(steps(sql, transaction=transaction), context(found, *sent, **more))  # type: ignore[arg-type]

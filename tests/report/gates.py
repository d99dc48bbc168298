"""Gates with everything in them: what a shop's pull request does, a clean one, and one whose every name attacks its reader."""

from __future__ import annotations

from typing import Any

from tests.report.results import FINDINGS

from dbguard.model.finding import Finding, Severity, UnreadPart
from dbguard.model.names import Name
from dbguard.model.plan import Node, Plan
from dbguard.model.postgres import LockMode
from dbguard.model.state import Effects, Lock
from dbguard.model.verdict import Budget, Gate, Growth, QueryRisk, Seconds, StepRisk, Waiting

ORDERS, CUSTOMERS, EVENTS = Name("public", "orders"), Name("public", "customers"), Name("public", "events")
SAVE = ("shop/orders.py", 41, "save_order")
LIST = ("shop/views.py", 88, "list_orders")


def node(kind: str, cost: float, rows: float, *children: Node, **facts: Any) -> Node:
    fields = {key: facts.pop(key) for key in ("relation", "index", "alias", "role") if key in facts}
    return Node(kind, startup_cost=cost / 100, total_cost=cost, rows=rows, width=72, children=children, facts=facts, **fields)


BY_INDEX = Plan(
    node(
        "Limit",
        12.61,
        20,
        node(
            "Nested Loop",
            24.9,
            38,
            node(
                "Index Scan", 16.1, 38, relation="public.orders", index="orders_customer_id_idx", role="Outer", **{"Index Cond": "(customer_id = $1)"}
            ),
            node("Index Only Scan", 0.3, 1, relation="public.customers", index="customers_pkey", role="Inner", **{"Index Cond": "(id = $1)"}),
        ),
    )
)
BY_SCAN = Plan(
    node(
        "Limit",
        48_211.4,
        20,
        node(
            "Gather Merge",
            48_230.9,
            38,
            node(
                "Sort",
                47_200.2,
                16,
                node(
                    "Hash Join",
                    47_199.0,
                    16,
                    node("Seq Scan", 47_120.8, 16, relation="public.orders", role="Outer", Filter="((customer_id)::text = $1)"),
                    node("Hash", 8.3, 1, node("Index Scan", 8.3, 1, relation="public.customers", index="customers_pkey"), role="Inner"),
                ),
                **{"Sort Key": ["orders.created_at DESC"]},
            ),
            **{"Workers Planned": 2},
        ),
    )
)
COUNT = Plan(node("Aggregate", 921.0, 1, node("Index Only Scan", 910.0, 4_400, relation="public.events", index="events_created_at_idx")))
BY_KEY = Plan(node("Index Scan", 8.44, 1, relation="public.customers", index="customers_pkey", **{"Index Cond": "(id = $1)"}))

STEPS = (
    StepRisk(
        path="migrations/0043_orders.sql",
        line=1,
        sql="SET lock_timeout = '5s';",
        seconds=Seconds(0.0001, 0.0002),
        held=Seconds(0.0, 0.0),
    ),
    StepRisk(
        path="migrations/0043_orders.sql",
        line=3,
        sql="ALTER TABLE orders ADD COLUMN shipped_at timestamptz;",
        effects=Effects(locks=(Lock(ORDERS, LockMode.ACCESS_EXCLUSIVE),)),
        seconds=Seconds(0.002, 0.006),
        held=Seconds(38.1, 71.3),
        to_get_lock=4.2,
        read_bytes=0,
        written_bytes=0,
        wal_bytes=8_192,
        waiting=(Waiting("9d0c2f4b", "SELECT * FROM orders WHERE id = $1", 310.0, "orders", 22_100, 788_000.0, (("shop/views.py", 112, "show"),)),),
        verdict="stop",
        reasons=("an ACCESS EXCLUSIVE lock on `orders` is held until the index of line 5 is built: reads wait as well",),
        counterfactual="in a transaction of its own: 71 s of blocked reads become 6 ms",
        transaction=1,
    ),
    StepRisk(
        path="migrations/0043_orders.sql",
        line=5,
        sql="CREATE INDEX orders_customer_id_idx ON orders (customer_id);",
        effects=Effects(locks=(Lock(ORDERS, LockMode.SHARE),), builds=(Name("public", "orders_customer_id_idx"),)),
        seconds=Seconds(38.0, 71.0),
        held=Seconds(38.0, 71.0),
        to_get_lock=4.2,
        read_bytes=9_771_050_598,
        written_bytes=1_288_490_188,
        wal_bytes=1_290_000_000,
        waiting=(
            Waiting("4f2a11c0", "UPDATE orders SET status = $1, changed_at = now() WHERE id = $2", 240.0, "orders", 17_040, 605_000.0, (SAVE,)),
            Waiting("77b1e09a", "INSERT INTO orders (customer_id, total) VALUES ($1, $2) RETURNING id", 12.5, "orders", 888, 31_500.0, (SAVE, LIST)),
        ),
        verdict="stop",
        reasons=("252 writes/s to `orders` wait for about 38 s (9.1 GB are read under a SHARE lock)",),
        counterfactual="with CONCURRENTLY: 71 s of blocked writes become 0",
        transaction=1,
    ),
    StepRisk(
        path="migrations/0044_events.sql",
        line=2,
        sql="ALTER TABLE events\n  ALTER COLUMN customer_id TYPE text\n  USING customer_id::text;",
        effects=Effects(locks=(Lock(EVENTS, LockMode.ACCESS_EXCLUSIVE),), rewrites=(EVENTS,), builds=(Name("public", "events_pkey"),)),
        seconds=Seconds(2.4, 4.9),
        held=Seconds(2.4, 4.9),
        to_get_lock=0.02,
        read_bytes=310_000_000,
        written_bytes=330_000_000,
        wal_bytes=330_000_000,
        waiting=(
            Waiting("c2c2c2c2", "INSERT INTO events (kind, customer_id) VALUES ($1, $2)", 8.0, "events", 39, 96.0, (("shop/audit.py", 9, "note"),)),
        ),
        verdict="review",
        reasons=("8 queries/s on `events` wait for up to 4.9 s: the table is written again",),
        transaction=2,
    ),
    StepRisk(
        path="migrations/0044_events.sql",
        line=6,
        sql="COMMENT ON TABLE events IS 'what customers did';",
        effects=Effects(locks=(Lock(EVENTS, LockMode.SHARE_UPDATE_EXCLUSIVE),)),
        seconds=Seconds(0.001, 0.003),
        held=Seconds(0.001, 0.003),
        to_get_lock=0.0,
        transaction=3,
    ),
    StepRisk(
        path="migrations/0045_archive.sql",
        line=1,
        sql="ALTER TABLE archive ADD CONSTRAINT archive_total_positive CHECK (total >= 0);",
        effects=Effects(
            locks=(Lock(Name("public", "archive"), LockMode.ACCESS_EXCLUSIVE),),
            scans=(Name("public", "archive"),),
            unknown=("the size of `archive` is not known",),
        ),
        verdict="review",
        reasons=("`archive` is read in full under a lock that stops reads; how long is not known: its size is not in the snapshot",),
        transaction=4,
    ),
)

QUERIES = (
    QueryRisk(
        shape="4b81d7e2",
        sql="SELECT o.*, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.customer_id = $1 ORDER BY o.created_at DESC LIMIT 20",
        name="orders_of_customer",
        places=(LIST, ("shop/api.py", 30, "orders")),
        calls=412,
        a_day=1_204_000,
        seconds_a_day=11_400.0,
        before=BY_INDEX,
        after=BY_SCAN,
        growth=(Growth(1, 48_211.4, 20, True), Growth(10, 470_300.0, 20, True), Growth(100, 4_699_000.0, 20, False)),
        verdict="stop",
        reasons=("cost 12.6 becomes 48,211: `customer_id` is compared as text, so no index serves it", "1,204,000 calls a day"),
    ),
    QueryRisk(
        shape="e19b0077",
        sql="SELECT id, total FROM orders WHERE id = ANY($1)",
        places=(("shop/export.py", 17, "rows"),),
        calls=3,
        a_day=96,
        seconds_a_day=0.4,
        breaks='column "total" does not exist',
        changed_by=("migrations/0045_archive.sql", 1),
        verdict="stop",
        reasons=('fails after the migration: column "total" does not exist',),
    ),
    QueryRisk(
        shape="05f3a6aa",
        sql="SELECT count(*) FROM events WHERE created_at > $1",
        places=(("shop/dashboard.py", 61, "today"),),
        calls=20,
        a_day=2_880,
        seconds_a_day=260.0,
        before=COUNT,
        after=COUNT._replace(root=COUNT.root._replace(total_cost=1_904.0)),
        growth=(Growth(1, 1_904, 1, True), Growth(10, 18_800, 1, True), Growth(100, 187_000, 1, True)),
        verdict="review",
        reasons=("cost 921 becomes 1,904; it grows with `events`",),
        assumes=("what is later than $1 is taken to be a tenth of the table",),
    ),
    QueryRisk(shape="aa00aa00", sql="SELECT name FROM customers WHERE id = $1", places=(LIST,), calls=9, before=BY_KEY, after=BY_KEY),
    QueryRisk(shape="bb11bb11", sql="UPDATE customers SET seen_at = now() WHERE id = $1", places=(SAVE,), calls=2, before=BY_KEY, after=BY_KEY),
)

PER_ROW = Finding(
    rule="query-per-row",
    category="queries",
    severity=Severity.WARNING,
    path="shop/views.py",
    line=92,
    column=1,
    end_line=92,
    end_column=44,
    message="Order.items is loaded once per row of the query at shop/views.py:88: 150 calls in `GET /orders`",
    instead="at shop/views.py:88, load it with its owner: .options(selectinload(Order.items))",
    excerpt="SELECT * FROM items WHERE items.order_id = ?",
    shape="0fac3910",
    calls=150,
    units=12,
    places=(("shop/views.py", 92, "serialize"), ("shop/views.py", 88, "list_orders"), ("shop/middleware.py", 20, "__call__")),
)
BUDGETS = (
    Budget("queries per test", "tests/test_orders.py::test_list", 100, 164, 98, exceeded=True),
    Budget("cost", "orders_of_customer", 20_000, 48_211.4, 12.61, exceeded=True),
    Budget("calls", "05f3a6aa", None, 20, 14),
)

GATE = Gate(
    verdict="stop",
    reasons=(
        "252 writes/s to `orders` wait for about 38 s while `orders_customer_id_idx` is built",
        "`orders_of_customer` (1,204,000 calls a day) costs 48,211 instead of 12.6",
        '1 query fails afterwards: column "total" does not exist (shop/export.py:17)',
    ),
    steps=STEPS,
    queries=QUERIES,
    findings=(FINDINGS[0]._replace(path="migrations/0043_orders.sql", line=5, end_line=5), PER_ROW, FINDINGS[2]),
    budgets=BUDGETS,
    unread=(UnreadPart("migrations/0045_archive.sql", 9, "dynamic SQL: EXECUTE of a value that is built while it runs"),),
    assumes=("the size of `archive` is not in the snapshot: it is taken to be large",),
    notes=("the snapshot is 9 days old",),
    postgres=(16, 16),
    seconds=4.23,
    exit_code=1,
)
CLEAN = Gate(steps=STEPS[:1], queries=QUERIES[3:], postgres=(16, 16), seconds=1.5)

# What no reader of a report may obey: markup, links, mentions, commands of GitHub and GitLab, ends of cells, fences and comments.
HOSTILE = (
    '<script>alert(1)</script><img src=x onerror="alert(2)">`|`` @everyone #1 !2 https://evil.example/?a=b www.evil.example '
    "[x](javascript:alert(3)) **b** _i_ ~~s~~ $x$ <!-- --> --> ]]> \x1b[31m \u202e &amp; ::error::x %0A \\| \u2028/close"
)
HOSTILE_LINES = f"```\n````\n/close\n/assign @everyone\n## heading\n| a | b |\n</details></pre></code>{HOSTILE}\n~~~\n<!-- dbguard -->"


def hostile() -> Gate:
    """A gate in which every text that comes from files, servers and frameworks is hostile."""
    bad = Name(HOSTILE, HOSTILE)
    place = (HOSTILE, 3, HOSTILE)
    plan = Plan(node(HOSTILE, 10, 1, node("Seq Scan", 9, 1, relation=HOSTILE, index=HOSTILE, Filter=HOSTILE_LINES)))
    step = StepRisk(
        path=HOSTILE,
        line=1,
        sql=HOSTILE_LINES,
        effects=Effects(locks=(Lock(bad, LockMode.SHARE),), rewrites=(bad,), scans=(bad,), builds=(bad,), unknown=(HOSTILE,), fails=HOSTILE),
        seconds=Seconds(1, 2),
        held=Seconds(1, 2),
        waiting=(Waiting(HOSTILE, HOSTILE_LINES, 1.0, HOSTILE, 1, 1, (place,)),),
        verdict="stop",
        reasons=(HOSTILE,),
        counterfactual=HOSTILE,
        transaction=1,
    )
    query = QueryRisk(
        shape=HOSTILE,
        sql=HOSTILE_LINES,
        name=HOSTILE,
        places=(place,),
        calls=1,
        before=plan,
        after=plan._replace(root=plan.root._replace(total_cost=99.0)),
        breaks=HOSTILE,
        changed_by=(HOSTILE, 1),
        growth=(Growth(1, 1, 1, True), Growth(10, 10, 1, False)),
        verdict="stop",
        reasons=(HOSTILE,),
        assumes=(HOSTILE,),
    )
    finding = PER_ROW._replace(
        path=HOSTILE,
        message=HOSTILE,
        instead=HOSTILE,
        recipe=HOSTILE_LINES,
        because=(HOSTILE,),
        assumes=(HOSTILE,),
        excerpt=HOSTILE_LINES,
        places=(place, place),
    )
    return Gate(
        verdict="stop",
        reasons=(HOSTILE,),
        steps=(step,),
        queries=(query,),
        findings=(finding, finding._replace(shape="", places=())),
        budgets=(Budget(HOSTILE, HOSTILE, 1, 2, 1, exceeded=True),),
        unread=(UnreadPart(HOSTILE, 1, HOSTILE), UnreadPart(HOSTILE, 1, HOSTILE, fatal=True)),
        assumes=(HOSTILE,),
        notes=(HOSTILE,),
        exit_code=1,
    )


def large(steps: int = 300, queries: int = 500, findings: int = 2_000) -> Gate:
    """What a repository with a long past and many queries could give at worst."""
    return GATE._replace(
        steps=tuple(STEPS[1 + number % 5]._replace(path=f"migrations/{number // 4:04}_x.sql", line=number + 1) for number in range(steps)),
        queries=tuple(QUERIES[number % 5]._replace(shape=f"{number:08x}") for number in range(queries)),
        findings=tuple(PER_ROW._replace(path=f"shop/file{number}.py", line=number + 1) for number in range(findings)),
    )

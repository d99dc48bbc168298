"""SQLAlchemy, sync: one call per statement, the ORM's intent, results, executemany, transactions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, defer, joinedload, selectinload, sessionmaker

import dbguard.capture
from dbguard.model.calls import Load
from tests.capture.helpers import all_calls, calls_in, line_with, url_of
from tests.capture.shop import Customer, Order


@pytest.fixture
def engine(shop: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(url_of(shop, "psycopg"))
    yield engine
    engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "capture.jsonl"


def loads(file: Path) -> list[Load | None]:
    return [call.load for call in calls_in(file)]


def test_a_lazy_collection_is_named_with_the_line_in_the_loop(engine: sa.Engine, file: Path):
    with Session(engine) as session, dbguard.capture.record(file):
        for customer in session.scalars(sa.select(Customer)):
            len(customer.orders)  # lazy collection

    parent, *lazy = calls_in(file)

    assert parent.load == Load("", "Customer", "", False, "sqlalchemy")
    assert [call.load for call in lazy] == [Load("lazy", "Customer", "orders", True, "sqlalchemy")] * 3
    assert {(call.frames[0].line, call.loop) for call in lazy} == {(line_with("lazy collection"), lazy[0].frames[0])}
    assert parent.loop is None
    assert [call.rows for call in lazy] == [2, 2, 2]


def test_parameters_of_lazy_loads_are_covered_by_a_column_of_the_parent(engine: sa.Engine, file: Path):
    with Session(engine) as session, dbguard.capture.record(file):
        for customer in session.scalars(sa.select(Customer)):
            len(customer.orders)

    parent, *lazy = calls_in(file)

    ids = next(result for result in parent.results if result.column == "id")
    assert [call.parameters for call in lazy] == [(value,) for value in ids.values]


def test_a_lazy_many_to_one_is_not_a_collection(engine: sa.Engine, file: Path):
    with Session(engine) as session, dbguard.capture.record(file):
        [order.customer for order in session.scalars(sa.select(Order))]  # comprehension

    lazy = calls_in(file)[1:]

    assert [call.load for call in lazy] == [Load("lazy", "Order", "customer", False, "sqlalchemy")] * 3
    assert lazy[0].loop is not None
    assert lazy[0].loop.line == line_with("comprehension")
    assert lazy[0].frames[0].function == "test_a_lazy_many_to_one_is_not_a_collection"


def test_eager_loads_are_not_lazy(engine: sa.Engine, file: Path):
    with Session(engine) as session, dbguard.capture.record(file):
        for customer in session.scalars(sa.select(Customer).options(selectinload(Customer.orders))):
            len(customer.orders)

    assert loads(file) == [Load("", "Customer", "", False, "sqlalchemy"), Load("eager", "Customer", "orders", True, "sqlalchemy")]


def test_a_lazy_load_tells_the_way_to_its_owner(engine: sa.Engine, file: Path):
    with Session(engine) as session, dbguard.capture.record(file):
        for order in session.scalars(sa.select(Order).options(joinedload(Order.customer))):
            len(order.customer.orders)

    assert loads(file)[1:] == [Load("lazy", "Customer", "orders", True, "sqlalchemy", path=(("Order", "customer", False),))] * 3


def test_columns_that_a_query_leaves_out_and_those_that_a_model_puts_off_are_told_apart(engine: sa.Engine, file: Path):
    with Session(engine) as session, dbguard.capture.record(file):
        for customer in session.scalars(sa.select(Customer).options(defer(Customer.name))):
            _ = customer.name, customer.story
        session.refresh(customer, ["name"])

    column = Load("column", "Customer", "name", False, "sqlalchemy")
    assert loads(file)[1:] == [
        *[column._replace(narrowed=True), column._replace(relationship="story")] * 3,
        Load("refresh", "Customer", "", False, "sqlalchemy"),
    ]


def test_deferred_columns_and_refreshes_are_told_apart(engine: sa.Engine, file: Path):
    with Session(engine) as session:
        customer = session.scalars(sa.select(Customer).limit(1)).one()
        with dbguard.capture.record(file):
            customer.story  # noqa: B018
            session.refresh(customer)
            session.expire(customer)
            customer.name  # noqa: B018

    assert [(load.event, load.relationship) for load in loads(file) if load] == [("column", "story"), ("refresh", ""), ("refresh", "")]


def test_a_flush_is_named_and_autoflush_does_not_take_the_place_of_the_query(engine: sa.Engine, file: Path):
    with Session(engine) as session, dbguard.capture.record(file):
        session.add(Order(note="new", customer_id=1))
        session.scalars(sa.select(Customer)).all()

    assert [load.event for load in loads(file) if load] == ["flush", ""]
    assert calls_in(file)[1].load == Load("", "Customer", "", False, "sqlalchemy")


def test_core_and_text_have_no_load(engine: sa.Engine, file: Path):
    with engine.connect() as connection, dbguard.capture.record(file):
        connection.execute(sa.select(Customer.__table__)).all()
        connection.execute(sa.text("SELECT 1")).all()
        connection.exec_driver_sql("SELECT 2")

    assert loads(file) == [None, None, None]


def test_executemany_is_one_call(engine: sa.Engine, file: Path):
    with engine.begin() as connection, dbguard.capture.record(file):
        connection.execute(
            sa.update(Customer.__table__).where(Customer.__table__.c.id == sa.bindparam("key")), [{"key": 1, "name": "a"}, {"key": 2, "name": "b"}]
        )

    (call,) = calls_in(file)
    assert (call.many, call.rows, call.parameters) == (2, 2, None)


def test_insertmanyvalues_is_one_call_per_batch_with_the_text_of_one_row(engine: sa.Engine, file: Path):
    statement = sa.insert(Order).returning(Order.id)
    with engine.begin() as connection, dbguard.capture.record(file):
        connection.execute(statement, [{"note": str(number), "customer_id": 1} for number in range(50)]).all()
        connection.execute(statement, [{"note": "one", "customer_id": 1}]).all()

    many, one = calls_in(file)
    assert (many.many, many.rows, one.many) == (50, 50, 1)
    assert many.sql.count("note") == 2
    assert many.sql == one.sql
    assert one.parameters is not None


def test_transactions_begin_and_end_once_and_savepoints_are_statements(engine: sa.Engine, file: Path):
    with dbguard.capture.record(file):
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT 1"))
            with connection.begin_nested():
                connection.execute(sa.text("SELECT 2"))
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 3"))

    calls = all_calls(file)
    words = [call.sql.split()[0] for call in calls]
    assert words == ["BEGIN", "SELECT", "SAVEPOINT", "SELECT", "RELEASE", "COMMIT", "BEGIN", "SELECT", "ROLLBACK"]
    first, second = calls[0].transaction, calls[-1].transaction
    assert [call.transaction for call in calls] == [first] * 6 + [second] * 3
    assert "" not in {first, second}


def test_autocommit_has_no_transaction(engine: sa.Engine, file: Path):
    with dbguard.capture.record(file), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SELECT 1"))

    assert [(call.sql, call.transaction) for call in all_calls(file)] == [("SELECT 1", "")]


def test_an_error_has_its_sqlstate_and_the_exception_is_the_hosts_own(engine: sa.Engine, file: Path):
    with dbguard.capture.record(file), engine.connect() as connection, pytest.raises(sa.exc.DataError):
        connection.execute(sa.text("SELECT 1/0"))

    assert [call.error for call in calls_in(file)] == ["22012"]


def test_rows_are_all_there_after_they_were_hashed(engine: sa.Engine, file: Path):
    with engine.connect() as connection:
        plain = connection.execute(sa.select(Order.__table__).order_by(Order.__table__.c.id)).all()
        with dbguard.capture.record(file):
            recorded = connection.execute(sa.select(Order.__table__).order_by(Order.__table__.c.id)).all()

    assert recorded == plain
    assert len(recorded) == 6


def test_server_side_cursors_are_not_consumed(engine: sa.Engine, file: Path):
    with engine.connect() as connection, dbguard.capture.record(file):
        rows = connection.execution_options(yield_per=2).execute(sa.select(Order.__table__)).all()

    assert len(rows) == 6
    assert [call.results for call in calls_in(file)] == [()]


def test_what_the_engine_asks_when_it_connects_is_not_recorded(shop: str, file: Path):
    engine = sa.create_engine(url_of(shop, "psycopg"))
    with dbguard.capture.record(file):
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
        engine.dispose()

    assert [call.sql for call in calls_in(file)] == ["SELECT 1"]


def test_a_raw_cursor_of_the_pool_is_recorded_too(engine: sa.Engine, file: Path):
    raw = engine.raw_connection()
    with dbguard.capture.record(file):
        cursor: Any = raw.cursor()
        cursor.execute("SELECT 42")
    raw.close()

    assert [call.sql for call in calls_in(file)] == ["SELECT 42"]


def test_sessions_made_before_and_after_are_seen(engine: sa.Engine, file: Path):
    before = sessionmaker(engine)
    with before() as old, dbguard.capture.record(file):
        old.get(Customer, 1)
        with sessionmaker(engine)() as new:
            new.get(Customer, 2)

    assert len(calls_in(file)) == 2


def test_where_options_are_hidden_the_event_says_the_same(engine: sa.Engine, file: Path, monkeypatch: pytest.MonkeyPatch):
    from dbguard.capture.hooks import sqlalchemy as hook

    monkeypatch.setattr(hook, "_knows_options", lambda _: False)
    monkeypatch.setattr(hook, "_carried", lambda *_: None)
    with Session(engine) as session, dbguard.capture.record(file):
        session.add(Order(note="new", customer_id=1))
        for customer in session.scalars(sa.select(Customer)):
            len(customer.orders)

    found = loads(file)
    assert [load.event for load in found if load] == ["flush", "", "lazy", "lazy", "lazy"]
    assert found[-1] == Load("lazy", "Customer", "orders", True, "sqlalchemy")


def test_nothing_of_the_host_is_kept_alive(shop: str, file: Path):
    import gc
    import weakref

    from dbguard.capture import recorder

    engine = sa.create_engine(url_of(shop, "psycopg"), poolclass=sa.NullPool)
    with dbguard.capture.record(file):
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
            raw = weakref.ref(connection.connection.dbapi_connection)
        gc.collect()
        assert raw() is None
        assert recorder.pending_now.get() is None


def test_nothing_is_left_in_sqlalchemy_afterwards(engine: sa.Engine, file: Path):
    with dbguard.capture.record(file):
        pass
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))

    assert not file.exists()
    assert list(engine.dispatch.before_cursor_execute) == []

"""psycopg and asyncpg by themselves, and below SQLAlchemy's asyncio: rows, pipelines, prepared statements, cursors, one call per statement."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

import dbguard.capture
from dbguard.model.calls import Load
from tests.capture.helpers import all_calls, arguments_of, calls_in, line_with, url_of
from tests.capture.shop import Customer, Order


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "capture.jsonl"


def words_of(file: Path) -> list[str]:
    return [call.sql.split()[0].rstrip(";") for call in all_calls(file)]


def test_psycopg_calls_have_rows_parameters_and_transactions(shop: str, file: Path):
    with psycopg.connect(shop) as connection, dbguard.capture.record(file):
        for (key,) in connection.execute("SELECT id FROM customers ORDER BY id").fetchall():
            connection.execute("SELECT * FROM orders WHERE customer_id = %s", (key,)).fetchall()  # raw loop
        connection.commit()
        connection.execute("UPDATE orders SET note = %(note)s WHERE id = %(id)s", {"id": 1, "note": "x"})
        connection.rollback()

    assert words_of(file) == ["BEGIN", "SELECT", "SELECT", "SELECT", "SELECT", "COMMIT", "BEGIN", "UPDATE", "ROLLBACK"]
    parent, *others = calls_in(file)
    assert [call.parameters for call in others[:3]] == [(value,) for value in parent.results[0].values]
    assert [call.rows for call in others] == [2, 2, 2, 1]
    assert others[0].loop is not None
    assert others[0].loop.line == line_with("raw loop")
    assert len({call.transaction for call in all_calls(file)}) == 2


def test_psycopg_named_parameters_are_in_the_order_of_the_text(shop: str, file: Path):
    with psycopg.connect(shop, autocommit=True) as connection, dbguard.capture.record(file):
        connection.execute("SELECT %(b)s::text, %(a)s::text, %(b)s::text", {"a": "one", "b": "two"})
        connection.execute("SELECT %s::text", ("one",))

    three, one = calls_in(file)
    assert three.parameters is not None
    assert three.parameters[0] == three.parameters[2] != three.parameters[1]
    assert one.parameters == (three.parameters[1],)
    assert {call.transaction for call in all_calls(file)} == {""}


def test_psycopg_executemany_counts_what_a_generator_gives(shop: str, file: Path):
    with psycopg.connect(shop) as connection, dbguard.capture.record(file):
        connection.cursor().executemany("UPDATE orders SET note = %s WHERE id = %s", ((str(number), number) for number in (1, 2, 3)))
        connection.cursor().executemany("UPDATE orders SET note = %s", [("a",), ("b",)])

    assert [call.many for call in calls_in(file)] == [3, 2]


def test_psycopg_pipelines_streams_copies_and_server_cursors_go_on_as_ever(shop: str, file: Path):
    with psycopg.connect(shop) as connection, dbguard.capture.record(file):
        with connection.pipeline():
            first = connection.execute("SELECT 1")
            second = connection.execute("SELECT 2")
        assert (first.fetchone(), second.fetchone()) == ((1,), (2,))
        assert list(connection.cursor().stream("SELECT generate_series(1, 3)")) == [(1,), (2,), (3,)]
        with connection.cursor().copy("COPY (SELECT 7) TO STDOUT") as copy:
            assert [bytes(row) for row in copy] == [b"7\n"]
        with connection.cursor("named") as cursor:
            cursor.execute("SELECT generate_series(1, 5)")
            assert len(cursor.fetchall()) == 5

    assert [call.sql.split()[0] for call in calls_in(file)] == ["SELECT", "SELECT", "SELECT", "COPY", "SELECT"]
    assert [call.rows for call in calls_in(file)][:2] == [None, None]


def test_psycopg_takes_bytes_and_composed_queries(shop: str, file: Path):
    with psycopg.connect(shop) as connection, dbguard.capture.record(file):
        connection.execute(b"SELECT 1")
        connection.execute(sql.SQL("SELECT {} FROM {}").format(sql.Identifier("id"), sql.Identifier("orders")))

    assert [call.sql for call in calls_in(file)] == ["SELECT 1", 'SELECT "id" FROM "orders"']


def test_psycopg_errors_are_its_own_and_named(shop: str, file: Path):
    with psycopg.connect(shop) as connection, dbguard.capture.record(file), pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT * FROM nowhere")

    assert [call.error for call in calls_in(file)] == ["42P01"]


def test_psycopg_async(shop: str, file: Path):
    async def work() -> None:
        async with await psycopg.AsyncConnection.connect(shop) as connection:
            async with connection.transaction():
                cursor = await connection.execute("SELECT id FROM customers")
                async for (key,) in cursor:
                    await connection.execute("SELECT 1 WHERE 1 = %s", (key,))  # async for
            await connection.cursor().executemany("UPDATE orders SET note = %s", [("a",), ("b",)])

    with dbguard.capture.record(file):
        asyncio.run(work())

    calls = calls_in(file)
    assert [call.sql.split()[0] for call in calls] == ["SELECT"] * 4 + ["UPDATE"]
    assert {call.loop.line for call in calls if call.loop} == {line_with("async for")}
    assert calls[-1].many == 2


def with_asyncpg(dsn: str, file: Path, work: Callable[[Any], Awaitable[None]]) -> None:
    async def main() -> None:
        connection = await asyncpg.connect(**arguments_of(dsn))
        with dbguard.capture.record(file):
            await work(connection)
        await connection.close()

    asyncio.run(main())


def test_asyncpg_knows_rows_and_parameters_of_connections_that_were_open(shop: str, file: Path):
    async def work(connection: Any) -> None:
        async with connection.transaction():
            for row in await connection.fetch("SELECT id, name FROM customers ORDER BY id"):
                await connection.fetch("SELECT * FROM orders WHERE customer_id = $1", row["id"])
            assert await connection.execute("UPDATE orders SET note = $1", "x") == "UPDATE 6"
            assert await connection.execute("DELETE FROM orders") == "DELETE 6"

    with_asyncpg(shop, file, work)

    assert words_of(file) == ["BEGIN", "SELECT", "SELECT", "SELECT", "SELECT", "UPDATE", "DELETE", "COMMIT"]
    parent, *others = calls_in(file)
    assert [call.rows for call in others] == [2, 2, 2, 6, 6]
    assert [call.parameters for call in others[:3]] == [(value,) for value in parent.results[0].values]
    assert len({call.transaction for call in all_calls(file)}) == 1


def test_asyncpg_prepared_statements_cursors_and_executemany(shop: str, file: Path):
    async def work(connection: Any) -> None:
        statement = await connection.prepare("SELECT * FROM orders WHERE id = $1")
        assert (await statement.fetchrow(1))["id"] == 1
        async with connection.transaction():
            assert [row["id"] async for row in connection.cursor("SELECT id FROM orders ORDER BY id")] == [1, 2, 3, 4, 5, 6]
        await connection.executemany("UPDATE orders SET note = $1 WHERE id = $2", [("a", 1), ("b", 2)])
        await connection.copy_records_to_table("orders", records=[(7, 1, "c")], columns=["id", "customer_id", "note"])

    with_asyncpg(shop, file, work)

    calls = calls_in(file)
    assert [call.sql.split()[0] for call in calls] == ["SELECT", "SELECT", "UPDATE", "COPY"]
    assert [call.rows for call in calls][:2] == [1, None]
    assert calls[2].many == 2


def test_asyncpg_errors_and_pools(shop: str, file: Path):
    async def work(_: Any) -> None:
        async with asyncpg.create_pool(**arguments_of(shop), min_size=1) as pool:
            with pytest.raises(asyncpg.DivisionByZeroError):
                await pool.fetchval("SELECT 1/0")
            assert await pool.fetchval("SELECT 5") == 5

    with_asyncpg(shop, file, work)

    assert [(call.sql, call.error) for call in calls_in(file)] == [("SELECT 1/0", "22012"), ("SELECT 5", "")]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_sqlalchemy_async_is_one_call_per_statement_at_the_line_that_awaits(shop: str, file: Path, driver: str):
    async def name_of(session: AsyncSession, key: int) -> str:
        order = await session.get(Order, key)  # helper
        assert order is not None
        return str(order.note)

    async def work() -> None:
        engine = create_async_engine(url_of(shop, driver))
        async with AsyncSession(engine) as session:
            for customer in await session.scalars(sa.select(Customer)):
                await customer.awaitable_attrs.orders  # awaited
            session.expunge_all()
            for key in (1, 2):
                await name_of(session, key)  # calls helper
        await engine.dispose()

    with dbguard.capture.record(file):
        asyncio.run(work())

    parent, *others = calls_in(file)
    lazy, helped = others[:3], others[3:]
    assert len(calls_in(file)) == 6
    assert parent.driver == "sqlalchemy"
    assert [call.load for call in lazy] == [Load("lazy", "Customer", "orders", True, "sqlalchemy")] * 3
    assert [call.parameters for call in lazy] == [(value,) for value in parent.results[0].values]
    assert {call.loop.line for call in lazy if call.loop} == {line_with("awaited")}
    assert [(call.frames[0].line, call.loop.line if call.loop else 0) for call in helped] == [(line_with("helper"), line_with("calls helper"))] * 2
    assert words_of(file).count("BEGIN") == 1


def test_tasks_of_one_loop_keep_their_units_apart(shop: str, file: Path):
    async def one(name: str) -> None:
        with dbguard.capture.unit(name, "task"):
            connection = await asyncpg.connect(**arguments_of(shop))
            for _ in range(3):
                await connection.fetchval("SELECT pg_sleep(0.01), $1::text", name)
            await connection.close()

    async def work() -> None:
        await asyncio.gather(*[one(f"task {number}") for number in range(4)])

    with dbguard.capture.record(file):
        asyncio.run(work())

    from tests.capture.helpers import units_in

    units = units_in(file)
    assert {unit.name: len(unit.calls) for unit in units} == {f"task {number}": 3 for number in range(4)}
    assert all(len({call.parameters for call in unit.calls}) == 1 for unit in units)

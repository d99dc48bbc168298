"""Work of threads, executors and tasks: its lines go on where it was handed over, its unit is that of whoever did so, and nothing else changes."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

import dbguard.capture
from dbguard.capture import recorder
from dbguard.model.calls import Call
from tests.capture.helpers import calls_in, line_with, units_in


@pytest.fixture
def connection(shop: str):
    with psycopg.connect(shop, autocommit=True) as connection:
        yield connection


def lines(call: Call) -> tuple[list[int], int]:
    """The lines of a call in this file, innermost first, and that of its loop."""
    return [frame.line for frame in call.frames if frame.path.endswith("test_handed_over.py")], call.loop.line if call.loop else 0


def test_work_of_an_executor_goes_on_where_it_was_submitted(connection: Any, tmp_path: Path):
    def look(key: int) -> Any:
        return connection.execute("SELECT %s::int", (key,)).fetchone()  # looks

    with dbguard.capture.record(tmp_path / "c.jsonl"), dbguard.capture.unit("page", "request"), ThreadPoolExecutor(2) as threads:
        waiting = []
        for key in sorted([1, 2, 3]):
            waiting.append(threads.submit(look, key))  # submits
        assert [one.result() for one in waiting] == [(1,), (2,), (3,)]
        assert list(threads.map(look, waiting[:0])) == []
        assert list(threads.map(look, [4, 5])) == [(4,), (5,)]  # maps

    calls = calls_in(tmp_path / "c.jsonl")
    assert [lines(call) for call in calls] == [
        *[([line_with("looks"), line_with("submits")], line_with("submits"))] * 3,
        *[([line_with("looks"), line_with("maps")], line_with("maps"))] * 2,
    ]
    assert {unit.name for unit in units_in(tmp_path / "c.jsonl") if unit.calls} == {"page"}


def test_a_thread_goes_on_where_it_was_started(connection: Any, tmp_path: Path):
    def look() -> None:
        connection.execute("SELECT 1")  # in the thread

    with dbguard.capture.record(tmp_path / "c.jsonl"), dbguard.capture.unit("page", "request"):
        thread = threading.Thread(target=look)
        thread.start()  # starts
        thread.join()

    (call,) = calls_in(tmp_path / "c.jsonl")
    assert lines(call) == ([line_with("in the thread"), line_with("starts")], 0)
    assert {unit.name for unit in units_in(tmp_path / "c.jsonl") if unit.calls} == {"page"}


def test_a_thread_of_an_executor_does_not_keep_who_came_first(connection: Any, tmp_path: Path):
    with dbguard.capture.record(tmp_path / "c.jsonl", unit="rest"), ThreadPoolExecutor(1) as threads:
        with dbguard.capture.unit("first"):
            threads.submit(connection.execute, "SELECT 1").result()
        with dbguard.capture.unit("second"):
            threads.submit(connection.execute, "SELECT 2").result()
        threads.submit(connection.execute, "SELECT 3").result()

    found = {unit.name: [call.sql for call in unit.calls] for unit in units_in(tmp_path / "c.jsonl") if unit.calls}
    assert found == {"first": ["SELECT 1"], "second": ["SELECT 2"], "rest": ["SELECT 3"]}


def test_a_thread_that_was_started_for_another_unit_of_the_recording_is_not_its(connection: Any, tmp_path: Path):
    """As the server of a test session, which the first test has started."""
    go, done = threading.Event(), threading.Event()

    def serve() -> None:
        go.wait()
        connection.execute("SELECT 1")  # serves
        done.set()

    with dbguard.capture.record(tmp_path / "c.jsonl") as recording:
        recording.unit = recorder.Unit("one", "test")
        for _ in sorted([1]):
            threading.Thread(target=serve).start()
        recording.unit = recorder.Unit("two", "test")
        go.set()
        done.wait()

    (unit,) = [unit for unit in units_in(tmp_path / "c.jsonl") if unit.calls]
    assert unit.name == "two"
    assert lines(unit.calls[0]) == ([line_with("serves")], 0)


def test_tasks_go_on_where_they_were_made(shop: str, tmp_path: Path):
    async def look(connection: Any, key: int) -> None:
        await connection.execute("SELECT %s::int", (key,))  # in the task

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(shop, autocommit=True) as connection:
            with dbguard.capture.unit("page", "request"):
                tasks = []
                for key in sorted([1, 2]):
                    tasks.append(asyncio.create_task(look(connection, key)))  # makes
                for task in tasks:
                    await task
            for _ in sorted([1]):
                task = asyncio.create_task(serve(connection))
            await task

    async def serve(connection: Any) -> None:
        with dbguard.capture.unit("GET /", "request"):
            await look(connection, 3)  # asked by a client

    with dbguard.capture.record(tmp_path / "c.jsonl"):
        asyncio.run(main())

    found = {unit.name: [lines(call) for call in unit.calls] for unit in units_in(tmp_path / "c.jsonl") if unit.calls}
    assert found["page"] == [([line_with("in the task"), line_with("makes")], line_with("makes"))] * 2
    assert found["GET /"] == [([line_with("in the task"), line_with("asked by a client")], 0)]


def test_a_loop_around_a_unit_repeats_units_and_not_calls(connection: Any, tmp_path: Path):
    with dbguard.capture.record(tmp_path / "c.jsonl"):
        for number in sorted([1, 2]):
            with dbguard.capture.unit(f"job {number}"):
                connection.execute("SELECT 1")
                for _ in sorted([1, 2]):
                    connection.execute("SELECT 2")  # inside

    units = [unit for unit in units_in(tmp_path / "c.jsonl") if unit.calls]
    assert [[lines(call)[1] for call in unit.calls] for unit in units] == [[0, line_with("inside"), line_with("inside")]] * 2


def test_what_is_handed_over_is_run_as_it_is(tmp_path: Path):
    def work(*arguments: Any, **options: Any) -> Any:
        if not arguments:
            raise LookupError
        return arguments, options

    before = ThreadPoolExecutor.submit, threading.Thread.start, asyncio.BaseEventLoop.create_task
    with dbguard.capture.record(tmp_path / "c.jsonl"), ThreadPoolExecutor(1) as threads:
        assert threads.submit(work, 1, origin=2, self=3, fn=4).result() == ((1,), {"origin": 2, "self": 3, "fn": 4})
        with pytest.raises(LookupError):
            threads.submit(work).result()
        with pytest.raises(TypeError):
            threads.submit()  # type: ignore[call-arg]
        assert asyncio.run(asyncio.to_thread(work, 5)) == ((5,), {})
    assert (ThreadPoolExecutor.submit, threading.Thread.start, asyncio.BaseEventLoop.create_task) == before

"""What recording costs per call, on a real database: `python benchmarks/capture_overhead.py`.

The same calls are made in turns, with a recording and without, in pairs of blocks that are short enough for the machine to be the
same in both. Shown is the median over the pairs of what a recording adds to the median call, and to the time on the processor, in
which the writing of the file is included. The issue allows 25 microseconds for Core and 60 with ORM attribution.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from time import perf_counter, thread_time
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, relationship

from dbguard import capture
from dbguard.postgres.embedded import start

ALLOWED = {"core": 25.0, "core, deep stack": 25.0, "orm lazy load": 60.0, "orm lazy load, deep stack": 60.0}
DEEP = 60  # frames of libraries between the user's code and the call, as below a test runner or a web framework


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id = mapped_column(sa.Integer, primary_key=True)
    name = mapped_column(sa.Text)
    email = mapped_column(sa.Text)


class Order(Base):
    __tablename__ = "orders"
    id = mapped_column(sa.Integer, primary_key=True)
    customer_id = mapped_column(sa.ForeignKey("customers.id"))
    customer = relationship(Customer)


def deep(work: Callable[[], Any]) -> Callable[[], Any]:
    """`work`, called below frames that are not the user's."""
    space: dict[str, Any] = {}
    exec(compile("def down(left, work):\n    return down(left - 1, work) if left else work()", "<library>", "exec"), space)
    return lambda: space["down"](DEEP, work)


def core(connection: sa.Connection) -> Callable[[], list[float]]:
    statement = sa.select(Customer.__table__).where(Customer.__table__.c.id == sa.bindparam("id"))

    def work() -> list[float]:
        times = []
        for number in range(1, 101):
            began = perf_counter()
            connection.execute(statement, {"id": number}).all()
            times.append(perf_counter() - began)
        return times

    return work


def lazy(session: Session) -> Callable[[], list[float]]:
    def work() -> list[float]:
        session.expunge_all()
        orders = session.scalars(sa.select(Order).limit(100)).all()
        times = []
        for order in orders:
            began = perf_counter()
            order.customer  # noqa: B018 - the load is the point
            times.append(perf_counter() - began)
        return times

    return work


def page(connection: sa.Connection) -> Callable[[], list[float]]:
    statement = sa.select(Customer.__table__).limit(50)

    def work() -> list[float]:
        times = []
        for _ in range(50):
            began = perf_counter()
            connection.execute(statement).all()
            times.append(perf_counter() - began)
        return times

    return work


def raw(connection: psycopg.Connection[Any]) -> Callable[[], list[float]]:
    def work() -> list[float]:
        times = []
        for number in range(1, 101):
            began = perf_counter()
            connection.execute("SELECT id, name FROM customers WHERE id = %s", (number,)).fetchall()
            times.append(perf_counter() - began)
        return times

    return work


def compare(work: Callable[[], list[float]], rounds: int) -> tuple[float, float, float]:
    """Median without, and what a recording adds to the median and to the time on the processor: microseconds."""
    plain: list[float] = []
    more: list[float] = []
    processor: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            medians, spent = {}, {}
            for on in (False, True) if number % 2 else (True, False):
                with capture.record(f"{folder}/{number}.jsonl") if on else nullcontext():
                    work()
                    gc.collect()
                    gc.disable()
                    began = thread_time()
                    times = work()
                    spent[on] = (thread_time() - began) / len(times)
                    gc.enable()
                medians[on] = statistics.median(times)
            plain.append(medians[False])
            more.append(medians[True] - medians[False])
            processor.append(spent[True] - spent[False])
    return statistics.median(plain) * 1e6, statistics.median(more) * 1e6, statistics.median(processor) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with start() as server:
        name = server.create_database()
        engine = sa.create_engine(f"postgresql+psycopg://postgres@/{name}?host={server.folder}&port=5432")
        Base.metadata.create_all(engine)
        with engine.begin() as connection:
            connection.execute(sa.insert(Customer), [{"id": n, "name": f"name {n}", "email": f"{n}@example.com"} for n in range(1, 1001)])
            connection.execute(sa.insert(Order), [{"id": n, "customer_id": n} for n in range(1, 1001)])
        failed = False
        with engine.connect() as connection, Session(engine) as session, psycopg.connect(server.dsn(name)) as direct:
            works = {
                "core": core(connection),
                "core, deep stack": deep(core(connection)),
                "core, page of 50 rows": page(connection),
                "orm lazy load": lazy(session),
                "orm lazy load, deep stack": deep(lazy(session)),
                "psycopg": raw(direct),
            }
            print(f"{'':28}{'without':>10}{'more':>8}{'cpu':>8}   microseconds a call")
            for label, work in works.items():
                base, median, cpu = compare(work, rounds)
                allowed = ALLOWED.get(label)
                verdict = "" if allowed is None else f"   allowed {allowed:.0f}{'' if median <= allowed else '  TOO MUCH'}"
                failed = failed or (allowed is not None and median > allowed)
                print(f"{label:28}{base:10.1f}{median:8.1f}{cpu:8.1f}{verdict}")
        engine.dispose()
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()

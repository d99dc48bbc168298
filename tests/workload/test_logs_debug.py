"""What Django and SQLAlchemy really print gives the calls that were made."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pytest

from dbguard.model.calls import Call, Unit
from dbguard.workload import Workload, read_workload

DJANGO = """
import datetime, logging, sys
import django
from django.conf import settings
settings.configure(DEBUG=True, DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "HOST": sys.argv[1], "PORT": "5432", "USER": "postgres", "NAME": sys.argv[2]}},
    LOGGING={"version": 1, "formatters": {"f": {"format": "%(levelname)s %(asctime)s (%(threadName)s) %(name)s %(message)s"}},
        "handlers": {"c": {"class": "logging.StreamHandler", "formatter": "f"}}, "loggers": {"django.db.backends": {"level": "DEBUG", "handlers": ["c"]}}})
django.setup()
from django.db import connection, transaction
with connection.cursor() as c:
    c.execute("create table t (id int, n text, d date)")
    c.execute("select * from t where id = %s and n = %s", [5, "it's; args=5"])
    c.execute("select *\\nfrom t where n like '%hidden'")
    c.executemany("insert into t values (%s, %s, now())", [(1, "private"), (2, "b")])
    c.execute("select %s, %s", [datetime.date(2020, 1, 1), None])
with transaction.atomic():
    with connection.cursor() as c:
        c.execute("select id from t where id = 5")
print('[21/Nov/2026 15:00:00] "GET /orders/5/lines?x=1 HTTP/1.1" 200 12', file=sys.stderr)
with connection.cursor() as c:
    c.execute("select id from t where id = 5")
"""

SQLALCHEMY = """
import logging, sys
from sqlalchemy import *
if sys.argv[3] == "twice":
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
engine = create_engine(f"postgresql+{sys.argv[4]}://postgres@/{sys.argv[2]}?host={sys.argv[1]}&port=5432", echo="debug" if sys.argv[3] == "debug" else True)
t = Table("t2", MetaData(), Column("id", Integer, primary_key=True), Column("n", String))
with engine.begin() as c:
    t.create(c)
with engine.begin() as c:
    c.execute(insert(t), [{"id": i, "n": "private%d" % i} for i in range(30)])
    c.execute(select(t).where(t.c.id == 5, t.c.n != "x")).all()
    c.execute(select(t).where(t.c.id == 5, t.c.n != "x")).all()
    c.execute(text("select 'hidden', :a"), {"a": 5}).all()
"""


def printed(server: Any, script: str, *arguments: str) -> str:
    name = server.create_database()
    try:
        done = subprocess.run(
            [sys.executable, "-c", script, str(server.folder), name, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
    finally:
        server.drop_database(name)
    return done.stdout


def read(text: str) -> tuple[list[Call], Workload, list[Unit]]:
    workload = read_workload(["-"], io.BytesIO(text.encode()))
    units = list(workload.units)
    return [call for unit in units for call in unit.calls], workload, units


def test_lines_of_django_are_calls_and_requests_end_units(server: Any):
    calls, workload, units = read(printed(server, DJANGO))
    assert workload.formats == {"<stdin>": "debug"}
    assert not workload.skipped
    assert [call.sql for call in calls] == [
        "create table t (id int, n text, d date)",
        "select * from t where id = $1 and n = $2",
        "select *\nfrom t where n like $1",
        "insert into t values ($1, $2, now())",
        "select $1::date, NULL",
        "BEGIN",
        "select id from t where id = $1",
        "COMMIT",
        "select id from t where id = $1",
    ]
    assert calls[3].many == 2
    assert calls[6].parameters == calls[8].parameters == calls[1].parameters[:1]
    assert [bool(call.transaction) for call in calls] == [False] * 5 + [True] * 3 + [False]
    assert [(unit.name, unit.kind) for unit in units] == [("GET /orders/{}/lines", "request"), ("default", "session")]
    assert all(call.seconds is not None for call in calls)
    assert not any(value in repr(units) for value in ("it's", "hidden", "private"))


@pytest.mark.parametrize("driver", ["psycopg"])
@pytest.mark.parametrize("echo", ["once", "twice", "debug"])
def test_echoes_of_sqlalchemy_are_calls(server: Any, echo: str, driver: str):
    calls, workload, units = read(printed(server, SQLALCHEMY, echo, driver))
    assert not workload.skipped
    calls = calls[next(number for number, call in enumerate(calls) if "CREATE TABLE" in call.sql) - 2 :]
    calls = calls[next(number for number, call in enumerate(calls) if call.sql == "COMMIT") + 1 :]
    assert [call.sql.split(" \n")[0][:30] for call in calls] == [
        "BEGIN",
        "INSERT INTO t2 (id, n) VALUES ",
        "SELECT t2.id, t2.n",
        "SELECT t2.id, t2.n",
        "select $2, $1",
        "COMMIT",
    ]
    assert calls[1].many == 30
    assert calls[2].parameters == calls[3].parameters
    assert calls[4].parameters is not None
    assert calls[2].parameters is not None
    assert calls[4].parameters[0] == calls[2].parameters[0]
    assert len({call.transaction for call in calls}) == 1
    assert calls[2].rows == (1 if echo == "debug" else None)
    assert not any(value in repr(units) for value in ("hidden", "private"))


def test_a_log_without_statements_is_no_workload():
    calls, workload, _ = read("INFO 2026-11-21 15:00:00 app started\nINFO 2026-11-21 15:00:01 app stopped\n")
    assert not calls
    assert workload.unread == [("<stdin>", "its format is not known")]

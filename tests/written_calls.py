"""Calls as rule pages and tests write them: JSON lines, one call each, made into a unit of work.

    {"sql": "SELECT id FROM orders", "at": "shop/views.py:12", "results": {"id": ["1", "2"]}}
    {"times": 3, "sql": "SELECT * FROM customers WHERE id = $1", "parameters": ["#"], "loop": "shop/views.py:14"}
    {"times": 3, "calls": [{"sql": "..."}, {"sql": "..."}]}

`#` stands for the number of the round. Hashes are written as the values that they would be of. `load` is event, Owner.attribute or
Owner, "many" or "one", and the ORM: "lazy Order.items many sqlalchemy". `after` is the time in seconds since the end of the call before.
"""

from __future__ import annotations

import json
from typing import Any

from dbguard.model.calls import Call, Frame, Load, Result, Unit


def unit_of(text: str, *, name: str = "GET /orders", kind: str = "request", phase: str = "") -> Unit:
    calls: list[Call] = []
    clock = 0.0
    for line in text.splitlines():
        if line.strip():
            for one in _rounds(json.loads(line)):
                clock += one.get("after", 0.001)
                calls.append(call_of(one, len(calls) + 1, clock))
                clock += one.get("seconds", 0.001)
    return Unit(name, name, kind, phase, tuple(calls))


def _rounds(entry: dict[str, Any]) -> list[dict[str, Any]]:
    times, inner = entry.pop("times", 1), entry.pop("calls", None)
    texts = [json.dumps(one) for one in (inner if inner is not None else [entry])]
    return [json.loads(text.replace("#", str(number))) for number in range(1, times + 1) for text in texts]


def call_of(one: dict[str, Any], number: int, started: float) -> Call:
    loop = _frame(one["loop"]) if "loop" in one else None
    frames = tuple(map(_frame, one["at"].split())) if "at" in one else (() if loop is None else (loop,))
    results = tuple(Result(column, tuple(values)) for column, values in one.get("results", {}).items())
    return Call(
        one["sql"],
        number,
        parameters=tuple(one.get("parameters", ())) if one.get("many", 1) == 1 else None,
        rows=one.get("rows", max((len(result.values) for result in results), default=None)),
        seconds=one.get("seconds", 0.001),
        started=started,
        many=one.get("many", 1),
        connection="1",
        transaction=one.get("transaction", ""),
        frames=frames,
        loop=loop,
        load=_load(one.get("load", "")),
        results=results,
        driver=one.get("driver", "psycopg"),
        database=one.get("database", ""),
        error=one.get("error", ""),
    )


def _frame(text: str) -> Frame:
    path, _, line = text.rpartition(":")
    return Frame(path, int(line))


def _load(text: str) -> Load | None:
    if not text:
        return None
    event, what, many, orm = text.split()
    owner, _, attribute = what.partition(".")
    return Load("" if event == "query" else event, owner, attribute, many == "many", orm)

"""OTLP traces: old and new names, several layers, several lines, and traces of other things."""

from __future__ import annotations

import io
import json
from typing import Any

from dbguard.model.calls import Frame, Unit
from dbguard.workload import Workload, read_workload


def attribute(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}


def span(number: int, parent: int | None, name: str, kind: int = 3, **attributes: Any) -> dict[str, Any]:
    found = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": f"{number:016x}",
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(1_700_000_000_000_000_000 + number * 1_000_000),
        "endTimeUnixNano": str(1_700_000_000_000_000_000 + number * 1_000_000 + 2_000_000),
        "attributes": [attribute(key.replace("__", "."), value) for key, value in attributes.items()],
    }
    return found | ({"parentSpanId": f"{parent:016x}"} if parent is not None else {})


def export(*spans: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceSpans": [
            {"resource": {"attributes": [attribute("service.name", "shop")]}, "scopeSpans": [{"scope": {"name": "x"}, "spans": list(spans)}]}
        ]
    }


def read(text: str) -> tuple[list[Unit], Workload]:
    workload = read_workload(["-"], io.BytesIO(text.encode()))
    return list(workload.units), workload


OLD = span(3, 2, "SELECT", db__system="postgresql", db__statement="SELECT * FROM a WHERE b = 'secret' AND c = %s", db__name="shop")
NEW = span(
    4, 2, "SELECT", db__system__name="postgresql", db__query__text="SELECT * FROM a WHERE b = $1 AND c = $2", db__namespace="shop",
    db__response__returned_rows=5, code__file__path="app/views.py", code__line__number=7, code__function__name="list_orders",
)  # fmt: skip
ROOT = span(1, None, "GET /orders", kind=2)
MIDDLE = span(2, 1, "Session.execute", kind=1)


def test_old_and_new_names_are_the_same_call_in_the_unit_of_the_request():
    units, workload = read(json.dumps(export(ROOT, MIDDLE, OLD, NEW), indent=1))
    (unit,) = units
    assert (unit.name, unit.kind) == ("GET /orders", "trace")
    assert [call.sql for call in unit.calls] == ["SELECT * FROM a WHERE b = $2 AND c = $1", "SELECT * FROM a WHERE b = $1 AND c = $2"]
    assert [call.database for call in unit.calls] == ["shop", "shop"]
    assert unit.calls[1].rows == 5
    assert unit.calls[1].frames == (Frame("app/views.py", 7, "list_orders"),)
    assert unit.calls[0].seconds == 0.002
    assert "secret" not in repr(units)
    assert not workload.skipped


def test_lines_of_a_file_exporter_make_one_trace_whatever_their_order():
    units, _ = read("\n".join(json.dumps(export(each)) for each in (OLD, NEW, MIDDLE, ROOT)))
    assert [(unit.name, len(unit.calls)) for unit in units] == [("GET /orders", 2)]


def test_a_statement_seen_by_two_layers_is_one_call():
    inner = span(5, 4, "query", db__system="postgresql", db__statement="SELECT * FROM a WHERE b = $1 AND c = $2")
    units, _ = read(json.dumps(export(ROOT, MIDDLE, NEW, inner)))
    assert [len(unit.calls) for unit in units] == [1]


def test_spans_of_other_databases_are_counted_and_spans_of_none_are_not():
    units, workload = read(json.dumps(export(ROOT, span(7, 1, "GET", db__system="redis", db__statement="GET x"), OLD)))
    assert [call.sql[:8] for unit in units for call in unit.calls] == ["SELECT *"]
    assert workload.skipped == {"spans of other databases": 1}


def test_a_failed_span_is_a_call_with_its_error():
    failed = NEW | {"status": {"code": 2}, "attributes": [*NEW["attributes"], attribute("db.response.status_code", "40001")]}
    units, _ = read(json.dumps(export(failed)))
    assert units[0].calls[0].error == "40001"


def test_of_a_file_that_is_cut_off_the_whole_spans_are_used():
    text = json.dumps(export(ROOT, MIDDLE, OLD, NEW), indent=1)
    units, workload = read(text[: text.rindex("app/views.py")])
    assert [call.sql[:8] for unit in units for call in unit.calls] == ["SELECT *"]
    assert workload.notes
    units, workload = read("\n".join([json.dumps(export(ROOT)), json.dumps(export(OLD))[:-5], json.dumps(export(NEW))]))
    assert sum(len(unit.calls) for unit in units) == 2  # the span inside of the line that was cut is whole
    assert workload.notes


def test_values_of_any_type_do_no_harm():
    for wrong in (None, 5, [], {}, "x", [None], [[1]], {"a": 1}, float("1e400")):
        for key in ("attributes", "kind", "startTimeUnixNano", "name", "status", "parentSpanId", "traceId", "spanId"):
            read(json.dumps(export(NEW | {key: wrong})))
        read(json.dumps({"resourceSpans": wrong}))
        read(json.dumps({"resourceSpans": [{"resource": wrong, "scopeSpans": [{"spans": wrong}]}]}))

"""OTLP traces in JSON to units: spans in, one unit for each request or task out, with the calls below it.

A file may be one export, an array of them, or JSON lines of a file exporter. Attributes have the names of the stable conventions
(`db.query.text`) or the older ones (`db.statement`). The unit is the nearest server or consumer span above, else the topmost one known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from dbguard.model.calls import Call, Frame, Unit
from dbguard.workload.hiding import Hiding
from dbguard.workload.json_values import Values

MOST_SPANS = 200_000
_OURS = frozenset({"postgresql", "postgres", "postgis", "pgx", "aurora_postgresql", "other_sql", "sql", ""})
_ENTRIES = frozenset({2, 5, "2", "5", "SPAN_KIND_SERVER", "SPAN_KIND_CONSUMER"})
_MOST_DEPTH = 100


class Span:
    __slots__ = ("call", "entry", "name", "parent")

    def __init__(self, parent: str, name: str, *, entry: bool) -> None:
        self.parent = parent
        self.name = name
        self.entry = entry
        self.call: Call | None = None


class OtlpReader:
    def __init__(self, source: str, hiding: Hiding, skipped: Counter[str], ready: list[Unit]) -> None:
        self._source = source
        self._hiding = hiding
        self._skipped = skipped
        self._ready = ready
        self._values = Values(skipped)
        self._traces: dict[str, dict[str, Span]] = {}
        self._spans = 0
        self._number = 0
        self._line = 0

    def feed(self, text: str) -> None:
        for line, value in self._values.feed(text):
            self._take(value, line)

    def close(self) -> None:
        for line, value in self._values.close():
            self._take(value, line)
        for trace in list(self._traces):
            self._hand_on(trace)

    def _take(self, value: dict[str, Any], line: int) -> None:
        self._line = line
        for span, service in _spans(value):
            trace, number = span.get("traceId") or span.get("trace_id"), span.get("spanId") or span.get("span_id")
            if not isinstance(trace, str) or not isinstance(number, str):
                self._skipped["spans without an id"] += 1
                continue
            parent = span.get("parentSpanId") or span.get("parent_span_id") or ""
            found = Span(str(parent), str(span.get("name") or ""), entry=_is_entry(span.get("kind")))
            found.call = self._call(span, service)
            spans = self._traces.pop(trace, {})
            self._traces[trace] = spans  # the trace that was seen last stands last
            spans[number] = found
            self._spans += 1
        while self._spans > MOST_SPANS:
            self._hand_on(next(iter(self._traces)))

    def _call(self, span: dict[str, Any], service: str) -> Call | None:
        given = _attributes(span.get("attributes"))
        text = given.get("db.query.text") or given.get("db.statement")
        if not isinstance(text, str):
            if "db.system" in given or "db.system.name" in given:
                self._skipped["spans of a database without a text"] += 1
            return None
        system = str(given.get("db.system.name") or given.get("db.system") or "").lower()
        if system not in _OURS:
            self._skipped["spans of other databases"] += 1
            return None
        sql, values, tags = self._hiding.with_placeholders(text)
        parameters = tuple(
            self._hiding.value(str(value))
            for key, value in sorted(given.items())
            if key.startswith(("db.query.parameter.", "db.statement.parameter."))
        )
        begun, ended = _nanoseconds(span, "startTimeUnixNano"), _nanoseconds(span, "endTimeUnixNano")
        status = span.get("status")
        failed = isinstance(status, dict) and status.get("code") in {2, "2", "STATUS_CODE_ERROR"}
        rows = _whole(given.get("db.response.returned_rows"))
        route = given.get("http.route")
        return Call(
            sql,
            source=self._source,
            line=self._line,
            parameters=(*parameters, *values) if parameters or values else None,
            rows=rows,
            seconds=None if begun is None or ended is None else max(0, ended - begun) / 1e9,
            started=None if begun is None else begun / 1e9,
            many=max(1, _whole(given.get("db.operation.batch.size")) or 1),
            connection=service,
            frames=_frames(given),
            driver="otlp",
            database=str(given.get("db.namespace") or given.get("db.name") or ""),
            error=str(given.get("db.response.status_code") or given.get("error.type") or "error") if failed else "",
            tags=tags or ((("route", str(route)),) if route else ()),
        )

    def _hand_on(self, trace: str) -> None:
        spans = self._traces.pop(trace)
        self._spans -= len(spans)
        units: dict[str, list[Call]] = {}
        for number, span in spans.items():
            if span.call is None or _is_told_above(spans, span):
                continue
            units.setdefault(_top(spans, number), []).append(span.call)
        for top, calls in units.items():
            key = f"{trace}/{top}"
            name = spans[top].name if top in spans and spans[top].call is None else trace
            calls.sort(key=lambda call: call.started or 0.0)
            numbered = []
            for call in calls:
                self._number += 1
                numbered.append(call._replace(unit=key, number=self._number))
            self._ready.append(Unit(key, name, "trace", calls=tuple(numbered)))


def _spans(value: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The spans of an export, with the service that sent them; of a lone span, itself."""
    if ("traceId" in value or "trace_id" in value) and ("spanId" in value or "span_id" in value):
        yield value, ""
        return
    scopes: list[tuple[Any, str]] = []
    for resource in _objects(value.get("resourceSpans") or value.get("resource_spans") or [value]):
        described = resource.get("resource")
        service = str(_attributes(described.get("attributes")).get("service.name") or "") if isinstance(described, dict) else ""
        inner = resource.get("scopeSpans") or resource.get("scope_spans") or resource.get("instrumentationLibrarySpans") or [resource]
        scopes += [(scope, service) for scope in _objects(inner)]
    for scope, service in scopes:
        for span in _objects(scope.get("spans")):
            yield span, service


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _attributes(given: Any) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    found: dict[str, Any] = {}
    for item in _objects(given):
        value = item.get("value")
        if isinstance(value, dict) and isinstance(item.get("key"), str):
            found[item["key"]] = next(iter(value.values()), None)
    return found


def _is_entry(kind: Any) -> bool:
    return isinstance(kind, (int, str)) and kind in _ENTRIES


def _nanoseconds(span: dict[str, Any], key: str) -> int | None:
    return _whole(span.get(key) or span.get("start_time_unix_nano" if key[0] == "s" else "end_time_unix_nano"))


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _frames(given: dict[str, Any]) -> tuple[Frame, ...]:
    path = given.get("code.file.path") or given.get("code.filepath")
    if not isinstance(path, str) or not path:
        return ()
    line = _whole(given.get("code.line.number") or given.get("code.lineno")) or 0
    return (Frame(path.replace("\\", "/"), line, str(given.get("code.function.name") or given.get("code.function") or "")),)


def _is_told_above(spans: dict[str, Span], span: Span) -> bool:
    """Whether the span above is the same statement, seen by an outer layer."""
    parent = spans.get(span.parent)
    return parent is not None and parent is not span and parent.call is not None and span.call is not None and parent.call.sql == span.call.sql


def _top(spans: dict[str, Span], number: str) -> str:
    """The nearest server or consumer span above a span, else the topmost that is known."""
    for _ in range(_MOST_DEPTH):
        span = spans.get(number)
        if span is None or not span.parent or (span.entry and span.call is None):
            return number
        number = span.parent
    return number

"""Exports of pg_stat_statements to `Total`s: CSV with a header, or JSON, of the view of any version from 9.4 to 18.

Columns are found by name. Times are milliseconds there and seconds here.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from typing import Any

from dbguard.model.calls import Total
from dbguard.workload.hiding import Hiding
from dbguard.workload.json_values import Values

MOST_TEXT = 64 << 20
_TIMES = ("total_exec_time", "total_time")
_USERS = ("usename", "rolname", "username", "user", "userid")
_DATABASES = ("datname", "dbname", "database", "dbid")


class StatementsReader:
    """Takes the text of one export, gives its totals to `give`."""

    def __init__(self, source: str, hiding: Hiding, skipped: Counter[str], give: Callable[[Total], None], *, as_json: bool) -> None:
        self._source = source
        self._hiding = hiding
        self._skipped = skipped
        self._give = give
        self._values = Values(skipped) if as_json else None
        self._text: list[str] = []
        self._size = 0

    def feed(self, text: str) -> None:
        if self._values is not None:
            for line, row in self._values.feed(text):
                self.row(row, line)
            return
        self._size += len(text)
        if self._size <= MOST_TEXT:
            self._text.append(text)

    def close(self) -> None:
        if self._values is not None:
            for line, row in self._values.close():
                self.row(row, line)
            return
        if self._size > MOST_TEXT:
            self._skipped["exports longer than 64 MB, whose end was not read"] += 1
        self._table("".join(self._text))

    def _table(self, text: str) -> None:
        limit = csv.field_size_limit(MOST_TEXT)
        try:
            head = text.split("\n", 1)[0]
            delimiter = max(",;\t|", key=head.count)
            rows = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
            names = [name.strip().strip('"').lower() for name in next(rows, [])]
            line = rows.line_num + 1
            for row in rows:
                if len(row) == len(names):
                    self.row(dict(zip(names, row, strict=True)), line)
                elif row:
                    self._skipped["rows with the wrong number of columns"] += 1
                line = rows.line_num + 1
        except csv.Error:
            self._skipped["rows that are no CSV"] += 1
        finally:
            csv.field_size_limit(limit)

    def row(self, row: dict[str, Any], line: int) -> None:
        """Takes a row of the view, by the names of its columns in any version."""
        query = row.get("query")
        if not isinstance(query, str) or not query.strip() or query == "<insufficient privilege>":
            self._skipped["statements whose text is not shown"] += 1
            return
        if str(row.get("toplevel", "t")).lower() in {"f", "false"}:
            self._skipped["statements that a function ran"] += 1
            return
        calls, rows = _number(row.get("calls")), _number(row.get("rows"))
        spent = next((_number(row[name]) for name in _TIMES if row.get(name) not in {None, ""}), 0.0)
        if calls is None or spent is None:
            self._skipped["rows without numbers"] += 1
            return
        sql, _, _ = self._hiding.statement(query)
        self._give(Total(sql, int(calls), int(rows or 0), spent / 1000, _first(row, _USERS), _first(row, _DATABASES), self._source, line))


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < 1e18 else None


def _first(row: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((str(row[name]) for name in names if row.get(name) not in {None, ""}), "")

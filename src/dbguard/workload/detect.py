"""What a source is, by its first bytes and never by its name: text in, the name of a format out.

"capture", "stderr", "csvlog", "jsonlog", "docker", "statements-csv", "statements-json", "otlp", "debug", or "" for none of these.
"""

from __future__ import annotations

import json
import re
from typing import Any

from dbguard.workload.csvlog import BEGINNING
from dbguard.workload.debug_logs import looks_like_debug
from dbguard.workload.stderr_log import guess

SAMPLE = 1 << 18
_CSV_RECORD = re.compile(rf"^{BEGINNING}(?:\"(?:[^\"]|\"\")*\")?,(?:\"(?:[^\"]|\"\")*\")?,", re.MULTILINE)
_OTLP = re.compile(r'"resource_?[sS]pans"\s*:')
_STATEMENTS = re.compile(r'"query"\s*:')
_CALLS = re.compile(r'"calls"\s*:')
_MOST_LINES = 50


def format_of(sample: str) -> str:
    """The format of a source that begins with `sample`."""
    head = sample.lstrip("\ufeff \t\r\n")
    found = _json_format(head) if head[:1] in {"{", "["} else ""
    if found:
        return found
    if _CSV_RECORD.search(sample) is not None:
        return "csvlog"
    if _is_export(head):
        return "statements-csv"
    debug = looks_like_debug(sample)
    if guess(sample) is not None:
        return "stderr"
    return "debug" if debug else _json_lines_format(sample)


def _json_format(head: str) -> str:
    for line in head.split("\n", _MOST_LINES)[:_MOST_LINES]:
        found = _object_format(_loaded(line))
        if found:
            return found
    if _OTLP.search(head):
        return "otlp"
    if _STATEMENTS.search(head) and _CALLS.search(head):
        return "statements-json"
    return ""


def _json_lines_format(sample: str) -> str:
    """Of JSON lines after some junk."""
    for line in sample.split("\n", 2_000)[:2_000]:
        if line[:1] == "{":
            found = _object_format(_loaded(line))
            if found:
                return found
    return ""


def _loaded(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _object_format(entry: Any) -> str:
    if isinstance(entry, list) and entry:
        entry = entry[0]
    if not isinstance(entry, dict):
        return ""
    if "error_severity" in entry:
        return "jsonlog"
    if "resourceSpans" in entry or "resource_spans" in entry:
        return "otlp"
    if "query" in entry and "calls" in entry:
        return "statements-json"
    if isinstance(entry.get("log"), str) and "stream" in entry:
        return "docker"
    return "capture" if entry.get("dbguard") == "capture" else ""


def _is_export(head: str) -> bool:
    """Whether the first line names the columns of pg_stat_statements."""
    names = {name.strip().strip('"').lower() for name in re.split(r"[,;\t|]", head.split("\n", 1)[0][:4_000])}
    return "query" in names and "calls" in names

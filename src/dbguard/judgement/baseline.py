"""Findings on queries that were there when dbguard was adopted.

In: findings, and the file of those that are known. Out: the findings that are not in it, and the entries that nothing matches any more.
An entry is a rule, a shape and a place: file and function, no line numbers. Migrations are adopted with `start-after` instead.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring as _quoted
from math import inf
from typing import Any

from dbguard.config import Config
from dbguard.errors import ConfigError, UnreadableSource
from dbguard.model.finding import Finding
from dbguard.model.record import Record
from dbguard.reading.names import is_sql
from dbguard.rulebook.select import Selection

VERSION = 1
NAME = "dbguard-baseline.json"
MOST_BYTES = 64 << 20
_FIELDS = ("rule", "shape", "path", "function")


class Entry(Record):
    """What is known: a rule, the shape that it speaks of, and where that is sent. Empty: not known, or of no matter."""

    rule: str
    shape: str = ""
    path: str = ""  # below the folder of the configuration, with forward slashes
    function: str = ""


class Baseline(Record):
    """A file of entries, and of numbers to compare later runs with."""

    path: str  # as the user would write it
    entries: Mapping[Entry, str]  # with the beginning of the shape's text, for whoever reads the file
    units: Mapping[str, int] = {}  # queries of each named unit of work
    shapes: Mapping[str, int] = {}  # calls of each shape
    costs: Mapping[str, float] = {}  # of the plan of each shape, on the snapshot of that day

    def text(self) -> str:
        """The file: sorted, one entry a line."""
        findings = [_line(entry, sql) for entry, sql in sorted(self.entries.items())]
        units = [f"{_quoted(name)}: {queries}" for name, queries in sorted(self.units.items())]
        numbers = {shape: {"calls": self.shapes.get(shape), "cost": self.costs.get(shape)} for shape in sorted({*self.shapes, *self.costs})}
        shapes = [f"{_quoted(shape)}: {json.dumps({key: one for key, one in known.items() if one is not None})}" for shape, known in numbers.items()]
        return (
            f'{{\n  "dbguard": "baseline",\n  "version": {VERSION},\n  "findings": {_block(findings, "[]", 2)},\n'
            f'  "budgets": {{\n    "units": {_block(units, "{}", 4)},\n    "shapes": {_block(shapes, "{}", 4)}\n  }}\n}}\n'
        )


class Looked(Record):
    """What a run looked at: only of that can be said that an entry was not found."""

    calls: bool = False
    files: frozenset[str] = frozenset()  # of queries, as in entries
    subjects: frozenset[str] = frozenset()  # that woke checks: Query, Unit, Totals


class Known(Record):
    """A baseline, and what the run looked at that is set against it."""

    baseline: Baseline
    looked: Looked = Looked()


class Compared(Record):
    """Findings set against a baseline."""

    findings: tuple[Finding, ...]  # that it does not have
    silent: int
    gone: tuple[Entry, ...]  # that this run looked for in vain


def is_on_query(finding: Finding) -> bool:
    """Whether a finding is about a query or a unit of work, not about a migration."""
    return bool(finding.shape or finding.calls)


def place_of(config: Config) -> tuple[str, str]:
    """The absolute path of the baseline, and how the user would write it. From the command line it is relative to the working directory."""
    name = config.baseline or NAME
    base = config.cwd if config.given.get("baseline") == "the command line" else config.root
    path = os.path.normpath(os.path.join(base, name))
    return path, path.removeprefix(config.cwd.rstrip(os.sep) + os.sep)


def entries_of(finding: Finding, selection: Selection, config: Config) -> tuple[Entry, ...]:
    """The entries that would silence a finding. What is wrong with a query itself is so wherever it is sent from."""
    rule = selection.rules.get(finding.rule)
    places = finding.places if rule is not None and "Query" in rule.header.wakes else finding.places[:1]
    if places:
        found = [Entry(finding.rule, finding.shape, _below(path, config.root, config), function) for path, _, function in places]
        return tuple(dict.fromkeys(found))
    # A log or an export is called otherwise the next time.
    path = "" if finding.calls else _below(finding.path, config.cwd, config)
    return (Entry(finding.rule, finding.shape, path),)


def below(paths: Iterable[str], config: Config) -> frozenset[str]:
    """Paths of files as entries have them."""
    return frozenset(_below(path, config.cwd, config) for path in paths)


def _below(path: str, base: str, config: Config) -> str:
    full = os.path.normpath(os.path.join(base, path))
    return full.removeprefix(config.root.rstrip(os.sep) + os.sep).replace(os.sep, "/")


def compare(known: Known, findings: Iterable[Finding], selection: Selection, config: Config) -> Compared:
    """Findings without those that are known."""
    entries = {_renamed(entry, selection): entry for entry in known.baseline.entries}
    kept: list[Finding] = []
    used: set[Entry] = set()
    silent = 0
    for finding in findings:
        own = [entry for entry in entries_of(finding, selection, config) if entry in entries] if is_on_query(finding) else []
        used.update(own)
        silent += bool(own)
        if not own:
            kept.append(finding)
    gone = [written for entry, written in entries.items() if entry not in used and _was_looked_for(entry, known.looked, selection)]
    return Compared(tuple(kept), silent, tuple(gone))


def _renamed(entry: Entry, selection: Selection) -> Entry:
    rule = selection.book.find(entry.rule)
    return entry if rule is None else entry._replace(rule=rule.name)


def _was_looked_for(entry: Entry, looked: Looked, selection: Selection) -> bool:
    rule = selection.rules.get(entry.rule)
    if rule is None:
        return selection.book.find(entry.rule) is None
    if looked.subjects.isdisjoint(rule.header.wakes):
        return False
    return entry.path in looked.files if is_sql(entry.path) else looked.calls


def read(config: Config) -> Baseline:
    """The baseline of a configuration. Raises `ConfigError` if there is none, `UnreadableSource` if it cannot be understood."""
    path, shown = place_of(config)
    try:
        with open(path, "rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{shown}: there is no such baseline; `dbguard baseline write` makes one") from None
    except (OSError, ValueError) as error:
        raise UnreadableSource(f"{shown}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if len(raw) > MOST_BYTES:
        raise UnreadableSource(f"{shown}: longer than {MOST_BYTES >> 20} MB, so it is no baseline")
    return parse(raw, shown)


def parse(raw: bytes, shown: str) -> Baseline:
    """The baseline in the bytes of a file that users know as `shown`. Raises `UnreadableSource`."""
    try:
        document = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnreadableSource(f"{shown}: not UTF-8 (byte {error.start})") from error
    except ValueError as error:
        conflict = " (it has the marks of a merge conflict: `dbguard baseline write` makes it anew)" if b"\n<<<<<<<" in b"\n" + raw else ""
        raise UnreadableSource(f"{shown}: not valid JSON: {error}{conflict}") from error
    except RecursionError as error:
        raise UnreadableSource(f"{shown}: not valid JSON: nested too deeply") from error
    if not isinstance(document, dict) or document.get("dbguard") != "baseline":
        raise UnreadableSource(f"{shown}: not a baseline of dbguard; `dbguard baseline write -o FILE` makes one")
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise UnreadableSource(f"{shown}: `version` must be a whole number from 1 on")
    if version > VERSION:
        raise UnreadableSource(f"{shown}: written by a newer dbguard (version {version} of the format, this one knows {VERSION}): update dbguard")
    budgets = document.get("budgets")
    budgets = budgets if isinstance(budgets, dict) else {}
    shapes = {key: value for key, value in _table(budgets.get("shapes")).items() if isinstance(value, dict)}
    calls, costs = ({key: value.get(name) for key, value in shapes.items()} for name in ("calls", "cost"))
    entries = _entries(document.get("findings"), shown)
    return Baseline(shown, entries, _numbers(_table(budgets.get("units"))), _numbers(calls), _amounts(costs))


def _entries(values: Any, shown: str) -> dict[Entry, str]:
    if not isinstance(values, list):
        raise UnreadableSource(f"{shown}: `findings` must be a list")
    found: dict[Entry, str] = {}
    for index, value in enumerate(values):
        fields = [value.get(name, "") for name in _FIELDS] if isinstance(value, dict) else []
        if not fields or not fields[0] or not all(isinstance(field, str) for field in fields):
            raise UnreadableSource(f"{shown}: findings[{index}] must be a table with texts: rule, and where known shape, path, function")
        sql = value.get("sql")
        found[Entry(*fields)] = sql if isinstance(sql, str) else ""
    return found


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _numbers(values: Mapping[str, Any]) -> dict[str, int]:
    return {key: value for key, value in values.items() if type(value) is int and value >= 0}


def _amounts(values: Mapping[str, Any]) -> dict[str, float]:
    return {key: float(value) for key, value in values.items() if type(value) in {int, float} and 0 <= value < inf}


def _line(entry: Entry, sql: str) -> str:
    pairs = [(name, text) for name, text in (*zip(_FIELDS, entry, strict=True), ("sql", sql)) if text]
    return "{" + ", ".join(f'"{name}": {_quoted(text)}' for name, text in pairs) + "}"


def _block(lines: list[str], empty: str, indent: int) -> str:
    if not lines:
        return empty
    space = "\n" + " " * indent
    return f"{empty[0]}{space}  {f',{space}  '.join(lines)}{space}{empty[1]}"

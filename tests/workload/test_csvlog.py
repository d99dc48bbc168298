"""Records of the csvlog as the server quotes them, and nearly so: the pattern and the csv module must agree."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from dbguard.workload import read_workload
from dbguard.workload.csvlog import _RECORD

HEAD = '2026-11-21 10:00:00.000 UTC,"app","shop",77,"[local]",691f0.4d,1,"SELECT",2026-11-21 10:00:00 UTC,3/7,0,'
MESSAGES = [
    'duration: 0.5 ms  statement: SELECT "a" FROM t WHERE b = \'x, "y"\'',
    "duration: 0.5 ms  execute s1: SELECT a,\n  b\nFROM t WHERE c = $1",
    'duration: 0.5 ms  execute "odd: name": SELECT 1',
    "duration: 0.5 ms  execute fetch from s1: SELECT a FROM t",
    "duration: 0.5 ms  parse <unnamed>: SELECT a FROM t",
    "duration: 12 ms",
    "statement: SELECT a FROM t",
    'statement "x" is no statement',
    "",
]


def record(message: str, detail: str = "", *, quote_all: bool = False, level: str = "LOG") -> str:
    quoted = ['"' + text.replace('"', '""') + '"' if text else "" for text in (message, detail)]
    text = f'{HEAD}{level},00000,{",".join(quoted)},,,,,,,,"web","client backend",,0\n'
    if not quote_all:
        return text
    row = next(csv.reader([text]))
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(row[1:])
    return f"{row[0]},{out.getvalue()}"


def calls(text: str) -> list[tuple[Any, ...]]:
    workload = read_workload(["-"], io.BytesIO(text.encode()))
    found = [call for unit in workload.units for call in unit.calls]
    return [(one.sql, one.line, one.seconds, len(one.parameters or ()), one.database, one.tags, one.error) for one in found]


@pytest.mark.parametrize("message", MESSAGES)
@pytest.mark.parametrize("detail", ["", "parameters: $1 = 'a \"b\"', $2 = NULL", 'prepare: PREPARE "p:a" AS SELECT $1::int'])
def test_the_pattern_reads_what_the_csv_module_reads(message: str, detail: str):
    usual, other = record(message, detail), record(message, detail, quote_all=True)
    assert _RECORD.fullmatch(usual.rstrip("\n")) is not None
    assert _RECORD.fullmatch(other.rstrip("\n")) is None
    assert calls(record("duration: 1 ms  statement: SELECT 9") + usual) == calls(record("duration: 1 ms  statement: SELECT 9") + other)


@pytest.mark.parametrize("tail", ["", ',"client backend"', ',"client backend",,', ',"client backend",5,-77', ",,,", ",,,,new,columns"])
def test_columns_of_every_version_are_read(tail: str):
    text = f'{HEAD}LOG,00000,"duration: 1 ms  statement: SELECT a FROM t",,,,,,,,,"web"{tail}\n'
    assert _RECORD.fullmatch(text.rstrip("\n")) is not None
    assert [one[0] for one in calls(text)] == ["SELECT a FROM t"]


def test_a_record_that_is_cut_anywhere_gives_no_other_call():
    whole = record("duration: 0.5 ms  statement: SELECT a FROM t WHERE b = 'x'", "detail")
    for end in range(len(HEAD), len(whole) - 1):
        found = calls(whole[:end] + "\n" + record("duration: 0.5 ms  statement: SELECT 2"))
        assert [one[0] for one in found] in (["SELECT 2"], ["SELECT a FROM t WHERE b = $1", "SELECT 2"]), end


def test_an_error_has_its_statement():
    text = f'{HEAD}ERROR,23505,"duplicate key value ""x""","Key (a)=(1) exists.",,,,,"INSERT INTO t VALUES (1)",,,"web","client backend",,0\n'
    assert [(one[0], one[-1]) for one in calls(text)] == [("INSERT INTO t VALUES ($1)", "23505")]

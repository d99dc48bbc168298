"""What a real server wrote into its logs gives exactly the calls that were sent to it."""

from __future__ import annotations

import gzip
import io
from itertools import pairwise
from pathlib import Path

import pytest

from dbguard.model.calls import Call
from dbguard.workload import Workload, read_workload
from dbguard.workload.hiding import Hiding
from tests.workload.conftest import Logs

FORMATS = ("stderr", "csv", "json")


def calls_of(workload: Workload) -> list[Call]:
    return sorted((call for unit in workload.units for call in unit.calls), key=lambda call: call.number)


def read(path: Path) -> tuple[list[Call], Workload]:
    workload = read_workload([str(path)])
    return calls_of(workload), workload


@pytest.mark.parametrize("form", FORMATS)
def test_every_statement_is_one_call_in_the_order_in_which_it_was_sent(logs: Logs, form: str):
    calls, workload = read(getattr(logs, form))
    assert [(call.sql, call.error) for call in calls] == [(sent.sql, sent.error) for sent in logs.sent]
    assert not workload.skipped
    assert not workload.notes


@pytest.mark.parametrize("form", FORMATS)
def test_equal_values_have_equal_hashes_however_they_were_sent(logs: Logs, form: str):
    calls, _ = read(getattr(logs, form))
    hashes: dict[str | None, str] = {None: ""}
    for call, sent in zip(calls, logs.sent, strict=True):
        if sent.error and call.parameters is None:
            continue
        assert call.parameters is not None
        assert len(call.parameters) == len(sent.parameters), call
        for found, value in zip(call.parameters, sent.parameters, strict=True):
            assert hashes.setdefault(value, found) == found
    assert len(set(hashes.values())) == len(hashes)


@pytest.mark.parametrize("form", FORMATS)
def test_no_value_leaves_the_reader(logs: Logs, form: str):
    calls = read(getattr(logs, form))[0]
    text = repr(calls)
    assert not any("1000" in call.sql for call in calls)
    for value in ("it's", "secret", "private", "seven", "the end", "copied", "again"):
        assert value not in text


@pytest.mark.parametrize("form", FORMATS)
def test_durations_and_times_and_transactions_are_known(logs: Logs, form: str):
    calls, _ = read(getattr(logs, form))
    for call, sent in zip(calls, logs.sent, strict=True):
        assert call.started is not None
        assert (call.seconds is None) == bool(sent.error)
    pipeline = "SELECT note" if form != "stderr" else "-"  # one implicit transaction, which only %v tells
    assert [bool(call.transaction) for call in calls] == [sent.in_transaction or sent.sql.startswith(pipeline) for sent in logs.sent]
    assert len({call.transaction for call in calls if call.transaction}) == (1 if form == "stderr" else 2)
    starts = [call.started for call in calls]
    assert max(later - earlier for earlier, later in pairwise(starts)) < 5


@pytest.mark.parametrize("form", FORMATS)
def test_tags_of_a_comment_are_read_and_the_comment_goes(logs: Logs, form: str):
    (tagged,) = [call for call in read(getattr(logs, form))[0] if dict(call.tags).get("controller")]
    assert dict(tagged.tags) == {"action": "show", "controller": "orders", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


@pytest.mark.parametrize("form", FORMATS)
def test_a_line_number_is_where_the_entry_stands(logs: Logs, form: str):
    path = getattr(logs, form)
    lines = path.read_text().split("\n")
    for call in read(path)[0]:
        assert call.source == str(path)
        assert "duration: " in lines[call.line - 1] or "ERROR" in lines[call.line - 1]


def test_the_same_log_compressed_or_from_standard_input_gives_the_same(logs: Logs, tmp_path: Path):
    expected = [call.sql for call in read(logs.stderr)[0]]
    packed = tmp_path / "no-telling-name"
    packed.write_bytes(gzip.compress(logs.stderr.read_bytes()[:5000]) + gzip.compress(logs.stderr.read_bytes()[5000:]))
    assert [call.sql for call in read(packed)[0]] == expected
    stream = io.BytesIO(logs.stderr.read_bytes())
    assert [call.sql for call in calls_of(read_workload(["-"], stream))] == expected


@pytest.mark.parametrize("form", FORMATS)
def test_a_key_is_made_for_every_run(logs: Logs, form: str):
    first, second = (read(getattr(logs, form))[0] for _ in range(2))
    assert first[1].parameters != second[1].parameters


def test_equal_values_have_equal_hashes_and_others_have_not():
    hiding = Hiding()
    assert hiding.value("7") == hiding.statement("SELECT a FROM t WHERE b = '7'")[1][0] == hiding.parameters("Parameters: $1 = '7'")[0]
    assert len({hiding.value(str(number)) for number in range(10_000)}) == 10_000
    assert "7" * 12 not in hiding.value("7" * 12)

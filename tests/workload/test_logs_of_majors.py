"""Logs of older servers, which differ in columns, in words and in what they can write."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dbguard.postgres.embedded import start
from dbguard.workload import read_workload
from tests.workload.conftest import SETTINGS, programs_of, run, wait_for


@pytest.mark.parametrize("major", ["13", "15"])
def test_every_statement_is_one_call_on_older_servers(major: str, tmp_path: Path):
    destination = "stderr,csvlog,jsonlog" if int(major) >= 15 else "stderr,csvlog"
    with start(programs_of(major), settings=SETTINGS | {"log_destination": destination}) as server:
        sent = run(server.dsn())
        folder = server.folder / "data" / "log"
        wait_for(folder, "the end")
        time.sleep(0.1)
        for path in folder.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    assert len(list(tmp_path.iterdir())) == destination.count(",") + 1
    for path in tmp_path.iterdir():
        workload = read_workload([str(path)])
        calls = sorted((call for unit in workload.units for call in unit.calls), key=lambda call: call.number)
        assert [(call.sql, call.error) for call in calls] == [(each.sql, each.error) for each in sent], path
        assert all(len(call.parameters or ()) == len(each.parameters) for call, each in zip(calls, sent, strict=True) if not each.error)
        assert not workload.skipped

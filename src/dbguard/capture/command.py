"""Runs a command with recording switched on in its Python processes. In: its arguments. Out: its exit code and what was recorded."""

from __future__ import annotations

import glob
import json
import os
import signal
import subprocess
from collections.abc import Iterable, Sequence
from typing import Any

from dbguard.capture.session import ENVIRONMENT, environment


def run(arguments: Sequence[str], folder: str, *, with_values: bool = False) -> tuple[int, str]:
    """Raises OSError if the command cannot be started. Interrupts are the command's to handle."""
    added = environment(folder, with_values=with_values)
    process = subprocess.Popen(list(arguments), env={**os.environ, **added})  # noqa: S603 - the user's own command
    before = {number: signal.signal(number, lambda number, _: _pass_on(process, number)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    capture = json.loads(added[ENVIRONMENT])["capture"]
    return (code if code >= 0 else 128 - code), summary(glob.glob(os.path.join(glob.escape(folder), f"{capture}-*.jsonl")))


def _pass_on(process: subprocess.Popen[Any], number: int) -> None:
    if number != signal.SIGINT and process.poll() is None:  # the terminal has sent an interrupt to the whole group already
        process.send_signal(number)


def summary(paths: Iterable[str]) -> str:
    """One line about capture files: how many calls, how many files, where."""
    files = sorted(paths)
    calls = 0
    for path in files:
        with open(path, "rb") as file:
            calls += sum(line.startswith(b'{"line":"call"') for line in file)
    if not calls:
        return "no calls were recorded: this sees Python processes that use SQLAlchemy, Django, psycopg or asyncpg"
    where = files[0] if len(files) == 1 else f"{len(files)} files, {files[0]} the first"
    return f"{calls} {'call' if calls == 1 else 'calls'} recorded in {where}"

"""Runs the examples that have down migrations: up, down and up again, on a server."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest

from dbguard.config import Config
from dbguard.errors import ServerError
from dbguard.model.finding import Result
from dbguard.pipelines.trace import trace
from dbguard.pipelines.traced import Options
from dbguard.rulebook.page import ExampleFile


def has_down(files: tuple[ExampleFile, ...]) -> bool:
    return any(file.name.endswith(".down.sql") for file in files)


@cache
def round_trips(files: tuple[ExampleFile, ...], extend: tuple[str, ...]) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            path = Path(folder, file.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text)
        try:
            return trace(Config.load(folder, {"extend_select": list(extend)}), (), Options(down=True)).result
        except ServerError as error:
            if "none is installed" in str(error):
                pytest.skip("needs dbguard[embedded]")
            raise

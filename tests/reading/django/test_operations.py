"""The SQL of Django's operations, with Django as the judge."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pglast.parser
import pytest

from dbguard.model.source import Block, Source
from dbguard.reading.django.migration import MigrationModule, Settings
from dbguard.reading.django.operations import Project
from dbguard.reading.python.interpret import Interpreter
from tests.reading.django.cases import CASES, NOT_ATOMIC, texts

MOMENT = re.compile(r"\b20\d\d-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d+)?(\+00(:00)?)?)?")
IDENTIFIER = re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}\b")


@pytest.fixture(scope="session")
def judged(server) -> dict[str, Any]:
    asked = {"host": str(server.folder), "database": server.create_database(), "apps": texts()}
    judge = Path(__file__).with_name("judge.py")
    done = subprocess.run([sys.executable, "-W", "ignore", str(judge)], input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def blocks_of(label: str, migrations: list[str], settings: Settings) -> list[tuple[Block, ...]]:
    project = Project(settings)
    found = []
    for number, text in enumerate(migrations, start=1):
        interpreter = Interpreter(text)
        members = interpreter.members(interpreter.names["Migration"])
        found.append(project.apply(MigrationModule(label, f"{number:04}_m", Source("m.py", text), interpreter, members)))
    return found


@cache
def trees(sql: str) -> list[str]:
    """Statements without places, with what differs from run to run masked."""
    found = json.loads(pglast.parser.parse_sql_json(sql)).get("stmts", [])
    return [IDENTIFIER.sub("<id>", MOMENT.sub("<moment>", json.dumps(cleaned(one["stmt"]), sort_keys=True))) for one in found]


def cleaned(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: cleaned(value) for name, value in node.items() if not name.endswith(("location", "_len", "_start", "_end"))}
    return [cleaned(one) for one in node] if isinstance(node, list) else node


@pytest.mark.parametrize("label", [*CASES, *NOT_ATOMIC])
def test_the_sql_is_that_of_django(label, judged):
    settings = Settings(version=tuple(judged["version"]))
    if label not in judged["apps"] and settings.version < (5, 2):
        pytest.skip("this version of Django does not know all that it names")
    for ours, theirs in zip(blocks_of(label, texts()[label], settings), judged["apps"][label], strict=True):
        assert [block.unread for block in ours if block.unread] == []
        assert not [sql for sql in theirs if sql.startswith("Django fails")]
        mine, wanted = split([block.sql for block in ours if block.sql]), split(theirs)
        assert [one for one in zip(mine, wanted, strict=False) if trees(one[0]) != trees(one[1])] == []
        assert len(mine) == len(wanted)


def split(texts: list[str]) -> list[str]:
    return [one for text in texts for one in pglast.parser.split(text)]

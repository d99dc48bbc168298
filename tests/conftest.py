"""Options and servers that several rooms share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", default=False, help="rewrite golden files and the outputs on rule pages")


@pytest.fixture(scope="session")
def server() -> Iterator[Any]:
    """A throw-away PostgreSQL, started once."""
    from dbguard.postgres.embedded import start

    with start() as running:
        yield running


@pytest.fixture
def database(server: Any) -> Iterator[str]:
    """The connection string of an empty database of its own."""
    name = server.create_database()
    yield server.dsn(name)
    server.drop_database(name)

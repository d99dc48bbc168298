"""One database with a filled shop for all tests of plans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.planning.queries import OPTIONS, QUERIES, SCHEMA, plans_of


@pytest.fixture(scope="session")
def shop(server: Any) -> Iterator[str]:
    """The connection string of the shop."""
    import psycopg

    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute(SCHEMA)
    yield server.dsn(name)
    server.drop_database(name)


@pytest.fixture(scope="session")
def explained(shop: str) -> list[tuple[str, str, str, Any]]:
    """Query, options, text and JSON of a hundred plans."""
    import psycopg

    with psycopg.connect(shop, autocommit=True) as connection:
        return [(sql, options, *plans_of(connection, sql, options)) for sql in QUERIES for options in OPTIONS]

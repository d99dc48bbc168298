"""What every recipe reaches as SQL, found out once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.reading.recipes.pages import Reached, reached


@pytest.fixture(scope="session")
def connection(server: Any) -> Iterator[Any]:
    import psycopg

    name = server.create_database()
    with psycopg.connect(server.dsn(name), autocommit=True) as opened:
        yield opened
    server.drop_database(name)


@pytest.fixture(scope="session")
def results(connection: Any) -> dict[str, Reached]:
    return reached(connection)

"""A database with a shop in it, made once; what a test changes is put right after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.capture.helpers import url_of

FILL = """
TRUNCATE customers, orders RESTART IDENTITY;
INSERT INTO customers SELECT number, 'customer ' || number, 'long' FROM generate_series(1, 3) number;
INSERT INTO orders (customer_id, note) SELECT number, note FROM generate_series(1, 3) number, unnest(ARRAY['a', 'b']) note ORDER BY number, note;
"""


@pytest.fixture(scope="session")
def shop_of_session(server: Any) -> Iterator[tuple[str, psycopg.Connection[Any]]]:
    import sqlalchemy as sa

    from tests.capture.shop import Base

    dsn = server.dsn(server.create_database())
    engine = sa.create_engine(url_of(dsn, "psycopg"), poolclass=sa.NullPool)
    Base.metadata.create_all(engine)
    engine.dispose()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '5s'")
        yield dsn, connection


@pytest.fixture
def shop(shop_of_session: tuple[str, psycopg.Connection[Any]]) -> str:
    """The connection string of a shop with three customers, who have two orders each."""
    dsn, connection = shop_of_session
    connection.execute(FILL)
    return dsn

"""The conflict table of `dbguard.model.postgres` is held against a real server: every mode against every other."""

from __future__ import annotations

import itertools

import psycopg
import pytest

from dbguard.model.postgres import LockMode
from dbguard.postgres.embedded import start


@pytest.fixture(scope="module")
def sessions():
    with (
        start() as server,
        psycopg.connect(server.dsn(), autocommit=True) as holder,
        psycopg.connect(server.dsn(), autocommit=True) as asker,
    ):
        holder.execute("CREATE TABLE customers (id int PRIMARY KEY)")
        holder.execute("INSERT INTO customers VALUES (1)")
        yield holder, asker


def _waits(sessions, held: LockMode, statement: str) -> bool:
    """Whether `statement` would wait for a session that holds `held` on the table."""
    holder, asker = sessions
    with holder.transaction():
        holder.execute(f"LOCK TABLE customers IN {held} MODE")
        try:
            with asker.transaction():
                asker.execute("SET LOCAL lock_timeout = '20ms'")
                asker.execute(statement)
        except psycopg.errors.LockNotAvailable:
            return True
    return False


@pytest.mark.parametrize(("held", "wanted"), [*itertools.product(LockMode, LockMode)], ids=str)
def test_two_modes_conflict_as_on_the_server(sessions, held: LockMode, wanted: LockMode):
    assert wanted.conflicts(held) == _waits(sessions, held, f"LOCK TABLE customers IN {wanted} MODE NOWAIT")


STATEMENTS = {
    "read": "SELECT * FROM customers",
    "lock_rows": "SELECT * FROM customers FOR UPDATE",
    "write": "UPDATE customers SET id = 1",
    "maintenance": "ANALYZE customers",
}


@pytest.mark.parametrize("held", [*LockMode], ids=str)
def test_a_mode_blocks_the_statements_that_it_says(sessions, held: LockMode):
    assert held.blocks == tuple(word for word, statement in STATEMENTS.items() if _waits(sessions, held, statement))


def test_share_row_exclusive_lets_select_for_update_through(sessions):
    assert not _waits(sessions, LockMode.SHARE_ROW_EXCLUSIVE, "SELECT * FROM customers FOR UPDATE")
    assert "lock_rows" not in LockMode.SHARE_ROW_EXCLUSIVE.blocks

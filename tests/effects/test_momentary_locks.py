"""Locks that no other session can catch in pg_locks: a statement that works on partitions lets go of their parent at once.

That it asks for the lock is shown by letting it wait: another session holds a mode that conflicts with the predicted one
and with none below it.
"""

from __future__ import annotations

import psycopg
import pytest

from dbguard.model.names import Name
from dbguard.model.postgres import LockMode, Server
from dbguard.model.schema import Schema
from dbguard.model.state import State
from dbguard.parsing import parse_text
from dbguard.postgres.embedded import start
from dbguard.replay.advance import advance
from dbguard.replay.effects import effects

MAJOR = 18
SETUP = """
CREATE TABLE parts (id int NOT NULL, region int, body text) PARTITION BY RANGE (region);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE INDEX parts_body_idx ON parts (body);
INSERT INTO parts VALUES (1, 1, 'a');
"""
PARENT = Name("public", "parts")
WEAKEST_THAT_CONFLICTS = {
    LockMode.ACCESS_EXCLUSIVE: LockMode.ACCESS_SHARE,
    LockMode.EXCLUSIVE: LockMode.ROW_SHARE,
    LockMode.SHARE: LockMode.ROW_EXCLUSIVE,
    LockMode.SHARE_UPDATE_EXCLUSIVE: LockMode.SHARE_UPDATE_EXCLUSIVE,
    LockMode.ACCESS_SHARE: LockMode.ACCESS_EXCLUSIVE,
}


@pytest.fixture(scope="module")
def sessions():
    with (
        start() as server,
        psycopg.connect(server.dsn(), autocommit=True) as holder,
        psycopg.connect(server.dsn(), autocommit=True) as asker,
    ):
        holder.execute(SETUP)
        asker.execute("SET lock_timeout = '50ms'")
        yield holder, asker


def _predicted(statement: str) -> LockMode | None:
    state = State(schema=Schema(complete=True))
    for one in parse_text(SETUP):
        for operation in one.operations:
            state = advance(state, operation)
    (parsed,) = parse_text(statement)
    return effects(parsed.operations[0], state, Server(MAJOR)).mode(PARENT)


def _waits(sessions, held: LockMode, statement: str) -> bool:
    holder, asker = sessions
    with holder.transaction():
        holder.execute(f"LOCK TABLE ONLY parts IN {held} MODE")
        try:
            asker.execute(statement)
        except psycopg.errors.LockNotAvailable:
            return True
    return False


@pytest.mark.parametrize(
    "statement",
    [
        "VACUUM parts",
        "VACUUM (FULL) parts",
        "REINDEX TABLE parts",
        "REINDEX TABLE CONCURRENTLY parts",
        "REINDEX INDEX parts_body_idx",
        "REINDEX INDEX CONCURRENTLY parts_body_idx",
        "CLUSTER parts USING parts_body_idx",
        "ANALYZE parts",
    ],
)
def test_the_parent_is_locked_for_a_moment_as_predicted(sessions, statement: str):
    mode = _predicted(statement)
    for other in (
        LockMode.SHARE_UPDATE_EXCLUSIVE,
        LockMode.SHARE,
        LockMode.ACCESS_EXCLUSIVE,
        LockMode.EXCLUSIVE,
        LockMode.ROW_EXCLUSIVE,
        LockMode.ROW_SHARE,
        LockMode.ACCESS_SHARE,
    ):
        assert _waits(sessions, other, statement) == (mode is not None and mode.conflicts(other)), f"predicted {mode}, other session holds {other}"

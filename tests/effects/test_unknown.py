"""What is predicted where the schema was not seen: the worst that is plausible, with a sentence, and never a refusal."""

from __future__ import annotations

import pytest

from dbguard.model.names import Name
from dbguard.model.postgres import LockMode, Server
from dbguard.model.schema import Schema
from dbguard.model.state import Effects, State
from dbguard.parsing import parse_text
from dbguard.replay.advance import advance
from dbguard.replay.effects import effects, merge

ORDERS = Name("public", "orders")


def predict(sql: str, *, complete: bool = False, major: int = 18) -> Effects:
    """The effects of the last statement, after the others, on an empty or an unseen database."""
    state = State(schema=Schema(complete=complete))
    *before, last = parse_text(sql)
    for statement in before:
        for operation in statement.operations:
            state = advance(state, operation)
    start = state
    parts = []
    for operation in last.operations:
        parts.append(effects(operation, state, Server(major)))
        state = advance(state, operation)
    return merge(parts, start, state)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE orders ADD COLUMN n int",
        "ALTER TABLE orders ALTER COLUMN n SET NOT NULL",
        "ALTER TABLE orders DROP COLUMN n",
        "ALTER TABLE orders ALTER COLUMN n TYPE bigint",
        "ALTER TABLE orders ADD CONSTRAINT c CHECK (n > 0)",
        "ALTER TABLE orders DROP CONSTRAINT c",
        "ALTER TABLE orders ADD PRIMARY KEY USING INDEX i",
        "DROP TABLE orders",
    ],
)
def test_an_unseen_table_is_taken_to_be_in_use(statement):
    predicted = predict(statement)
    assert predicted.fails is None
    assert predicted.mode(ORDERS) == LockMode.ACCESS_EXCLUSIVE
    assert "`public.orders` was not seen being created: taken to exist, in use and large" in predicted.unknown


@pytest.mark.parametrize(
    ("statement", "field"),
    [
        ("ALTER TABLE orders ALTER COLUMN n SET NOT NULL", "scans"),
        ("ALTER TABLE orders ADD CONSTRAINT c CHECK (n > 0)", "scans"),
        ("ALTER TABLE orders ADD FOREIGN KEY (n) REFERENCES parents", "scans"),
        ("ALTER TABLE orders VALIDATE CONSTRAINT c", "scans"),
        ("ALTER TABLE orders ADD PRIMARY KEY (id)", "scans"),
        ("ALTER TABLE orders ADD PRIMARY KEY USING INDEX i", "scans"),
        ("ALTER TABLE events ATTACH PARTITION orders FOR VALUES FROM (1) TO (2)", "scans"),
        ("ALTER TABLE orders ALTER COLUMN n TYPE bigint", "rewrites"),
        ("ALTER TABLE orders ADD COLUMN t uuid DEFAULT make_token()", "rewrites"),
    ],
)
def test_an_unseen_table_is_taken_to_need_the_work(statement, field):
    assert ORDERS in getattr(predict(statement), field)


def test_what_was_told_of_an_unseen_table_counts():
    proved = "ALTER TABLE orders ADD CONSTRAINT c CHECK (n IS NOT NULL) NOT VALID; ALTER TABLE orders VALIDATE CONSTRAINT c;"
    assert predict(f"{proved} ALTER TABLE orders ALTER COLUMN n SET NOT NULL").scans == ()


def test_a_function_that_was_not_seen_is_said_to_be_taken_as_volatile():
    assert (
        "function `make_token` was not seen being created: taken to be volatile, as functions are by default"
        in predict("ALTER TABLE orders ADD COLUMN t uuid DEFAULT make_token()").unknown
    )


def test_a_builtin_function_needs_no_sentence():
    assert len(predict("ALTER TABLE orders ADD COLUMN t timestamptz DEFAULT now()").unknown) == 1


def test_the_time_zone_is_said_to_be_unknown():
    predicted = predict("CREATE TABLE t (at timestamp); ALTER TABLE t ALTER COLUMN at TYPE timestamptz", complete=True)
    assert predicted.rewrites
    assert predicted.unknown == ("the session's TimeZone is not known: taken not to be UTC",)


def test_a_table_that_cannot_exist_is_refused():
    assert predict("ALTER TABLE orders ADD COLUMN n int", complete=True).fails is not None


def test_a_column_that_old_rows_lack_is_no_failure_on_a_new_table():
    assert predict("CREATE TABLE t (id int); ALTER TABLE t ADD COLUMN n int NOT NULL", complete=True).fails is None


def test_a_table_made_by_the_same_statement_is_left_out():
    predicted = predict("CREATE SCHEMA app CREATE TABLE t (id int PRIMARY KEY) CREATE INDEX t_id ON t (id)")
    assert predicted.locks == ()


@pytest.mark.parametrize("major", range(13, 19))
def test_no_operation_of_an_unseen_table_raises(major):
    actions = [
        *("ADD n int", "ADD n int REFERENCES p", "ADD n serial PRIMARY KEY", "DROP n", "DROP n CASCADE", "RENAME n TO m", "RENAME TO other"),
        *("ALTER n TYPE text", "ALTER n TYPE text USING n::text", "ALTER n SET DEFAULT 1", "ALTER n DROP DEFAULT", "ALTER n SET NOT NULL"),
        *("ALTER n DROP NOT NULL", "ALTER n SET STATISTICS 5", "ALTER n SET STORAGE PLAIN", "ALTER n SET COMPRESSION lz4", "ALTER n DROP EXPRESSION"),
        *("ALTER n SET EXPRESSION AS (m)", "ALTER n ADD GENERATED ALWAYS AS IDENTITY", "ALTER n SET GENERATED ALWAYS", "ALTER n DROP IDENTITY"),
        *("ADD CHECK (n > 0)", "ADD UNIQUE (n)", "ADD PRIMARY KEY (n)", "ADD FOREIGN KEY (n) REFERENCES p", "ADD CONSTRAINT c NOT NULL n"),
        *("ADD EXCLUDE USING gist (n WITH =)", "ADD UNIQUE USING INDEX i", "VALIDATE CONSTRAINT c", "DROP CONSTRAINT c", "DROP CONSTRAINT c CASCADE"),
        *("ALTER CONSTRAINT c DEFERRABLE", "ALTER CONSTRAINT c NOT ENFORCED", "RENAME CONSTRAINT c TO d", "CLUSTER ON i", "SET WITHOUT CLUSTER"),
        *("SET LOGGED", "SET UNLOGGED", "SET ACCESS METHOD heap", "SET TABLESPACE x", "SET (fillfactor = 5)", "RESET (fillfactor)", "INHERIT p"),
        *("NO INHERIT p", "OF ty", "NOT OF", "OWNER TO me", "REPLICA IDENTITY FULL", "REPLICA IDENTITY USING INDEX i", "ENABLE ROW LEVEL SECURITY"),
        *("DISABLE TRIGGER ALL", "DISABLE RULE r", "SET SCHEMA x", "ATTACH PARTITION p DEFAULT", "ATTACH PARTITION p FOR VALUES IN (1)"),
        *("ATTACH PARTITION p FOR VALUES WITH (MODULUS 2, REMAINDER 0)", "DETACH PARTITION p", "DETACH PARTITION p FINALIZE"),
    ]
    for action in actions:
        assert isinstance(predict(f"ALTER TABLE orders {action}", major=major), Effects), action

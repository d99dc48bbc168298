"""Hashes are equal where PostgreSQL's values are, and of no use without the key."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from typing import Any

import psycopg
import pytest

from dbguard.capture import results, texts
from dbguard.capture.hashes import Hasher

HASHER = Hasher(b"k" * 16)
KEY = uuid.UUID("12345678-1234-5678-1234-567812345678")


class Colour(enum.IntEnum):
    RED = 3


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (42, "bigint"),
        (-1, "int"),
        (Colour.RED, "int"),
        ("text", "text"),
        ("ärger", "varchar"),
        (KEY, "uuid"),
        (str(KEY), "uuid"),
        (dt.date(2026, 1, 31), "date"),
        (dt.datetime(2026, 1, 31, 12, 0), "timestamp"),  # noqa: DTZ001
        (dt.datetime(2026, 1, 31, 12, 0, 0, 500_000), "timestamp"),  # noqa: DTZ001
        (dt.datetime(2026, 1, 31, 12, 0, tzinfo=dt.UTC), "timestamptz"),
        (dt.datetime(2026, 1, 31, 13, 0, tzinfo=dt.timezone(dt.timedelta(hours=1))), "timestamptz"),
        (None, "int"),
    ],
)
@pytest.mark.parametrize("binary", [False, True])
def test_a_parameter_equals_the_column_that_it_came_from(server: Any, value: Any, kind: str, binary: bool):
    with psycopg.connect(server.dsn()) as connection:
        cursor = connection.execute(
            f"SELECT (%s::text)::{kind} AS id FROM generate_series(1, 2)".encode(),
            (str(value) if not isinstance(value, enum.Enum) and value is not None else value,),
            binary=binary,
        )
        shown = ("psycopg", cursor.pgresult)
        ((_, hashes),) = results.hashed(shown, results.choose(results.columns_of(shown), {}), HASHER)

    if binary and kind in {"date", "timestamp", "timestamptz"} and value is not None:
        assert hashes == ["?", "?"]
    else:
        assert hashes == [HASHER.of(value)] * 2


def test_other_keys_give_other_hashes_and_equal_values_equal_ones():
    assert HASHER.of(1) == Hasher(b"k" * 16).of(1) != Hasher(b"l" * 16).of(1)
    assert HASHER.of(decimal.Decimal("1.50")) == HASHER.of("1.50")
    assert HASHER.of(2.0) == HASHER.of(2)
    assert HASHER.of(True) != HASHER.of(1)


def test_lists_tell_their_length_and_methods_of_unknown_types_are_not_called():
    class Loud:
        def __str__(self) -> str:
            raise AssertionError

        __repr__ = __hash__ = __eq__ = __str__  # type: ignore[assignment]

    assert HASHER.of([5]) == f"[1]{HASHER.of(5)}"
    assert HASHER.of([1, 2]).startswith("[2]")
    assert HASHER.of(Loud()) == "?"
    assert HASHER.of([Loud()]) == "[1]?"


def test_memory_is_bounded():
    hasher = Hasher(b"k")
    for number in range(120_000):
        hasher.of(number)
    hasher.of("x" * 1_000_000)

    assert len(hasher.known) <= 50_000
    assert len(hasher._known) <= 50_000


def test_keys_are_chosen_first_and_columns_that_are_known_to_be_none_are_not():
    columns = [("note", 25), ("amount", 1700), ("quantity", 23), ("customer_id", 23), ("id", 20), ("flag", 16)]

    assert [name for _, name, _, _ in results.choose(columns, {})] == ['"customer_id"', '"id"', '"quantity"', '"note"']
    assert [name for _, name, _, _ in results.choose([("a_id", 23), ("b", 23)], {0: False, 1: True})] == ['"b"', '"a_id"']


@pytest.mark.parametrize(
    "sql", ["BEGIN", "begin;", "  COMMIT", "ROLLBACK TO SAVEPOINT a", "SAVEPOINT x", "RELEASE SAVEPOINT x", "START TRANSACTION READ ONLY", "END"]
)
def test_control_is_recognised(sql: str):
    assert texts.is_control(sql)


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "BEGIN; DELETE FROM a", "COMMENT ON TABLE a IS ''", "SET x = 1", "RESET ALL", "PREPARE a AS SELECT 1", "ENDURE", ""]
)
def test_other_statements_are_not_control(sql: str):
    assert not texts.is_control(sql)


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT %(a)s, %(b)s, %(a)s", ("a", "b", "a")),
        ("SELECT :a, b::text, ':no', :b", ("a", "b")),
        ("SELECT '%%(a)s' %(b)s", ("b",)),
        ("SELECT %s, $1", ()),
    ],
)
def test_names_of_placeholders(sql: str, names: tuple[str, ...]):
    assert tuple(name for name in texts.names_in_order(sql) if name != "no") == names

"""What the server's catalog does not show: transactions, settings, provenance, tables never seen; and that advance is total and pure."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from dbguard.model import operations
from dbguard.model.expression import Expression, Uses
from dbguard.model.keys import IndexKey, PartitionBound
from dbguard.model.names import Name
from dbguard.model.operations import AddColumn, Begin, ColumnDefinition, ConstraintDefinition, CreateTable, LikeTable
from dbguard.model.postgres import Server
from dbguard.model.schema import Created, Schema
from dbguard.model.state import State
from dbguard.model.types import builtin
from dbguard.replay.advance import advance
from dbguard.replay.effects.new_labels import why_unsafe
from dbguard.replay.transactions import opened
from tests.replay.against_server import after

T = Name("public", "t")


def test_a_table_that_was_never_seen_is_known_by_what_was_learned():
    table = after("ALTER TABLE t ADD COLUMN a int; ALTER TABLE t ALTER b SET NOT NULL;", State()).schema.tables[T]
    assert not table.known
    assert table.created is None
    assert list(table.columns) == ["a", "b"]
    assert table.columns["b"].not_null


def test_an_index_on_a_table_never_seen_is_found_by_its_name():
    schema = after("CREATE INDEX i ON t (a)", State()).schema
    index = schema.find_index(Name("public", "i"))
    assert index is not None
    assert index.table == T


def test_alter_if_exists_learns_nothing_in_a_complete_schema():
    assert T not in after("ALTER TABLE IF EXISTS t ADD COLUMN a int").schema.tables


def test_a_table_created_after_it_was_used_is_new():
    state = after("ALTER TABLE t ADD COLUMN a int; CREATE TABLE t (b int);", State())
    assert state.schema.tables[T].known
    assert list(state.schema.tables[T].columns) == ["b"]


def test_a_renamed_unknown_table_is_learned_under_its_new_name():
    assert not after("ALTER TABLE t RENAME TO u", State()).schema.tables[Name("public", "u")].known


def test_objects_know_when_they_were_created():
    state = after("CREATE TABLE t (id serial PRIMARY KEY)", State(now=Created(7, 9)))
    assert state.schema.tables[T].created == Created(7, 9)
    assert state.schema.sequences[Name("public", "t_id_seq")].created == Created(7, 9)
    assert state.schema.tables[T].indexes["t_pkey"].created == Created(7, 9)


def test_insert_select_fills_a_new_table():
    state = after("CREATE TABLE s (a int); CREATE TABLE t (a int); INSERT INTO t SELECT a FROM s;")
    assert state.schema.tables[T].filled
    assert not state.is_new(T)


@pytest.mark.parametrize(
    "insert", ["INSERT INTO t VALUES (1), (2)", "INSERT INTO t SELECT 1", "UPDATE t SET a = 1", "SELECT a FROM t", "COPY t TO STDOUT"]
)
def test_little_or_nothing_does_not_fill_a_table(insert):
    state = after(f"CREATE TABLE t (a int); {insert};")
    assert not state.schema.tables[T].filled


def test_filling_a_partitioned_table_fills_its_partitions():
    state = after(
        "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE u PARTITION OF t DEFAULT; CREATE TABLE s (a int); INSERT INTO t SELECT a FROM s;"
    )
    assert state.schema.tables[Name("public", "u")].filled


def test_a_label_is_new_until_the_transaction_commits():
    inside = after("CREATE TYPE mood AS ENUM ('a'); BEGIN; ALTER TYPE mood ADD VALUE 'b';")
    assert inside.schema.types[Name("public", "mood")].new_labels == {"b"}
    assert not after("COMMIT", inside).schema.types[Name("public", "mood")].new_labels


def test_a_label_of_a_type_of_the_same_transaction_is_usable_from_17():
    inside = after("BEGIN; CREATE TYPE mood AS ENUM ('a'); ALTER TYPE mood ADD VALUE 'b';")
    assert why_unsafe("SELECT 'b'::mood", inside, Server(17)) is None
    assert why_unsafe("SELECT 'b'::mood", inside, Server(16)) is not None


def test_a_label_that_was_committed_at_once_is_not_new():
    assert not after("CREATE TYPE mood AS ENUM ('a'); ALTER TYPE mood ADD VALUE 'b';").schema.types[Name("public", "mood")].new_labels


@pytest.mark.parametrize("emptying", ["TRUNCATE t", "DELETE FROM t", "DELETE FROM t WHERE true"])
def test_a_table_that_was_emptied_may_be_empty_until_rows_come(emptying):
    state = after(f"CREATE TABLE t (a int); INSERT INTO t SELECT 1 FROM s; {emptying};")._replace(now=Created(0, 9))
    assert state.may_be_empty(T)
    assert not after("INSERT INTO t VALUES (1)", state).schema.tables[T].emptied


def test_emptying_in_an_older_migration_says_nothing_of_today():
    state = after("CREATE TABLE t (a int); TRUNCATE t;")
    assert not state._replace(now=Created(7, 7)).may_be_empty(T)


def test_only_a_truncate_of_the_open_transaction_makes_a_table_empty():
    older = after("CREATE TABLE t (a int);")._replace(now=Created(5, 5))
    assert after("BEGIN; TRUNCATE t;", older).is_empty(T)
    assert not after("BEGIN; DELETE FROM t;", older).is_empty(T)  # the dead rows are read all the same
    assert not after("TRUNCATE t;", older).is_empty(T)  # others can have filled it meanwhile


def test_commit_inside_the_tools_transaction_really_commits():
    state = opened(State(), explicit=False)
    state = after("BEGIN; CREATE TABLE t (a int); COMMIT; ROLLBACK;", state)
    assert state.transaction is None
    assert T in state.schema.tables


def test_set_local_ends_with_the_transaction():
    inside = after("SET lock_timeout = '1s'; BEGIN; SET LOCAL lock_timeout = '2s';")
    assert inside.settings["lock_timeout"] == "2s"
    assert after("COMMIT", inside).settings["lock_timeout"] == "1s"
    assert after("ROLLBACK", inside).settings["lock_timeout"] == "1s"


def test_set_local_outside_a_transaction_does_nothing():
    assert "lock_timeout" not in after("SET LOCAL lock_timeout = '2s'").settings


def test_set_in_a_transaction_stays_after_commit_and_goes_with_rollback():
    inside = after("BEGIN; SET lock_timeout = '2s';")
    assert after("COMMIT", inside).settings["lock_timeout"] == "2s"
    assert "lock_timeout" not in after("ROLLBACK", inside).settings


def test_reset_forgets_a_setting():
    assert after("SET lock_timeout = '2s'; RESET lock_timeout;").settings == {}
    assert after("SET lock_timeout = '2s'; SET statement_timeout = 5; RESET ALL;").settings == {}
    assert after("SET lock_timeout = '2s'; SET lock_timeout TO DEFAULT;").settings == {}


def test_views_remember_what_they_read_with_complete_names():
    state = after("CREATE SCHEMA app; CREATE TABLE app.t (a int); SET search_path = app; CREATE VIEW v AS SELECT a FROM t;")
    uses = state.schema.tables[Name("app", "v")].uses
    assert uses is not None
    assert uses.reads == (Name("app", "t"),)


def test_an_expression_follows_a_renamed_column_and_leaves_texts_alone():
    state = after("CREATE TABLE t (a text CHECK (a <> 'a')); ALTER TABLE t RENAME a TO b;")
    check = state.schema.tables[T].constraints["t_a_check"].expression
    assert check is not None
    assert check.sql == "b <> 'a'"
    assert check.columns == {"b"}


VALUES: dict[str, Any] = {
    "Name": T,
    "str": "a",
    "bool": False,
    "int": 1,
    "DataType": builtin("int4"),
    "Expression": Expression("a", ("column", "a")),
    "Uses": Uses(reads=(T,), star=True),
    "ColumnDefinition": ColumnDefinition("a", builtin("int4"), serial=True),
    "ConstraintDefinition": ConstraintDefinition("primary key", columns=("a",)),
    "PartitionBound": PartitionBound(default=True),
    "object": None,
    "tuple[Name, ...]": (T, Name(None, "u")),
    "tuple[str, ...]": ("a", "b"),
    "tuple[IndexKey, ...]": (IndexKey("a"), IndexKey(None, Expression("b", ("column", "b")))),
    "tuple[ConstraintDefinition, ...]": (ConstraintDefinition("foreign key", columns=("a",), references=T),),
    "tuple[ColumnDefinition, ...]": (ColumnDefinition("a", builtin("int4"), identity="always"),),
    "tuple[LikeTable, ...]": (LikeTable(T, frozenset({"indexes", "constraints"})),),
    "frozenset[str]": frozenset({"a"}),
    "tuple[tuple[str, str | None], ...]": (("fillfactor", "70"), ("user_catalog_table", None)),
    "tuple[tuple[str, str], ...]": (("fillfactor", "70"),),
}
STATES = {
    "nothing": State(),
    "complete": State(schema=Schema(complete=True)),
    "in a transaction": opened(State(), explicit=True),
    "unknown": advance(State(), AddColumn(T, ColumnDefinition("b", builtin("text")))),
    "a table": advance(
        State(), CreateTable(T, (ColumnDefinition("a", builtin("int4"), serial=True),), (ConstraintDefinition("primary key", columns=("a",)),))
    ),
    "an index of that name": advance(State(), operations.CreateIndex(Name("public", "x"), (IndexKey("a"),), "t")),
    "a sequence of that name": advance(State(), operations.CreateSequence(T)),
    "a partition": advance(State(), CreateTable(T, partition_of=Name("public", "u"), partition_strategy="list")),
}
CLASSES = [getattr(operations, name) for name in operations.__all__ if name != "Operation" and isinstance(getattr(operations, name), type)]


def example(operation: type, *, full: bool) -> Any:
    defaults = getattr(operation, "_field_defaults", {})
    values = []
    for field, annotation in operation.__annotations__.items():
        if field in defaults and not full:
            continue
        text = str(annotation).removesuffix(" | None")
        values.append(VALUES.get(text, defaults.get(field)))
    return operation(*values)


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_advance_answers_for_every_operation(state):
    for one in CLASSES:
        for full in (False, True):
            advance(advance(state, example(one, full=full)), example(one, full=full))


def test_advance_changes_nothing_in_place():
    for state in STATES.values():
        before = pickle.dumps(state.schema.tables.get(T)), dict(state.schema.tables), dict(state.schema.index_tables), dict(state.schema.sequences)
        for one in CLASSES:
            advance(advance(state, Begin()), example(one, full=True))
        assert before == (
            pickle.dumps(state.schema.tables.get(T)),
            dict(state.schema.tables),
            dict(state.schema.index_tables),
            dict(state.schema.sequences),
        )

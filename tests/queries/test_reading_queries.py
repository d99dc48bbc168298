"""Texts of queries, their placeholders and shapes, and the files they stand in."""

from __future__ import annotations

import pytest

from dbguard.model.source import Source
from dbguard.parsing.query import read_query
from dbguard.parsing.query.shapes import shape_of
from dbguard.reading.queries import is_query_file, read_queries


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("SELECT 1 WHERE a = $2 AND b = $1", "SELECT 1 WHERE a = $2 AND b = $1"),
        ("SELECT * FROM t WHERE a = %s AND b = %(x)s AND c = %(x)s", "SELECT * FROM t WHERE a = $1 AND b = $2 AND c = $2"),
        ("SELECT '50%%', a %% 2 FROM t WHERE b = %s", "SELECT '50%', a % 2 FROM t WHERE b = $1"),
        ("SELECT a % 2, '100%' FROM t", "SELECT a % 2, '100%' FROM t"),
        ("SELECT a::text, b[1:2], '12:30' FROM t WHERE c = :c AND d = :c", "SELECT a::text, b[1:2], '12:30' FROM t WHERE c = $1 AND d = $1"),
        ("SELECT a[x:y] FROM t", "SELECT a[x:y] FROM t"),
        ("SELECT * FROM t WHERE a = :a! AND b != :b", "SELECT * FROM t WHERE a = $1 AND b != $2"),
        ("SELECT * FROM t WHERE a IN :ids!", "SELECT * FROM t WHERE a IN ($1)"),
        ("SELECT * FROM t WHERE a = ? AND b IN (?, ?) LIMIT ?", "SELECT * FROM t WHERE a = $1 AND b IN ($2, $3) LIMIT $4"),
        ("SELECT data ? 'x' FROM t WHERE a = $1", "SELECT data ? 'x' FROM t WHERE a = $1"),
        ("SELECT data ? 'x' FROM t WHERE a = ?", "SELECT data ? 'x' FROM t WHERE a = $1"),
        ("SELECT * FROM t WHERE a = @id::int AND b @> @data", "SELECT * FROM t WHERE a = $1::int AND b @> $2"),
        ("SELECT sqlc.embed(t) FROM t WHERE a = sqlc.narg('x') AND b = ANY(sqlc.slice('ids'))", "SELECT t.* FROM t WHERE a = $1 AND b = ANY($2)"),
        ("SELECT a /* why? :x %s */ FROM t -- 'quote\nWHERE b = %s;", "SELECT a   FROM t  \nWHERE b = $1"),
        ("SELECT ':x', \"b:c\", $$ %s ? $$ FROM t WHERE a = :a", "SELECT ':x', \"b:c\", $$ %s ? $$ FROM t WHERE a = $1"),
    ],
)
def test_placeholders_become_numbers_and_nothing_else_changes(text: str, sql: str):
    found = read_query(text)
    assert (found.sql, found.unread) == (sql, "")


def test_tags_of_sqlcommenter_are_kept_apart():
    found = read_query("SELECT 1 /*controller='orders',route='%2Forders%2F%3Aid',note='it\\'s'*/")
    assert found.tags == (("controller", "orders"), ("route", "/orders/:id"), ("note", "it's"))
    assert read_query("SELECT 1 /* see #12 */").tags == ()


@pytest.mark.parametrize(
    ("text", "session"),
    [
        ("SET search_path = a", "setting"),
        ("SET LOCAL search_path = a", ""),
        ("LISTEN jobs", "listen"),
        ("PREPARE p AS SELECT 1", "prepared statement"),
        ("CREATE TEMP TABLE x AS SELECT 1", "temporary table"),
        ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "cursor with hold"),
        ("DECLARE c CURSOR FOR SELECT 1", ""),
        ("SELECT 1", ""),
    ],
)
def test_what_stays_in_the_session_is_known(text: str, session: str):
    assert read_query(text).session == session


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT * FROM t WHERE a IN (1, 2, 3)", "select *  from T where a in ($1)"),
        ("SELECT * FROM t WHERE a IN (%s, %s)", "SELECT * FROM t WHERE a IN (:a)"),
        ("INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')", "INSERT INTO t (a, b) VALUES (%(a)s, %(b)s)"),
        ("SELECT a FROM t WHERE b = -1 /* x */", "SELECT a FROM t WHERE b = 2 -- y"),
        ('SELECT "a" FROM "t"', "SELECT a FROM t;"),
        ("SELECT 1 WHERE a = @x::int", "SELECT 1 WHERE a = $1::int"),
    ],
)
def test_one_shape_for_what_differs_in_constants_alone(one: str, other: str):
    assert shape_of(one) == shape_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a FROM t LIMIT 1", "SELECT a FROM t LIMIT 1 OFFSET 1"),
        ("SELECT a, b FROM t", "SELECT b, a FROM t"),
        ("UPDATE t SET a = NULL", "UPDATE t SET a = 1"),
        ("SELECT a FROM t1", "SELECT a FROM t2"),
        ('SELECT "A" FROM t', "SELECT a FROM t"),
        ("SELECT a FROM t WHERE b = 1", "SELECT a FROM t WHERE b > 1"),
        ("SELECT a - 1", "SELECT a"),
    ],
)
def test_another_shape_for_what_means_something_else(one: str, other: str):
    assert shape_of(one).key != shape_of(other).key


def test_shapes_are_readable():
    assert shape_of("select a.b, count(*) from t as a where x in (1,2) and y->>'k' <= $3").sql == (
        "SELECT a.b, count(*) FROM t AS a WHERE x IN (?) AND y ->> ? <= ?"
    )


SQLC = """-- name: GetUser :one
SELECT * FROM users
WHERE id = $1;

-- name: ListUsers :many
-- with a comment
SELECT * FROM users; -- end
"""
AIOSQL = """-- name: get-user^
SELECT 1;
-- name: add-user!
INSERT INTO users VALUES (:id)
-- name: all-users
-- Every user.
SELECT 2;
"""
PGTYPED = """/* @name GetUser */
SELECT * FROM users WHERE id = :id!;

/*
  @name AddUser
  @param users -> ((id, name)...)
*/
INSERT INTO users VALUES :users;
"""


def places(text: str) -> list[tuple[str, str, str]]:
    return [(one.name, one.rows, one.sql) for one in read_queries(Source("q.sql", text))]


def test_files_of_sqlc_give_names_results_and_places():
    assert places(SQLC) == [("GetUser", "one", "SELECT * FROM users\nWHERE id = $1"), ("ListUsers", "many", "SELECT * FROM users")]
    assert [SQLC.count("\n", 0, one.start) + 1 for one in read_queries(Source("q.sql", SQLC))] == [2, 7]


def test_files_of_aiosql_end_queries_at_the_next_name():
    assert places(AIOSQL) == [("get-user", "one", "SELECT 1"), ("add-user", "exec", "INSERT INTO users VALUES (:id)"), ("all-users", "", "SELECT 2")]


def test_files_of_pgtyped_have_names_in_block_comments():
    assert [name for name, _, _ in places(PGTYPED)] == ["GetUser", "AddUser"]


def test_a_plain_file_is_a_list_of_statements():
    assert places("SELECT ';';\nSELECT 2") == [("", "", "SELECT ';'"), ("", "", "SELECT 2")]


def test_a_migration_is_no_query_file():
    assert is_query_file(SQLC)
    assert is_query_file(PGTYPED)
    assert not is_query_file("-- the name: of the table\nCREATE TABLE t (name text);")
    assert not is_query_file("CREATE TABLE t (id int);")


def test_a_second_statement_under_a_name_is_numbered():
    text = "-- name: one\nSELECT 1;\n-- name: both :many\nSELECT 2;\n\\set x 1\nSELECT 3; SELECT 4;\n-- name: last\nSELECT 5;\n"
    found = [(query.name, query.rows, query.sql) for query in read_queries(Source("q.sql", text)) if not query.unread]
    assert [name for name, _, _ in found] == ["one", "both", "both (2)", "both (3)", "last"]
    assert [rows for name, rows, _ in found if name.startswith("both")] == ["many"] * 3

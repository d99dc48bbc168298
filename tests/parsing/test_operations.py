"""Statements to operations: what is kept of each, and that no kind of statement is left out."""

import pglast.ast
import pytest

from dbguard.model import operations as op
from dbguard.model.names import Name
from dbguard.model.types import DataType, builtin
from dbguard.parsing import parse_text
from dbguard.parsing.expressions import expression
from dbguard.parsing.statements import MAKERS

NO_STATEMENTS = {"PLAssignStmt", "RawStmt", "ReplicaIdentityStmt", "SetOperationStmt"}


def only(sql):
    (statement,) = parse_text(sql)
    assert statement.unread == ()
    (operation,) = statement.operations
    return operation


def names(sql):
    (statement,) = parse_text(sql)
    return [type(operation).__name__ for operation in statement.operations]


def column(definition):
    return only(f"CREATE TABLE t ({definition})").columns[0]


def test_every_statement_of_the_grammar_has_a_maker():
    grammar = {name for name in dir(pglast.ast) if name.endswith("Stmt")}
    assert grammar - NO_STATEMENTS == set(MAKERS)


def test_actions_come_in_the_order_postgresql_runs_them():
    sql = """ALTER TABLE t VALIDATE CONSTRAINT v, ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES b, ADD CHECK (x > 1), ADD PRIMARY KEY (id),
        ADD UNIQUE USING INDEX i, ALTER a SET NOT NULL, ADD COLUMN n int, ALTER b TYPE int, ALTER c SET DEFAULT 1, ALTER d DROP DEFAULT,
        DROP CONSTRAINT k, ALTER s SET STATISTICS 10, DROP COLUMN z"""
    assert names(sql) == [
        "DropDefault",
        "DropConstraint",
        "DropColumn",
        "ChangeColumnType",
        "AddColumn",
        "SetNotNull",
        "AddConstraint",
        "AddConstraint",
        "AddConstraint",
        "AddConstraint",
        "SetDefault",
        "ValidateConstraint",
        "SetStatistics",
    ]
    kinds = [o.constraint.kind for o in parse_text(sql)[0].operations if isinstance(o, op.AddConstraint)]
    assert kinds == ["unique", "primary key", "foreign key", "check"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("int", builtin("int4")),
        ("text", builtin("text")),
        ("timestamptz", builtin("timestamptz")),
        ("timestamp(3) with time zone", builtin("timestamptz", "3")),
        ("varchar(50)", builtin("varchar", "50")),
        ("char", builtin("bpchar", "1")),
        ("character(4)", builtin("bpchar", "4")),
        ('"char"', builtin("char")),
        ("numeric(10, 2)", builtin("numeric", "10", "2")),
        ("float(20)", builtin("float4")),
        ("interval day to second(3)", builtin("interval", "day to second", "3")),
        ("interval(3)", builtin("interval", "3")),
        ("interval year", builtin("interval", "year")),
        ("int[3][]", builtin("int4", array=True)),
        ("_int4", builtin("int4", array=True)),
        ("citext", DataType(Name(None, "citext"))),
        ("public.geometry(Point, 4326)", DataType(Name("public", "geometry"), ("point", "4326"))),
    ],
)
def test_types_have_their_internal_names(written, expected):
    assert column(f"a {written}").type == expected


@pytest.mark.parametrize(("written", "internal"), [("serial", "int4"), ("bigserial", "int8"), ("smallserial", "int2"), ("serial4", "int4")])
def test_serial_is_an_integer_with_a_mark(written, internal):
    found = column(f"a {written}")
    assert (found.type, found.serial, found.not_null) == (builtin(internal), True, False)


@pytest.mark.parametrize(
    ("definition", "sql"),
    [
        ("a int DEFAULT 1 + (2) NOT NULL", "1 + (2)"),
        ("a text DEFAULT 'x'::character varying COLLATE \"C\"", "'x'::character varying"),
        ("a int DEFAULT NULL", "NULL"),
        ("a int DEFAULT (b IS NOT NULL)::int CHECK (a > 1)", "(b IS NOT NULL)::int"),
        ("a int DEFAULT CASE WHEN b IS NOT NULL THEN 1 ELSE 2 END NOT NULL", "CASE WHEN b IS NOT NULL THEN 1 ELSE 2 END"),
        ("a int DEFAULT nextval('s'::regclass) PRIMARY KEY", "nextval('s'::regclass)"),
        ("a int[] DEFAULT ARRAY[1, 2], b int", "ARRAY[1, 2]"),
        ("a int CONSTRAINT d DEFAULT -1 /* why */ CHECK (a > 0)", "-1"),
        ("a timestamptz DEFAULT CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP"),
        ("a bool DEFAULT 1 IS NOT DISTINCT FROM 2 NOT NULL", "1 IS NOT DISTINCT FROM 2"),
    ],
)
def test_a_default_keeps_the_text_of_the_user(definition, sql):
    assert column(definition).default.sql == sql


def test_inline_constraints_name_their_column():
    found = column("a int NOT NULL CONSTRAINT c CHECK (a > (1)) REFERENCES b (c) DEFERRABLE INITIALLY DEFERRED PRIMARY KEY")
    assert [(c.kind, c.name, c.columns) for c in found.constraints] == [
        ("check", "c", ("a",)),
        ("foreign key", None, ("a",)),
        ("primary key", None, ("a",)),
    ]
    assert found.not_null
    assert found.constraints[0].expression.sql == "a > (1)"
    assert found.constraints[1].deferred


def test_a_primary_key_does_not_set_not_null_here():
    assert not column("a int PRIMARY KEY").not_null


@pytest.mark.parametrize(("keyword", "kind"), [("STORED", "stored"), ("VIRTUAL", "virtual"), ("", "unstated")])
def test_generated_columns_tell_which_keyword_was_written(keyword, kind):
    found = column(f"a int GENERATED ALWAYS AS (b * (2)) {keyword}")
    assert (found.generated, found.generated_expression.sql) == (kind, "b * (2)")


def test_index_keys_keep_their_expressions():
    index = only('CREATE INDEX ON ONLY s.t (lower(x), (a + b) DESC NULLS LAST, c COLLATE "C" text_ops) INCLUDE (d) WHERE x > 1 AND (y)')
    assert [key.expression and key.expression.sql for key in index.keys] == ["lower(x)", "a + b", None]
    assert [key.name for key in index.keys] == ["lower", None, None]
    assert (index.where.sql, index.only, index.include) == ("x > 1 AND (y)", True, ("d",))


def test_an_expression_of_one_action_ends_where_the_action_ends():
    sql = "ALTER TABLE t ALTER a TYPE int USING (a)::int, ADD CONSTRAINT c CHECK (x IN (1, 2)) NOT VALID, ALTER b SET DEFAULT f(1, 2)"
    change, check, default = parse_text(sql)[0].operations
    assert change.using.sql == "(a)::int"
    assert check.constraint.expression.sql == "x IN (1, 2)"
    assert default.default.sql == "f(1, 2)"


@pytest.mark.parametrize(
    ("sql", "tree"),
    [
        ("a BETWEEN 1 AND 2", ("and", ("op", ">=", ("column", "a"), ("const", 1)), ("op", "<=", ("column", "a"), ("const", 2)))),
        ("t.a IN (1, 'x')", ("in", ("column", "a"), ("const", 1), ("const", "x"))),
        ("a NOT IN (1)", ("not", ("in", ("column", "a"), ("const", 1)))),
        ("a IS NULL OR NOT b", ("or", ("is_null", ("column", "a")), ("not", ("column", "b")))),
        ("a IS NOT NULL", ("is_not_null", ("column", "a"))),
        ("a = ANY (ARRAY[1])", ("op", "= ANY", ("column", "a"), ("array", ("const", 1)))),
        ("-a < 1.5", ("op", "<", ("op", "-", ("column", "a")), ("number", "1.5"))),
        ("a::text = 'x'", ("op", "=", ("cast", builtin("text"), ("column", "a")), ("const", "x"))),
        ("now() > CURRENT_TIMESTAMP", ("op", ">", ("call", Name(None, "now")), ("call", Name("pg_catalog", "current_timestamp")))),
        ("true", ("const", True)),
    ],
)
def test_expressions_become_trees(sql, tree):
    assert only(f"DELETE FROM t WHERE {sql}").where == (sql, tree)


def test_a_missing_expression_is_null():
    assert expression({}, "").tree == ("null",)


def test_names_in_with_are_not_tables():
    uses = only("WITH RECURSIVE a AS (SELECT * FROM b UNION ALL SELECT * FROM a), c AS (DELETE FROM d RETURNING *) SELECT * FROM a, c, public.a").uses
    assert set(uses.reads) == {Name(None, "b"), Name("public", "a")}
    assert [(write.command, write.table.name) for write in uses.writes] == [("delete", "d")]


def test_a_name_in_with_is_a_table_before_it_is_defined():
    assert Name(None, "a") in only("WITH a AS (SELECT * FROM a) SELECT * FROM a").uses.reads


def test_locking_clauses_name_tables_by_alias():
    assert only("SELECT * FROM a, b x FOR UPDATE OF x").uses.row_locks == (Name(None, "b"),)
    assert only("SELECT * FROM a, (SELECT * FROM b) s FOR SHARE").uses.row_locks == (Name(None, "a"), Name(None, "b"))


def test_sequences_are_read_out_of_literals():
    uses = only("""SELECT nextval('s."Q"'), setval('A'::regclass, 1), currval(x)""").uses
    assert uses.sequences == (Name("s", "Q"), Name(None, "a"))


@pytest.mark.parametrize(
    ("sql", "limited"),
    [
        ("UPDATE t SET a = 1 WHERE id IN (SELECT id FROM t LIMIT 10)", True),
        ("WITH b AS (SELECT id FROM t LIMIT 10) UPDATE t SET a = 1 FROM b WHERE t.id = b.id", True),
        ("DELETE FROM t WHERE ctid = ANY (ARRAY(SELECT ctid FROM t LIMIT 10))", True),
        ("INSERT INTO t SELECT 1, 2", True),
        ("INSERT INTO t SELECT * FROM u LIMIT 5", True),
        ("INSERT INTO t SELECT * FROM u", False),
        ("UPDATE t SET a = (SELECT b FROM u LIMIT 1)", False),
        ("UPDATE t SET a = 1 WHERE EXISTS (SELECT 1 FROM u LIMIT 1)", False),
        ("UPDATE t SET a = 1 WHERE id NOT IN (SELECT id FROM t LIMIT 10)", False),
        ("UPDATE t SET a = 1 WHERE x > (SELECT y FROM u LIMIT 1)", False),
        ("DELETE FROM t WHERE id IN (SELECT id FROM u LIMIT ALL)", False),
    ],
)
def test_limits_that_bound_the_rows_are_seen(sql, limited):
    assert only(sql).limited is limited


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT set_config('lock_timeout', '2s', true)", op.SetParameter("lock_timeout", "2s", True)),
        ("SELECT pg_catalog.set_config('search_path', '', false)", op.SetParameter("search_path", "", False)),
        ("SET LOCAL search_path = a, b", op.SetParameter("search_path", "a, b", True)),
        ("SET lock_timeout TO DEFAULT", op.SetParameter("lock_timeout", None)),
        ("RESET ALL", op.ResetParameter(None)),
        ("SET ROLE NONE", op.SetRole(None)),
        ("SET SESSION AUTHORIZATION bob", op.SetRole("bob", True)),
        ("BEGIN READ ONLY", op.Begin(True)),
    ],
)
def test_settings(sql, expected):
    assert only(sql) == expected


def test_set_config_with_a_table_is_a_query():
    assert isinstance(only("SELECT set_config('a.b', x, true) FROM t"), op.Select)


def test_explain_holds_what_it_explains():
    explained = only("EXPLAIN (ANALYZE) DELETE FROM t WHERE a")
    assert (explained.analyze, type(explained.operation)) == (True, op.Delete)
    assert not only("EXPLAIN (ANALYZE off) SELECT 1").analyze


def test_schema_elements_live_in_the_schema():
    statement = parse_text("CREATE SCHEMA s CREATE TABLE t (a int) CREATE VIEW v AS SELECT 1")[0]
    assert [getattr(o, "name", None) for o in statement.operations] == ["s", Name("s", "t"), Name("s", "v")]


def test_views_know_their_columns():
    assert only("CREATE VIEW v (a) AS SELECT x, y + 1, t.*, lower(z) AS q FROM t").columns == ("a", "?column?", None, "q")

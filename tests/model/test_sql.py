"""Names and statements that recipes show, compared with what PostgreSQL 18 itself chose for the same definitions."""

from __future__ import annotations

import pytest

from dbguard.model.expression import Expression, Tree
from dbguard.model.keys import IndexKey
from dbguard.model.names import Name
from dbguard.model.operations import ColumnDefinition, ConstraintDefinition, CreateIndex
from dbguard.model.schema import Constraint, Index, Table
from dbguard.model.sql import choose_name, column_clause, constraint_clause, constraint_name, index_name, index_statement
from dbguard.model.types import DataType, builtin

T = Name(None, "t")
TABLE = Table(Name("public", "t"))
COLUMN_C: Tree = ("column", "c")


def index(*columns: str, **more) -> CreateIndex:
    return CreateIndex(T, tuple(IndexKey(column) for column in columns), **more)


def expression_key(sql: str, name: str | None, tree: Tree = ("other", "A_Expr")) -> IndexKey:
    return IndexKey(None, Expression(sql, tree), name=name)


def taking(*names: str) -> Table:
    return TABLE._replace(indexes={name: Index(Name("public", name), TABLE.name, ()) for name in names})


@pytest.mark.parametrize(
    ("definition", "table", "name"),
    [
        (index("a"), TABLE, "t_a_idx"),
        (index("a"), taking("t_a_idx"), "t_a_idx1"),
        (index("a"), taking("t_a_idx", "t_a_idx1"), "t_a_idx2"),
        (index("a", "b"), TABLE, "t_a_b_idx"),
        (index("a", include=("b",)), TABLE, "t_a_b_idx"),
        (index("Q"), TABLE, '"t_Q_idx"'),
        (CreateIndex(T, (expression_key("lower(c)", "lower"),)), TABLE, "t_lower_idx"),
        (CreateIndex(T, (expression_key("a + 1", None), expression_key("b + 1", None))), TABLE, "t_expr_expr1_idx"),
        (index("a", name="mine"), taking("mine"), "mine"),
    ],
)
def test_an_index_gets_the_name_that_postgresql_chooses(definition: CreateIndex, table: Table, name: str) -> None:
    assert index_name(definition, table) == name


def test_a_name_that_is_too_long_is_cut_from_the_longer_part() -> None:
    columns = ("a_very_long_column_name_indeed_really", "another_quite_long_column_name")
    chosen = choose_name("long_name_for_a_table_that_goes_on_and_on", columns, "idx")
    assert chosen == "long_name_for_a_table_that_go_a_very_long_column_name_indee_idx"


def test_a_name_is_never_cut_inside_a_character() -> None:
    chosen = choose_name("ü" * 40, ("é" * 40,), "idx")
    assert len(chosen.encode()) <= 63
    assert set(chosen) == set("üé_idx")


A_CHECK = Expression("a > 0", ("op", ">", ("column", "a"), ("const", 0)))
AB_CHECK = Expression("a > b", ("op", ">", ("column", "a"), ("column", "b")))


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        (ConstraintDefinition("unique", columns=("a",), include=("b",)), "t_a_b_key"),
        (ConstraintDefinition("primary key", columns=("a", "b")), "t_pkey"),
        (ConstraintDefinition("check", expression=A_CHECK), "t_a_check"),
        (ConstraintDefinition("check", expression=AB_CHECK), "t_check"),
        (ConstraintDefinition("check", expression=Expression("true", ("const", True))), "t_check"),
        (ConstraintDefinition("foreign key", columns=("a", "b"), references=Name(None, "p")), "t_a_b_fkey"),
        (ConstraintDefinition("not null", columns=("a",)), "t_a_not_null"),
        (ConstraintDefinition("exclusion", keys=(IndexKey("a"), expression_key("b + 1", None))), "t_a_expr_excl"),
        (ConstraintDefinition("unique", using_index="t_idx"), "t_idx"),
        (ConstraintDefinition("check", name="Positive", expression=A_CHECK), '"Positive"'),
    ],
)
def test_a_constraint_gets_the_name_that_postgresql_chooses(definition: ConstraintDefinition, name: str) -> None:
    assert constraint_name(definition, TABLE) == name


def test_a_constraint_name_that_is_taken_is_numbered() -> None:
    table = TABLE._replace(constraints={"t_a_fkey": Constraint("t_a_fkey", "foreign key")})
    assert constraint_name(ConstraintDefinition("foreign key", columns=("a",), references=Name(None, "p")), table) == "t_a_fkey1"


@pytest.mark.parametrize(
    ("definition", "sql"),
    [
        (index("a"), "CREATE INDEX t_a_idx ON t (a)"),
        (index("a", concurrently=True, unique=True, if_not_exists=True), "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_a_idx ON t (a)"),
        (
            index(
                "a", "B", method="gist", include=("c",), nulls_not_distinct=True, where=A_CHECK, options=(("fillfactor", "70"),), tablespace="fast"
            ),
            'CREATE INDEX "t_a_B_c_idx" ON t USING gist (a, "B") INCLUDE (c) NULLS NOT DISTINCT WITH (fillfactor = 70) TABLESPACE fast WHERE a > 0',
        ),
        (
            CreateIndex(
                Name("shop", "order"),
                (IndexKey("a", collation=Name(None, "C"), opclass=Name(None, "text_pattern_ops"), descending=True, nulls_first=False),),
            ),
            'CREATE INDEX t_a_idx ON shop."order" (a COLLATE "C" text_pattern_ops DESC NULLS LAST)',
        ),
        (CreateIndex(T, (expression_key("lower(c)", "lower", ("call", Name(None, "lower"), COLUMN_C)),)), "CREATE INDEX t_lower_idx ON t (lower(c))"),
        (CreateIndex(T, (expression_key("c || 'x'", None),)), "CREATE INDEX t_expr_idx ON t ((c || 'x'))"),
        (
            CreateIndex(T, (expression_key("f(c) AT TIME ZONE (z)", "timezone", ("call", Name(None, "timezone"), COLUMN_C)),)),
            "CREATE INDEX t_timezone_idx ON t ((f(c) AT TIME ZONE (z)))",
        ),
    ],
)
def test_an_index_is_written_out_with_every_clause(definition: CreateIndex, sql: str) -> None:
    assert index_statement(definition, TABLE) == sql


FOREIGN_KEY = ConstraintDefinition("foreign key", columns=("a",), references=Name("shop", "p"), referenced_columns=("id",))


@pytest.mark.parametrize(
    ("definition", "sql"),
    [
        (ConstraintDefinition("check", expression=A_CHECK, valid=False), "CONSTRAINT t_a_check CHECK (a > 0) NOT VALID"),
        (ConstraintDefinition("check", expression=A_CHECK, no_inherit=True), "CONSTRAINT t_a_check CHECK (a > 0) NO INHERIT"),
        (FOREIGN_KEY, "CONSTRAINT t_a_fkey FOREIGN KEY (a) REFERENCES shop.p (id)"),
        (
            FOREIGN_KEY._replace(match_full=True, on_delete="set null", on_update="cascade", deferrable=True, deferred=True, valid=False),
            "CONSTRAINT t_a_fkey FOREIGN KEY (a) REFERENCES shop.p (id) MATCH FULL ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID",
        ),
        (FOREIGN_KEY._replace(enforced=False, valid=False), "CONSTRAINT t_a_fkey FOREIGN KEY (a) REFERENCES shop.p (id) NOT ENFORCED"),
        (ConstraintDefinition("unique", columns=("a",), nulls_not_distinct=True), "CONSTRAINT t_a_key UNIQUE NULLS NOT DISTINCT (a)"),
        (ConstraintDefinition("primary key", name="pk", using_index="i"), "CONSTRAINT pk PRIMARY KEY USING INDEX i"),
        (ConstraintDefinition("unique", columns=("a", "d"), without_overlaps=True), "CONSTRAINT t_a_d_key UNIQUE (a, d WITHOUT OVERLAPS)"),
        (ConstraintDefinition("not null", columns=("a",), valid=False), "CONSTRAINT t_a_not_null NOT NULL a NOT VALID"),
    ],
)
def test_a_constraint_is_written_out_with_every_clause(definition: ConstraintDefinition, sql: str) -> None:
    assert constraint_clause(definition, TABLE) == sql


NOW = Expression("now()", ("call", Name(None, "now")))
EITHER = Expression("true OR false", ("or", ("const", True), ("const", False)))


@pytest.mark.parametrize(
    ("column", "sql"),
    [
        (ColumnDefinition("a", builtin("int8")), "a bigint"),
        (ColumnDefinition("user", builtin("varchar", "50"), not_null=True, default=NOW), '"user" character varying(50) DEFAULT now() NOT NULL'),
        (ColumnDefinition("a", builtin("int8"), not_null=True, serial=True), "a bigserial"),
        (ColumnDefinition("a", builtin("int4"), not_null=True, identity="by default"), "a integer GENERATED BY DEFAULT AS IDENTITY"),
        (ColumnDefinition("a", builtin("bool"), default=EITHER), "a boolean DEFAULT (true OR false)"),
        (
            ColumnDefinition("a", DataType(Name("shop", "mood")), generated="stored", generated_expression=Expression("b", ("column", "b"))),
            "a shop.mood GENERATED ALWAYS AS (b) STORED",
        ),
        (
            ColumnDefinition("a", builtin("int4"), constraints=(FOREIGN_KEY, ConstraintDefinition("check", name="c", expression=A_CHECK))),
            "a integer REFERENCES shop.p (id) CONSTRAINT c CHECK (a > 0)",
        ),
        (
            ColumnDefinition("a", builtin("text"), not_null=True, collation=Name("pg_catalog", "C"), storage="external", compression="lz4"),
            'a text STORAGE external COMPRESSION lz4 COLLATE pg_catalog."C" NOT NULL',
        ),
    ],
)
def test_a_column_is_written_out_with_every_clause(column: ColumnDefinition, sql: str) -> None:
    assert column_clause(column) == sql

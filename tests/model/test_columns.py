"""Questions about columns, and the SQL of the recipes for them."""

from __future__ import annotations

import pytest

from dbguard.model.column_types import is_zone_change, narrowing
from dbguard.model.columns import batched_update, constrained_domain, domain_conditions, free_name, not_null_steps, proves_not_null
from dbguard.model.expression import Expression, Tree
from dbguard.model.names import Name
from dbguard.model.operations import ChangeColumnType
from dbguard.model.schema import Column, Constraint, Schema, Table, UserType
from dbguard.model.state import State
from dbguard.model.types import DataType, builtin

T = Name(None, "t")
COLUMN: Tree = ("column", "c")
NOT_NULL: Tree = ("is_not_null", COLUMN)


def change(to: DataType, using: Tree | None = None) -> ChangeColumnType:
    return ChangeColumnType(T, "c", to, None if using is None else Expression("...", using))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (builtin("varchar", "20"), builtin("varchar", "30")),
        (builtin("varchar", "20"), builtin("varchar", "20")),
        (builtin("varchar", "20"), builtin("varchar")),
        (builtin("varchar", "20"), builtin("text")),
        (builtin("bpchar", "36"), builtin("varchar", "40")),
        (builtin("numeric", "8", "2"), builtin("numeric", "10", "2")),
        (builtin("numeric", "8", "2"), builtin("numeric", "10", "4")),
        (builtin("numeric", "8", "2"), builtin("numeric")),
        (builtin("int4"), builtin("int8")),
        (builtin("int4"), builtin("text")),
        (builtin("varchar", "20", array=True), builtin("varchar", "5", array=True)),
        (DataType(Name("public", "mood")), builtin("varchar", "5")),
    ],
)
def test_a_wider_type_is_no_narrowing(old: DataType, new: DataType) -> None:
    assert narrowing(old, change(new)) is None


@pytest.mark.parametrize(
    ("old", "new", "condition"),
    [
        (builtin("text"), builtin("varchar", "5"), "char_length(c) <= 5"),
        (builtin("varchar", "20"), builtin("varchar", "19"), "char_length(c) <= 19"),
        (builtin("text"), builtin("bpchar", "3"), "char_length(c) <= 3"),
        (builtin("int8"), builtin("int4"), "c BETWEEN -2147483648 AND 2147483647"),
        (builtin("int4"), builtin("int2"), "c BETWEEN -32768 AND 32767"),
        (builtin("numeric", "8", "2"), builtin("numeric", "8", "1"), "c = round(c, 1)"),
        (builtin("numeric", "8", "2"), builtin("numeric", "6", "2"), "abs(c) < 1e4 AND c = round(c, 2)"),
        (builtin("numeric"), builtin("numeric", "6"), "abs(c) < 1e6 AND c = round(c, 0)"),
    ],
)
def test_a_narrower_type_has_a_condition_that_fits(old: DataType, new: DataType, condition: str) -> None:
    found = narrowing(old, change(new))
    assert found is not None
    assert found.condition == condition


def test_using_that_says_what_to_do_is_no_narrowing() -> None:
    assert narrowing(builtin("text"), change(builtin("varchar", "5"), ("call", Name(None, "left"), COLUMN, ("const", 5)))) is None


def test_a_cast_in_using_cuts_values() -> None:
    found = narrowing(builtin("text"), change(builtin("varchar", "5"), ("cast", builtin("varchar", "5"), COLUMN)))
    assert found is not None
    assert found.outcome == "cuts every longer value"


def at_zone(zone: str) -> Tree:
    return ("call", Name("pg_catalog", "timezone"), ("const", zone), COLUMN)


@pytest.mark.parametrize(
    ("old", "to", "using", "answer"),
    [
        ("timestamp", "timestamptz", None, True),
        ("timestamptz", "timestamp", None, True),
        ("timestamp", "timestamptz", at_zone("utc"), True),
        (None, "timestamptz", at_zone("UTC"), True),
        (None, "timestamptz", None, False),
        ("timestamp", "timestamptz", at_zone("Europe/Berlin"), False),
        ("date", "timestamptz", None, False),
        ("timestamp", "timestamp", None, False),
    ],
)
def test_a_change_of_zone_in_utc_is_recognised(old: str | None, to: str, using: Tree | None, answer: bool) -> None:
    column = None if old is None else Column("c", builtin(old))
    assert is_zone_change(column, change(builtin(to), using)) is answer


@pytest.mark.parametrize(
    ("tree", "answer"),
    [
        (NOT_NULL, True),
        (("and", ("op", ">", COLUMN, ("const", 0)), NOT_NULL), True),
        (("or", NOT_NULL, ("const", True)), False),
        (("op", ">", COLUMN, ("const", 0)), False),
        (("is_not_null", ("column", "d")), False),
    ],
)
def test_only_a_check_that_says_so_proves_not_null(tree: Tree, answer: bool) -> None:
    assert proves_not_null(Constraint("k", "check", expression=Expression("...", tree)), "c") is answer


def test_a_batch_goes_by_the_primary_key_and_never_overwrites() -> None:
    key = Table(Name("public", "t"), constraints={"t_pkey": Constraint("t_pkey", "primary key", ("a", "B"))})
    assert batched_update(key, T, "c = 1", "c IS NULL") == (
        'UPDATE t SET c = 1 WHERE (a, "B") IN (SELECT a, "B" FROM t WHERE c IS NULL LIMIT 10000) AND c IS NULL'
    )
    assert "WHERE ctid IN (SELECT ctid FROM t" in batched_update(Table(Name("public", "t")), T, "c = 1", "c IS NULL")


def test_the_check_of_a_not_null_recipe_takes_a_free_name() -> None:
    table = Table(Name("public", "t"), constraints={"t_c_check": Constraint("t_c_check", "check")})
    assert "ADD CONSTRAINT t_c_check1 CHECK (c IS NOT NULL) NOT VALID" in not_null_steps(table, T, "c")


def test_a_new_column_takes_a_free_name() -> None:
    table = Table(Name("public", "t"), columns={"c_new": Column("c_new", builtin("int4"))})
    assert free_name(table, "c_new") == "c_new2"
    assert free_name(table, "d_new") == "d_new"


def test_only_a_domain_with_constraints_is_constrained() -> None:
    check = Constraint("few", "check", expression=Expression("VALUE < 10", ("op", "<", ("column", "value"), ("const", 10))))
    few = UserType(Name("public", "few"), "domain", base=builtin("int4"), not_null=True, constraints={"few": check})
    free = UserType(Name("public", "free"), "domain", base=builtin("int4"))
    state = State(Schema(types={few.name: few, free.name: free}))
    assert constrained_domain(DataType(Name(None, "few")), state) == few
    assert constrained_domain(DataType(Name(None, "few"), array=True), state) is None
    assert constrained_domain(DataType(Name(None, "free")), state) is None
    assert constrained_domain(builtin("int4"), state) is None
    assert domain_conditions(few, "Many") == '"Many" IS NOT NULL AND ("Many" < 10)'

"""Each call gives the SQL that Alembic itself prints when it runs it, and stands where the call stands."""

from __future__ import annotations

import io
import warnings

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects.postgresql.base import PGDialect

from .environments import read, revision, sql, unread, up, write, written

BODIES = {
    "columns of all kinds": """
op.create_table(
    "t",
    sa.Column("id", sa.BigInteger(), sa.Identity(always=True, start=10), primary_key=True),
    sa.Column("serial", sa.Integer(), nullable=False, autoincrement=True),
    sa.Column("a", sa.String(length=20), server_default="x'y", nullable=False, comment="it's"),
    sa.Column("b", postgresql.UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()")),
    sa.Column("c", sa.Numeric(precision=10, scale=2), sa.CheckConstraint("c > 0")),
    sa.Column("d", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]")),
    sa.Column("e", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column("f", sa.DateTime(timezone=True), server_default=sa.func.now(), index=True),
    sa.Column("g", sa.Integer, sa.Computed("c * 2", persisted=True)),
    sa.Column("h", sa.Boolean, server_default=sa.false(), unique=True),
    sa.Column("i", sa.Integer, sa.ForeignKey("other.t.id", ondelete="CASCADE", deferrable=True)),
    sa.Column("j", postgresql.TSVECTOR), sa.Column("k", postgresql.INET()), sa.Column("l", postgresql.INT8RANGE()),
    sa.Column("m", sa.Interval()), sa.Column("n", sa.LargeBinary()), sa.Column("o", sa.Double()), sa.Column("p", sa.JSON()),
    sa.Column("q", sa.String().with_variant(sa.Text(), "postgresql")), sa.Column("r", postgresql.CITEXT()),
    sa.Column("s", sa.Float(53)), sa.Column("u", postgresql.BIT(3)), sa.Column("Upper", sa.TIMESTAMP(timezone=True)),
    sa.PrimaryKeyConstraint("id", name="pk"),
    sa.UniqueConstraint("a", "b", name="uq", postgresql_nulls_not_distinct=True),
    sa.Index("ix", "a", sa.text("lower(q)"), postgresql_where=sa.text("h")),
    schema="other", comment="a table", if_not_exists=True,
)""",
    "an exclusion constraint in a table": 'op.create_table("t", sa.Column("r", postgresql.TSRANGE()), postgresql.ExcludeConstraint(("r", "&&"), name="x", using="gist"))',
    "partitions": 'op.create_table("t", sa.Column("at", sa.Date()), postgresql_partition_by="RANGE (at)", prefixes=["UNLOGGED"])',
    "an enumeration": 'op.create_table("t", sa.Column("s", sa.Enum("a", "b", name="mood")), sa.Column("s2", sa.Enum("a", "b", name="mood")))',
    "an enumeration that exists": 'op.create_table("t", sa.Column("s", postgresql.ENUM("a", name="mood", create_type=False)))',
    "an enumeration as text": 'op.create_table("t", sa.Column("s", sa.Enum("a", "b", native_enum=False, length=9, create_constraint=True, name="mood")))',
    "an enumeration made by hand": 'mood = postgresql.ENUM("a", "b", name="mood", create_type=False)\nmood.create(op.get_bind())\nop.add_column("t", sa.Column("m", mood))',
    "an enumeration dropped": 'sa.Enum("a", name="mood").create(op.get_bind(), checkfirst=False)\nsa.Enum(name="mood").drop(op.get_bind(), checkfirst=False)',
    "a column": 'op.add_column("t", sa.Column("a", sa.Integer(), nullable=False, server_default="0"), schema="x")',
    "a column with a foreign key": 'op.add_column("t", sa.Column("a", sa.Integer(), sa.ForeignKey("u.id"), unique=True, index=True))',
    "a column if it is not there": 'op.add_column("t", sa.Column("a", sa.Integer()), if_not_exists=True)',
    "a column dropped": 'op.drop_column("t", "a", schema="x", if_exists=True)',
    "a type": 'op.alter_column("t", "a", existing_type=sa.VARCHAR(20), type_=sa.Text(), existing_nullable=False, postgresql_using="a::text")',
    "a default": 'op.alter_column("t", "a", server_default=sa.text("now()"))\nop.alter_column("t", "a", server_default=None)\nop.alter_column("t", "a", server_default="x")',
    "a name and a comment": 'op.alter_column("t", "a", new_column_name="b", comment="c", existing_comment=None, nullable=False, schema="s")',
    "an identity": 'op.alter_column("t", "a", existing_type=sa.Integer(), server_default=sa.Identity(), existing_server_default=None)',
    "a boolean that was checked": 'op.alter_column("t", "a", existing_type=sa.Boolean(create_constraint=True, name="ck"), type_=sa.Integer())',
    "an index": 'op.create_index(op.f("ix"), "t", ["a", sa.text("b DESC")], unique=True, schema="s", postgresql_using="gin", postgresql_where="a > 0", postgresql_include=["c"])',
    "an index with operators": 'op.create_index("ix", "t", ["a"], postgresql_ops={"a": "gin_trgm_ops"}, postgresql_with={"fastupdate": False}, if_not_exists=True)',
    "an index on an expression": 'op.create_index("ix", "t", [sa.literal_column("lower(a)"), sa.func.upper(sa.column("b")).desc()])',
    "an index concurrently": 'with op.get_context().autocommit_block():\n    op.create_index("ix", "t", ["a"], postgresql_concurrently=True)\n    op.drop_index("iy", table_name="t", postgresql_concurrently=True)',
    "an index dropped": 'op.drop_index("ix", "t", schema="s", if_exists=True)',
    "a foreign key": 'op.create_foreign_key("fk", "t", "u", ["a"], ["id"], ondelete="SET NULL", initially="DEFERRED", deferrable=True, source_schema="s", postgresql_not_valid=True)',
    "a check": 'op.create_check_constraint("ck", "t", sa.column("a") > 0, postgresql_not_valid=True)\nop.create_check_constraint("c2", "t", sa.and_(sa.column("a").isnot(None), sa.func.length(sa.column("b")) < 5))',
    "a primary key": 'op.create_primary_key("pk", "t", ["a", "b"])',
    "unique": 'op.create_unique_constraint("uq", "t", ["a"], deferrable=True)',
    "an exclusion": 'op.create_exclude_constraint("x", "t", (sa.column("r"), "&&"), using="gist", where=sa.text("a"))',
    "constraints dropped": 'op.drop_constraint("c", "t")\nop.drop_constraint("f", "t", type_="foreignkey", schema="s", if_exists=True)',
    "a table renamed and dropped": 'op.rename_table("a", "b", schema="s")\nop.drop_table("b", schema="s", if_exists=True)',
    "comments": 'op.create_table_comment("t", "about", existing_comment=None, schema="s")\nop.drop_table_comment("t")',
    "batches": """
with op.batch_alter_table("t", schema="s") as batch_op:
    batch_op.add_column(sa.Column("a", sa.Integer()))
    batch_op.alter_column("b", nullable=False, existing_type=sa.Text())
    op.execute("SELECT 1")
    batch_op.create_index(batch_op.f("ix"), ["a"], unique=False)
    batch_op.create_foreign_key("fk", "u", ["a"], ["id"])
    batch_op.drop_constraint("uq", type_="unique")
    batch_op.drop_column("c")
""",
    "text with what looks like a parameter": r"op.execute('UPDATE t SET a = \'10:30\' WHERE b = \'x\\:y\' AND c::text = \'z\'')",
    "loops": 'for table in ("a", "b"):\n    for column, kind in {"x": sa.Text(), "y": sa.Integer()}.items():\n        op.add_column(table, sa.Column(f"{column}_{table}", kind))',
    "helpers": 'def column(name, **given):\n    return sa.Column(name, sa.Text(), **given)\nfor one in [column("a"), column("b", nullable=False)]:\n    op.add_column("t", one)',
    "the dialect": 'if op.get_bind().dialect.name == "sqlite":\n    op.execute("PRAGMA x")\nelse:\n    op.execute("SELECT 1")\nif op.get_context().dialect.name != "postgresql":\n    raise RuntimeError\nop.drop_table("t")',
    "spread": 'columns = [sa.Column("a", sa.Text()), sa.Column("b", sa.Text())]\noptions = {"schema": "s"}\nop.create_table("t", *columns, **options)',
    "a shared column": 'a = sa.Column("a", sa.Text())\nop.add_column("t", a)\nop.add_column("u", a)',
    "sequences": 'op.execute(sa.schema.CreateSequence(sa.Sequence("s", start=5)))\nop.create_table("t", sa.Column("id", sa.Integer, sa.Sequence("s"), primary_key=True))',
}  # fmt: skip
PREAMBLE = "import sqlalchemy as sa\nfrom alembic import op\nfrom sqlalchemy.dialects import postgresql\n"


def printed(body: str) -> list[str]:
    """What Alembic prints when it runs the body."""
    buffer = io.StringIO()
    context = MigrationContext.configure(dialect=PGDialect(paramstyle="numeric_dollar"), opts={"as_sql": True, "output_buffer": buffer})
    with Operations.context(context), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(PREAMBLE + body, "body", "exec"), {})
    return [" ".join(one.split()).removesuffix(";") for one in buffer.getvalue().split(";\n\n") if one.strip()]


@pytest.mark.parametrize("name", BODIES)
def test_the_sql_is_that_of_alembic(name: str, tmp_path):
    script = up(tmp_path, BODIES[name])
    assert unread(script) == []
    expected = [one for one in printed(BODIES[name]) if one not in {"BEGIN", "COMMIT"}]
    theirs, ours = ([part for one in found for part in one.split("; ")] for found in (expected, sql(script)))
    if name in {"columns of all kinds", "a column with a foreign key"}:  # a set in SQLAlchemy
        theirs, ours = sorted(theirs), sorted(ours)
    assert ours == theirs


def test_the_order_of_indexes_is_the_same_in_every_run(tmp_path):
    columns = ", ".join(f'sa.Column("{name}", sa.Text(), index=True)' for name in "dbeca")
    (block,) = [block for block in up(tmp_path, f'op.create_table("t", {columns})').blocks if block.sql]
    assert [line.split()[2] for line in block.sql.split(";\n\n")[1:]] == [f"ix_t_{name}" for name in "abcde"]


def test_findings_point_at_the_call(tmp_path):
    script = up(tmp_path, 'op.drop_table("a")\nfor name in ["b", "c"]:\n    op.drop_table(name)')
    assert [(written(script, block), block.sql) for block in script.blocks if block.sql] == [
        ('op.drop_table("a")', "DROP TABLE a;"),
        ("op.drop_table(name)", "DROP TABLE b;"),
        ("op.drop_table(name)", "DROP TABLE c;"),
    ]


@pytest.mark.parametrize(
    "call",
    [
        'op.execute("DROP TABLE a")',
        'op.execute("""\n    DROP TABLE a;\n    DROP TABLE b\n""")',
        'op.execute(sa.text("DROP TABLE a"))',
        'op.execute(sqltext="DROP TABLE a")',
        'op.get_bind().execute(sa.text("DROP TABLE a"))',
        'QUERY = "DROP TABLE a"\nop.execute(QUERY)',
        'statement = sa.text("DROP TABLE a")\nop.execute(statement)',
        "op.execute(r'DROP TABLE a')",
    ],
)
def test_a_literal_stands_where_it_stands(call: str, tmp_path):
    script = up(tmp_path, call)
    (block,) = [block for block in script.blocks if block.sql]
    assert block.place is not None
    assert script.source.text.startswith(block.sql, block.place)
    assert "DROP TABLE a" in block.sql


@pytest.mark.parametrize(
    "call",
    ['op.execute("DROP " "TABLE a")', 'op.execute("DROP TABLE " + "a")', "op.execute(f'DROP TABLE {\"a\"}')", 'op.execute("DROP\\x20TABLE a")'],
)
def test_text_that_is_put_together_stands_at_the_call(call: str, tmp_path):
    (block,) = [block for block in up(tmp_path, call).blocks if block.sql]
    assert block.sql == "DROP TABLE a"
    assert block.place is None


def test_a_name_that_is_bound_twice_has_no_place(tmp_path):
    script = up(tmp_path, 'query = "DROP TABLE a"\nop.execute(query)\nquery = "DROP TABLE b"\nop.execute(query)')
    assert [(block.sql, block.place) for block in script.blocks if block.sql] == [("DROP TABLE a", None), ("DROP TABLE b", None)]


def test_an_autocommit_block_is_outside_of_the_transaction(tmp_path):
    script = up(tmp_path, 'op.drop_table("a")\nwith op.get_context().autocommit_block():\n    op.execute("VACUUM t")\nop.drop_table("b")')
    assert [(block.sql, block.alone) for block in script.blocks if block.sql] == [
        ("DROP TABLE a;", False),
        ("VACUUM t", True),
        ("DROP TABLE b;", False),
    ]


def test_the_sql_of_a_batch_stands_at_its_calls(tmp_path):
    script = up(tmp_path, BODIES["batches"])
    assert [written(script, block).partition("(")[0] for block in script.blocks if block.sql][:3] == [
        "op.execute",
        "batch_op.add_column",
        "batch_op.alter_column",
    ]


def test_each_script_may_be_the_only_one_that_runs(tmp_path):
    """Within one process SQLAlchemy creates a type once; the second revision is deployed in a process of its own."""
    body = 'op.create_table("{}", sa.Column("m", sa.Enum("a", name="mood")))'
    write(
        tmp_path,
        {"one": revision("one", None, body.format("t"), "op.drop_table('t')"), "two": revision("two", "one", body.format("u"), "op.drop_table('u')")},
    )
    assert sum("CREATE TYPE mood" in block.sql for script in read(tmp_path).scripts for block in script.blocks) == 2


def test_a_type_that_is_there_is_not_created_again_after_a_check(tmp_path):
    create = 'postgresql.ENUM("a", name="mood").create(op.get_bind(), checkfirst=True)'
    drop = 'sa.Enum(name="mood").drop(op.get_bind())'
    write(tmp_path, {"one": revision("one", None, create, drop), "two": revision("two", "one", create, drop)})
    assert [block.sql for script in read(tmp_path).scripts for block in script.blocks if block.sql] == [
        "CREATE TYPE mood AS ENUM ('a');",
        "DROP TYPE mood;",
        "DROP TYPE mood;",
    ]


def test_a_type_that_no_revision_created_is_dropped_if_it_exists(tmp_path):
    assert sql(up(tmp_path, 'sa.Enum(name="mood").drop(op.get_bind())')) == ["DROP TYPE IF EXISTS mood"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("sqlalchemy_utils.types.uuid.UUIDType(binary=False)", "UUID"),
        ("sqlalchemy_utils.types.email.EmailType(length=100)", "VARCHAR(100)"),
        ("sqlalchemy_utils.types.email.EmailType()", "VARCHAR(255)"),
        ("sqlalchemy_utils.StringEncryptedType()", "VARCHAR"),
        ("geoalchemy2.types.Geometry(geometry_type='POINT', srid=4326, spatial_index=False)", "geometry(POINT,4326)"),
        ("pgvector.sqlalchemy.vector.VECTOR(dim=3)", "VECTOR(3)"),
        ("pgvector.sqlalchemy.Vector(3)", "VECTOR(3)"),
        ("sqlmodel.sql.sqltypes.AutoString()", "VARCHAR"),
        ("sqlmodel.sql.sqltypes.AutoString(length=7)", "VARCHAR(7)"),
        ("citext.CIText()", "CITEXT"),
        ("shop.types.Money()", "NUMERIC(12, 2)"),
        ("shop.types.Id", "UUID"),
        ("shop.types.Short(5)", "VARCHAR(5)"),
        ("shop.types.Point()", "point"),
    ],
)
def test_types_of_packages_and_of_the_project_are_known(kind: str, expected: str, tmp_path):
    types = """
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
class Money(sa.TypeDecorator):
    impl = sa.Numeric(12, 2)
class Id(sa.types.TypeDecorator):
    impl = sa.CHAR
    def load_dialect_impl(self, dialect):
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.UUID())
        return dialect.type_descriptor(sa.CHAR(32))
class Short(sa.TypeDecorator):
    impl = sa.String
class Point(sa.types.UserDefinedType):
    def get_col_spec(self, **kw):
        return "point"
"""
    write(tmp_path, {}, shop__types="")
    (tmp_path / "shop/types").unlink()
    (tmp_path / "shop/types.py").write_text(types)
    package = kind.partition(".")[0]
    script = up(tmp_path, f'op.add_column("t", sa.Column("a", {kind}))', before=f"import {package}")
    assert unread(script) == []
    assert sql(script) == [f"ALTER TABLE t ADD COLUMN a {expected}"]


def test_a_type_that_is_not_known_is_named_and_the_table_is_still_known(tmp_path):
    script = up(tmp_path, 'op.create_table("t", sa.Column("a", strange.Kind(3)), sa.Column("b", sa.Text()))', before="import strange")
    assert sql(script) == ["CREATE TABLE t ( a kind, b TEXT )"]
    assert unread(script) == ["type `strange.Kind` is not known"]


def test_the_type_that_a_column_has_had_need_not_be_known(tmp_path):
    script = up(
        tmp_path,
        'op.alter_column("t", "a", existing_type=strange.Kind(), existing_server_default=strange.f(), nullable=True)',
        before="import strange",
    )
    assert sql(script) == ["ALTER TABLE t ALTER COLUMN a DROP NOT NULL"]
    assert unread(script) == []


def test_an_enumeration_of_the_module_is_followed(tmp_path):
    before = "import enum\nclass Mood(enum.Enum):\n    happy = 'H'\n    sad = 'S'\n"
    script = up(tmp_path, 'op.create_table("t", sa.Column("m", sa.Enum(Mood)))', before=before)
    assert sql(script)[0].startswith("CREATE TYPE mood AS ENUM ('happy', 'sad')")
    values = up(
        tmp_path, 'op.create_table("t", sa.Column("m", sa.Enum(Mood, values_callable=lambda e: [m.value for m in e], name="x")))', before=before
    )
    assert sql(values)[0].startswith("CREATE TYPE x AS ENUM ('H', 'S')")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            't = sa.table("t", sa.column("a", sa.Integer), sa.column("b"))\nop.execute(t.update().where(t.c.a == 1).values(b=sa.null()))',
            "UPDATE t SET b=NULL WHERE t.a = 1",
        ),
        ('t = sa.table("t", sa.column("a", sa.Integer))\nop.execute(sa.delete(t).where(t.c.a.in_([1, 2])))', "DELETE FROM t WHERE t.a IN (1, 2)"),
        ('t = sa.table("t", sa.column("a", sa.String))\nop.bulk_insert(t, [{"a": "x"}, {"a": "y"}])', "INSERT INTO t (a) VALUES ($1)"),
        ('t = op.create_table("t", sa.Column("a", sa.String))\nop.bulk_insert(t, [{"a": "x"}])', "INSERT INTO t (a) VALUES ($1)"),
        (
            'import uuid\nt = sa.table("t", sa.column("a", sa.String))\nop.execute(sa.insert(t).values(a=str(uuid.uuid4())))',
            "INSERT INTO t (a) VALUES ($1)",
        ),
        ('op.get_bind().execute(sa.text("DELETE FROM t WHERE a IN :a"), {"a": (1, 2)})', "DELETE FROM t WHERE a IN ($1)"),
        ('op.get_bind().execute(sa.text("UPDATE t SET a = :a"), {"a": 1})', "UPDATE t SET a = $1"),
        ('op.execute(sa.text("UPDATE t SET a = :a").bindparams(a=1))', "UPDATE t SET a = 1"),
        ('op.execute("UPDATE t SET a = :a")', "UPDATE t SET a = $1"),
        ('conn = op.get_bind()\nconn.exec_driver_sql("UPDATE t SET a = 1")', "UPDATE t SET a = 1"),
        ('t = sa.Table("t", sa.MetaData(), autoload_with=op.get_bind())\nop.execute(t.update().values(a=t.c.b))', "UPDATE t SET a=t.b"),
        (
            'm = sa.MetaData()\nm.reflect(op.get_bind())\nt = m.tables["t"]\nop.execute(sa.select(t.c.a).where(t.c.b.is_(None)))',
            "SELECT t.a FROM t WHERE t.b IS NULL",
        ),
    ],
)
def test_statements_that_the_revision_runs_itself_are_known(body: str, expected: str, tmp_path):
    script = up(tmp_path, body)
    assert sql(script)[-1] == expected
    assert unread(script) == []


def test_functions_of_alembic_utils_are_known(tmp_path):
    before = 'from alembic_utils.pg_function import PGFunction\nF = PGFunction(schema="public", signature="f(a integer DEFAULT 1)", definition="RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql")'
    script = up(tmp_path, "op.create_entity(F)\nop.replace_entity(F)\nop.drop_entity(F, cascade=True)", before=before)
    assert sql(script) == [
        'CREATE FUNCTION "public"."f"(a integer DEFAULT 1) RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql',
        'CREATE OR REPLACE FUNCTION "public"."f"(a integer DEFAULT 1) RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql',
        'DROP FUNCTION "public"."f"(a integer) CASCADE',
    ]


def test_values_of_an_enumeration_that_are_synchronised_rewrite_its_columns(tmp_path):
    before = "from alembic_postgresql_enum import TableReference"
    body = 'op.sync_enum_values("public", "mood", ["a", "b"], [TableReference(table_schema="public", table_name="t", column_name="m")], enum_values_to_rename=[])'
    statements = sql(up(tmp_path, body, before=before))[0].split("; ")
    assert statements[0] == 'ALTER TYPE "public"."mood" RENAME TO "mood_old"'
    assert 'ALTER TABLE "public"."t" ALTER COLUMN "m" TYPE "public"."mood" USING "m"::text::"public"."mood"' in statements


def test_an_operation_of_a_plugin_that_is_not_known_is_named(tmp_path):
    assert unread(up(tmp_path, 'op.create_hypertable("t")')) == ["`op.create_hypertable` is no operation of Alembic's own"]


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ('op.drop_constraint(None, "t")', "a constraint without a name"),
        ('op.create_index("ix", tablename="t")', "Alembic refuses this call"),
        ('op.alter_column("t", "a", type_=os.environ["X"])', "is not known"),
        ('op.execute(f"DROP TABLE {os.environ[chr(65)]}")', "the SQL is not known"),
        ('op.drop_table(os.environ["X"])', "is not known"),
        ("op.create_table(*parts())", "is not known"),
    ],
)
def test_what_is_not_known_is_told_with_a_reason(call: str, reason: str, tmp_path):
    script = up(tmp_path, call, before="import os\nfrom elsewhere import parts")
    assert sql(script) == []
    assert reason in unread(script)[0]


def test_functions_of_the_project_are_followed_by_file(tmp_path):
    helper = 'from alembic import op\ndef drop_all(*names):\n    for name in names:\n        op.execute(f"DROP TABLE {name}")\n'
    write(tmp_path, {}, shop__x="")
    (tmp_path / "shop/helpers.py").write_text(helper)
    script = up(tmp_path, 'drop_all("a", "b")', before="from shop.helpers import drop_all")
    assert sql(script) == ["DROP TABLE a", "DROP TABLE b"]
    assert {written(script, block) for block in script.blocks if block.sql} == {'drop_all("a", "b")'}
    assert {block.place for block in script.blocks if block.sql} == {None}


def test_the_functions_of_several_databases_are_read(tmp_path):
    text = revision("one").partition("def upgrade")[0]
    text += "def upgrade(engine_name):\n    globals()['upgrade_%s' % engine_name]()\n\n\n"
    text += "def upgrade_a():\n    op.drop_table('a')\n\n\ndef upgrade_b():\n    op.drop_table('b')\n"
    write(tmp_path, {"one": text})
    script = read(tmp_path).scripts[0]
    assert sql(script) == ["DROP TABLE a", "DROP TABLE b"]
    assert unread(script) == []


@pytest.mark.parametrize("call", ["getattr(op, 'drop_table')('t')", "globals()['run']()", "unknown(op.get_bind())", "run[0](bind)"])
def test_a_call_of_what_is_not_known_is_told_if_it_may_send_sql(call: str, tmp_path):
    assert unread(up(tmp_path, call)) != []


@pytest.mark.parametrize("call", ["unknown('x')", "logger.info('x')", "sys.exit", "print(op)"])
def test_a_call_that_sends_no_sql_is_not_told(call: str, tmp_path):
    assert unread(up(tmp_path, call, before="from loguru import logger\nimport sys")) == []

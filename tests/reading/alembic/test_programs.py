"""What a revision does besides its SQL: programs on rows, defaults of Python, missing downgrades, guesses."""

from __future__ import annotations

import pytest

from dbguard.model.names import Name
from dbguard.model.operations import AutocommitBlock, MissingDowngrade, PythonDefault, RunProgram
from dbguard.model.source import Script

from .environments import HEADER, read, revision, sql, unread, up, write, written


def facts(script: Script, kind: type) -> list[object]:
    return [operation for block in script.blocks for operation in block.operations if type(operation) is kind]


PROGRAMS = {
    "rows one by one": 'bind = op.get_bind()\nfor row in bind.execute(sa.text("SELECT id FROM t")):\n    bind.execute(sa.text("UPDATE t SET a = 1 WHERE id = :id"), {"id": row.id})\n    bind.execute(sa.text("DELETE FROM u WHERE id = :id"), {"id": row.id})',
    "rows fetched": 'bind = op.get_bind()\nrows = bind.execute(sa.text("SELECT id FROM t")).fetchall()\nfor row in rows:\n    bind.execute(sa.text("UPDATE t SET a = 1 WHERE id = :id"), dict(id=row[0]))',
    "a session": 'session = orm.Session(bind=op.get_bind())\nfor one in session.query(Thing).all():\n    one.name = "x"\n    session.add(one)\nsession.commit()',
    "a session made by a maker": "Session = orm.sessionmaker(bind=op.get_bind())\nsession = Session()\nsession.add(Thing())",
    "constructs": 't = sa.table("t", sa.column("id"), sa.column("a"))\nbind = op.get_bind()\nfor row in bind.execute(sa.select(t.c.id)):\n    bind.execute(t.update().where(t.c.id == row.id).values(a=row.id))',
    "a condition on rows": 'bind = op.get_bind()\nfound = bind.execute(sa.text("SELECT 1")).scalar()\nif found:\n    bind.execute(sa.text("DELETE FROM t"))',
    "a function elsewhere": "backfill(op.get_bind())",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_that_works_on_rows_is_told_once(name: str, tmp_path):
    before = "from sqlalchemy import orm\nfrom thing import Thing, backfill"
    script = up(tmp_path, PROGRAMS[name], "op.drop_table('x')", before)
    (program,) = facts(script, RunProgram)
    assert (program.name, program.reversible, program.in_transaction) == ("upgrade", True, True)
    assert len(unread(script)) == 1
    assert unread(script)[0].startswith("a program that works on rows")


def test_the_statements_of_a_program_are_read_all_the_same(tmp_path):
    assert sql(up(tmp_path, PROGRAMS["rows one by one"])) == ["SELECT id FROM t", "UPDATE t SET a = 1 WHERE id = $1", "DELETE FROM u WHERE id = $1"]


def test_what_fetches_all_rows_is_named_as_written(tmp_path):
    (program,) = facts(up(tmp_path, PROGRAMS["a session"], before="from sqlalchemy import orm\nfrom thing import Thing"), RunProgram)
    assert program.unbatched == ("session.query(Thing)",)


@pytest.mark.parametrize(
    "body",
    [
        'op.get_bind().execute(sa.text("UPDATE t SET a = :a"), {"a": 1})',
        'bind = op.get_bind()\nfor name in ("a", "b"):\n    bind.execute(sa.text("UPDATE t SET a = :a"), {"a": name})',
        'bind = op.get_bind()\nwhile bind.execute(sa.text("UPDATE t SET a = 1 WHERE id IN (SELECT id FROM t WHERE a IS NULL LIMIT 100)")).rowcount:\n    bind.commit()',
        'bind = op.get_bind()\nwhile True:\n    done = bind.execute(sa.text("UPDATE t SET a = 1"))\n    if done.rowcount == 0:\n        break',
        'count = op.get_bind().execute(sa.text("SELECT count(*) FROM t")).scalar()\nif count > 5:\n    raise RuntimeError("too many")\nprint(count)',
        'import logging\nif op.get_bind().execute(sa.text("SELECT 1")).scalar():\n    logging.getLogger().info("there")',
    ],
)
def test_statements_that_are_known_are_no_program(body: str, tmp_path):
    script = up(tmp_path, body, "op.drop_table('x')")
    assert facts(script, RunProgram) == []
    assert unread(script) == []


def test_a_commit_of_the_connection_is_read(tmp_path):
    assert sql(up(tmp_path, 'op.get_bind().commit()\nop.drop_table("t")')) == ["COMMIT", "DROP TABLE t"]


def test_a_condition_on_which_the_schema_depends_is_told_where_it_stands(tmp_path):
    body = 'if "t" not in sa.inspect(op.get_bind()).get_table_names():\n    op.create_table("t", sa.Column("a", sa.Text()))'
    script = up(tmp_path, body)
    assert sql(script) == ["CREATE TABLE t ( a TEXT )"]
    (block,) = [block for block in script.blocks if block.unread]
    assert written(script, block) == '"t" not in sa.inspect(op.get_bind()).get_table_names()'
    assert facts(script, RunProgram) == []


def test_a_connection_of_its_own_that_commits_itself_is_outside_of_the_transaction(tmp_path):
    body = 'with op.get_bind().engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:\n    connection.execute(sa.text("VACUUM t"))'
    assert [block.alone for block in up(tmp_path, body).blocks if block.sql] == [True]


def test_an_autocommit_block_is_a_fact(tmp_path):
    script = up(tmp_path, "with op.get_context().autocommit_block():\n    op.execute('VACUUM t')", "op.drop_table('x')")
    assert facts(script, AutocommitBlock) == [AutocommitBlock("")]
    assert written(script, script.blocks[0]) == "op.get_context().autocommit_block()"


@pytest.mark.parametrize(
    ("column", "default", "not_null"),
    [
        ('sa.Column("a", sa.Text(), default="x", nullable=False)', '"x"', True),
        ('sa.Column("a", sa.Text(), default=new_token)', "new_token", False),
        ('sa.Column("a", sa.Text(), default=lambda: uuid4(), nullable=True)', "lambda: uuid4()", False),
    ],
)
@pytest.mark.parametrize("batch", [False, True])
def test_a_default_of_python_that_no_row_gets(column: str, default: str, not_null: bool, batch: bool, tmp_path):
    call = (
        f'with op.batch_alter_table("t", schema="s") as batch_op:\n    batch_op.add_column({column})'
        if batch
        else f'op.add_column("t", {column}, schema="s")'
    )
    script = up(tmp_path, call, before="from shop import new_token")
    assert facts(script, PythonDefault) == [PythonDefault(Name("s", "t"), "a", default, applied=False, not_null=not_null)]
    assert unread(script) == []


@pytest.mark.parametrize(
    "call",
    [
        'op.add_column("t", sa.Column("a", sa.Text(), default="x", server_default="x"))',
        'op.add_column("t", sa.Column("a", sa.Text(), default=None))',
        'op.add_column("t", sa.Column("a", sa.Text(), server_default="x"))',
        'op.add_column("t", sa.Column("a", sa.Integer(), sa.Identity(), default=1))',
        'op.create_table("t", sa.Column("a", sa.Text(), default="x"))',
    ],
)
def test_a_default_that_rows_get_or_that_meets_none_is_no_fact(call: str, tmp_path):
    assert facts(up(tmp_path, call), PythonDefault) == []


@pytest.mark.parametrize("body", ["pass", '"""Nothing."""', "...", "return None"])
def test_a_downgrade_that_does_nothing_is_missing(body: str, tmp_path):
    script = up(tmp_path, "op.drop_table('t')", body)
    assert facts(script, MissingDowngrade) == [MissingDowngrade()]
    assert written(script, script.blocks[-1]) == "def downgrade():"
    assert len(read(tmp_path).scripts) == 1


def test_a_downgrade_that_is_not_there_is_missing(tmp_path):
    text = revision("one", None, "op.drop_table('t')").partition("\n\ndef downgrade")[0]
    write(tmp_path, {"one": text})
    assert facts(read(tmp_path).scripts[0], MissingDowngrade) == [MissingDowngrade(missing=True)]


@pytest.mark.parametrize(
    ("upgrade", "downgrade"), [("op.drop_table('t')", 'raise NotImplementedError("no way back")'), ("pass", "pass"), ('"""A merge."""', "pass")]
)
def test_a_downgrade_that_refuses_or_has_nothing_to_do_is_not_missing(upgrade: str, downgrade: str, tmp_path):
    assert facts(up(tmp_path, upgrade, downgrade), MissingDowngrade) == []


def test_the_downgrade_is_a_script_of_its_own_after_its_upgrade(tmp_path):
    write(
        tmp_path,
        {
            "one": revision("one", None, "op.drop_table('a')", "op.drop_table('b')"),
            "two": revision("two", "one", "op.drop_table('c')", "op.drop_table('d')"),
        },
    )
    assert [(script.version, script.direction, sql(script)) for script in read(tmp_path).scripts] == [
        ("one", "up", ["DROP TABLE a"]),
        ("one", "down", ["DROP TABLE b"]),
        ("two", "up", ["DROP TABLE c"]),
        ("two", "down", ["DROP TABLE d"]),
    ]


def test_scripts_say_how_they_were_read(tmp_path):
    script = up(tmp_path, "op.drop_table('t')")
    assert (script.tool, script.way, script.transaction, script.history, script.pieces) == ("alembic", "read", "one", "migrations", ())
    assert HEADER in script.source.text


@pytest.mark.parametrize(
    "fill",
    [
        "found = {}\nfor row in rows:\n    found[row.id] = row.name",
        "found = {}\nfound.update(rows)",
        "found = []\nfound.extend(row.id for row in rows)",
        "found = set()\nfor row in rows:\n    found.add(row.id)",
        "found = [row.id for row in rows]",
        "found = {row.id: 1 for row in rows}",
    ],
)
def test_a_container_that_is_filled_from_rows_is_not_taken_to_be_empty(fill: str, tmp_path):
    script = up(tmp_path, f'rows = op.get_bind().execute(sa.text("SELECT id FROM t"))\n{fill}\nif found:\n    op.drop_table("t")')
    assert sql(script) == ["SELECT id FROM t", "DROP TABLE t"]

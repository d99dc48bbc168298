"""Reading runs no code of the project, ends, and tells what it cannot read."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from .environments import ENV, desk, read, read_all, revision, sql, unread, up, write

TOUCH = "__import__('pathlib').Path({!r}).touch()"


def test_no_code_of_the_project_runs(tmp_path):
    """At import, in decorators, defaults, class bodies and bases, conversions, `upgrade()`, env.py, modules and types of the project."""
    mark = tmp_path / "ran"
    touch = TOUCH.format(str(mark))
    module = f"""
import os, pathlib, subprocess, shop.models
from shop.models import Base, Kind, helper
from shop import metadata
{touch}
os.system("touch {mark}")
revision = "one"
down_revision = None

def decorate(function):
    {touch}
    return function

class Meta(type):
    def __call__(cls, *args):
        {touch}

class Sneaky(str, metaclass=Meta):
    {touch}
    def __str__(self):
        {touch}
        return "x"
    __repr__ = __format__ = __hash__ = __str__

@decorate
def upgrade(argument={touch}):
    {touch}
    exec("{touch}")
    eval("{touch}")
    subprocess.run(["touch", "{mark}"])
    op.execute(f"SELECT {{Sneaky()}} {{{touch}}}")
    op.execute("SELECT {{0.__class__}}".format(Sneaky()))
    op.create_table("t", sa.Column("a", Kind(), default={touch}), sa.Column("b", sa.Enum(Sneaky)))
    op.add_column("t", sa.Column("c", sa.Text(), server_default=helper()))
    op.execute(helper)
    sa.create_engine("sqlite:///{mark}").connect()
    sa.event.listen(Base, "before_create", lambda: {touch})
    sa.util.os.system("touch {mark}")
    sa.sql.sqltypes.os.system("touch {mark}")
    op.run_async(decorate)
    op.invoke(decorate)
    op.get_bind().run_callable(decorate)
    op.execute(sa.text("SELECT 1").execution_options(a=decorate(1)))
    "{{}}".join(map(decorate, [1]))
    sorted([2, 1], key=decorate)
    [decorate(one) for one in (1, 2)]

def downgrade():
    {touch}
"""
    header = "import sqlalchemy as sa\nfrom alembic import op\n"
    write(tmp_path, {"one": header + module}, f"{ENV.replace('None', 'Base.metadata')}\nfrom shop.models import Base\n{touch}\n")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").write_text(touch)
    models = f"""
import sqlalchemy as sa
{touch}
def helper():
    {touch}
    return "x"
class Kind(sa.TypeDecorator):
    {touch}
    impl = sa.Text
    def load_dialect_impl(self, dialect):
        {touch}
        return dialect.type_descriptor(sa.Text())
class Base:
    {touch}
    metadata = sa.MetaData(naming_convention=helper())
"""
    (tmp_path / "shop/models.py").write_text(models)
    (tmp_path / "conftest.py").write_text(touch)
    script = read(tmp_path).scripts[0]
    assert "CREATE TABLE t" in " ".join(sql(script))
    assert not mark.exists()
    assert not any(name.partition(".")[0] in {"shop", "env"} for name in sys.modules)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def upgrade(:\n", "understands"),
        ('print "hello"\n', "Python 2"),
        ("try:\n    pass\nexcept Exception, e:\n    pass\n", "Python 2"),
        ("def f():\n\tif 1:\n        pass\n", "understands"),
        ("x = " + "(" * 300 + ")" * 300 + "\n", "understands"),
        ("type X[**P = int = 3\n", "understands"),
    ],
)
def test_what_is_no_python_is_unread_and_keeps_its_place(text: str, reason: str, tmp_path):
    write(tmp_path, {"one": revision("one"), "two": "revision = 'two'\ndown_revision = 'one'\n" + text, "three": revision("three", "two")})
    scripts = [script for script in read(tmp_path).scripts if script.direction == "up"]
    assert [script.version for script in scripts] == ["one", "two", "three"]
    assert reason in unread(scripts[1])[0]
    assert not [block for block in scripts[2].blocks if block.operations]


def test_a_file_that_is_no_revision_is_left_out(tmp_path):
    write(
        tmp_path,
        {"one": revision("one"), "helpers": "def upgrade(): pass\n", "notes": "# a revision\n", "broken": "revision (", "data": "revision = 3\n"},
    )
    assert [script.version for script in read(tmp_path).scripts] == ["one"]


@pytest.mark.parametrize("line", ["revision = os.environ['X']", "revision: str = make('one')"])
@pytest.mark.parametrize("rest", ["def upgrade(): pass\n", "def upgrade(:\n"])
def test_a_revision_whose_id_is_computed_is_told(line: str, rest: str, tmp_path):
    write(tmp_path, {"one": revision("one"), "two": f"import os\n{line}\ndown_revision = 'one'\n{rest}"})
    at = desk(tmp_path)
    (history,) = read_all(tmp_path, at=at)
    assert [script.version for script in history.scripts] == ["one"]
    assert [part.path for part in at.unreadable] == ["migrations/versions/two.py"]


def test_a_revision_without_upgrade_is_told(tmp_path):
    write(tmp_path, {"one": "revision = 'one'\ndown_revision = None\n"})
    assert unread(read(tmp_path).scripts[0]) == ["there is no function `upgrade()` that can be followed"]


def test_star_imports_leave_names_unknown(tmp_path):
    script = up(tmp_path, "op.drop_table(NAME)\nop.drop_table('b')", before="from shop.names import *")
    assert sql(script) == ["DROP TABLE b"]
    assert "NAME" in unread(script)[0]


def test_code_in_text_is_told(tmp_path):
    script = up(tmp_path, "exec(\"op.drop_table('a')\")\nop.drop_table('b')")
    assert sql(script) == ["DROP TABLE b"]
    assert unread(script) == ["`exec` is not followed"]


def test_newer_syntax_is_read_or_unread_but_no_error(tmp_path):
    body = "match op.get_bind().dialect.name:\n    case 'postgresql':\n        op.drop_table('a')\nif (name := 'b'):\n    op.drop_table(name)"
    script = up(tmp_path, body)
    assert sql(script)[-1] == "DROP TABLE b"
    assert "DROP TABLE a" in sql(script) or unread(script)


@pytest.mark.parametrize(
    "body",
    [
        "while True:\n    op.drop_table('a')",
        "for one in range(10 ** 12):\n    op.drop_table('a')",
        "for one in range(200000):\n    for two in range(200000):\n        op.drop_table(f'a{one}{two}')",
        "def again():\n    again()\nagain()",
        "def again(n):\n    return again(n + 1) + again(n + 2)\nop.execute(again(1))",
        "op.execute('x' * 10 ** 12)",
        "op.execute('%999999999999d' % 1)",
        "op.execute(f'{1:>99999999999}')",
        "op.execute(str(9 ** 9 ** 9))",
        "a = [1]\nfor one in a:\n    a.append(one)\n    a.extend(a)",
        "a = []\na.append(a)\nop.execute(a)\nop.bulk_insert(sa.table('t'), a)",
        "x = sa.column('x')\nfor one in range(5000):\n    x = x + 1\nop.execute(sa.select(x))",
        "x = sa.true()\nfor one in range(100000):\n    x = ~x\nop.execute(sa.select(x))",
        "op.create_table('t', *[sa.Column(f'c{one}', sa.Text()) for one in range(100000)])",
        "with op.batch_alter_table('t') as a, op.batch_alter_table('t') as b:\n    raise SystemExit",
        "op.execute(lambda: 1)\nop.execute(None)\nop.execute(op)\nop.execute()\nop.create_table()\nop.drop_table(1)\nop.f()\nop.get_bind().execute()",
        "op.create_table('t', sa.Column('a', sa.Column), sa.Text, sa.MetaData(), sa.func, sa.func.a.b.c, 5)",
        "op.add_column('t', sa.Column('a', sa.Enum()))\nop.add_column('t', sa.Column('a', sa.String('x' * 9)))",
    ],
)
def test_no_program_takes_long_or_raises(body: str, tmp_path):
    start = time.perf_counter()
    up(tmp_path, body)
    assert time.perf_counter() - start < 8


def test_a_module_of_ten_thousand_lines_is_read(tmp_path):
    body = "\n".join(f"op.add_column('t', sa.Column('c{one}', sa.Text()))" for one in range(4_000)) + "\n# filler" * 6_000
    script = up(tmp_path, body)
    assert len(sql(script)) == 4_000
    assert unread(script) == []


def test_a_file_that_was_asked_for_and_cannot_be_read_is_told(tmp_path):
    write(tmp_path, {"one": revision("one")})
    (tmp_path / "migrations/versions/two.py").write_bytes(b"\0" * 100)
    at = desk(tmp_path)
    read_all(tmp_path, at=at)
    assert [(part.path, part.fatal) for part in at.unreadable] == [("migrations/versions/two.py", True)]


@pytest.mark.parametrize(
    "text",
    [
        "import",
        "x" * 100_000,
        "while True: pass\n",
        "from alembic import context\nwhile True:\n    context.configure(context.configure)\n",
        "\0",
        "print 1",
    ],
)
def test_no_env_py_is_an_error(text: str, tmp_path: Path):
    write(tmp_path, {"one": revision("one")}, env=text)
    assert read(tmp_path).description.startswith("1 Alembic revision in migrations")


def test_sqlalchemy_is_imported_only_when_a_revision_is_read():
    code = "import sys, dbguard.reading.alembic; sys.exit(any(name in sys.modules for name in ('sqlalchemy', 'alembic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from dbguard.reading.render import Rendered
from tests.reading.render.projects import ENV, alembic_project, calls, rendered_alembic, sent

REVISIONS = {
    "plain": """
        def named(table):
            op.add_column(table, sa.Column(
                "größe", sa.Text(), nullable=False, server_default="ä"))

        def upgrade():
            op.create_table(
                "orders",
                sa.Column("id", sa.Integer, primary_key=True),
                sa.Column("kind", sa.Enum("a", "b", name="kind")),
                sa.UniqueConstraint("kind"),
            )
            "ä"; named("orders"); op.execute("SELECT 'é'")
            for column in ("one", "two"):
                (
                    op
                    .drop_column("orders", column)
                )

        def downgrade():
            op.drop_table("orders")
        """,
    "exits": "import sys\nsys.exit(1)\ndef upgrade(): op.execute('SELECT 1')\n",
    "raises": "raise ValueError('cannot read postgresql://me:secret@db/x\\nmore')",
    "after": """
        print("{\\"event\\": \\"end\\"}")
        with op.get_context().autocommit_block():
            op.create_index("i", "orders", ["kind"], postgresql_concurrently=True)
        with op.batch_alter_table("orders") as batch:
            batch.add_column(sa.Column("z", sa.Integer))
            batch.alter_column("z", nullable=False)
        op.get_bind().commit()
        op.execute(sa.text("UPDATE orders SET z = :z WHERE kind LIKE '%a:b%'").bindparams(z=5))
        op.bulk_insert(sa.table("orders", sa.column("z", sa.Integer)), [{"z": 1}, {"z": 2}])
        """,
    "reads": "op.execute('SELECT 1')\nfor row in op.get_bind().execute(sa.text('SELECT 2')).fetchall(): pass",
    "network": "import socket\nsocket.create_connection(('127.0.0.1', 1))",
    "program": "import subprocess\nsubprocess.run(['true'])",
    "wrong": "def upgrade(:\n",
    "chance": "import uuid\nfor _ in range(2): op.execute(f\"SELECT '{uuid.uuid4()}'\")",
    "last": "op.execute('SELECT 3')",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    files = alembic_project(tmp_path_factory.mktemp("alembic"), REVISIONS)
    return {file.stem: file for file in files}


@pytest.fixture(scope="module")
def rendered(files: dict[str, Path]) -> Rendered:
    return rendered_alembic(list(files.values()))


def test_statements_point_at_the_whole_call_that_sends_them(files: dict[str, Path], rendered: Rendered):
    blocks = rendered.blocks[str(files["plain"])]

    assert list(zip(sent(blocks), calls(files["plain"], blocks), strict=True)) == [
        ("CREATE TYPE kind AS ENUM ('a', 'b')", CREATE),
        ("CREATE TABLE orders ( id SERIAL NOT NULL, kind kind, PRIMARY KEY (id), CONSTRAINT uq_orders_kind UNIQUE (kind) )", CREATE),
        (
            "ALTER TABLE orders ADD COLUMN \"größe\" TEXT DEFAULT 'ä' NOT NULL",
            'op.add_column(table, sa.Column( "größe", sa.Text(), nullable=False, server_default="ä"))',
        ),
        ("SELECT 'é'", "op.execute(\"SELECT 'é'\")"),
        ("ALTER TABLE orders DROP COLUMN one", 'op .drop_column("orders", column)'),
        ("ALTER TABLE orders DROP COLUMN two", 'op .drop_column("orders", column)'),
    ]


CREATE = (
    'op.create_table( "orders", sa.Column("id", sa.Integer, primary_key=True), '
    'sa.Column("kind", sa.Enum("a", "b", name="kind")), sa.UniqueConstraint("kind"), )'
)


def test_an_autocommit_block_is_alone_and_nothing_else_is(files: dict[str, Path], rendered: Rendered):
    blocks = rendered.blocks[str(files["after"])]

    assert [sql for sql, block in zip(sent(blocks), blocks, strict=True) if block.alone] == ["CREATE INDEX CONCURRENTLY i ON orders (kind)"]
    assert not any(block.alone for block in rendered.blocks[str(files["plain"])])


def test_operations_of_a_batch_point_at_their_own_calls(files: dict[str, Path], rendered: Rendered):
    blocks = rendered.blocks[str(files["after"])]

    assert calls(files["after"], blocks)[1:3] == ['batch.add_column(sa.Column("z", sa.Integer))', 'batch.alter_column("z", nullable=False)']


def test_values_are_written_into_the_statements(files: dict[str, Path], rendered: Rendered):
    assert sent(rendered.blocks[str(files["after"])])[3:] == [
        "COMMIT",
        "UPDATE orders SET z = 5 WHERE kind LIKE '%a:b%'",
        "INSERT INTO orders (z) VALUES (1)",
        "INSERT INTO orders (z) VALUES (2)",
    ]


def test_statements_of_alembic_about_itself_are_not_the_revisions(rendered: Rendered):
    assert not any("alembic_version" in block.sql or "BEGIN" in block.sql for blocks in rendered.blocks.values() for block in blocks)


def test_downgrades_are_rendered_too(files: dict[str, Path], rendered: Rendered):
    assert sent(rendered.down[str(files["plain"])]) == ["DROP TABLE orders"]
    assert rendered.down[str(files["after"])] == ()


def test_a_revision_that_fails_says_why_and_does_not_stop_the_others(files: dict[str, Path], rendered: Rendered):
    why = {Path(path).stem: reason for path, reason in rendered.failures.items()}

    assert sent(rendered.blocks[str(files["last"])]) == ["SELECT 3"]
    assert set(why) == {"exits", "raises", "reads", "network", "program", "wrong"}
    assert why["exits"] == "it exits (SystemExit)"
    assert why["raises"] == "ValueError: cannot read postgresql://..."
    assert why["reads"].startswith("AttributeError")
    assert why["wrong"].startswith("SyntaxError")
    assert why["network"].startswith("RefusedError")
    assert why["program"].startswith("RefusedError")


def test_chance_is_the_same_in_every_rendering(files: dict[str, Path], rendered: Rendered):
    assert sent(rendered.blocks[str(files["chance"])]) == [
        "SELECT '00000000-0000-4000-8000-000000000000'",
        "SELECT '00000000-0000-4000-8000-000000000001'",
    ]


def test_what_the_user_prints_is_not_taken_for_ours_and_nothing_is_said_where_nothing_was_guessed(rendered: Rendered):
    assert rendered.notes == ()


def test_nothing_is_written_into_the_project(files: dict[str, Path], rendered: Rendered):
    root = files["plain"].parents[2]
    assert {path.name for path in root.rglob("*") if path.is_file()} == {"alembic.ini", "env.py", *(file.name for file in files.values())}


def test_a_revision_without_end_is_left_after_its_share_of_the_time(tmp_path: Path):
    first, last = alembic_project(tmp_path, {"first": "while True:\n    try: pass\n    except Exception: pass", "last": "op.execute('SELECT 1')"})

    rendered = rendered_alembic([first, last], timeout=2)

    assert rendered.failures == {str(first): "it did not finish in time"}
    assert sent(rendered.blocks[str(last)]) == ["SELECT 1"]


def test_a_revision_that_cannot_be_stopped_ends_with_the_whole(tmp_path: Path):
    first, endless, last = alembic_project(
        tmp_path,
        {
            "first": "op.execute('SELECT 1')",
            "endless": "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
            "last": "pass",
        },
    )

    rendered = rendered_alembic([first, endless, last], timeout=2)

    assert sent(rendered.blocks[str(first)]) == ["SELECT 1"]
    assert set(rendered.failures) == {str(endless), str(last)}
    assert "in time" in rendered.failures[str(endless)]


def test_a_revision_that_takes_the_process_with_it_is_left_out_the_next_time(tmp_path: Path):
    first, dies, last = alembic_project(
        tmp_path, {"first": "op.execute('SELECT 1')", "dies": "import os\nos._exit(7)", "last": "op.execute('SELECT 2')"}
    )

    rendered = rendered_alembic([first, dies, last])

    assert rendered.failures == {str(dies): "its process ended with 7: env.py prints this"}
    assert sent(rendered.blocks[str(first)]) == ["SELECT 1"]
    assert sent(rendered.blocks[str(last)]) == ["SELECT 2"]


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "postgresql"])
def test_env_that_wants_a_database_is_replaced_and_never_gets_one(tmp_path: Path, driver: str):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        met: list[object] = []
        threading.Thread(target=lambda: met.append(accepted(listener)), daemon=True).start()
        port = listener.getsockname()[1]
        env = f"""
            import psycopg
            from alembic import context
            from sqlalchemy import MetaData, create_engine

            target_metadata = MetaData(naming_convention={{"uq": "uq_%(table_name)s"}})
            try:
                psycopg.connect("host=127.0.0.1 port={port} connect_timeout=2")
            except RuntimeError:
                pass
            with create_engine("{driver}://127.0.0.1:{port}/x", module=psycopg).connect() as connection:
                context.configure(connection=connection, target_metadata=target_metadata)
                context.run_migrations()
            """
        env = env.replace("except RuntimeError", "except Exception")
        (file,) = alembic_project(tmp_path, {"one": "op.create_unique_constraint(None, 'orders', ['a'])"}, env)

        rendered = rendered_alembic([file])

        assert sent(rendered.blocks[str(file)]) == ["ALTER TABLE orders ADD CONSTRAINT uq_orders UNIQUE (a)"]
        assert "env.py fails in offline mode (RefusedError: connects to a database" in rendered.notes[0]
        assert "with the metadata it had found" in rendered.notes[0]
        assert met == []


def accepted(listener: socket.socket) -> object:
    try:
        return listener.accept()
    except OSError:
        return None


def test_a_development_database_that_is_not_postgres_does_not_decide_the_dialect(tmp_path: Path):
    (file,) = alembic_project(
        tmp_path, {"one": "op.add_column('t', sa.Column('a', sa.JSON()))"}, ENV.replace("driver://user:secret@localhost/db", "sqlite:///x.db")
    )

    rendered = rendered_alembic([file])

    assert sent(rendered.blocks[str(file)]) == ["ALTER TABLE t ADD COLUMN a JSON"]
    assert rendered.notes == ("env.py names a database that is not PostgreSQL: rendered for PostgreSQL all the same",)


def test_branches_heads_and_dependencies_hang_together(tmp_path: Path):
    root, left, right = alembic_project(
        tmp_path, {"root": "op.execute('SELECT 0')", "left": "op.execute('SELECT 1')", "right": "op.execute('SELECT 2')"}
    )
    right.write_text(right.read_text().replace("down_revision = 'left'", "down_revision = 'root'\ndepends_on = 'left'"))

    rendered = rendered_alembic([root, left, right])

    assert rendered.failures == {}
    assert {Path(path).stem: sent(blocks) for path, blocks in rendered.blocks.items()} == {
        "root": ["SELECT 0"],
        "left": ["SELECT 1"],
        "right": ["SELECT 2"],
    }


def test_a_graph_that_alembic_refuses_fails_as_a_whole(tmp_path: Path):
    (file,) = alembic_project(tmp_path, {"one": "op.execute('SELECT 0')"})
    file.write_text(file.read_text().replace("down_revision = None", "down_revision = 'gone'"))

    rendered = rendered_alembic([file])

    assert rendered.blocks == {}
    assert list(rendered.failures) == [str(file)]


def test_an_interpreter_without_alembic_says_what_is_missing(tmp_path: Path):
    files = alembic_project(tmp_path, {"one": "pass"})

    rendered = rendered_alembic(files, python="/usr/bin/python3")

    assert rendered.failures == {str(files[0]): "/usr/bin/python3 has no alembic: name the interpreter of the project's environment with --python"}

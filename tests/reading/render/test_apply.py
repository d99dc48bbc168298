from __future__ import annotations

from dbguard.model.operations.programs import RunProgram
from dbguard.model.source import Block, Script, Source
from dbguard.reading.history import History
from dbguard.reading.render import Rendered, apply_rendered, failed

TEXT = 'op.execute("SELECT 1")\nop.add_column(x)\nprogram()\n'
READ = (
    Block(0, 22, "SELECT 1", place=12),
    Block(23, 39, "ALTER TABLE guessed ADD a int", unread="something is not known"),
    Block(40, 49, operations=(RunProgram("program"),)),
)


def script(name: str, direction: str = "up", transaction: str = "one") -> Script:
    return Script(Source(f"versions/{name}.py", TEXT), (), transaction, direction, name, "alembic", "versions", READ, "read")


def history(*scripts: Script) -> History:
    asked = frozenset(one.source.path for one in scripts)
    return History("versions", "alembic", f"{len(scripts)} Alembic revisions in versions", scripts, asked)


def test_rendered_statements_replace_read_ones_and_facts_stay_at_their_place():
    sent = (Block(0, 22, "SELECT 1;"), Block(23, 39, "ALTER TABLE x ADD a int;", alone=True), Block(40, 49, "UPDATE x SET a = 1"))
    rendered = Rendered(blocks={"/p/versions/a.py": sent}, transaction={"/p/versions/a.py": "none"}, python="/p/.venv/bin/python")

    (done,) = apply_rendered(history(script("a")), rendered, "/p").scripts

    assert done.way == "rendered"
    assert done.transaction == "none"
    assert done.blocks == (
        Block(0, 22, "SELECT 1", place=12),
        Block(23, 39, "ALTER TABLE x ADD a int;", alone=True),
        Block(40, 49, operations=(RunProgram("program"),)),
        Block(40, 49, "UPDATE x SET a = 1"),
    )


def test_text_that_stands_verbatim_is_not_pointed_at_when_something_else_is_sent():
    rendered = Rendered(blocks={"/p/versions/a.py": (Block(0, 22, "SELECT 2"),)})

    (done,) = apply_rendered(history(script("a")), rendered, "/p").scripts

    assert done.blocks[0] == Block(0, 22, "SELECT 2")
    assert done.transaction == "one"


def test_scripts_that_did_not_render_stay_as_they_were_read():
    rendered = Rendered(blocks={"/p/versions/a.py": ()}, failures={"/p/versions/b.py": "ValueError: no"}, python="/p/.venv/bin/python")
    before = history(script("a"), script("a", "down"), script("b"))

    after = apply_rendered(before, rendered, "/p")

    assert [one.way for one in after.scripts] == ["rendered", "read", "read"]
    assert after.scripts[1:] == before.scripts[1:]
    assert after.description == "3 Alembic revisions in versions, 1 rendered with .venv/bin/python, 1 read"
    assert failed(after, rendered, "/p") == [("versions/b.py", "ValueError: no")]


def test_down_scripts_take_what_the_downgrade_sends():
    rendered = Rendered(
        blocks={"/p/versions/a.py": ()}, down={"/p/versions/a.py": (Block(0, 5, "DROP TABLE x"),)}, transaction={"/p/versions/a.py": "none"}
    )

    up, down = apply_rendered(history(script("a"), script("a", "down")), rendered, "/p").scripts

    assert up.blocks == (Block(40, 49, operations=(RunProgram("program"),)),)
    assert down.blocks[0] == Block(0, 5, "DROP TABLE x")
    assert down.transaction == "one"


def test_files_that_give_no_findings_are_not_named():
    rendered = Rendered(failures={"/p/versions/a.py": "no", "/p/versions/b.py": "no"})
    both = history(script("a"), script("b"))._replace(asked=frozenset(["versions/b.py"]))

    assert failed(both, rendered, "/p") == [("versions/b.py", "no")]
    assert apply_rendered(both, rendered, "/p").description.endswith(", none rendered, 2 read")

"""`--staged`: the index is what is read, whatever the working tree holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dbguard.errors import UsageError
from tests.reading.repositories import commit, git, paths, reported, repository, staged, write
from tests.reading.trees import only, sql

ORDERS = "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);\n"
INDEX = "CREATE INDEX orders_idx ON orders (customer_id);\n"


@pytest.fixture(autouse=True)
def _no_git_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return repository(tmp_path / "project", {"m/001_orders.up.sql": ORDERS, "m/001_orders.down.sql": "DROP TABLE orders;\n"})


def add(project: Path, files: dict[str, str | bytes | None]) -> None:
    write(project, files)
    git(project, "add", "-A")


def test_what_is_staged_is_reported(project: Path) -> None:
    add(project, {"m/002_x.up.sql": INDEX})
    assert reported(staged(project)) == ["m/002_x.up.sql"]


def test_what_is_committed_on_the_branch_is_not_reported_again(project: Path) -> None:
    commit(project, {"m/002_x.up.sql": INDEX})
    assert staged(project).notes == ("no migration is staged",)
    add(project, {"m/003_y.up.sql": INDEX})
    assert reported(staged(project)) == ["m/003_y.up.sql"]


@pytest.mark.parametrize("files", [{"m/002_x.up.sql": INDEX}, {"m/001_orders.up.sql": INDEX}, {"m/001_orders.up.sql": None}])
def test_the_working_tree_does_not_count(project: Path, files: dict[str, str | bytes | None]) -> None:
    write(project, files)
    reading = staged(project)
    assert reading.histories == ()
    assert reading.notes == ("no migration is staged",)


def test_a_file_that_was_edited_after_it_was_staged_is_read_as_staged(project: Path) -> None:
    add(project, {"m/002_x.up.sql": INDEX})
    write(project, {"m/002_x.up.sql": "not SQL at all", "m/001_orders.up.sql": "neither", "m/003_y.up.sql": "nor this"})
    history = only(staged(project))
    assert paths(history) == ["m/001_orders.up.sql", "m/001_orders.down.sql", "m/002_x.up.sql"]
    assert sql(history) == [[ORDERS.strip()], ["DROP TABLE orders;"], [INDEX.strip()]]


def test_a_file_that_is_only_in_the_index_is_read(project: Path) -> None:
    add(project, {"m/002_x.up.sql": INDEX})
    write(project, {"m/002_x.up.sql": None, "m/001_orders.up.sql": None, "m/001_orders.down.sql": None})
    (project / "m").rmdir()
    assert reported(staged(project)) == ["m/002_x.up.sql"]
    assert reported(staged(project, "m")) == ["m/002_x.up.sql"]
    assert reported(staged(project, "m/002_x.up.sql")) == ["m/002_x.up.sql"]
    assert reported(staged(project, "m/*.sql")) == ["m/002_x.up.sql"]


def test_a_half_of_an_edit_can_be_staged(project: Path) -> None:
    add(project, {"m/001_orders.up.sql": ORDERS + INDEX})
    write(project, {"m/001_orders.up.sql": ORDERS})
    history = only(staged(project))
    assert reported(staged(project)) == ["m/001_orders.up.sql edited"]
    assert sql(history)[0] == [(ORDERS + INDEX).strip()]


def test_the_same_size_and_time_hides_nothing(project: Path) -> None:
    path = project / "m/001_orders.up.sql"
    before = path.stat()
    add(project, {"m/001_orders.up.sql": ORDERS.replace("bigint", "BIGINT").replace("orders", "ORDERS")})
    write(project, {"m/001_orders.up.sql": ORDERS})
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert reported(staged(project)) == []
    add(project, {"m/001_orders.up.sql": ORDERS.replace("bigint", "bigjnt")})
    assert reported(staged(project)) == ["m/001_orders.up.sql edited"]


def test_a_file_that_git_was_told_not_to_look_at_is_read_from_the_index(project: Path) -> None:
    git(project, "update-index", "--assume-unchanged", "m/001_orders.up.sql")
    write(project, {"m/001_orders.up.sql": "not SQL"})
    git(project, "update-index", "--skip-worktree", "m/001_orders.down.sql")
    write(project, {"m/001_orders.down.sql": None})
    add(project, {"m/002_x.up.sql": INDEX})
    assert sql(only(staged(project)))[0] == [ORDERS.strip()]
    assert len(only(staged(project)).scripts) == 3


def test_an_intention_to_add_is_nothing_yet(project: Path) -> None:
    write(project, {"m/002_x.up.sql": INDEX})
    git(project, "add", "-N", ".")
    assert staged(project).notes == ("no migration is staged",)


def test_in_the_first_commit_everything_is_new(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    add(tmp_path, {"m/001_a.up.sql": ORDERS, "m/002_b.up.sql": INDEX})
    assert reported(staged(tmp_path)) == ["m/001_a.up.sql", "m/002_b.up.sql"]


def test_a_detached_head_is_a_head(project: Path) -> None:
    git(project, "checkout", "-q", "--detach")
    add(project, {"m/002_x.up.sql": INDEX})
    assert reported(staged(project)) == ["m/002_x.up.sql"]


def test_side_files_come_from_the_index(project: Path) -> None:
    plan = "%syntax-version=1.0.0\na 2026-01-01T00:00:00Z a <a@example.org>\n"
    commit(project, {"s/sqitch.plan": plan, "s/deploy/a.sql": ORDERS})
    add(project, {"s/sqitch.plan": plan + "b 2026-01-01T00:00:00Z a <a@example.org>\n", "s/deploy/b.sql": INDEX})
    write(project, {"s/sqitch.plan": "", "s/deploy/b.sql": None})
    history = only(staged(project, "s"))
    assert history.tool == "sqitch"
    assert reported(staged(project, "s")) == ["s/deploy/b.sql"]


def test_a_schema_that_is_generated_is_read_all_the_same(project: Path) -> None:
    write(project, {"structure.sql": "CREATE TABLE old (id int);", ".gitignore": "structure.sql"})
    add(project, {"m/002_x.up.sql": INDEX})
    base = only(staged(project, schema="structure.sql")).base
    assert base is not None
    assert base.text == "CREATE TABLE old (id int);"


def test_a_file_in_conflict_cannot_be_read(project: Path) -> None:
    commit(project, {"m/002_x.up.sql": INDEX})
    git(project, "switch", "-q", "main")
    commit(project, {"m/002_x.up.sql": ORDERS})
    git(project, "merge", "-q", "work", check=False)
    reading = staged(project)
    assert [(part.path, part.reason, part.fatal) for part in reading.unreadable] == [("m/002_x.up.sql", "in conflict: merge it and stage it", True)]


def test_links_are_followed_in_the_index(project: Path) -> None:
    commit(project, {"shared/orders.txt": ORDERS})
    (project / "m/002_link.up.sql").symlink_to("../shared/orders.txt")
    (project / "m/003_broken.up.sql").symlink_to("../nowhere")
    (project / "linked").symlink_to("m")
    git(project, "add", "-A")
    write(project, {"shared/orders.txt": "changed"})
    reading = staged(project, "m")
    assert sql(only(reading))[-1] == [ORDERS.strip()]
    assert [(part.path, part.reason) for part in reading.unreadable] == [("m/003_broken.up.sql", "a broken link")]
    assert [history.root for history in staged(project).histories] == ["m"]


def test_links_in_a_circle_end(project: Path) -> None:
    (project / "m/002_a.up.sql").symlink_to("003_b.up.sql")
    (project / "m/003_b.up.sql").symlink_to("002_a.up.sql")
    git(project, "add", "-A")
    assert {part.reason for part in staged(project).unreadable} == {"a broken link"}


def test_a_file_in_the_place_of_a_folder(project: Path) -> None:
    add(project, {"m/002_x.up.sql": INDEX})
    for path in (project / "m").iterdir():
        path.unlink()
    (project / "m").rmdir()
    (project / "m").write_text("a file now")
    assert reported(staged(project)) == ["m/002_x.up.sql"]


def test_odd_names_are_names(project: Path) -> None:
    odd = ["m/002_grün\n\t\"'.up.sql", "m/003_ -x [a]*.up.sql", os.fsdecode(b"m/004_\xff.up.sql")]
    add(project, dict.fromkeys(odd, INDEX))
    assert sorted(reported(staged(project))) == sorted(odd)


def test_paths_that_are_not_staged_are_no_mistake(project: Path) -> None:
    add(project, {"m/002_x.up.sql": INDEX})
    write(project, {"m/003_y.up.sql": INDEX, "later/001_x.up.sql": INDEX})
    assert reported(staged(project, "m/002_x.up.sql", "m/003_y.up.sql", "later")) == ["m/002_x.up.sql"]
    with pytest.raises(UsageError, match="no such file"):
        staged(project, "never.sql")


def test_the_index_of_a_hook_is_the_one_that_will_be_committed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, {"m/002_x.up.sql": INDEX})
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    assert reported(staged(project)) == []
    (project / ".git/index").rename(project / ".git/index.kept")
    git(project, "read-tree", "HEAD")
    git(project, "add", "-A")
    (project / ".git/index").rename(project / ".git/next-index")
    (project / ".git/index.kept").rename(project / ".git/index")
    (project / "below").mkdir()
    for given in (".git/next-index", str(project / ".git/next-index")):
        monkeypatch.setenv("GIT_INDEX_FILE", given)
        assert reported(staged(project)) == ["m/002_x.up.sql"]
        assert reported(staged(project / "below", "../m")) == ["../m/002_x.up.sql"]


def test_a_submodule_counts_as_its_staged_commit(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"001_orders.up.sql": ORDERS})
    outer = repository(tmp_path / "outer", {"a.txt": "x"})
    git(outer, "submodule", "--quiet", "add", str(inner), "migrations")
    commit(outer)
    write(outer, {"migrations/009_not_committed.up.sql": INDEX})
    assert staged(outer).notes == ("no migration is staged",)
    commit(outer / "migrations", {"002_x.up.sql": INDEX, "009_not_committed.up.sql": None})
    assert staged(outer).notes == ("no migration is staged",)
    git(outer, "add", "migrations")
    commit(outer / "migrations", {"003_y.up.sql": INDEX})
    assert reported(staged(outer)) == ["migrations/002_x.up.sql"]
    assert len(only(staged(outer)).scripts) == 2


def test_a_submodule_that_is_not_there_is_empty(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"001_orders.up.sql": ORDERS})
    outer = repository(tmp_path / "outer", {"m/001_x.up.sql": ORDERS})
    git(outer, "submodule", "--quiet", "add", str(inner), "migrations")
    git(outer, "commit", "-qm", "inner")
    git(tmp_path, "clone", "-q", str(outer), "clone")
    add(tmp_path / "clone", {"m/002_x.up.sql": INDEX})
    assert reported(staged(tmp_path / "clone")) == ["m/002_x.up.sql"]


# Which edits are edits of something merged


def test_an_edit_of_a_migration_that_only_this_branch_has_is_no_edit_of_a_merged_one(project: Path) -> None:
    commit(project, {"m/002_x.up.sql": INDEX})
    add(project, {"m/002_x.up.sql": INDEX.replace("orders_idx", "other_idx")})
    assert reported(staged(project)) == ["m/002_x.up.sql"]


def test_an_edit_on_the_main_branch_is_one(project: Path) -> None:
    git(project, "switch", "-q", "main")
    add(project, {"m/001_orders.up.sql": INDEX})
    assert reported(staged(project)) == ["m/001_orders.up.sql edited"]


def test_what_was_not_pushed_is_not_merged(project: Path) -> None:
    git(project, "switch", "-q", "main")
    git(project, "update-ref", "refs/remotes/origin/main", "HEAD")
    commit(project, {"m/002_x.up.sql": INDEX})
    add(project, {"m/002_x.up.sql": "SELECT 1;", "m/001_orders.up.sql": "SELECT 1;"})
    assert reported(staged(project)) == ["m/001_orders.up.sql edited", "m/002_x.up.sql"]


def test_the_branch_of_the_remote_may_have_any_name(project: Path) -> None:
    commit(project, {"m/002_x.up.sql": INDEX})
    git(project, "update-ref", "refs/remotes/origin/trunk", "HEAD")
    git(project, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    add(project, {"m/002_x.up.sql": "SELECT 1;"})
    assert reported(staged(project)) == ["m/002_x.up.sql edited"]


def test_without_a_main_branch_the_last_commit_is_merged(project: Path) -> None:
    git(project, "branch", "-q", "-D", "main")
    add(project, {"m/001_orders.up.sql": INDEX})
    assert reported(staged(project)) == ["m/001_orders.up.sql edited"]


def test_a_deletion_that_is_staged_is_told(project: Path) -> None:
    commit(project, {"migrations/001_a.sql": ORDERS, "migrations/002_b.sql": INDEX})
    git(project, "branch", "-f", "main")
    write(project, {"migrations/001_a.sql": None})
    assert staged(project).notes == ("no migration is staged",)
    git(project, "add", "-A")
    note = "1 migration was deleted: migrations/001_a.sql; what it did stays in every database that has run it"
    assert staged(project).notes == ("no migration is staged", note)


def test_both_options_are_too_many(project: Path) -> None:
    from dbguard.config import Config
    from dbguard.reading import read_all

    with pytest.raises(UsageError, match="give one of them"):
        read_all(Config.load(project), since="main", staged=True)

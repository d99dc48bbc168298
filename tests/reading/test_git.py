"""`--since REF`: what changed since the merge base, and what git says when there is none."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from dbguard.config import Config
from dbguard.errors import UsageError
from dbguard.reading import StandardInput, read_all
from tests.reading.repositories import commit, git, paths, reported, repository, since, staged, write

ORDERS = "CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint);\n"
INDEX = "CREATE INDEX orders_idx ON orders (customer_id);\n"
FILES: dict[str, str | bytes | None] = {"m/001_orders.up.sql": ORDERS, "m/001_orders.down.sql": "DROP TABLE orders;\n"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return repository(tmp_path / "project", FILES)


@pytest.fixture(autouse=True)
def _no_git_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)


def refusal(folder: Path, ref: str = "main") -> str:
    with pytest.raises(UsageError) as caught:
        since(folder, ref=ref)
    return str(caught.value)


# What is new


@pytest.mark.parametrize("state", ["committed", "staged", "untracked", "intended"])
def test_a_new_migration_is_reported_and_the_earlier_ones_are_read(project: Path, state: str) -> None:
    write(project, {"m/002_index.up.sql": INDEX})
    if state == "intended":
        git(project, "add", "-N", ".")
    elif state != "untracked":
        git(project, "add", "-A")
    if state == "committed":
        git(project, "commit", "-qm", "index")
    reading = since(project)
    assert reported(reading) == ["m/002_index.up.sql"]
    assert paths(reading.histories[0]) == ["m/001_orders.up.sql", "m/001_orders.down.sql", "m/002_index.up.sql"]
    assert reading.notes == ()


def test_an_edit_is_reported_wherever_it_stands(project: Path) -> None:
    commit(project, {"m/001_orders.up.sql": ORDERS.replace("bigint", "integer")})
    assert reported(since(project)) == ["m/001_orders.up.sql edited"]
    write(project, {"m/001_orders.up.sql": ORDERS.replace("bigint", "text")})
    assert reported(since(project)) == ["m/001_orders.up.sql edited"]


def test_nothing_changed(project: Path) -> None:
    reading = since(project)
    assert (reading.histories, reading.unreadable, reading.skipped) == ((), (), 0)
    assert reading.notes == ("no migration changed since main",)


def test_an_edit_that_was_taken_back_is_no_change(project: Path) -> None:
    commit(project, {"m/001_orders.up.sql": "SELECT 1;"})
    write(project, {"m/001_orders.up.sql": ORDERS})
    assert reported(since(project)) == []


def test_a_touched_file_is_no_change(project: Path) -> None:
    os.utime(project / "m/001_orders.up.sql", (1, 1))
    (project / "m/001_orders.up.sql").chmod(0o755)
    assert reported(since(project)) == []


def test_what_others_merged_after_the_branch_began_is_not_reported(project: Path) -> None:
    commit(project, {"m/003_mine.up.sql": INDEX})
    git(project, "switch", "-q", "main")
    commit(project, {"m/002_theirs.up.sql": INDEX, "m/001_orders.up.sql": ORDERS + INDEX})
    git(project, "switch", "-q", "work")
    assert reported(since(project)) == ["m/003_mine.up.sql"]
    git(project, "merge", "-q", "--no-edit", "main")
    assert reported(since(project)) == ["m/003_mine.up.sql"]


def test_other_files_are_no_migrations(project: Path) -> None:
    write(project, {"app/queries.sql": "-- name: all\nSELECT 1;", "README.md": "x", "m/notes.txt": "x"})
    assert since(project).notes == ("no migration changed since main",)


def test_what_git_ignores_is_no_part_of_a_change(project: Path) -> None:
    write(project, {".gitignore": "*_local.up.sql\n", "m/009_local.up.sql": "SELECT 1;", "m/002_x.up.sql": "SELECT 2;"})
    reading = since(project)
    assert reported(reading) == ["m/002_x.up.sql"]
    assert "m/009_local.up.sql" in paths(reading.histories[0])


def test_an_ignored_name_that_is_tracked_all_the_same_is_compared(project: Path) -> None:
    write(project, {".gitignore": "*.sql\n", "m/002_x.up.sql": "SELECT 2;"})
    git(project, "add", "-f", ".")
    git(project, "commit", "-qm", "forced")
    assert reported(since(project)) == ["m/002_x.up.sql"]


def test_line_ends_of_windows_are_no_change(project: Path) -> None:
    write(project, {"m/001_orders.up.sql": ORDERS.replace("\n", "\r\n")})
    assert reported(since(project)) == []


def test_paths_are_asked_for_only_if_they_changed(project: Path) -> None:
    write(project, {"m/002_a.up.sql": INDEX, "m/003_b.up.sql": INDEX})
    assert reported(since(project, "m/001_orders.up.sql", "m/003_b.up.sql")) == ["m/003_b.up.sql"]
    assert reported(since(project, "m/*b.up.sql")) == ["m/003_b.up.sql"]
    assert since(project, "m/001_orders.up.sql").notes == ("no migration changed since main",)


def test_a_split_file_list_asks_for_the_same(project: Path) -> None:
    write(project, {"m/002_a.up.sql": INDEX, "m/003_b.up.sql": INDEX})
    names = ["m/001_orders.up.sql", "m/002_a.up.sql", "m/003_b.up.sql"]
    assert reported(since(project, *names)) == [path for name in names for path in reported(since(project, name))]


def test_loose_files_that_did_not_change_still_build_the_state(project: Path) -> None:
    commit(project, {"x/a.sql": ORDERS})
    write(project, {"x/b.sql": INDEX})
    reading = since(project, "x/a.sql", "x/b.sql", ref="HEAD")
    assert reported(reading) == ["x/b.sql"]
    assert paths(reading.histories[0]) == ["x/a.sql", "x/b.sql"]


def test_only_changesets_that_are_new_are_reported(project: Path) -> None:
    log = "--liquibase formatted sql\n--changeset a:1\nCREATE TABLE a (id int);\n"
    commit(project, {"db/changelog/log.sql": log})
    write(project, {"db/changelog/log.sql": f"{log}--changeset a:2\nCREATE TABLE b (id int);\n"})
    history = since(project, ref="HEAD").histories[0]
    assert [script.version for script in history.scripts if history.asks_for(script)] == ["a:2"]


def test_a_history_without_changes_is_not_read_at_all(project: Path) -> None:
    commit(project, {"other/migrations/001_x.up.sql": b"\0\0\1"})
    write(project, {"m/002_x.up.sql": INDEX})
    reading = since(project, ref="HEAD")
    assert [history.root for history in reading.histories] == ["m"]
    assert reading.unreadable == ()


def test_no_migrations_at_all_is_wrong_use(tmp_path: Path) -> None:
    folder = repository(tmp_path / "p", {"a.txt": "x"})
    assert "no migrations found" in refusal(folder)


def test_standard_input_is_no_file(project: Path) -> None:
    with pytest.raises(UsageError, match="standard input"):
        read_all(Config.load(project), ["-"], StandardInput(b"", "m/1.sql"), since="main")


# Renamed, moved, deleted


def test_a_renamed_file_with_its_version_is_the_same_migration(project: Path) -> None:
    git(project, "mv", "m/001_orders.up.sql", "m/001_first_orders.up.sql")
    reading = since(project)
    assert reported(reading) == []
    assert reading.notes == ("no migration changed since main",)


def test_a_renamed_and_edited_file_with_its_version_is_an_edited_migration(project: Path) -> None:
    git(project, "mv", "m/001_orders.up.sql", "m/001_first.up.sql")
    write(project, {"m/001_first.up.sql": INDEX})
    assert reported(since(project)) == ["m/001_first.up.sql edited"]


def test_the_same_text_under_another_version_runs_again(project: Path) -> None:
    git(project, "mv", "m/001_orders.up.sql", "m/007_orders.up.sql")
    reading = since(project)
    assert reported(reading) == ["m/007_orders.up.sql renamed"]
    assert reading.histories[0].scripts[0].merged is not None
    assert reading.histories[0].scripts[0].merged.path == "m/001_orders.up.sql"
    assert not any("deleted" in note for note in reading.notes)


def test_a_new_version_for_a_migration_of_ones_own_is_just_new(project: Path) -> None:
    commit(project, {"m/002_x.up.sql": INDEX})
    git(project, "mv", "m/002_x.up.sql", "m/003_x.up.sql")
    assert reported(since(project)) == ["m/003_x.up.sql"]


def test_a_folder_that_moved_is_the_same_history(project: Path) -> None:
    (project / "backend").mkdir()
    git(project, "mv", "m", "backend/m")
    reading = since(project)
    assert reported(reading) == []
    assert reading.notes == ("no migration changed since main",)
    write(project, {"backend/m/002_x.up.sql": INDEX, "backend/m/001_orders.down.sql": "SELECT 1;"})
    assert reported(since(project)) == ["backend/m/002_x.up.sql"]


def test_a_copy_is_new(project: Path) -> None:
    write(project, {"m/002_orders.up.sql": ORDERS})
    assert reported(since(project)) == ["m/002_orders.up.sql"]


def test_a_deleted_migration_is_told(project: Path) -> None:
    git(project, "rm", "-q", "m/001_orders.up.sql", "m/001_orders.down.sql")
    write(project, {"m/002_x.up.sql": INDEX})
    note = "1 migration was deleted since main: m/001_orders.up.sql; what it did stays in every database that has run it"
    reading = since(project, migrations=[{"path": "m"}])
    assert reading.notes == (note,)
    assert reported(reading) == ["m/002_x.up.sql"]


def test_paths_that_were_deleted_are_no_mistake(project: Path) -> None:
    commit(project, {"migrations/001_a.sql": ORDERS, "migrations/002_b.sql": INDEX})
    write(project, {"migrations/001_a.sql": None})
    assert "1 migration was deleted since HEAD: migrations/001_a.sql" in " ".join(since(project, "migrations/001_a.sql", ref="HEAD").notes)
    assert not any("deleted" in note for note in since(project, "migrations/002_b.sql", ref="HEAD").notes)
    with pytest.raises(UsageError, match="no such file"):
        since(project, "migrations/009_never.sql")


def test_deleted_python_migrations_are_told(project: Path) -> None:
    revision = "from alembic import op\nrevision = 'a'\ndown_revision = None\ndef upgrade(): pass\n"
    django = "from django.db import migrations\nclass Migration(migrations.Migration):\n    pass\n"
    commit(
        project, {"a/versions/x.py": revision, "shop/migrations/0001_x.py": django, "shop/migrations/__init__.py": "", "b/versions/y.py": "x = 1\n"}
    )
    write(project, dict.fromkeys(["a/versions/x.py", "shop/migrations/0001_x.py", "shop/migrations/__init__.py", "b/versions/y.py"]))
    note = "2 migrations were deleted since HEAD: a/versions/x.py, shop/migrations/0001_x.py; what they did stays in every database that has run them"
    assert since(project, ref="HEAD").notes == ("no migration changed since HEAD", note)


@pytest.mark.parametrize("name", ["001_orders.down.sql", "notes.txt"])
def test_a_deleted_down_script_is_nothing(project: Path, name: str) -> None:
    commit(project, {"m/notes.txt": "x"})
    write(project, {f"m/{name}": None})
    assert since(project, ref="HEAD", migrations=[{"path": "m"}]).notes == ("no migration changed since HEAD",)


def test_queries_that_were_deleted_are_no_migrations(project: Path) -> None:
    commit(project, {"app/queries.sql": "SELECT 1;", "docs/01_example.sql": "SELECT 1;"})
    write(project, {"app/queries.sql": None, "docs/01_example.sql": None})
    assert since(project, ref="HEAD").notes == ("no migration changed since HEAD",)


# Where the repository is


def test_the_root_of_the_repository_may_be_above(project: Path) -> None:
    write(project, {"backend/m/001_x.up.sql": INDEX, "backend/dbguard.toml": "", "m/002_x.up.sql": INDEX})
    assert reported(since(project / "backend")) == ["m/001_x.up.sql"]
    assert reported(since(project / "backend", "../m")) == ["../m/002_x.up.sql"]


def test_a_link_to_the_repository_is_followed(project: Path) -> None:
    link = project.parent / "link"
    link.symlink_to(project)
    write(project, {"m/002_x.up.sql": INDEX})
    assert reported(since(link)) == ["m/002_x.up.sql"]
    assert reported(since(link, str(link / "m"))) == ["m/002_x.up.sql"]


def test_a_link_is_what_it_leads_to(project: Path) -> None:
    write(project, {"shared/orders.txt": ORDERS})
    (project / "m/002_link.up.sql").symlink_to("../shared/orders.txt")
    assert reported(since(project)) == ["m/002_link.up.sql"]
    commit(project)
    assert reported(since(project, ref="HEAD")) == []
    write(project, {"shared/orders.txt": INDEX})
    assert reported(since(project, ref="HEAD")) == ["m/002_link.up.sql edited"]


def test_odd_names_are_names(project: Path) -> None:
    odd = ["m/002_grün\n\t\"'.up.sql", "m/003_ -x [a]*.up.sql", "m/004_日本.up.sql", ":(top)/m/005_x.up.sql"]
    write(project, dict.fromkeys(odd, INDEX))
    assert sorted(reported(since(project))) == sorted(odd)
    commit(project)
    assert sorted(reported(since(project))) == sorted(odd)
    assert since(project, ref="HEAD").notes == ("no migration changed since HEAD",)


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems have no such names")
def test_names_that_are_no_text_are_names(project: Path) -> None:
    name = os.fsdecode(b"m/002_\xff.up.sql")
    write(project, {name: INDEX})
    assert reported(since(project)) == [name]
    commit(project)
    assert reported(since(project)) == [name]
    assert reported(since(project, ref="HEAD")) == []


def test_a_worktree_has_a_head_of_its_own(project: Path) -> None:
    tree = project.parent / "tree"
    git(project, "worktree", "add", "-q", "-b", "other", str(tree), "main")
    write(tree, {"m/002_x.up.sql": INDEX})
    assert reported(since(tree)) == ["m/002_x.up.sql"]
    assert reported(since(project)) == []


def test_the_repository_of_a_hook_is_found_from_a_folder_below(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, {"backend/m/002_x.up.sql": INDEX})
    monkeypatch.setenv("GIT_DIR", str(project / ".git"))
    assert reported(since(project / "backend")) == ["m/002_x.up.sql"]


def test_git_and_files_may_lie_apart(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / ".git").rename(project.parent / "apart")
    monkeypatch.setenv("GIT_DIR", "../apart")
    monkeypatch.setenv("GIT_WORK_TREE", ".")
    write(project, {"m/002_x.up.sql": INDEX})
    assert reported(since(project)) == ["m/002_x.up.sql"]


def test_a_repository_within_is_another_one(project: Path) -> None:
    repository(project / "vendored", {"migrations/001_x.up.sql": ORDERS})
    reading = since(project)
    assert reported(reading) == []
    assert "vendored is a git repository of its own: what changed in it is not looked at" in reading.notes


def test_a_path_outside_cannot_be_compared(project: Path) -> None:
    write(project.parent, {"m/001_x.sql": INDEX})
    with pytest.raises(UsageError, match="not in the git repository"):
        since(project, "../m")


def test_files_that_git_has_elsewhere_are_not_these(project: Path) -> None:
    (project.parent / "elsewhere").mkdir()
    git(project, "config", "core.worktree", str(project.parent / "elsewhere"))
    assert "does not lie in" in refusal(project)


@pytest.fixture
def outer(tmp_path: Path) -> Path:
    """A project whose migrations are a submodule."""
    inner = repository(tmp_path / "inner", {"001_orders.up.sql": ORDERS})
    folder = tmp_path / "outer"
    repository(folder, {"a.txt": "x"})
    git(folder, "submodule", "--quiet", "add", str(inner), "migrations")
    commit(folder)
    git(folder, "branch", "-f", "main")
    return folder


def test_a_submodule_is_compared_between_its_two_commits(outer: Path) -> None:
    assert since(outer).notes == ("no migration changed since main",)
    commit(outer / "migrations", {"002_x.up.sql": INDEX})
    assert reported(since(outer)) == ["migrations/002_x.up.sql"]
    commit(outer)
    assert reported(since(outer)) == ["migrations/002_x.up.sql"]
    write(outer, {"migrations/003_y.up.sql": INDEX, "migrations/001_orders.up.sql": INDEX})
    assert reported(since(outer)) == ["migrations/001_orders.up.sql edited", "migrations/002_x.up.sql", "migrations/003_y.up.sql"]


def test_a_new_submodule_is_new(outer: Path) -> None:
    assert reported(since(outer, ref="main~1")) == ["migrations/001_orders.up.sql"]


def test_within_a_submodule_its_own_references_count(outer: Path) -> None:
    write(outer, {"migrations/002_x.up.sql": INDEX})
    assert reported(since(outer / "migrations", ref="HEAD")) == ["002_x.up.sql"]


# Where there is nothing to compare with


def test_an_unknown_reference_is_named(project: Path) -> None:
    assert refusal(project, "mian") == '--since mian: there is no such branch, tag or commit here (did you mean "main"?)'
    assert refusal(project, "nothing-like-it").endswith("there is no such branch, tag or commit here")


def test_the_branch_of_the_remote_is_suggested(project: Path) -> None:
    git(project, "update-ref", "refs/remotes/origin/develop", "HEAD")
    assert refusal(project, "develop").endswith("(did you mean origin/develop?)")
    assert reported(since(project, ref="origin/develop")) == []


@pytest.mark.parametrize("ref", ["", " ", "--output=/tmp/x", "-h", "a\nb", "a\0b", "main..work", "^main", "main:m", "HEAD^{tree}"])
def test_what_is_no_commit_is_refused(project: Path, ref: str) -> None:
    assert refusal(project, ref).startswith("--since")


def test_histories_without_a_common_commit(project: Path) -> None:
    git(project, "switch", "-q", "--orphan", "alone")
    assert refusal(project) == "--since main: HEAD has no commit yet"
    commit(project, {**FILES, "alone.txt": ""})
    assert refusal(project) == "--since main: HEAD and main have no commit in common"


def cloned(project: Path, *options: str) -> Path:
    clone = project.parent / "clone"
    git(project.parent, "clone", "-q", *options, f"file://{project}", str(clone))
    return clone


def run_what_it_says(clone: Path, message: str) -> None:
    command = re.search(r"run: (git fetch .*?)(?:, then| \(in GitHub|$)", message)
    assert command, message
    git(clone, *shlex.split(command[1])[1:])


@pytest.mark.parametrize("ref", ["origin/main", "main"])
def test_a_shallow_clone_of_a_branch_is_told_what_to_fetch(project: Path, ref: str) -> None:
    commit(project, {"m/002_a.up.sql": INDEX})
    commit(project, {"m/003_b.up.sql": INDEX})
    clone = cloned(project, "--depth=1", "--branch=work")
    message = refusal(clone, ref)
    assert message.startswith(f"--since {ref}: this clone is shallow and does not have {ref}; run: git fetch --unshallow origin ")
    assert "`fetch-depth: 0` for actions/checkout" in message
    assert (", then --since origin/main" in message) == (ref == "main")
    run_what_it_says(clone, message)
    assert reported(since(clone, ref="origin/main")) == ["m/002_a.up.sql", "m/003_b.up.sql"]


def test_a_shallow_clone_without_the_merge_base_is_told_what_to_fetch(project: Path) -> None:
    commit(project, {"m/002_a.up.sql": INDEX})
    git(project, "switch", "-q", "main")
    commit(project, {"m/003_theirs.up.sql": INDEX})
    git(project, "switch", "-q", "work")
    clone = cloned(project, "--depth=1", "--branch=work", "--no-single-branch")
    message = refusal(clone, "origin/main")
    assert "lacks the commit from which HEAD and origin/main went apart" in message
    run_what_it_says(clone, message)
    assert reported(since(clone, ref="origin/main")) == ["m/002_a.up.sql"]


def test_a_shallow_clone_that_is_deep_enough_is_fine(project: Path) -> None:
    commit(project, {"m/002_a.up.sql": INDEX})
    clone = cloned(project, "--depth=2", "--branch=work")
    assert reported(since(clone, ref="HEAD~1")) == ["m/002_a.up.sql"]


def test_a_merged_branch_that_was_not_fetched_is_told(project: Path) -> None:
    clone = cloned(project, "--branch=work", "--single-branch")
    message = refusal(clone, "origin/main")
    run_what_it_says(clone, message)
    assert since(clone, ref="origin/main").notes == ("no migration changed since origin/main",)


def test_another_remote_may_have_the_branch(project: Path) -> None:
    clone = cloned(project, "--branch=work", "--single-branch", "--origin=upstream")
    assert refusal(clone, "main").endswith("there is no such branch, tag or commit here")
    message = refusal(clone, "upstream/main")
    assert "run: git fetch upstream +refs/heads/main:refs/remotes/upstream/main" in message
    run_what_it_says(clone, message)
    assert since(clone, ref="upstream/main").notes == ("no migration changed since upstream/main",)


def test_a_clone_without_old_contents_still_tells_what_is_new(project: Path) -> None:
    git(project, "config", "uploadpack.allowFilter", "true")
    git(project, "config", "uploadpack.allowAnySHA1InWant", "true")
    commit(project, {"m/001_orders.up.sql": INDEX, "m/002_a.up.sql": INDEX})
    clone = cloned(project, "--branch=work", "--filter=blob:none")
    assert reported(since(clone, ref="origin/main")) == ["m/001_orders.up.sql", "m/002_a.up.sql"]


def test_without_a_repository(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    assert refusal(tmp_path).endswith("is not in a git repository")


def test_a_bare_repository_has_no_files(project: Path) -> None:
    clone = cloned(project, "--bare")
    assert "is a bare repository" in refusal(clone)
    assert "belongs to git itself" in refusal(project / ".git")


def test_without_git(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert refusal(project) == "--since main needs git, and there is no program `git` in PATH"


def test_a_repository_of_somebody_else_is_not_trusted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    assert f"git config --global --add safe.directory {project}" in refusal(project)


def test_a_broken_repository_is_told(project: Path) -> None:
    (project / ".git/HEAD").write_text("nonsense")
    assert refusal(project).startswith("--since main: ")


# What a hostile repository would like


def test_the_configuration_of_a_repository_runs_no_program(project: Path, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> {trace}\ncat\n')
    program.chmod(0o755)
    commit(project, {"m/002_x.up.sql": INDEX, ".gitattributes": "*.sql filter=evil diff=evil merge=evil\n"})
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction", "post-checkout", "pre-commit"):
        (hooks / name).symlink_to(program)
    keys = ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.command", "diff.evil.textconv")
    for key in (*keys, "diff.external", "core.pager", "pager.ls-files", "core.sshCommand", "core.askPass", "credential.helper", "core.editor"):
        git(project, "config", key, str(program))
    git(project, "config", "core.hooksPath", str(hooks))
    git(project, "config", "alias.rev-parse", f"!{program}")
    write(project, {"m/001_orders.up.sql": INDEX, "m/003_y.up.sql": INDEX})
    os.utime(project / "m/002_x.up.sql")
    assert reported(since(project)) == ["m/001_orders.up.sql edited", "m/002_x.up.sql", "m/003_y.up.sql"]
    assert reported(staged(project)) == []
    assert not trace.exists(), trace.read_text()


def test_a_clone_that_fetches_on_demand_starts_no_transport(project: Path, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    blob = git(project, "rev-parse", "main:m/001_orders.up.sql")
    write(project, {"m/001_orders.up.sql": INDEX})
    (project / ".git/objects" / blob[:2] / blob[2:]).unlink()
    for key, value in (
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", f"ext::sh -c 'touch {trace}'"),
        ("protocol.ext.allow", "always"),
        ("protocol.allow", "always"),
    ):
        git(project, "config", key, value)
    assert reported(since(project)) == ["m/001_orders.up.sql"]
    assert not trace.exists()


def test_nothing_is_written_into_the_repository(project: Path) -> None:
    write(project, {"m/002_x.up.sql": INDEX})
    git(project, "add", "-A")
    os.utime(project / "m/001_orders.up.sql", (1, 1))
    before = {path: path.stat().st_mtime_ns for path in (project / ".git").rglob("*")}
    since(project)
    staged(project)
    assert {path: path.stat().st_mtime_ns for path in (project / ".git").rglob("*")} == before


def test_git_is_not_started_unless_it_is_asked_for(project: Path) -> None:
    script = (
        "import sys; from dbguard.cli import run; run(['check', 'm']); sys.exit('subprocess' in sys.modules or 'dbguard.reading.git' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=project, capture_output=True, check=False).returncode == 0

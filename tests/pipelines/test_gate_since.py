"""What a gate takes to be pending where no snapshot tells: what changed since the branch that the CI names, or that others build on."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dbguard.config import Config
from dbguard.errors import UsageError
from dbguard.model.verdict import Gate
from dbguard.pipelines.gate import gate

FIRST = "CREATE TABLE orders (id bigint PRIMARY KEY, note text);"
GIT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "n"), ("EMAIL", "e@x"))},
}


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, env=GIT, capture_output=True, text=True).stdout.strip()


def migrate(folder: Path, number: int, text: str) -> None:
    (folder / "migrations").mkdir(exist_ok=True)
    (folder / "migrations" / f"{number:03}_change.up.sql").write_text(text)


def commit(folder: Path, number: int, text: str) -> str:
    migrate(folder, number, text)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", str(number))
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """On a branch with one migration more than main, where two are."""
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.chdir(folder)
    git(folder, "init", "-q", "-b", "main")
    commit(folder, 1, FIRST)
    commit(folder, 2, "ALTER TABLE orders ADD COLUMN x int;")
    git(folder, "checkout", "-qb", "feature")
    commit(folder, 3, "ALTER TABLE orders ADD COLUMN y int;")
    return folder


def run(*paths: str, environment: dict[str, str] | None = None, **more: Any) -> Gate:
    overrides = {"cache": False, **more.pop("config", {})}
    return gate(Config.load(".", overrides), paths, environment=environment or {}, **more)


def pending(found: Gate) -> list[str]:
    return sorted({step.path.removeprefix("migrations/")[:3] for step in found.steps})


def test_a_branch_is_compared_with_the_one_that_others_build_on_and_that_is_said(repository: Path) -> None:
    found = run()
    assert pending(found) == ["003"]
    assert "it is taken to be what changed since main; --since REF" in found.assumes[0]


def test_what_is_not_committed_is_pending_too(repository: Path) -> None:
    migrate(repository, 4, "ALTER TABLE orders ADD COLUMN z int;")
    assert pending(run()) == ["003", "004"]


@pytest.mark.parametrize("variable", ["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CHANGE_TARGET"])
def test_the_ci_names_the_branch_that_a_request_goes_to(repository: Path, variable: str) -> None:
    git(repository, "branch", "release", "main~1")
    found = run(environment={variable: "release"})
    assert pending(found) == ["002", "003"]
    assert f"pending is what changed since release, as {variable} says" in found.notes
    assert not any("was not said" in sentence for sentence in found.assumes)


def test_a_branch_that_was_fetched_goes_before_a_local_one_that_may_be_old(repository: Path) -> None:
    git(repository, "update-ref", "refs/remotes/origin/main", "main")
    git(repository, "branch", "-f", "main", "main~1")
    assert pending(run(environment={"GITHUB_BASE_REF": "main"})) == ["003"]


def test_gitlab_names_the_commit_itself(repository: Path) -> None:
    first = git(repository, "rev-parse", "main~1")
    environment = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": first, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "not-fetched"}
    assert pending(run(environment=environment)) == ["002", "003"]


def test_a_branch_that_the_ci_names_and_that_is_not_here_stops_the_run_with_the_command_that_mends_it(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "nowhere")
    with pytest.raises(UsageError, match=r"since origin/next, as GITHUB_BASE_REF says, but there is no such branch.*run: git fetch"):
        run(environment={"GITHUB_BASE_REF": "next"})


def test_after_a_push_to_the_main_branch_what_was_pushed_is_pending(repository: Path, tmp_path: Path) -> None:
    git(repository, "checkout", "-q", "main")
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"before": git(repository, "rev-parse", "main~1")}))
    found = run(environment={"GITHUB_EVENT_PATH": str(event)})
    assert pending(found) == ["002"]
    assert any(note.endswith("as the push says") for note in found.notes)


@pytest.mark.parametrize("before", ["0" * 40, "1" * 40, "", "-x"])
def test_a_push_of_nothing_known_leaves_the_branch_that_others_build_on(repository: Path, before: str) -> None:
    git(repository, "checkout", "-q", "main")
    assert run(environment={"CI_COMMIT_BEFORE_SHA": before}).reasons == ()
    assert pending(run(environment={"CI_COMMIT_BEFORE_SHA": before})) == []


def test_a_push_to_another_branch_is_compared_with_main_and_not_with_itself(repository: Path) -> None:
    before = commit(repository, 4, "ALTER TABLE orders ADD COLUMN z int;")
    commit(repository, 5, "ALTER TABLE orders ADD COLUMN w int;")
    assert pending(run(environment={"CI_COMMIT_BEFORE_SHA": before})) == ["003", "004", "005"]


def test_a_folder_says_where_migrations_are_and_a_file_which_are_pending(repository: Path) -> None:
    assert pending(run("migrations")) == ["003"]
    assert pending(run("migrations/002_change.up.sql")) == ["002"]


def test_a_reference_that_is_given_goes_before_what_the_ci_says(repository: Path) -> None:
    assert pending(run(since="main~1", environment={"GITHUB_BASE_REF": "main"})) == ["002", "003"]


def test_a_reference_that_is_not_here_is_an_error_with_queries_too(repository: Path) -> None:
    (repository / "queries.sql").write_text("-- name: one\nSELECT id FROM orders WHERE id = $1;\n")
    with pytest.raises(UsageError, match="--since nope: there is no such branch"):
        run(since="nope", workload=["queries.sql"])


def test_the_configuration_says_what_production_has(repository: Path) -> None:
    found = run(config={"deployed": "1"})
    assert pending(found) == ["002", "003"]
    assert not any("was not said" in sentence for sentence in found.assumes)


def test_without_git_everything_is_pending_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    migrate(tmp_path, 1, FIRST)
    migrate(tmp_path, 2, "ALTER TABLE orders ADD COLUMN x int;")
    found = run()
    assert pending(found) == ["001", "002"]
    assert "no history of git tells: all 2 migrations are taken to be; --since REF" in found.assumes[0]


def test_a_repository_without_a_branch_to_compare_with_says_so(repository: Path) -> None:
    git(repository, "branch", "-D", "main")
    found = run()
    assert pending(found) == ["001", "002", "003"]
    assert "all 3 migrations are taken to be" in found.assumes[0]

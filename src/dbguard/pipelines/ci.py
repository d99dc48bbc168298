"""What the environment of a CI tells of the change that it runs for: which branch it goes to, and what was there before a push."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbguard.errors import UsageError
from dbguard.model.record import Record
from dbguard.reading.git import Repository, open_repository

TARGETS = (
    "GITHUB_BASE_REF",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "CHANGE_TARGET",
)
"""Variables that name the branch which a pull or merge request goes to: GitHub, GitLab, Bitbucket, Buildkite, Azure, Jenkins."""
FORK_POINT = "CI_MERGE_REQUEST_DIFF_BASE_SHA"  # GitLab: the commit itself, also where the target branch is not fetched


class Compared(Record):
    """What a change is compared with, as `--since` takes it; `since` is empty where nothing tells. `told_by` says who said so."""

    since: str
    told_by: str = ""  # a variable; empty for what was guessed


def compared_with(folder: str, environment: Mapping[str, str]) -> Compared:
    """What the files of `folder` are compared with: as the CI says, else the branch that others build on."""
    try:
        repository = open_repository(folder, "dbguard gate")
    except UsageError as error:
        why = str(error).removeprefix("dbguard gate: ")
        return Compared("", "" if "not in a git repository" in why else why)
    try:
        return _compared(repository, environment)
    finally:
        repository.close()


def _compared(repository: Repository, environment: Mapping[str, str]) -> Compared:
    commit = environment.get(FORK_POINT, "")
    if commit and repository.commit(commit):
        return Compared(commit, FORK_POINT)
    for variable in TARGETS:
        branch = environment.get(variable, "").removeprefix("refs/heads/")
        if branch and branch != "false":  # as Buildkite says where there is none
            remote = f"origin/{branch}"
            return Compared(branch if repository.commit(branch) and not repository.commit(remote) else remote, variable)
    head, branch = repository.commit("HEAD"), repository.default_branch()
    if not head or not branch:
        return Compared("")
    if repository.merge_base(head, branch) == head and (before := _before_push(environment)) and repository.commit(before):
        return Compared(before, "the push")
    return Compared(branch)


def _before_push(environment: Mapping[str, str]) -> str:
    """The commit that a branch stood at before the push that started the run; zeros stand for a new branch, which has none."""
    before = event(environment).get("before") or environment.get("CI_COMMIT_BEFORE_SHA", "")
    return before if isinstance(before, str) and before.strip("0") else ""


def event(environment: Mapping[str, str]) -> dict[str, Any]:
    """What started a run of GitHub Actions; empty elsewhere."""
    path = environment.get("GITHUB_EVENT_PATH", "")
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

"""A report as a comment on the pull or merge request that is being built: written once, then rewritten.

In: Markdown, and the environment that GitHub Actions or GitLab CI gives a job. Out: a sentence about what was done. A token that may
not write (those of forks) is no error: the report then goes into the summary of the step, where there is one.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from dbguard.model.record import Record
from dbguard.pipelines.ci import event
from dbguard.pipelines.publish_http import Answer, Api, Refused

LIMIT = 65_536  # bytes, of a comment on GitHub; GitLab takes a million characters
SUMMARY_LIMIT = 1_048_576  # bytes, of the summary of a step
MOST_PAGES = 20  # of a hundred comments each
_PER_PAGE = 100


class Discussion(Record):
    """Where comments of one pull or merge request are, in the terms of its platform."""

    comments: str  # path of the list
    comment: str  # path of one comment, to which its number is added
    update: str  # the verb that rewrites it
    who: str  # path that tells whose token it is
    name: str  # "pull request 7"
    author: str = "user"  # key of a comment's author
    own: frozenset[str] = frozenset()  # numbers of accounts that the token stands for, where the environment tells


def publish(markdown: str, environment: Mapping[str, str]) -> str:
    """Write or rewrite the comment; what was done, as a sentence. Never raises for what a server or a token does."""
    found = _where(environment)
    if isinstance(found, str):
        return _instead(markdown, environment, found)
    api, discussion = found
    body = f"{marker(environment)}\n{_with_link(markdown, environment)}"
    if len(body.encode()) > LIMIT:
        return _instead(markdown, environment, f"the report is longer than a comment can be ({LIMIT:,} bytes)")
    try:
        return _write(api, discussion, body, marker(environment))
    except Refused as refused:
        return _instead(markdown, environment, _why(refused))


def marker(environment: Mapping[str, str]) -> str:
    """The first line of a comment, by which it is found again. `DBGUARD_COMMENT_KEY` tells several reports of one request apart."""
    key = re.sub(r"[^\w.-]+|--+", "-", environment.get("DBGUARD_COMMENT_KEY", ""), flags=re.ASCII)[:60].strip("-")
    return f"<!-- dbguard{f' {key}' if key else ''} -->"


def write_summary(markdown: str, environment: Mapping[str, str]) -> bool:
    """Add to the summary of the step (GITHUB_STEP_SUMMARY), unless a report of dbguard is in it; whether one is in it now."""
    path = environment.get("GITHUB_STEP_SUMMARY", "")
    if not path or not Path(path).is_absolute():
        return False
    try:
        there = Path(path).read_bytes() if Path(path).exists() else b""
        data = f"{markdown.rstrip()}\n".encode(errors="backslashreplace")
        if data.split(b"\n", 1)[0] in there.split(b"\n"):
            return True
        if len(there) + len(data) > SUMMARY_LIMIT:
            return False
        with Path(path).open("ab") as file:
            file.write(data)
    except OSError:
        return False
    return True


def _where(environment: Mapping[str, str]) -> tuple[Api, Discussion] | str:
    """The platform and the request, or why there is none."""
    if environment.get("GITHUB_ACTIONS") == "true" or environment.get("GITHUB_REPOSITORY"):
        return _github(environment)
    if environment.get("GITLAB_CI") == "true" or environment.get("CI_API_V4_URL"):
        return _gitlab(environment)
    return "this is neither GitHub Actions nor GitLab CI"


def _github(environment: Mapping[str, str]) -> tuple[Api, Discussion] | str:
    """REST API of GitHub, "Issue comments": a pull request is an issue."""
    repository, number, token = environment.get("GITHUB_REPOSITORY", ""), _pull_request(environment), environment.get("GITHUB_TOKEN", "")
    if not number:
        return "this run is not of a pull request"
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository, re.ASCII):
        return "GITHUB_REPOSITORY is not the name of a repository"
    if not token:
        return "GITHUB_TOKEN is not set"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    issues = f"/repos/{repository}/issues"
    discussion = Discussion(f"{issues}/{number}/comments", f"{issues}/comments/", "PATCH", "/user", f"pull request {number}")
    return Api(environment.get("GITHUB_API_URL") or "https://api.github.com", headers, token), discussion


def _pull_request(environment: Mapping[str, str]) -> int:
    """The number, from the event that started the run or from `refs/pull/7/merge`; 0 if there is none."""
    started_by = event(environment)
    issue = started_by.get("issue")
    pull_request = started_by.get("pull_request") or (issue if isinstance(issue, dict) and issue.get("pull_request") else None)
    if isinstance(pull_request, dict) and isinstance(number := pull_request.get("number"), int) and number > 0:
        return number
    found = re.fullmatch(r"refs/pull/(\d{1,9})/\w+", environment.get("GITHUB_REF", ""), re.ASCII)
    return int(found[1]) if found else 0


def _gitlab(environment: Mapping[str, str]) -> tuple[Api, Discussion] | str:
    """REST API of GitLab, "Notes API": notes of a merge request."""
    project = environment.get("CI_MERGE_REQUEST_PROJECT_ID") or environment.get("CI_PROJECT_ID", "")
    number = environment.get("CI_MERGE_REQUEST_IID", "")
    if not number:
        return "this job is not of a merge request"
    if not (number.isdecimal() and project.isdecimal()):
        return "CI_MERGE_REQUEST_IID and CI_PROJECT_ID are not numbers"
    own: frozenset[str] = frozenset()
    if token := environment.get("GITLAB_TOKEN", ""):
        headers = {"PRIVATE-TOKEN": token}
    elif token := environment.get("CI_JOB_TOKEN", ""):
        headers = {"JOB-TOKEN": token}  # which acts for whoever started the pipeline
        own = frozenset(filter(None, [environment.get("GITLAB_USER_ID", "")]))
    else:
        return "neither GITLAB_TOKEN nor CI_JOB_TOKEN is set"
    notes = f"/projects/{project}/merge_requests/{number}/notes"
    discussion = Discussion(notes, f"{notes}/", "PUT", "/user", f"merge request {number}", "author", own)
    return Api(environment.get("CI_API_V4_URL") or "https://gitlab.com/api/v4", headers, token), discussion


def _write(api: Api, discussion: Discussion, body: str, first_line: str) -> str:
    for number in _earlier(api, discussion, first_line):
        try:
            api.ask(discussion.update, f"{discussion.comment}{number}", {"body": body})
        except Refused as refused:
            if refused.status not in {403, 404}:  # somebody else's, or deleted meanwhile: a new one may still be allowed
                raise
        else:
            return f"the comment on {discussion.name} was rewritten"
    api.ask("POST", discussion.comments, {"body": body})
    return f"a comment on {discussion.name} was written"


def _earlier(api: Api, discussion: Discussion, first_line: str) -> list[int]:
    """Numbers of our own comments, at most two. What somebody else wrote is left alone, whatever its first line is."""
    marked = [one for one in _comments(api, discussion) if str(one.get("body", "")).replace("\r", "").split("\n", 1)[0] == first_line]
    own: set[str] | frozenset[str] = discussion.own
    if any(not _is_bot(one, discussion) for one in marked) and not own:
        own = _own_account(api, discussion)
    ours = [one for one in marked if _is_bot(one, discussion) or _author(one, discussion).get("id", "") in own]
    return [number for one in ours if isinstance(number := one.get("id"), int)][:2]


def _comments(api: Api, discussion: Discussion) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for page in range(1, MOST_PAGES + 1):
        answer: Answer = api.ask("GET", f"{discussion.comments}?per_page={_PER_PAGE}&page={page}")
        listed = answer.value if isinstance(answer.value, list) else []
        found += [one for one in listed if isinstance(one, dict)]
        if len(listed) < _PER_PAGE:
            break
    return found


def _author(comment: Mapping[str, object], discussion: Discussion) -> dict[str, str]:
    author = comment.get(discussion.author)
    return {key: str(value) for key, value in author.items()} if isinstance(author, dict) else {}


def _is_bot(comment: Mapping[str, object], discussion: Discussion) -> bool:
    """An account of GitHub Actions or of an app that the repository has installed: people cannot write as it, and its token may not ask who it is."""
    author = _author(comment, discussion)
    return author.get("type") == "Bot" and author.get("login", "").endswith("[bot]")


def _own_account(api: Api, discussion: Discussion) -> set[str]:
    """The number of the account whose token it is; empty where the token may not ask."""
    try:
        answer = api.ask("GET", discussion.who)
    except Refused:
        return set()
    return {str(answer.value["id"])} if isinstance(answer.value, dict) and "id" in answer.value else set()


def _with_link(markdown: str, environment: Mapping[str, str]) -> str:
    """The report, and where the run is that made it."""
    link = environment.get("CI_JOB_URL", "")
    if run := environment.get("GITHUB_RUN_ID"):
        server = environment.get("GITHUB_SERVER_URL", "https://github.com")
        link = f"{server}/{environment.get('GITHUB_REPOSITORY', '')}/actions/runs/{run}"
    if not re.fullmatch(r"https?://[\w.:/%~-]{1,300}", link, re.ASCII):
        return markdown
    return f"{markdown.rstrip()}\n\n[The run that wrote this]({link})\n"


def _why(refused: Refused) -> str:
    match refused.status:
        case 401:
            return "the token is not valid (401)"
        case 403 | 404:
            return f"the token may not write comments ({refused.status}), as those of forks may not"
        case 0:
            return f"the server did not answer: {refused.reason}"
        case status:
            return f"the server refused the comment ({status}{f': {refused.reason}' if refused.reason else ''})"


def _instead(markdown: str, environment: Mapping[str, str], why: str) -> str:
    if write_summary(markdown, environment):
        return f"no comment was written, because {why}; the report is in the summary of the step"
    return f"no comment was written, because {why}"


def _main(arguments: list[str]) -> int:
    """`python -m dbguard.pipelines.publish FILE`: for jobs that have the report as a file. A comment that fails fails no job."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m dbguard.pipelines.publish FILE\n")
        return 2
    try:
        markdown = Path(arguments[0]).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        sys.stderr.write(f"{arguments[0]} cannot be read: {error.strerror}\n")
        return 2
    sys.stderr.write(f"dbguard: {publish(markdown, os.environ)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))

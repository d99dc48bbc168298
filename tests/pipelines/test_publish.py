"""The sticky comment, against a server on this machine that answers as GitHub and GitLab do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dbguard.pipelines import publish_http
from dbguard.pipelines.publish import LIMIT, SUMMARY_LIMIT, marker, publish, write_summary

TOKEN = "ghs_verySecretTokenOfAJob"
BOT = {"login": "github-actions[bot]", "type": "Bot", "id": 41898282}
ME, SOMEBODY = {"login": "me", "type": "User", "id": 7}, {"login": "mallory", "type": "User", "id": 8}
FIRST_LINE = "<!-- dbguard -->"
REPORT = "## dbguard: ⛔ stop\n\n| a | b |\n"


class Platform:
    """Comments of one request. `script` holds answers that come before any other: (status, headers, body)."""

    def __init__(self, *, gitlab: bool = False) -> None:
        self.gitlab = gitlab
        self.comments: list[dict[str, Any]] = []
        self.script: list[tuple[int, dict[str, str], Any]] = []
        self.read_only = self.anonymous = False
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.me: dict[str, Any] = ME
        self.url = ""

    def add(self, body: str, author: dict[str, Any], number: int | None = None) -> None:
        key = "author" if self.gitlab else "user"
        self.comments.append({"id": number or len(self.comments) + 1, "body": body, key: author})

    def bodies(self) -> list[str]:
        return [comment["body"] for comment in self.comments]

    def verbs(self) -> list[str]:
        return [verb for verb, *_ in self.asked]

    def answer(self, verb: str, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        if self.script:
            return self.script.pop(0)
        path, _, query = path.partition("?")
        writing = verb != "GET"
        if writing and self.read_only:
            return 403, {}, {"message": "Resource not accessible by integration"}
        if path == "/user":
            return (403, {}, {"message": "no"}) if self.anonymous else (200, {}, self.me)
        if path.endswith(("/comments", "/notes")) and verb == "GET":
            page = int(dict(pair.split("=") for pair in query.split("&"))["page"])
            return 200, {}, self.comments[(page - 1) * 100 : page * 100]
        if verb == "POST":
            self.add(body["body"], self.me if self.gitlab else BOT)
            return 201, {}, self.comments[-1]
        for comment in self.comments:
            if path.endswith(f"/{comment['id']}"):
                comment["body"] = body["body"]
                return 200, {}, comment
        return 404, {}, {"message": "Not Found"}


def serve(platform: Platform) -> Iterator[Platform]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            platform.asked.append((self.command, self.path, dict(self.headers), body))
            status, headers, value = platform.answer(self.command, self.path, body)
            if status == 0:  # hang up
                self.connection.close()
                return
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = handle_any

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    platform.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield platform
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def github() -> Iterator[Platform]:
    yield from serve(Platform())


@pytest.fixture
def gitlab() -> Iterator[Platform]:
    yield from serve(Platform(gitlab=True))


@pytest.fixture
def job(github: Platform, tmp_path: Path) -> dict[str, str]:
    """What GitHub Actions gives a job of pull request 12."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 12}}))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": github.url,
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_RUN_ID": "99",
    }


@pytest.fixture
def gitlab_job(gitlab: Platform) -> dict[str, str]:
    return {"GITLAB_CI": "true", "CI_API_V4_URL": gitlab.url, "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "12", "GITLAB_TOKEN": TOKEN}


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish_http, "PAUSE", 0.01)


def summary(job: dict[str, str]) -> str:
    path = Path(job["GITHUB_STEP_SUMMARY"])
    return path.read_text() if path.exists() else ""


def test_the_first_report_is_a_new_comment(github: Platform, job: dict[str, str]):
    assert publish(REPORT, job) == "a comment on pull request 12 was written"

    assert github.bodies() == [f"{FIRST_LINE}\n{REPORT.rstrip()}\n\n[The run that wrote this](https://github.com/acme/shop/actions/runs/99)\n"]
    verb, path, headers, _ = github.asked[-1]
    assert (verb, path) == ("POST", "/repos/acme/shop/issues/12/comments")
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert summary(job) == ""


def test_the_next_report_rewrites_it(github: Platform, job: dict[str, str]):
    publish(REPORT, job)

    assert publish("## dbguard: ✅ safe\n", job) == "the comment on pull request 12 was rewritten"
    assert len(github.bodies()) == 1
    assert "✅ safe" in github.bodies()[0]


def test_comments_of_others_are_left_alone_whatever_they_begin_with(github: Platform, job: dict[str, str]):
    copied = f"{FIRST_LINE}\nmine is better"
    github.add(copied, SOMEBODY)
    github.add(f"> {FIRST_LINE}\nquoted", BOT)
    github.add("something else", BOT)
    github.add(f"{FIRST_LINE} and more on the line", BOT)
    before = github.bodies()

    assert publish(REPORT, job) == "a comment on pull request 12 was written"
    assert github.bodies()[:-1] == before


def test_a_comment_of_a_personal_token_is_found_by_its_account(github: Platform, job: dict[str, str]):
    github.add(f"{FIRST_LINE}\nold", SOMEBODY)
    github.add(f"{FIRST_LINE}\r\nold", ME)

    assert publish(REPORT, job) == "the comment on pull request 12 was rewritten"
    assert [body.splitlines()[1] for body in github.bodies()] == ["old", REPORT.splitlines()[0]]


def test_the_comment_of_an_app_is_found_though_it_may_not_ask_who_it_is(github: Platform, job: dict[str, str]):
    github.anonymous = True
    github.add(f"{FIRST_LINE}\nold", SOMEBODY)
    github.add(f"{FIRST_LINE}\nold", {"login": "acme-ci[bot]", "type": "Bot", "id": 9})

    assert publish(REPORT, job) == "the comment on pull request 12 was rewritten"
    assert github.bodies()[0] == f"{FIRST_LINE}\nold"


def test_it_is_found_behind_hundreds_of_others(github: Platform, job: dict[str, str]):
    for number in range(250):
        github.add("talk", SOMEBODY, 1_000 + number)
    github.add(f"{FIRST_LINE}\nold", BOT, 77)

    assert publish(REPORT, job) == "the comment on pull request 12 was rewritten"
    assert github.verbs() == ["GET", "GET", "GET", "PATCH"]


def test_a_comment_that_was_deleted_meanwhile_is_written_again(github: Platform, job: dict[str, str]):
    github.script = [(200, {}, [{"id": 5, "body": FIRST_LINE, "user": BOT}]), (404, {}, {"message": "Not Found"})]

    assert publish(REPORT, job) == "a comment on pull request 12 was written"


def test_several_reports_of_one_request_have_keys(github: Platform, job: dict[str, str]):
    publish(REPORT, job | {"DBGUARD_COMMENT_KEY": "billing"})
    publish(REPORT, job | {"DBGUARD_COMMENT_KEY": "shop"})
    publish(REPORT, job | {"DBGUARD_COMMENT_KEY": "shop"})

    assert [body.splitlines()[0] for body in github.bodies()] == ["<!-- dbguard billing -->", "<!-- dbguard shop -->"]


@pytest.mark.parametrize("key", ["--> <script>", "a\nb", "-->", "a--b", "ü", "x" * 500])
def test_a_key_cannot_end_the_comment_it_stands_in(key: str):
    text = marker({"DBGUARD_COMMENT_KEY": key})
    assert text.startswith("<!-- dbguard")
    assert text.endswith(" -->")
    assert "--" not in text[4:-3]
    assert "\n" not in text


@pytest.mark.parametrize("status", [403, 404])
def test_a_token_that_may_only_read_leads_to_the_summary(github: Platform, job: dict[str, str], status: int):
    github.script = [(200, {}, []), (status, {}, {"message": "Resource not accessible by integration"})]

    told = publish(REPORT, job)

    assert (
        told
        == f"no comment was written, because the token may not write comments ({status}), as those of forks may not; the report is in the summary of the step"
    )
    assert summary(job) == REPORT


def test_a_token_of_a_fork_is_not_tried_twice(github: Platform, job: dict[str, str]):
    github.read_only = True
    publish(REPORT, job)
    assert github.verbs() == ["GET", "POST"]


def test_a_summary_is_added_to_and_not_replaced(job: dict[str, str]):
    Path(job["GITHUB_STEP_SUMMARY"]).write_text("already there\n")

    assert write_summary(REPORT, job) is True
    assert summary(job) == f"already there\n{REPORT}"


def test_a_report_that_is_in_the_summary_is_not_added_again(github: Platform, job: dict[str, str]):
    github.read_only = True
    assert write_summary(f"{REPORT}and more\n", job) is True

    assert "the report is in the summary of the step" in publish(REPORT, job)
    assert summary(job) == f"{REPORT}and more\n"


def test_a_summary_that_would_be_too_long_is_not_written(job: dict[str, str]):
    assert write_summary("x" * SUMMARY_LIMIT, job) is False
    assert summary(job) == ""


@pytest.mark.parametrize("path", ["", "relative.md", "/nonexistent/folder/summary.md"])
def test_without_a_place_for_it_there_is_no_summary(path: str):
    assert write_summary(REPORT, {"GITHUB_STEP_SUMMARY": path}) is False


def test_a_token_that_is_not_valid(github: Platform, job: dict[str, str]):
    github.script = [(401, {}, {"message": "Bad credentials"})]
    assert publish(REPORT, job).startswith("no comment was written, because the token is not valid (401)")


def test_a_rate_limit_is_waited_for(github: Platform, job: dict[str, str]):
    github.script = [(429, {"Retry-After": "0"}, {}), (200, {}, []), (403, {"Retry-After": "0.05"}, {"message": "secondary rate limit"})]

    assert publish(REPORT, job) == "a comment on pull request 12 was written"
    assert github.verbs() == ["GET", "GET", "POST", "POST"]


def test_a_rate_limit_that_lasts_is_not_waited_for(github: Platform, job: dict[str, str]):
    reset = str(int(time.time()) + 3_000)
    github.script = [(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}, {"message": "API rate limit exceeded"})]
    began = time.monotonic()

    told = publish(REPORT, job)

    assert "no comment was written" in told
    assert time.monotonic() - began < 2
    assert github.verbs() == ["GET"]


def test_a_server_in_trouble_is_asked_again_but_never_to_write_twice(github: Platform, job: dict[str, str]):
    github.script = [(502, {}, b"<html>bad gateway</html>"), (200, {}, []), (502, {}, b"")]

    told = publish(REPORT, job)

    assert told == "no comment was written, because the server refused the comment (502); the report is in the summary of the step"
    assert github.verbs() == ["GET", "GET", "POST"]


def test_a_server_that_hangs_up(github: Platform, job: dict[str, str]):
    github.script = [(0, {}, None)] * 3
    assert publish(REPORT, job).startswith("no comment was written, because the server did not answer: ")


def test_a_server_that_never_answers(github: Platform, job: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(publish_http, "TIMEOUT", 0.1)
    monkeypatch.setattr(publish_http, "TRIES", 1)
    answer = github.answer
    github.answer = lambda *asked: (time.sleep(0.5), answer(*asked))[1]  # type: ignore[method-assign]

    assert "the server did not answer: " in publish(REPORT, job)


@pytest.mark.parametrize("answer", [b"", b"null", b"[1, null, {}]", b'{"message": "odd"}', b'[{"id": "x", "body": 3, "user": []}]', b"\xff\xfe"])
def test_an_odd_answer_is_no_crash(github: Platform, job: dict[str, str], answer: bytes):
    github.script = [(200, {}, answer)] * 3
    assert publish(REPORT, job).startswith(("a comment on pull request 12 was written", "no comment was written, because the server did not answer"))


def test_a_redirect_does_not_take_the_token_elsewhere(github: Platform, job: dict[str, str]):
    other = next(serve_other := serve(Platform()))
    try:
        github.script = [(301, {"Location": f"{other.url}/repos/x/issues/12/comments"}, {})]

        assert "refused the comment (301)" in publish(REPORT, job)
        assert other.asked == []
    finally:
        next(serve_other, None)


def test_the_token_is_never_told(github: Platform, job: dict[str, str], capsys: pytest.CaptureFixture[str]):
    github.script = [(422, {}, {"message": f"bad token {TOKEN}\n::error::x\x1b[31m"})]

    told = publish(REPORT, job)

    assert "bad token *** ::error::x" in told
    assert TOKEN not in told + summary(job) + "".join(capsys.readouterr()) + repr(publish_http.Api("https://x", {"a": TOKEN}, TOKEN))
    assert "\n" not in told
    assert "\x1b" not in told


def test_a_token_with_a_line_end_sends_nothing(github: Platform, job: dict[str, str]):
    told = publish(REPORT, job | {"GITHUB_TOKEN": f"{TOKEN}\r\nX-Evil: 1"})

    assert "the token is not valid" in told
    assert TOKEN not in told
    assert github.asked == []


@pytest.mark.parametrize("url", ["file:///etc", "ftp://x", "x", "javascript:1"])
def test_an_address_that_is_not_of_the_web_is_not_opened(job: dict[str, str], url: str):
    assert "its address is not one of the web" in publish(REPORT, job | {"GITHUB_API_URL": url})


@pytest.mark.parametrize("repository", ["", "acme", "acme/shop/../x", "acme/shop?x", "a b/c", "acme/shop\n"])
def test_a_repository_that_is_no_name_is_not_asked_for(github: Platform, job: dict[str, str], repository: str):
    assert "is not the name of a repository" in publish(REPORT, job | {"GITHUB_REPOSITORY": repository})
    assert github.asked == []


def test_a_run_without_a_pull_request_writes_the_summary(github: Platform, job: dict[str, str]):
    Path(job["GITHUB_EVENT_PATH"]).write_text('{"ref": "refs/heads/main"}')

    assert publish(REPORT, job) == "no comment was written, because this run is not of a pull request; the report is in the summary of the step"
    assert github.asked == []


@pytest.mark.parametrize("event", ["", "[]", "{", '{"pull_request": 3}', '{"pull_request": {"number": "12; rm"}}', '{"issue": {"number": 3}}'])
def test_an_event_without_a_pull_request_is_no_crash(job: dict[str, str], event: str):
    Path(job["GITHUB_EVENT_PATH"]).write_text(event)
    assert "not of a pull request" in publish(REPORT, job)


def test_the_number_is_in_the_reference_too(github: Platform, job: dict[str, str]):
    assert publish(REPORT, job | {"GITHUB_EVENT_PATH": "", "GITHUB_REF": "refs/pull/31/merge"}) == "a comment on pull request 31 was written"


def test_without_a_token_nothing_is_asked(github: Platform, job: dict[str, str]):
    assert "GITHUB_TOKEN is not set" in publish(REPORT, job | {"GITHUB_TOKEN": ""})
    assert github.asked == []


def test_elsewhere_nothing_is_done():
    assert publish(REPORT, {}) == "no comment was written, because this is neither GitHub Actions nor GitLab CI"


def test_a_report_that_is_too_long_goes_to_the_summary(github: Platform, job: dict[str, str]):
    assert "longer than a comment can be" in publish("x" * LIMIT, job)
    assert github.asked == []


def test_a_link_that_is_no_link_is_left_out(github: Platform, job: dict[str, str]):
    publish(REPORT, job | {"GITHUB_SERVER_URL": "https://x)[y](javascript:"})
    assert github.bodies() == [f"{FIRST_LINE}\n{REPORT}"]


def test_gitlab_gets_a_note(gitlab: Platform, gitlab_job: dict[str, str]):
    assert publish(REPORT, gitlab_job) == "a comment on merge request 12 was written"
    assert publish(REPORT, gitlab_job) == "the comment on merge request 12 was rewritten"

    assert len(gitlab.bodies()) == 1
    assert [(verb, path.split("?")[0]) for verb, path, *_ in gitlab.asked] == [
        ("GET", "/projects/3/merge_requests/12/notes"),
        ("POST", "/projects/3/merge_requests/12/notes"),
        ("GET", "/projects/3/merge_requests/12/notes"),
        ("GET", "/user"),
        ("PUT", "/projects/3/merge_requests/12/notes/1"),
    ]
    assert gitlab.asked[0][2]["Private-Token"] == TOKEN


def test_gitlab_notes_of_others_are_left_alone(gitlab: Platform, gitlab_job: dict[str, str]):
    gitlab.add(f"{FIRST_LINE}\nold", SOMEBODY)
    gitlab.add(f"{FIRST_LINE}\nold", {"login": "github-actions[bot]", "username": "x", "id": 10})

    assert publish(REPORT, gitlab_job) == "a comment on merge request 12 was written"
    assert gitlab.bodies()[:2] == [f"{FIRST_LINE}\nold"] * 2


def test_the_token_of_a_gitlab_job_acts_for_who_started_it(gitlab: Platform, gitlab_job: dict[str, str]):
    gitlab.anonymous = True
    gitlab.add(f"{FIRST_LINE}\nold", SOMEBODY)
    gitlab.add(f"{FIRST_LINE}\nold", ME)
    of_job = {key: value for key, value in gitlab_job.items() if key != "GITLAB_TOKEN"} | {"CI_JOB_TOKEN": TOKEN, "GITLAB_USER_ID": "7"}

    assert publish(REPORT, of_job) == "the comment on merge request 12 was rewritten"
    assert gitlab.bodies()[0] == f"{FIRST_LINE}\nold"
    assert gitlab.asked[0][2]["Job-Token"] == TOKEN


def test_a_gitlab_token_that_may_only_read(gitlab: Platform, gitlab_job: dict[str, str]):
    gitlab.read_only = True
    assert publish(REPORT, gitlab_job) == "no comment was written, because the token may not write comments (403), as those of forks may not"


def test_a_gitlab_job_without_a_merge_request(gitlab: Platform, gitlab_job: dict[str, str]):
    assert "not of a merge request" in publish(REPORT, gitlab_job | {"CI_MERGE_REQUEST_IID": ""})
    assert "are not numbers" in publish(REPORT, gitlab_job | {"CI_PROJECT_ID": "1/../2"})
    assert "neither GITLAB_TOKEN nor CI_JOB_TOKEN is set" in publish(REPORT, gitlab_job | {"GITLAB_TOKEN": ""})
    assert gitlab.asked == []

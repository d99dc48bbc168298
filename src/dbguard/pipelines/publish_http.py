"""Requests to GitHub's and GitLab's API with the standard library: short, without redirects, and with a token that nobody gets to see."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit

from dbguard.model.record import Record
from dbguard.version import __version__

TIMEOUT = 10.0  # seconds for each answer
PATIENCE = 45.0  # seconds in all, waiting for a rate limit included
MOST_ANSWER = 20_000_000  # bytes
TRIES = 3
PAUSE = 0.5  # seconds before a second try, twice as many before a third


class Answer(Record):
    status: int
    value: Any = None


class Refused(Exception):  # noqa: N818 - an answer, not a mistake
    """An answer that is not 2xx (`status`), or none at all (0). `reason` is one line, without the token."""

    def __init__(self, status: int, reason: str = "") -> None:
        super().__init__(status, reason)
        self.status, self.reason = status, reason


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token to another server."""

    def redirect_request(  # noqa: PLR0917 - urllib's own
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        del req, fp, code, msg, headers, newurl
        return None


class Api:
    """A server, and the headers that open it. All requests together have `PATIENCE` seconds."""

    def __init__(self, base: str, headers: Mapping[str, str], token: str) -> None:
        self._base, self._headers, self._token = base.rstrip("/"), dict(headers), token
        self._end = time.monotonic() + PATIENCE
        self._opener = urllib.request.build_opener(_Stay)

    def __repr__(self) -> str:
        return f"Api({self._base!r})"

    def ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Answer:
        """The answer. Raises `Refused`. Waits for a rate limit and tries again where the server asks for that and there is time."""
        if urlsplit(self._base).scheme not in {"http", "https"}:
            raise Refused(0, "its address is not one of the web")
        if not self._token.isascii() or not self._token.isprintable():
            raise Refused(401, "the token has characters that no token has")
        for attempt in range(TRIES):
            try:
                return self._once(method, path, body)
            except urllib.error.HTTPError as error:
                with error:
                    pause = _pause(error.code, error.headers, attempt, again=method != "POST")
                    if attempt == TRIES - 1 or pause is None or time.monotonic() + pause > self._end:
                        raise Refused(error.code, self._told(error)) from None
            except (OSError, HTTPException, ValueError) as error:
                if method == "POST" or attempt == TRIES - 1 or time.monotonic() + 1 > self._end:  # a comment may have been written
                    raise Refused(0, self._clean(str(getattr(error, "reason", error)) or type(error).__name__)) from None
                pause = PAUSE
            time.sleep(pause)
        raise Refused(0)

    def _once(self, method: str, path: str, body: Mapping[str, str] | None) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": "application/json", "User-Agent": f"dbguard/{__version__}"}
        request = urllib.request.Request(self._base + path, data, headers, method=method)  # noqa: S310 - the scheme is checked above
        left = max(min(TIMEOUT, self._end - time.monotonic()), 0.1)
        with self._opener.open(request, timeout=left) as response:
            text = response.read(MOST_ANSWER)
            return Answer(response.status, json.loads(text) if text.strip() else None)

    def _told(self, error: urllib.error.HTTPError) -> str:
        """The server's own reason: `message` of the JSON that GitHub and GitLab answer with."""
        try:
            value = json.loads(error.read(100_000))
        except (OSError, HTTPException, ValueError):
            return ""
        told = value.get("message") or value.get("error") or "" if isinstance(value, dict) else ""
        return self._clean(told if isinstance(told, str) else json.dumps(told))

    def _clean(self, text: str) -> str:
        kept = text.replace(self._token, "***") if self._token else text
        return " ".join("".join(c if c.isprintable() else " " for c in kept).split())[:200]


def _pause(status: int, headers: Message, attempt: int, *, again: bool) -> float | None:
    """Seconds after which to try again; None for an answer that will not change.

    GitHub, "Rate limits for the REST API": 403 or 429 with `retry-after`, or with `x-ratelimit-remaining: 0` and the time of the reset.
    """
    limited = status == 429 or (status == 403 and (headers.get("Retry-After") or headers.get("X-RateLimit-Remaining") == "0"))
    if limited:
        for name, now in (("Retry-After", 0.0), ("X-RateLimit-Reset", time.time())):
            with contextlib.suppress(TypeError, ValueError):
                return max(float(headers.get(name, "")) - now, 0.0)
        return 2.0**attempt
    return PAUSE * 2.0**attempt if again and status in {500, 502, 503, 504} else None

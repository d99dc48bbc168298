"""A request in, what the user's own environment prints out: `render` runs a driver in a subprocess and reads its journal.

The child gets no PG* variables, a time limit and a process group of its own, which is killed at the end whatever happened.
It may die or hang in the user's code: what it told before counts, and it is started again without the file it died in.
"""

# ruff: noqa: PTH100, PTH118, PTH120, PTH123

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import accumulate
from typing import Any

from dbguard.model.record import Record
from dbguard.model.source import Block

MOST_STARTS = 4
LONGEST_TAIL = 8192
_DRIVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "driver.py")
_LINE = re.compile(r"\r\n|\r|\n")


class Server(Record):
    """A throw-away PostgreSQL that the child may connect to."""

    folder: str  # of its socket
    port: int = 5432
    user: str = "postgres"


class Request(Record):
    """What to render with. `texts` are the files wanted, by absolute path, as they were read."""

    python: str
    texts: Mapping[str, str] = {}
    timeout: float = 120.0
    section: str = ""  # Alembic: the section of the ini file
    ini: str = ""
    toml: str = ""
    location: str = ""  # the folder of env.py, where no file of settings names it
    manage: str = ""  # Django: manage.py
    settings: str = ""
    server: Server | None = None


class Rendered(Record):
    """What the framework sends, by absolute path; why not, for the files that it did not render."""

    blocks: Mapping[str, tuple[Block, ...]] = {}
    down: Mapping[str, tuple[Block, ...]] = {}
    transaction: Mapping[str, str] = {}
    failures: Mapping[str, str] = {}
    python: str = ""
    pythons: Mapping[str, str] = {}  # by path, where several environments are put together
    notes: tuple[str, ...] = ()


class _Found:
    """Events of one or more starts, put together."""

    def __init__(self) -> None:
        self.blocks: dict[str, dict[str, list[dict[str, Any]]]] = {"up": {}, "down": {}}
        self.failures: dict[str, dict[str, str]] = {"up": {}, "down": {}}
        self.transaction: dict[str, str] = {}
        self.forced: set[tuple[str, str]] = set()
        self.notes: dict[str, None] = {}
        self.settled: set[tuple[str, str]] = set()  # done in an earlier start
        self.open: tuple[str, str] | None = None  # what runs now
        self.broken = ""

    def take(self, event: dict[str, Any]) -> bool:
        """Add an event; whether it is the last."""
        path, direction = event.get("path", ""), event.get("direction", "up")
        match event["event"]:
            case "start":
                self.open = path, direction
            case "done":
                self.open = None
                self._done(path, direction, event)
            case "failed":
                self.open = None
                self.fail(path, direction, event["reason"])
            case "note":
                self.notes[event["text"]] = None
            case "broken":
                self.broken = event["reason"]
            case "end":
                return True
        return False

    def fail(self, path: str, direction: str, why: str) -> None:
        if (path, direction) not in self.settled:
            self.failures[direction].setdefault(path, why)

    def settle(self) -> None:
        """What is done so far stays, whatever the next start does."""
        self.settled = {(path, direction) for direction, told in self.blocks.items() for path in told if path not in self.failures[direction]}
        self.open = None

    def _done(self, path: str, direction: str, event: dict[str, Any]) -> None:
        """Several databases can each run a migration: what a second one does in addition is added."""
        if (path, direction) in self.settled:
            return
        sent = [_sent(block) for block in event["blocks"]]
        if transaction := event.get("transaction"):
            self.transaction[path] = transaction
        known = self.blocks[direction].get(path)
        if known is None or ((path, direction) in self.forced and not event.get("forced")):
            self.forced.discard((path, direction))
            self.blocks[direction][path] = sent
        elif sent != known and not event.get("forced"):
            self.blocks[direction][path] = known + sent
        if known is None and event.get("forced"):
            self.forced.add((path, direction))


def _sent(block: dict[str, Any]) -> dict[str, Any]:
    """A statement as a driver tells it. Raises ValueError, TypeError or KeyError for anything else."""
    at = block["at"]
    if at is not None:
        line, column, end_line, end_column = at
        at = int(line), int(column), int(end_line), int(end_column)
    return {"at": at, "sql": str(block["sql"]), "alone": bool(block.get("alone"))}


def render(kind: str, project_folder: str, request: Request) -> Rendered:
    """`kind` is "alembic" or "django". Never raises for what the user's code does."""
    found = _Found()
    skip: list[str] = []
    deadline = time.monotonic() + request.timeout
    for _ in range(MOST_STARTS):
        ended, why = _start(_question(kind, project_folder, request, skip), request.python, deadline, found)
        if ended:
            break
        if found.open is not None:
            found.fail(*found.open, why)
            skip.append(found.open[0])
        if found.open is None or time.monotonic() > deadline - 1:
            found.broken = found.broken or why
            break
        found.settle()
    return _rendered(found, request)


def _question(kind: str, folder: str, request: Request, skip: list[str]) -> dict[str, Any]:
    server = request.server or Server("", 0, "")
    return {
        "kind": kind,
        "root": folder,
        "files": list(request.texts),
        "skip": skip,
        "seconds": max(0.5, request.timeout / 4),
        "ini": request.ini,
        "toml": request.toml,
        "section": request.section,
        "location": request.location,
        "manage": request.manage,
        "settings": request.settings,
        "socket_folder": server.folder,
        "port": server.port,
        "user": server.user,
    }


def _start(question: dict[str, Any], python: str, deadline: float, found: _Found) -> tuple[bool, str]:
    """Run a driver once: whether it came to its end, else why not."""
    with tempfile.TemporaryDirectory(prefix="dbguard-render-") as aside:
        journal = os.path.join(aside, "journal")
        why = _run(python, question["root"], json.dumps(question | {"journal": journal}).encode(), deadline)
        ended = False
        for event in _events(journal):
            ended = _taken(found, event) or ended
        return ended, why


def _taken(found: _Found, event: dict[str, Any]) -> bool:
    with suppress(KeyError, TypeError, ValueError, AttributeError):  # the user's code could write into the journal, too
        return found.take(event)
    return False


def _events(journal: str) -> Iterator[dict[str, Any]]:
    with suppress(OSError), open(journal, encoding="utf-8", errors="replace") as file:
        for line in file:
            with suppress(ValueError):
                yield json.loads(line)


def _run(python: str, folder: str, question: bytes, deadline: float) -> str:
    """Start the driver, and wait for its end or the deadline. What to say if it did not do its work."""
    import subprocess

    try:
        child = subprocess.Popen(  # noqa: S603 - what `--render` means
            [python, _DRIVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        return f"{python} cannot be started: {(error.strerror or str(error)).lower()}"
    tail = b""
    try:
        with suppress(BrokenPipeError):
            assert child.stdin is not None
            child.stdin.write(question)
            child.stdin.close()
        tail, in_time = _listen(child, deadline)
    finally:
        _kill(child)
    if not in_time:
        return "it did not end in time (render-timeout)"
    lines = tail.decode(errors="replace").strip().splitlines()
    said = f": {lines[-1].strip()[:200]}" if lines and child.returncode else ""
    return f"its process ended with {child.returncode}{said}"


def _listen(child: Any, deadline: float) -> tuple[bytes, bool]:
    """The last bytes that the child prints, and whether it ended before the deadline."""
    import selectors

    tail = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            # A program that the child started can keep the pipe open after it: look at the child itself, too.
            ready = selector.select(min(left, 0.2))
            if ready:
                part = os.read(child.stdout.fileno(), 65536)
                if not part:
                    break
                tail = (tail + part)[-LONGEST_TAIL:]
            elif child.poll() is not None:
                return tail, True
    if left <= 0:
        return tail, child.poll() is not None
    with suppress(Exception):
        child.wait(timeout=max(0.1, deadline - time.monotonic()))
    return tail, child.poll() is not None


def _kill(child: Any) -> None:
    import signal

    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()


def _environment() -> dict[str, str]:
    """The user's, without what leads PostgreSQL's library to a database."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG") and name != "__PYVENV_LAUNCHER__"}
    return environment | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8", "DBGUARD_RENDER": "1"}


def _rendered(found: _Found, request: Request) -> Rendered:
    starts = {path: _line_starts(text) for path, text in request.texts.items()}

    def blocks(direction: str) -> dict[str, tuple[Block, ...]]:
        failed = found.failures[direction]
        return {
            path: tuple(_block(block, request.texts[path], starts[path]) for block in told)
            for path, told in found.blocks[direction].items()
            if path in request.texts and path not in failed
        }

    up = blocks("up")
    missing = found.broken or "the framework does not run it"
    if (lacks := re.fullmatch(r"ModuleNotFoundError: No module named '(alembic|django)(?:\..*)?'", missing)) is not None:
        missing = f"{request.python} has no {lacks[1]}: name the interpreter of the project's environment with --python"
    failures = {path: found.failures["up"].get(path, missing) for path in request.texts if path not in up}
    return Rendered(
        blocks=up,
        down=blocks("down"),
        transaction=found.transaction,
        failures=failures,
        python=request.python,
        notes=tuple(found.notes),
    )


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in _LINE.finditer(text))]


def _block(told: dict[str, Any], text: str, starts: list[int]) -> Block:
    if told["at"] is None:
        start, end = 0, starts[1] if len(starts) > 1 else len(text)
    else:
        line, column, end_line, end_column = told["at"]
        start, end = _offset(text, starts, line, column), _offset(text, starts, end_line, end_column)
    return Block(start, max(start, end), told["sql"], alone=told["alone"])


def _offset(text: str, starts: list[int], line: int, column: int) -> int:
    """Code points before a place that Python gives in bytes of UTF-8."""
    if not 1 <= line <= len(starts):
        return 0
    start = starts[line - 1]
    whole = text[start : start + column]
    if whole.isascii():
        return start + len(whole)
    sizes = accumulate(len(character.encode(errors="replace")) for character in text[start : start + column])
    return start + sum(size <= column for size in sizes)

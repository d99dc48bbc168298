"""Runs in the user's own Python: a JSON request on standard input, one JSON line per event in the file that it names.

Standard library only, Python 3.8 and newer, and started as a file: nothing else of dbguard can be imported here. What the
user's code prints goes wherever standard output goes, never between our lines. This file holds what both frameworks need:
the journal, the place in the user's file where something happens, and what the user's code may not do meanwhile.
"""

# The code must run on older Pythons than the rest of dbguard, and deals in frames and modules of any kind.
# ruff: noqa: BLE001, PTH100, PTH118, PTH120, PTH123, SLF001, SIM115

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import itertools
import json
import os
import re
import signal
import sys
import time
import types
import uuid
from collections.abc import Callable, Iterator
from typing import Any

Span = Any  # [line, column, end line, end column]: lines from 1, columns in bytes of UTF-8 from 0

_REFUSED = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork")
_REFUSED_FILES = ("os.remove", "os.rename", "os.rmdir", "shutil.rmtree", "os.truncate")


class Stopped(BaseException):
    """The user's code took too long. Not an Exception: `except Exception` in a loop must not catch it."""


class RefusedError(Exception):
    """What rendering does not allow."""


class Journal:
    """Events, each written out at once: what was told before a crash is not lost."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "a", encoding="utf-8")

    def tell(self, event: str, **facts: Any) -> None:
        self.file.write(json.dumps(dict(facts, event=event)) + "\n")
        self.file.flush()

    def note(self, text: str) -> None:
        self.tell("note", text=text)


class Places:
    """Where in the user's files something happens."""

    def __init__(self, files: list[str]) -> None:
        self.wanted = {os.path.realpath(path): path for path in files}
        self.known: dict[str, str | None] = {}
        self.calls: dict[str, list[ast.Call]] = {}

    def path(self, filename: str) -> str | None:
        """The file as it was asked for, if it was."""
        if filename not in self.known:
            self.known[filename] = self.wanted.get(os.path.realpath(filename))
        return self.known[filename]

    def here(self, path: str | None = None) -> tuple[str, Span] | None:
        """The innermost place on the stack that lies in a file of ours (or in that one): the file and the call there."""
        frame = sys._getframe(1)
        while frame is not None:
            found = self.path(frame.f_code.co_filename)
            if found is not None and path in (None, found):
                return found, self.span(frame, found)
            frame = frame.f_back  # type: ignore[assignment]
        return None

    def span(self, frame: types.FrameType, path: str) -> Span:
        exact = _position(frame)
        if exact is not None:
            for call in self._calls(path):  # the start of a chained call is told differently by each Python: only its end is sure
                if (call.end_lineno, call.end_col_offset) == (exact[2], exact[3]):
                    return _span(call)
            return exact
        return self.by_line(path, frame.f_lineno)

    def by_line(self, path: str, line: int) -> Span:
        """The largest call that begins on a line, else the smallest one around it: all that Python before 3.11 tells."""
        calls = self._calls(path)
        beginning = [call for call in calls if line in {call.lineno, getattr(call.func, "end_lineno", 0)}]
        if beginning:
            return _span(max(beginning, key=_extent))
        around = [call for call in calls if call.lineno <= line <= (call.end_lineno or 0)]
        return _span(min(around, key=_extent)) if around else [line, 0, line, 0]

    def _calls(self, path: str) -> list[ast.Call]:
        if path not in self.calls:
            try:
                with open(path, "rb") as file:
                    tree = ast.parse(file.read())
                self.calls[path] = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
            except (OSError, SyntaxError, ValueError):
                self.calls[path] = []
        return self.calls[path]


def _position(frame: types.FrameType) -> Span | None:
    positions = getattr(frame.f_code, "co_positions", None)
    if positions is None:
        return None
    found = next(itertools.islice(positions(), frame.f_lasti // 2, None), None)
    if not found or None in found:
        return None
    line, end_line, column, end_column = found
    return [line, column, end_line, end_column]


def _span(node: Any) -> Span:
    return [node.lineno, node.col_offset, node.end_lineno, node.end_col_offset]


def _extent(node: Any) -> tuple[int, int]:
    return node.end_lineno - node.lineno, node.end_col_offset - node.col_offset


def reason(error: BaseException) -> str:
    """One line that says what went wrong, without passwords in addresses."""
    if isinstance(error, SystemExit):
        return "it exits (SystemExit)"
    if isinstance(error, Stopped):
        return "it did not finish in time"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = re.sub(r"://[^\s'\"]*", "://...", lines[0] if lines else "")
    return (type(error).__name__ + (": " + text if text else ""))[:200]


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Stop what runs inside after that time, again and again if it catches that."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_number: int, _frame: Any) -> None:
        raise Stopped

    before = signal.signal(signal.SIGALRM, stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
    began = time.monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, max(0.01, left - (time.monotonic() - began)) if left else 0, interval)
        signal.signal(signal.SIGALRM, before)


class Guard:
    """Keeps the user's code from every database but ours, and migrations from the world outside."""

    def __init__(self, socket_folder: str = "") -> None:
        self.socket_folder = socket_folder
        self.is_strict = False
        self.drawn = 0
        self._tame_chance()
        sys.addaudithook(self._audit)
        finder = _Finder(
            {
                "psycopg2": self._psycopg2,
                "psycopg": self._psycopg,
                "sqlalchemy.engine.default": self._sqlalchemy,
            }
        )
        sys.meta_path.insert(0, finder)
        finder.patch_what_is_loaded()

    @contextlib.contextmanager
    def strict(self) -> Iterator[None]:
        """Inside: no network, no other programs, no file removed or renamed, and chance is the same each time."""
        self.is_strict, self.drawn = True, 0
        try:
            yield
        finally:
            self.is_strict = False

    def draw(self) -> int:
        """Another number each time, and the same ones in every rendering."""
        self.drawn += 1
        return self.drawn - 1

    def _tame_chance(self) -> None:
        real = uuid.uuid4

        def uuid4() -> uuid.UUID:
            return uuid.UUID(int=(4 << 76) + (8 << 60) + self.draw()) if self.is_strict else real()

        uuid.uuid4 = uuid4

    def _audit(self, event: str, _arguments: Any) -> None:
        if self.is_strict and (event in _REFUSED or event in _REFUSED_FILES):
            raise RefusedError("calls " + event + ", which --render does not let migrations do")

    def _checked(self, connect: Callable[..., Any]) -> Callable[..., Any]:
        def checked(*arguments: Any, **options: Any) -> Any:
            if not self.socket_folder or options.get("host") != self.socket_folder:
                raise RefusedError("connects to a database, which --render does not allow")
            return connect(*arguments, **options)

        return checked

    def _psycopg2(self, module: Any) -> None:
        module.connect = self._checked(module.connect)

    def _psycopg(self, module: Any) -> None:
        for name in ("Connection", "AsyncConnection"):
            connection = getattr(module, name)
            connect = connection.__dict__["connect"].__func__
            connection.connect = classmethod(self._checked(connect))
        module.connect = module.Connection.connect

    def _sqlalchemy(self, module: Any) -> None:
        module.DefaultDialect.connect = self._checked(module.DefaultDialect.connect)


class _Finder:
    """Lets others find a module, and patches it as soon as it is loaded."""

    def __init__(self, patches: dict[str, Callable[[Any], None]]) -> None:
        self.patches = patches

    def patch_what_is_loaded(self) -> None:
        for name in [name for name in self.patches if name in sys.modules]:
            self.patches.pop(name)(sys.modules[name])

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        patch = self.patches.pop(name, None)
        if patch is None:
            return None
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            load(module)
            patch(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def literals(path: str, names: tuple[str, ...], class_name: str = "") -> dict[str, Any]:
    """Names that a file (or a class in it) sets to literals; what a name holds that is no literal is left out."""
    try:
        with open(path, "rb") as file:
            body: list[ast.stmt] = ast.parse(file.read()).body
    except (OSError, SyntaxError, ValueError):
        return _assigned_in_text(path, names) if not class_name else {}
    if class_name:
        body = next((node.body for node in body if isinstance(node, ast.ClassDef) and node.name == class_name), [])
    found = {}
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Name) and target.id in names and node.value is not None:  # type: ignore[attr-defined]
                found[target.id] = _literal(node.value)  # type: ignore[attr-defined]
    return found


def _literal(node: ast.expr) -> Any:
    if isinstance(node, (ast.List, ast.Tuple)):
        return [value for value in map(_literal, node.elts) if value is not None]
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _assigned_in_text(path: str, names: tuple[str, ...]) -> dict[str, Any]:
    """The same for a file that this Python cannot parse: names set to one string or to None on one line."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return {}
    pattern = r"^(%s)\s*(?::[^=\n]*)?=\s*(?:(['\"])(.*?)\2|None)\s*(?:#.*)?$"
    return {match.group(1): match.group(3) for match in re.finditer(pattern % "|".join(names), text, re.MULTILINE)}


def refuse_skipped(is_skipped: bool) -> None:
    """For a file in which the process died before."""
    if is_skipped:
        raise RuntimeError("rendering ended in it")


def load(name: str) -> Any:
    return importlib.import_module(name)


def beside(name: str) -> Any:
    """A driver that lies beside this file, whatever else has its name."""
    spec = importlib.util.spec_from_file_location("_dbguard_" + name, os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py"))
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module


def main() -> None:
    request = json.load(sys.stdin)
    sys.stdin = open(os.devnull)
    sys.path[:1] = []  # the folder of this file
    sys.dont_write_bytecode = True
    driver = beside(request["kind"] + "_driver")
    journal = Journal(request["journal"])
    tools = types.SimpleNamespace(
        journal=journal,
        places=Places(request["files"]),
        guard=Guard(request.get("socket_folder", "")),
        limited=limited,
        reason=reason,
        literals=literals,
        load=load,
        beside=beside,
        refuse_skipped=refuse_skipped,
    )
    try:
        driver.run(request, tools)
    except BaseException as error:
        journal.tell("broken", reason=reason(error))
    journal.tell("end")
    sys.stdout.flush()
    os._exit(0)  # threads and handlers of the user's code have nothing to add


if __name__ == "__main__":
    main()

"""Where in the user's code a call comes from. In: the running interpreter. Out: a `Stack`, and what a library's frame on the way told.

Walking looks at code objects only; sources are read once per file and place, for loops and names of functions.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from dbguard.capture.source_map import LOOP, NONE, ROUNDS, source_map, template_loops

MOST_FRAMES = 8
_MOST_WALKED = 14  # comprehensions have frames of their own before Python 3.12 and are merged with their function
_MOST_STACKS = 20_000
_MOST_STEPS = 2_000
_QUIET = 25  # frames of libraries in a row, outside of a frame of the user, after which no more of the user's is worth the time
_COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>"}

Place = tuple[str, int, str]  # absolute path, line, function


class Stack(NamedTuple):
    """The user's own frames, innermost first, and the index of the innermost one that runs inside a loop.

    A loop that follows rows, as far as its source tells, is preferred to others, even further out; of others, `rounds` says what they
    follow: "listed" or "asked" (see source_map.py). `column` is where the innermost piece of source ends, to tell two on a line apart.
    """

    frames: tuple[Place, ...]
    loop: int | None
    rounds: str = ""
    column: int = 0


class Walk:
    """What a walk has met so far. Watchers of a library's frames write into it."""

    __slots__ = ("final", "found", "key", "load", "origin", "skip")

    def __init__(self, key: list[Any], found: list[Any]) -> None:
        self.key = key
        self.found = found  # frames of the user, and `Template`s, innermost first
        self.load: Load | None = None  # what an ORM was doing
        self.final = False  # `load` is right as it is
        self.skip = False  # a library asks for itself: not a call of the user
        self.origin: Origin | None = None  # where the work of this thread was handed over; the walk ends there

    def loads(self, event: str, owner: str, relationship: str, many: bool, orm: str, *more: tuple[str, Any], final: bool = False) -> None:
        """What an ORM was doing, if its frame stands between the database and the innermost frame of the user."""
        if not self.final and not self.found:
            self.load = (event, owner, relationship, many, orm, more) if more else (event, owner, relationship, many, orm)
            self.final = final

    def passes(self, template: Template) -> None:
        """A template that is not run as Python of its own, met at its innermost tag."""
        self.found.append(template)
        self.key.append(template)


class Template(NamedTuple):
    path: str
    line: int
    in_loop: bool


class Origin(NamedTuple):
    """Where work was handed to another thread or task, and in which unit of work: its own, and that of whoever listened."""

    stack: Stack
    unit: Any
    effective: Any


class Opened(NamedTuple):
    """The frame before this one opened the unit of work at a line: what is further out, or above, repeats units and not their calls."""

    line: int


More = tuple[tuple[str, Any], ...]  # what else is known, by name
Load = tuple[str, str, str, bool, str] | tuple[str, str, str, bool, str, More]  # event, owner, relationship, many, orm
Watcher = Callable[[Any, Walk], None]

USER, LIBRARY, BOUNDARY = "user", "library", "boundary"
_kinds: dict[str, Any] = {}  # by file name: one of the above, or {function name: Watcher} for a library's file
_stacks: dict[tuple[Any, ...], tuple[Stack, Any]] = {}


def _library_folders() -> tuple[str, ...]:
    """The standard library, installed packages and dbguard itself, as they are named and where links lead."""
    folders = {os.path.dirname(os.__file__), os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}
    folders |= set(site.getsitepackages()) if hasattr(site, "getsitepackages") else set()
    found = {os.path.normpath(folder) + os.sep for folder in folders}
    return tuple(found | {os.path.realpath(folder) + os.sep for folder in found})


_LIBRARIES = _library_folders()
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_PYTEST = f"{os.sep}_pytest{os.sep}"


def kind_of(path: str) -> str:
    """Whose file this is. Text that was never in a file (`<string>`, `<frozen os>`) is a library's."""
    if _PYTEST in path:
        return BOUNDARY
    if path.startswith(("<", *_LIBRARIES)) or any(package in path for package in _PACKAGES):
        return LIBRARY
    return USER


def watch(path: str, watchers: dict[str, Watcher]) -> None:
    """Have `watchers` look at frames of these functions of a library's file, when they stand between the database and the user's code."""
    _kinds[path] = {**(_kinds[path] if isinstance(_kinds.get(path), dict) else {}), **watchers}


def here(depth: int = 1, unit: Any = None, effective: Callable[[], Any] = lambda: None, *, handed: bool = False) -> tuple[Stack, Walk | None]:
    """The stack of whoever called `depth` levels above, through the greenlets that wait for this one and the place where another thread
    handed the work over; a `Walk` if a watcher saw anything. `unit` is the unit of work of the context, `effective` gives that of the
    recording, for a context that has none. With `handed` the caller hands work over, so that below `map(f, rows)` it is `f` already.
    """
    key: list[Any] = [True] if handed else []
    found: list[Any] = []
    opener = unit.opener if unit is not None else None
    walk = _climb(sys._getframe(depth), key, found, None, opener)  # noqa: SLF001 - what the standard library uses, too
    module = sys.modules.get("greenlet")
    if module is not None and len(found) < _MOST_WALKED:
        greenlet = module.getcurrent().parent
        while greenlet is not None and len(found) < _MOST_WALKED:
            walk = _climb(greenlet.gr_frame, key, found, walk, opener)
            greenlet = greenlet.parent
    origin = walk.origin if walk is not None else None
    if origin is not None and (origin.unit is unit if unit is not None else origin.unit is not None or origin.effective is effective()):
        key.append(id(origin.stack))
        found.append(origin)
    known = _stacks.get(tuple(key))
    if known is None:
        known = _resolve(tuple(key), found, handed=handed)
    return known[0], walk


_nearest: dict[tuple[Any, int], Place] = {}


def nearest(depth: int = 1) -> Place | None:
    """The innermost frame of the user above whoever called `depth` levels above, if it is near."""
    frame: Any = sys._getframe(depth)  # noqa: SLF001
    for _ in range(_QUIET):
        if frame is None:
            return None
        code = frame.f_code
        kind = _kinds.get(code.co_filename)
        if kind is None:
            kind = _kinds[code.co_filename] = kind_of(code.co_filename)
        if kind is USER:
            place = _nearest.get((code, frame.f_lasti))
            if place is None:
                if len(_nearest) >= _MOST_STACKS:
                    _nearest.clear()
                place = _nearest[code, frame.f_lasti] = _look(frame, innermost=True, after=0)[0]
            return place
        frame = frame.f_back
    return None


def _climb(frame: Any, key: list[Any], found: list[Any], walk: Walk | None, opener: Any) -> Walk | None:
    """Go outwards from a frame, until there is enough or nothing but libraries for long."""
    kinds = _kinds
    quiet = _QUIET if found else _MOST_STEPS
    opening = None if opener is None else opener[0]
    while frame is not None:
        code = frame.f_code
        path = code.co_filename
        kind = kinds.get(path)
        if kind is LIBRARY:
            quiet -= 1
            if not quiet:
                break
        elif kind is USER:
            key.append(id(code))
            key.append(frame.f_lasti)
            found.append(frame)
            if code is opening:
                key.append(-opener[1])
                found.append(Opened(opener[1]))
                break
            if len(found) >= _MOST_WALKED:
                break
            quiet = _QUIET
        elif kind is None:
            kinds[path] = kind_of(path)
            continue
        elif kind is BOUNDARY:
            if found:
                break
        elif (watcher := kind.get(code.co_name)) is not None:
            walk = walk or Walk(key, found)
            watcher(frame, walk)
            if walk.origin is not None:
                break
        frame = frame.f_back
    return walk


class _Places:
    """The places of one stack while it is put together."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.loop: int | None = None
        self.kind = NONE
        self.column = 0

    def add(self, place: Place, kind: int) -> None:
        self.takes_loop(len(self.places), kind)
        self.places.append(place)

    def takes_loop(self, index: int, kind: int) -> None:
        if kind > self.kind:
            self.loop, self.kind = index, kind


def _resolve(key: tuple[Any, ...], found: list[Any], *, handed: bool) -> tuple[Stack, Any]:
    made = _Places()
    merge: Place | None = None  # a comprehension has a frame of its own before Python 3.12: one place with its function
    for index, frame in enumerate(found):
        if isinstance(frame, Opened):
            break
        if isinstance(frame, Origin):
            _continue(made, frame.stack)
            break
        if isinstance(frame, Template):
            place, kind, name = (os.path.abspath(frame.path), frame.line, ""), LOOP if frame.in_loop else NONE, ""
        else:
            after = found[index + 1].line if index + 1 < len(found) and isinstance(found[index + 1], Opened) else 0
            place, kind, column = _look(frame, innermost=not made.places and not handed, after=after)
            name = frame.f_code.co_name
            if index == 0:
                made.column = column
        if merge is not None and merge[0] == place[0] and merge[2] == place[2]:
            made.takes_loop(len(made.places) - 1, kind)
            merge = merge if name in _COMPREHENSIONS else None
            continue
        if len(made.places) == MOST_FRAMES:
            break
        made.add(place, kind)
        merge = place if name in _COMPREHENSIONS else None
    if len(_stacks) >= _MOST_STACKS:
        _stacks.clear()
    codes = [frame if isinstance(frame, (Template, Origin, Opened)) else frame.f_code for frame in found]  # kept, so that their ids stay theirs
    known = _stacks[key] = Stack(tuple(made.places), made.loop, ROUNDS.get(made.kind, ""), made.column), codes
    return known


def _continue(made: _Places, stack: Stack) -> None:
    """What led to the place where the work was handed over."""
    for index, place in enumerate(stack.frames[: MOST_FRAMES - len(made.places)]):
        made.add(place, NONE if index != stack.loop else next((kind for kind, name in ROUNDS.items() if name == stack.rounds), LOOP))


def _look(frame: Any, *, innermost: bool, after: int) -> tuple[Place, int, int]:
    """The place of one frame, whether it runs inside a loop, and the column at which its piece of source ends, 0 if that is not known."""
    code = frame.f_code
    path, line = code.co_filename, frame.f_lineno or code.co_firstlineno
    template = frame.f_globals.get("__jinja_template__")
    if template is not None:
        line = template.get_corresponding_lineno(line)
        return (os.path.abspath(path), line, ""), LOOP if any(first <= line <= last for first, last in template_loops(path)) else NONE, 0
    known = source_map(path)
    function = known.function_at(line) if known.is_python else code.co_name
    position = _position(code, frame.f_lasti)
    if position is None:
        kind = known.loop_of_line(line, after=after)
    else:
        kind = known.loop_at(position[0], position[1], innermost=innermost, after=after)
    return (os.path.abspath(path), line, function or "<module>"), kind, 0 if position is None else position[1][1] + 1


def _position(code: Any, instruction: int) -> Any:
    """The span of source of an instruction; None before Python 3.11."""
    if not hasattr(code, "co_positions"):
        return None
    for number, (line, end_line, column, end_column) in enumerate(code.co_positions()):
        if number == instruction // 2:
            return None if None in (line, end_line, column, end_column) else ((line, column), (end_line, end_column))
    return None

"""Where in the user's code a call comes from. In: the running interpreter. Out: a `Stack`, and what a library's frame on the way told.

Walking looks at code objects only; sources are read once per file and place, for loops and names of functions.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from dbguard.capture.source_map import source_map, template_loops

MOST_FRAMES = 8
_MOST_WALKED = 14  # comprehensions have frames of their own before Python 3.12 and are merged with their function
_MOST_STACKS = 20_000
_MOST_STEPS = 2_000
_QUIET = 25  # frames of libraries in a row, outside of a frame of the user, after which no more of the user's is worth the time
_COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>"}

Place = tuple[str, int, str]  # absolute path, line, function


class Stack(NamedTuple):
    """The user's own frames, innermost first, and the index of the innermost one that runs inside a loop."""

    frames: tuple[Place, ...]
    loop: int | None


class Walk:
    """What a walk has met so far. Watchers of a library's frames write into it."""

    __slots__ = ("final", "found", "key", "load", "skip")

    def __init__(self, key: list[Any], found: list[Any]) -> None:
        self.key = key
        self.found = found  # frames of the user, and `Template`s, innermost first
        self.load: Load | None = None  # what an ORM was doing
        self.final = False  # `load` is right as it is
        self.skip = False  # a library asks for itself: not a call of the user

    def loads(self, event: str, owner: str, relationship: str, many: bool, orm: str, *, final: bool = False) -> None:
        """What an ORM was doing, if its frame stands between the database and the innermost frame of the user."""
        if not self.final and not self.found:
            self.load = (event, owner, relationship, many, orm)
            self.final = final

    def passes(self, template: Template) -> None:
        """A template that is not run as Python of its own, met at its innermost tag."""
        self.found.append(template)
        self.key.append(template)


class Template(NamedTuple):
    path: str
    line: int
    in_loop: bool


Load = tuple[str, str, str, bool, str]  # event, owner, relationship, many, orm
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


def here(depth: int = 1) -> tuple[Stack, Walk | None]:
    """The stack of whoever called `depth` levels above, through the greenlets that wait for this one; a `Walk` if a watcher saw anything."""
    key: list[Any] = []
    found: list[Any] = []
    walk = _climb(sys._getframe(depth), key, found, None)  # noqa: SLF001 - what the standard library uses, too
    module = sys.modules.get("greenlet")
    if module is not None and len(found) < _MOST_WALKED:
        greenlet = module.getcurrent().parent
        while greenlet is not None and len(found) < _MOST_WALKED:
            walk = _climb(greenlet.gr_frame, key, found, walk)
            greenlet = greenlet.parent
    known = _stacks.get(tuple(key))
    if known is None:
        known = _resolve(tuple(key), found)
    return known[0], walk


def _climb(frame: Any, key: list[Any], found: list[Any], walk: Walk | None) -> Walk | None:
    """Go outwards from a frame, until there is enough or nothing but libraries for long."""
    kinds = _kinds
    quiet = _QUIET if found else _MOST_STEPS
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
        frame = frame.f_back
    return walk


def _resolve(key: tuple[Any, ...], found: list[Any]) -> tuple[Stack, Any]:
    places: list[Place] = []
    loop: int | None = None
    merge: Place | None = None  # a comprehension has a frame of its own before Python 3.12: one place with its function
    for frame in found:
        if isinstance(frame, Template):
            place, in_loop, name = (os.path.abspath(frame.path), frame.line, ""), frame.in_loop, ""
        else:
            place, in_loop = _look(frame, innermost=not places)
            name = frame.f_code.co_name
        if merge is not None and merge[0] == place[0] and merge[2] == place[2]:
            loop = len(places) - 1 if loop is None and in_loop else loop
            merge = merge if name in _COMPREHENSIONS else None
            continue
        if len(places) == MOST_FRAMES:
            break
        if in_loop and loop is None:
            loop = len(places)
        places.append(place)
        merge = place if name in _COMPREHENSIONS else None
    if len(_stacks) >= _MOST_STACKS:
        _stacks.clear()
    codes = [frame if isinstance(frame, Template) else frame.f_code for frame in found]  # kept, so that their ids stay theirs
    known = _stacks[key] = Stack(tuple(places), loop), codes
    return known


def _look(frame: Any, *, innermost: bool) -> tuple[Place, bool]:
    """The place of one frame, and whether it runs inside a loop."""
    code = frame.f_code
    path, line = code.co_filename, frame.f_lineno or code.co_firstlineno
    template = frame.f_globals.get("__jinja_template__")
    if template is not None:
        line = template.get_corresponding_lineno(line)
        return (os.path.abspath(path), line, ""), any(first <= line <= last for first, last in template_loops(path))
    known = source_map(path)
    function = known.function_at(line) if known.is_python else code.co_name
    position = _position(code, frame.f_lasti)
    if position is None:
        in_loop = known.is_line_in_loop(line)
    else:
        in_loop = known.is_in_loop(position[0], position[1], innermost=innermost)
    return (os.path.abspath(path), line, function or "<module>"), in_loop


def _position(code: Any, instruction: int) -> Any:
    """The span of source of an instruction; None before Python 3.11."""
    if not hasattr(code, "co_positions"):
        return None
    for number, (line, end_line, column, end_column) in enumerate(code.co_positions()):
        if number == instruction // 2:
            return None if None in (line, end_line, column, end_column) else ((line, column), (end_line, end_column))
    return None

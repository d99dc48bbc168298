"""One revision file in, its place in the graph and its scripts out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from dbguard.model.operations import HistoryProblem
from dbguard.model.record import Record
from dbguard.model.source import Block, Script, Source
from dbguard.reading.alembic import facts
from dbguard.reading.alembic.environment import Environment
from dbguard.reading.alembic.graph import Node
from dbguard.reading.alembic.module import Module
from dbguard.reading.alembic.remembered import Entry, Memory, hash_of
from dbguard.reading.python.interpret import Interrupted
from dbguard.reading.python.values import Local, Value

if TYPE_CHECKING:
    from dbguard.reading.alembic.printer import Printer
    from dbguard.reading.alembic.project import Project

_ID = re.compile(r"""^(revision|down_revision|depends_on)[ \t]*(?::[^=\n]+)?=[ \t]*([\["'(N].*)$""", re.MULTILINE)
_WORD = re.compile(r"""["']([^"'\s]+)["']""")
MOST_CHARACTERS = 5_000_000


class Revision(Record):
    """A file that Alembic would load as a revision. `module` is None if it cannot be read; `reason` and `offset` say why and where."""

    source: Source
    node: Node
    module: Module | None
    reason: str = ""
    offset: int = 0
    known: Entry | None = None  # read in an earlier run


def load(source: Source) -> Revision | None:
    """The revision in a text; None if the text names none. Module level is walked, functions are not."""
    text = source.text
    if "revision" not in text:
        return None
    if len(text) > MOST_CHARACTERS:
        return _by_words(source, Interrupted("too long to be read"))
    try:
        module = Module(text, None, source.path)
    except Interrupted as stop:
        return _by_words(source, stop)
    name = module.names.get("revision")
    if not isinstance(name, str):
        if "down_revision" not in module.names:
            return None
        return Revision(source, Node("", path=source.path), None, "its `revision` is not a literal", _place_of(module, "revision")[0])
    node = Node(
        str(name),
        _ids(module.names.get("down_revision")),
        _ids(module.names.get("depends_on")),
        _ids(module.names.get("branch_labels")),
        source.path,
    )
    return Revision(source, node, module)


def _ids(value: Value) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple([one for one in value if isinstance(one, str)]) if type(value) in {list, tuple, set, frozenset} else ()


def _by_words(source: Source, stop: Interrupted) -> Revision | None:
    """Place in the graph of a file that is no Python that we know. Its id is empty where it cannot be found."""
    found = {key: tuple(_WORD.findall(rest)) for key, rest in _ID.findall(source.text)}
    if "revision" not in found and "down_revision" not in found:
        return None
    name = next(iter(found.get("revision", ())), "")
    node = Node(name, found.get("down_revision", ()), found.get("depends_on", ()), (), source.path)
    return Revision(source, node, None, stop.reason, stop.offset)


class Way:
    """How the revisions of one environment run. `types` are the named types that exist by now."""

    def __init__(self, environment: Environment, memory: Memory, history: str, transaction: str) -> None:
        self.environment = environment
        self.memory = memory
        self.broken_by = environment.env.external
        self.history = history
        self.transaction = transaction
        self.types: frozenset[str] = frozenset()

    @property
    def project(self) -> Project:
        return self.environment.project

    @cached_property
    def printer(self) -> Printer:
        """What prints SQL; importing it takes a third of a second."""
        from dbguard.reading.alembic.printer import Printer

        return Printer(self.environment.naming_convention)


def scripts(revision: Revision, problems: Iterable[HistoryProblem], way: Way, asked: bool) -> list[Script]:
    """What runs for `upgrade` and for `downgrade`. The way back of a revision that gives no findings leaves no trace, and is not read."""
    told = [_problem(revision, problem) for problem in problems]
    known = revision.known
    if known is not None and known.before == way.types and (known.has_down or not asked):
        way.memory.keep(revision.source.path, known, new=False)
        way.types = known.after
        found = [_script(revision, way, "up", [*told, *known.up])]
        return found if known.down is None or not asked else [*found, _script(revision, way, "down", list(known.down))]
    module = revision.module
    if known is not None and module is None:
        module = (load(revision.source) or revision).module
    if module is None:
        where = revision.offset, _line_end(revision.source.text, revision.offset)
        return [_script(revision, way, "up", [*told, Block(*where, unread=revision.reason)])]
    before, way.printer.types = way.types, set(way.types)
    up, down = _both(module, way, asked)
    way.types = frozenset(way.printer.types)
    entry = Entry(hash_of(revision.source.text), revision.node, before, way.types, tuple(up), None if down is None else tuple(down), asked)
    way.memory.keep(revision.source.path, entry, new=True)
    found = [_script(revision, way, "up", [*told, *up])]
    return found if down is None else [*found, _script(revision, way, "down", down)]


def _both(module: Module, way: Way, asked: bool) -> tuple[list[Block], list[Block] | None]:
    up, down = module.names.get("upgrade"), module.names.get("downgrade")
    missing = facts.missing_downgrade(down)
    blocks = _walked(module, way, up, "upgrade", missing is None)
    if missing is not None and any(block.sql or block.unread for block in blocks):
        where = _definition(module, down if isinstance(down, Local) else up)
        blocks.append(Block(*where, alone=blocks[-1].alone, operations=(missing,)))
    if missing is not None or not asked:
        return blocks, None
    types = set(way.printer.types)
    back = _walked(module, way, down, "downgrade", reversible=True)
    way.printer.types = types
    return blocks, back


def _script(revision: Revision, way: Way, direction: str, blocks: list[Block]) -> Script:
    return Script(revision.source, (), way.transaction, direction, revision.node.id, "alembic", way.history, tuple(blocks), "read")


def _walked(module: Module, way: Way, function: Value, name: str, reversible: bool) -> list[Block]:
    from dbguard.reading.alembic.output import Output
    from dbguard.reading.alembic.reader import Reader

    if not isinstance(function, Local) or function.is_class:
        return [Block(0, _line_end(module.text, 0), unread=f"there is no function `{name}()` that can be followed")]
    output = Output(module, name, reversible)
    before, module.hooks = module.hooks, Reader(way.project, way.printer, output, way.broken_by)
    module.steps = 0
    try:
        for one in _of_databases(module, function) or (function,):
            module.start(one)
    except Interrupted as stop:
        output.blocks.append(Block(stop.offset, _line_end(module.text, stop.offset), unread=stop.reason))
    except RecursionError:
        output.blocks.append(Block(*_definition(module, function), unread="nested too deeply"))
    finally:
        module.hooks = before
    return output.blocks


def _of_databases(module: Module, function: Local) -> list[Local]:
    """Alembic's template for several databases: `upgrade(engine_name)` runs `upgrade_<engine_name>()`."""
    if not isinstance(function.node, ast.FunctionDef) or not function.node.args.args or "globals()" not in module.text:
        return []
    names = [name for name in module.names if name.startswith(f"{function.name}_")]
    return [local for name in names if isinstance(local := module.names[name], Local) and not local.is_class]


def _problem(revision: Revision, problem: HistoryProblem) -> Block:
    """A problem of the graph stands where the file says its place in it."""
    key = "revision" if problem.kind == "duplicate" else "down_revision"
    if revision.module is not None:
        return Block(*_place_of(revision.module, key), operations=(problem,))
    found = re.search(rf"^{key}\b.*$", revision.source.text, re.MULTILINE)
    return Block(*(found.span() if found else (0, _line_end(revision.source.text, 0))), operations=(problem,))


def _place_of(module: Module, name: str) -> tuple[int, int]:
    """Where a module binds a name, else its first line."""
    for node in module.module.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return module.span(node)
    return 0, _line_end(module.text, 0)


def _definition(module: Module, function: Value) -> tuple[int, int]:
    if not isinstance(function, Local):
        return 0, _line_end(module.text, 0)
    start, _ = module.span(function.node)
    return start, _line_end(module.text, start)


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end

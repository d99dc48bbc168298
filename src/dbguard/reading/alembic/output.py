"""What one script does, as it is found out: blocks, and where in its text they stand."""

from __future__ import annotations

import ast
from typing import Any

from dbguard.model.operations import RunProgram
from dbguard.model.source import Block
from dbguard.reading.alembic.module import Module
from dbguard.reading.python.interpret import Interpreter, Interrupted

_MOST_BLOCKS = 5_000


class Output:
    """Blocks of `upgrade()` or `downgrade()`. While a function of another module is followed, `outer` is the revision's own call."""

    def __init__(self, module: Module, name: str, reversible: bool) -> None:
        self.module = module
        self.name = name
        self.reversible = reversible
        self.blocks: list[Block] = []
        self.outer: ast.AST | None = None
        self.current: Interpreter = module  # the module whose function is followed
        self.autocommits = 0  # `autocommit_block()`s that we are in
        self.has_committed = False  # the connection has, and nothing ran since
        self.has_program = False
        self._told: set[Block] = set()

    def add(
        self, node: ast.AST, sql: str = "", *, place: int | None = None, operations: tuple[Any, ...] = (), unread: str = "", alone: bool = False
    ) -> None:
        """A block for a call. What a loop does again at the same place is told once."""
        if not (sql or operations or unread):
            return
        if len(self.blocks) >= _MOST_BLOCKS:
            raise Interrupted("the program is too long to follow")
        if self.outer is not None:
            node, place = self.outer, None
        start, end = self.module.span(node)
        block = Block(start, end, sql, place, alone or self.autocommits > 0, operations, unread)
        if block not in self._told:
            self._told.add(block)
            self.blocks.append(block)
        if sql:
            self.has_committed = sql == "COMMIT"

    def program(self, node: ast.AST, reason: str, unbatched: str = "") -> None:
        """Told once: this script works on rows."""
        if self.has_program:
            return
        self.has_program = True
        program = RunProgram(self.name, self.reversible, (), (unbatched,) if unbatched else (), self.autocommits == 0)
        self.add(node, operations=(program,), unread=f"a program that works on rows: {reason}")

    def literal_place(self, node: ast.AST | None, sql: str) -> int | None:
        """Where SQL stands verbatim, if a literal of the revision is it."""
        place = None if node is None or self.outer is not None else self.module.literal_place(node)
        return place if place is not None and self.module.text.startswith(sql, place) else None

    def written(self, node: ast.AST) -> str:
        return self.current.source(node)

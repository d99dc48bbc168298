"""A history as it was read and what its framework renders in, the history with the rendered blocks out.

The statements are the framework's; what it does not tell stays as it was read: facts about the program, where a string
with SQL stands verbatim, and every script that did not render.
"""

# ruff: noqa: PTH118

from __future__ import annotations

import os

from dbguard.model.operations.programs import RunProgram
from dbguard.model.source import Block, Script
from dbguard.reading.history import History
from dbguard.reading.render.process import Rendered


def apply_rendered(history: History, rendered: Rendered, cwd: str) -> History:
    """Paths of the history are relative to `cwd`."""
    scripts = tuple(_applied(script, rendered, cwd) for script in history.scripts)
    return history._replace(scripts=scripts, description=_described(history, scripts, rendered, cwd))


def failed(history: History, rendered: Rendered, cwd: str) -> list[tuple[str, str]]:
    """Each file of the history that gives findings and did not render, with the reason."""
    ups = (script for script in history.scripts if script.direction == "up" and script.way != "rendered" and history.asks_for(script))
    return [(script.source.path, why) for script in ups if (why := rendered.failures.get(_absolute(script, cwd)))]


def _applied(script: Script, rendered: Rendered, cwd: str) -> Script:
    path = _absolute(script, cwd)
    blocks = (rendered.down if script.direction == "down" else rendered.blocks).get(path)
    if blocks is None:
        return script
    transaction = rendered.transaction.get(path, script.transaction) if script.direction == "up" else script.transaction
    return script._replace(blocks=_merged(script.blocks, blocks), transaction=transaction, way="rendered")


def _merged(read: tuple[Block, ...], rendered: tuple[Block, ...]) -> tuple[Block, ...]:
    """The rendered blocks in their order; facts of the read ones stand at the first block of their call, or by position."""
    verbatim = {(block.start, block.end): block for block in read if block.place is not None}
    facts = [block for block in read if block.operations]
    result: list[Block] = []
    for block in rendered:
        spoken = verbatim.get((block.start, block.end))
        while facts and facts[0].start <= block.start:
            result.append(_fact(facts.pop(0)))
        if spoken is not None and _plain(spoken.sql) == _plain(block.sql):
            result.append(block._replace(sql=spoken.sql, place=spoken.place))
        else:
            result.append(block)
    return (*result, *map(_fact, facts))


def _fact(block: Block) -> Block:
    """Only what no SQL tells: a program that depends on rows is as unknown on empty tables as it was before."""
    depends = any(isinstance(operation, RunProgram) for operation in block.operations)
    return block._replace(sql="", place=None, unread=block.unread if depends else "")


def _plain(sql: str) -> str:
    return " ".join(sql.split()).rstrip("; ")


def _described(history: History, scripts: tuple[Script, ...], rendered: Rendered, cwd: str) -> str:
    """`41 Alembic revisions in versions, 39 rendered with .venv/bin/python, 2 read`."""
    ups = [script for script in scripts if script.direction != "down"]
    done = [script for script in ups if script.way == "rendered"]
    pythons = dict.fromkeys(_shown(rendered.pythons.get(_absolute(script, cwd), rendered.python), cwd) for script in done or ups)
    told = f"{len(done) if done else 'none'} rendered with {' and '.join(filter(None, pythons))}" if any(pythons) else "none rendered"
    left = len(ups) - len(done)
    return ", ".join([history.description, told, *([f"{left} read"] if left else [])])


def _shown(python: str, cwd: str) -> str:
    return os.path.relpath(python, cwd) if _is_below(python, cwd) else python


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _absolute(script: Script, cwd: str) -> str:
    return os.path.normpath(os.path.join(cwd, script.source.path))

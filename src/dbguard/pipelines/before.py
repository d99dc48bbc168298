"""The state before the first script that is reported on: replayed, or remembered from an earlier run.

A state is remembered under a hash of everything that led to it, so that one run finds what another left although files
were added since.
"""

from __future__ import annotations

from collections.abc import Sequence

from dbguard.cache import Cache
from dbguard.config import Config
from dbguard.model.source import Parsed, Script, Source
from dbguard.model.state import State
from dbguard.parsing import parse
from dbguard.reading import History
from dbguard.replay import final_state

WORTH_REMEMBERING = 20  # scripts


def begun(history: History, config: Config, base: State) -> State:
    """Where a history begins, on top of its base: what its runner sets, and from which script on it is deployed together."""
    state = base
    if config.lock_timeout == "runner" or history.runner_lock_timeout:
        state = state._replace(settings={"lock_timeout": "runner"})
    if history.undeployed_from is not None:
        state = state._replace(batch=state.now.script + 1 + history.undeployed_from)
    return state


def state_before(scripts: Sequence[Script], start: State, major: int, cache: Cache) -> State:
    """The state after `scripts`, on top of `start`."""
    if len(scripts) < WORTH_REMEMBERING or not cache.is_on:
        return final_state(map(_parsed, scripts), start, major)
    keys = _keys(scripts, start, major)
    done = next((count for count in range(len(scripts), WORTH_REMEMBERING - 1, -1) if _is_cut(scripts, count) and cache.has(keys[count - 1])), 0)
    known = cache.load(keys[done - 1]) if done else None
    if not isinstance(known, State):
        done, known = 0, start
    state = final_state(map(_parsed, scripts[done:]), known, major)
    if len(scripts) - done >= WORTH_REMEMBERING // 2:
        cache.save(keys[-1], state)
    return state


def _parsed(script: Script) -> Parsed:
    """A down script leaves no trace: nobody needs to know what is in one that gives no findings."""
    return parse(script) if script.goes_up else Parsed(script, ())


def first_reported(scripts: Sequence[Script], asked: Sequence[bool]) -> int:
    """How many scripts come before the first that is reported on, and can be replayed without those that follow."""
    first = asked.index(True) if True in asked else len(scripts)
    while not _is_cut(scripts, first):
        first -= 1
    return first


def _is_cut(scripts: Sequence[Script], count: int) -> bool:
    """Whether what follows starts from the state that the first `count` scripts leave: a down script needs its up script."""
    return count in {0, len(scripts)} or scripts[count].goes_up


def _keys(scripts: Sequence[Script], start: State, major: int) -> list[str]:
    """A hash for each script of all that decides the state after it."""
    import hashlib
    import pickle

    found = hashlib.sha256(pickle.dumps((start, major), protocol=5))
    keys = []
    for script in scripts:
        text, own = script.source.text, script._replace(source=Source("", ""), history="", merged=None)
        found.update(repr(own).encode(errors="replace"))
        found.update(b"" if script.way else text.encode(errors="replace"))
        keys.append(found.hexdigest())
    return keys

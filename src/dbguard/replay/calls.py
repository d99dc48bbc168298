"""Functions that a script defines and calls: what their bodies do happens now."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from dbguard.model.names import Name
from dbguard.model.operations import Call, Operation, Select
from dbguard.model.schema import Function
from dbguard.model.state import State
from dbguard.parsing.plpgsql import hides_statements, statements_in

_DEEPEST = 4  # functions that call each other


def with_calls(operation: Operation, state: State, depth: int = 0) -> Iterator[Operation]:
    """`operation`, and after it the statements in the bodies of the user's functions that it calls."""
    yield operation
    names: tuple[Name, ...] = ()
    if isinstance(operation, Select) and not operation.prepared:
        names = operation.uses.functions
    elif isinstance(operation, Call):
        names = (operation.procedure, *operation.uses.functions)
    if not names or depth == _DEEPEST:
        return
    for name in names:
        for function in _functions(name, state):
            if function.language in {"plpgsql", "sql"} and function.body:
                for inner in _body(function.body, function.language):
                    yield from with_calls(inner, state, depth + 1)


def runs_dynamic_sql(name: Name, state: State) -> bool:
    """Whether a function of the user's of that name has an EXECUTE whose text is put together when it runs."""
    bodies = (function.body for function in _functions(name, state) if function.language == "plpgsql")
    return any(_is_dynamic(body) for body in bodies)


@lru_cache(maxsize=256)
def _is_dynamic(body: str) -> bool:
    return "execute" in body.lower() and hides_statements(body)


def _functions(name: Name, state: State) -> tuple[Function, ...]:
    functions = state.schema.functions
    if not functions:
        return ()
    if name.schema is not None:
        return functions.get(name, ())
    return next((functions[full] for path in state.search_path if (full := Name(path, name.name)) in functions), ())


@lru_cache(maxsize=256)
def _body(body: str, language: str) -> tuple[Operation, ...]:
    return statements_in(body, language)

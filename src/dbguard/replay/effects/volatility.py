"""Whether an expression has to be computed anew for every row (manual section 36.7, Function Volatility Categories).

ADD COLUMN with a default rewrites the table only if `contain_volatile_functions_after_planning` says so of the default
(ATExecAddColumn in src/backend/commands/tablecmds.c); planning inlines simple SQL functions first.
"""

from __future__ import annotations

from functools import cache

from dbguard.model.expression import Expression
from dbguard.model.names import Name
from dbguard.model.record import Record
from dbguard.model.schema import Function
from dbguard.model.state import State
from dbguard.model.types import CATALOG
from dbguard.replay.effects import builtins

# Of extensions that every distribution ships; what else they define is immutable or stable.
_EXTENSION_VOLATILE = frozenset({"uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "gen_random_bytes", "gen_salt"})
_EXTENSION_OTHER = frozenset({"uuid_generate_v3", "uuid_generate_v5", "uuid_nil", "unaccent", "digest", "hmac", "crypt"})
# Words of SQL that the parser writes as calls: all are stable.
_WORDS = frozenset(
    {
        *("current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"),
        *("current_user", "session_user", "user", "current_role", "current_catalog", "current_schema", "system_user"),
        *("coalesce", "nullif", "greatest", "least", "row", "array", "grouping"),
    }
)
_MAX_INLINING = 5


class Volatility(Record):
    volatile: bool
    unknown: tuple[str, ...] = ()  # sentences about functions that were never seen


def is_volatile(expression: Expression, state: State) -> Volatility:
    """Whether `expression` calls a volatile function once SQL functions are inlined."""
    return _any_volatile(expression.functions, state, 0)


def _any_volatile(functions: tuple[Name, ...], state: State, depth: int) -> Volatility:
    unknown: tuple[str, ...] = ()
    for function in functions:
        found = _function(function, state, depth)
        if found.volatile and not found.unknown:
            return found
        unknown += found.unknown
    return Volatility(bool(unknown), unknown)


def _function(name: Name, state: State, depth: int) -> Volatility:
    if name.schema in {None, CATALOG}:
        kinds = _builtin_functions()
        if (kind := kinds.get(name.name)) is not None:
            return Volatility(kind == "volatile")
        if name.name in _WORDS:
            return Volatility(False)
    overloads = _overloads(name, state)
    if overloads:
        return Volatility(any(_user_function(function, state, depth) for function in overloads))
    if name.name in _EXTENSION_VOLATILE:
        return Volatility(True)
    if name.name in _EXTENSION_OTHER:
        return Volatility(False)
    return Volatility(True, (f"function `{name}` was not seen being created: taken to be volatile, as functions are by default",))


def _overloads(name: Name, state: State) -> tuple[Function, ...]:
    functions = state.schema.functions
    if name.schema is not None:
        return functions.get(name, ())
    for namespace in state.search_path:
        if found := functions.get(Name(namespace, name.name)):
            return found
    return ()


def _user_function(function: Function, state: State, depth: int) -> bool:
    """Whether a call of it counts as volatile: as declared, unless its body takes its place (inline_function in clauses.c)."""
    if function.volatility != "volatile":
        return False
    if function.language != "sql" or function.security_definer or not function.body or depth >= _MAX_INLINING:
        return True
    called = _functions_of_body(function.body)
    return True if called is None else _any_volatile(called, state, depth + 1).volatile


@cache
def _functions_of_body(body: str) -> tuple[Name, ...] | None:
    """Functions that a body of one SELECT without FROM calls; None if it is anything else and so cannot be inlined."""
    from dbguard.model.operations import Select
    from dbguard.parsing import parse_text

    statements = parse_text(body)
    if len(statements) != 1 or statements[0].unread or len(statements[0].operations) != 1:
        return None
    select = statements[0].operations[0]
    if not isinstance(select, Select) or select.uses.reads or select.uses.writes or select.uses.row_locks:
        return None
    return select.uses.functions


@cache
def _builtin_functions() -> dict[str, str]:
    kinds = {"immutable": builtins.IMMUTABLE, "stable": builtins.STABLE, "volatile": builtins.VOLATILE}
    return {name: kind for kind, names in kinds.items() for name in names.split()}

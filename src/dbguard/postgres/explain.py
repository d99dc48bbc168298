"""Plans from a real server or a ghost, without running what is planned.

In: a connection of `session.open_read_only`, a query with placeholders of any style. Out: a `Plan`. The query is planned in a READ ONLY
transaction with short timeouts, which is rolled back; it is executed only where that was asked for, and then only if it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from dbguard.errors import ServerError, UsageError
from dbguard.model.names import text_literal
from dbguard.model.plan import Plan, Size
from dbguard.model.record import Record
from dbguard.parsing.explainable import Explainable, explainable, with_casts
from dbguard.planning.hidden_columns import Hidden
from dbguard.planning.hidden_values import Opened, opened, sentences
from dbguard.planning.plans import of_json
from dbguard.postgres.called_functions import volatile_functions
from dbguard.postgres.session import Limits, guard

if TYPE_CHECKING:
    from psycopg import Connection

PLANNING = Limits(statement=5.0, lock=0.5, idle=30.0)
EXECUTING = Limits(statement=60.0, lock=0.5, idle=30.0)
_AS_THE_APPLICATION = ("search_path", "jit", "max_parallel_workers_per_gather", "extra_float_digits")
_UNTYPED = {"42P18", "42P08"}  # indeterminate_datatype, ambiguous_parameter
_WRONG_TYPE = {"42725", "42883", "42804", "22P02", "42P18"}  # ambiguous_function, undefined_function, datatype_mismatch
_GUESSES = ("bigint", "timestamptz", "interval", "text", "numeric", "date", "boolean", "jsonb", "text[]")
_MOST_ATTEMPTS = 40
_NAME = "dbguard_explained"


class NotPlannedError(UsageError):
    """A query that PostgreSQL refuses: `reason` is PostgreSQL's own text, `advice` what it leaves open."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(f"PostgreSQL does not plan it: {reason}{advice}")
        self.reason, self.advice = reason, advice


class Prepared(Record):
    """A query that the server understands: casts were added where it could not tell the type of a parameter."""

    query: Explainable
    sql: str
    types: tuple[str, ...] = ()  # of $1, $2 ..., as format_type names them
    asked: str = ""  # as it was before parameters took the place of literals; "" if none did
    assumes: tuple[str, ...] = ()


@contextmanager
def planning(connection: Connection[Any], limits: Limits = PLANNING) -> Iterator[Connection[Any]]:
    """A READ ONLY transaction with the planner's settings of the application's own sessions; rolled back at the end."""
    connection.rollback()
    guard(connection, limits)
    resets = "; ".join(f"SET LOCAL {name} TO DEFAULT" for name in _AS_THE_APPLICATION)
    connection.execute(f"{resets}; SET LOCAL standard_conforming_strings = on; SET LOCAL plan_cache_mode = auto".encode())
    try:
        yield connection
    finally:
        connection.rollback()


@contextmanager
def trying(connection: Connection[Any]) -> Iterator[Connection[Any]]:
    """A transaction on a copy that the user declared disposable, in which changes are possible; rolled back at the end."""
    connection.rollback()
    connection.read_only = False
    limits = {"statement_timeout": EXECUTING.statement, "lock_timeout": EXECUTING.lock, "idle_in_transaction_session_timeout": EXECUTING.idle}
    connection.execute("; ".join(f"SET LOCAL {name} = '{int(limit * 1000)}'" for name, limit in limits.items()).encode())
    try:
        yield connection
    finally:
        connection.rollback()
        connection.read_only = True


def prepared(connection: Connection[Any], sql: str | Explainable) -> Prepared:
    """The query as the server accepts it, inside `planning`. Raises UsageError for what is no query, NotPlannedError with its reason."""
    import psycopg

    query = explainable(sql) if isinstance(sql, str) else sql
    if not query.parameters:
        return Prepared(query, query.sql)
    casts: dict[int, str] = {}
    tried: dict[int, int] = {}
    first: NotPlannedError | None = None
    for _ in range(_MOST_ATTEMPTS):
        text = with_casts(query.sql, casts)
        try:
            return Prepared(query, text, _types(connection, text))
        except psycopg.Error as error:
            first = first or _refused(error)
            if not _cast_another(error, text, query, casts, tried):
                break
    assert first is not None  # there is a first attempt
    raise NotPlannedError(first.reason, f"{first.advice}; write the types of its parameters, as in $1::bigint") if casts else first


def prepared_on_ghost(connection: Connection[Any], sql: str | Explainable, hidden: Hidden | None) -> Prepared:
    """As `prepared`, with parameters for literals of which the ghost's statistics hold nothing; `assumes` says so."""
    query = explainable(sql) if isinstance(sql, str) else sql
    found = opened(query, hidden) if hidden is not None else Opened(query)
    said = sentences(found, hidden) if hidden is not None else ()
    if found.columns:
        with suppress(NotPlannedError):
            return prepared(connection, found.query)._replace(asked=query.sql, assumes=said)
        said = ()
    return prepared(connection, query)._replace(assumes=said)


def plan(connection: Connection[Any], query: Prepared, *, name: str = "") -> Plan:
    """The plan for any values: GENERIC_PLAN, before PostgreSQL 16 that of a prepared statement whose plan is kept."""
    if not query.query.parameters:
        return _explained(connection, f"EXPLAIN (FORMAT JSON, VERBOSE, SETTINGS) {query.sql}", query, name)
    if connection.info.server_version >= 160000:
        return _explained(connection, f"EXPLAIN (FORMAT JSON, VERBOSE, SETTINGS, GENERIC_PLAN) {query.sql}", query, name)
    with _statement(connection, query, "force_generic_plan") as execute:
        kept: Plan = execute(("NULL",) * len(query.types), name)
    return kept


def plans_with(connection: Connection[Any], query: Prepared, rows: Iterable[Sequence[str]], *, name: str = "") -> list[Plan | None]:
    """The plan for each choice of values, which are in PostgreSQL's text form; None for values that the server does not take."""
    found: list[Plan | None] = []
    with _statement(connection, query, "force_custom_plan") as execute:
        for values in rows:
            try:
                found.append(execute(tuple(_literal(value) for value in values), name))
            except NotPlannedError:
                found.append(None)
    return found


def analyzed(connection: Connection[Any], query: Prepared, values: Sequence[str] = (), *, name: str = "", disposable: bool = False) -> Plan:
    """The plan as it is executed. Raises UsageError for a query that changes rows, locks them or calls a volatile function, unless the
    database is `disposable`; what it changes is rolled back."""
    found = query.query
    if not disposable:
        if found.writes or found.locks:
            raise UsageError("this query writes or locks: it is executed only with --disposable, on a copy that can be thrown away")
        refused = volatile_functions(connection, plan(connection, query))
        if refused:
            raise UsageError(f"this query calls {', '.join(refused)}, which is volatile: it is executed only with --disposable")
    if len(values) < found.parameters:
        many = "a parameter" if found.parameters == 1 else f"{found.parameters} parameters"
        raise UsageError(f"this query has {many}: write values into it to have it executed")
    options = "FORMAT JSON, VERBOSE, SETTINGS, ANALYZE, BUFFERS"
    if not found.parameters:
        return _explained(connection, f"EXPLAIN ({options}) {query.sql}", query, name)
    with _statement(connection, query, "force_custom_plan", options) as execute:
        done: Plan = execute(tuple(_literal(value) for value in values), name)
    return done


def sizes(connection: Connection[Any], plans: Iterable[Plan]) -> dict[str, Size]:
    """Rows and pages of the tables that plans read, by the name that EXPLAIN gives them. Inside `planning`."""
    from dbguard.model.plan import nodes

    names = sorted({node.relation for one in plans for node in nodes(one.root) if node.relation})
    pairs = [name.partition(".")[::2] for name in names if "." in name]
    if not pairs:
        return {}
    rows = connection.execute(
        """
        SELECT n.nspname || '.' || c.relname, c.reltuples::float8, pg_catalog.pg_relation_size(c.oid) / 8192, c.relpages,
               pg_catalog.format('%%I.%%I', n.nspname, c.relname),
               coalesce(CASE m.nspname WHEN 'public' THEN '' ELSE pg_catalog.quote_ident(m.nspname) || '.' END
                        || pg_catalog.quote_ident(r.relname), '')
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        JOIN unnest(%s::text[], %s::text[]) AS wanted(schema, name) ON wanted.schema = n.nspname AND wanted.name = c.relname
        LEFT JOIN pg_catalog.pg_class r ON c.relispartition AND r.oid = pg_catalog.pg_partition_root(c.oid)
        LEFT JOIN pg_catalog.pg_namespace m ON m.oid = r.relnamespace
        WHERE c.relkind IN ('r', 'm')
        """,
        ([schema for schema, _ in pairs], [name for _, name in pairs]),
    ).fetchall()
    found: dict[str, Size] = {}
    for name, tuples, pages, known, quoted, whole in rows:
        if tuples >= 0 and known:
            found[name] = Size(tuples / known * pages, pages, whole=whole)  # as the planner does (estimate_rel_size in plancat.c)
        elif pages == 0:
            found[name] = Size(0.0, 0, whole=whole)
        elif (guess := _guessed(connection, quoted)) is not None:
            found[name] = Size(guess, pages, guessed=True, whole=whole)
    return found


def _guessed(connection: Connection[Any], table: str) -> float | None:
    """The rows that the planner takes a table to have that was never analyzed (before PostgreSQL 14 its reltuples are 0, not -1)."""
    with suppress(NotPlannedError):
        query = Explainable(f"SELECT FROM ONLY {table}")
        return _explained(connection, f"EXPLAIN (FORMAT JSON) {query.sql}", Prepared(query, query.sql), "").rows
    return None


def _types(connection: Connection[Any], sql: str) -> tuple[str, ...]:
    """Types of the parameters, as the server infers them."""
    with connection.transaction(force_rollback=True):
        _alone(connection, f"PREPARE {_NAME} AS {sql}")
        try:
            row = connection.execute(
                "SELECT array(SELECT pg_catalog.format_type(t.oid, NULL) FROM unnest(parameter_types) WITH ORDINALITY t(oid, place) ORDER BY place)"
                f" FROM pg_catalog.pg_prepared_statements WHERE name = '{_NAME}'"
            ).fetchone()
        finally:
            connection.execute(f"DEALLOCATE {_NAME}")
    return tuple(row[0]) if row is not None else ()


def _cast_another(error: Any, text: str, query: Explainable, casts: dict[int, str], tried: dict[int, int]) -> bool:
    """Give one parameter a type, the next guess; false if there is nothing left to try."""
    import re

    state = error.sqlstate
    if state not in _UNTYPED | _WRONG_TYPE:
        return False
    named = re.search(r"parameter \$(\d+)", str(error))
    position = int(error.diag.statement_position or 0) - len(f"PREPARE {_NAME} AS ") - 1
    number = int(named[1]) if named is not None else _nearest(text, position, casts, tried)
    if number is None:
        return False
    guess = tried.get(number, -1) + 1
    order = ("text", *[kind for kind in _GUESSES if kind != "text"]) if named is not None and "IS NULL" not in query.sql.upper() else _GUESSES
    if guess >= len(order):
        return False
    tried[number], casts[number] = guess, order[guess]
    return True


def _nearest(text: str, position: int, casts: dict[int, str], tried: dict[int, int]) -> int | None:
    """The parameter that stands nearest to the place of an error and has guesses left."""
    from dbguard.parsing.explainable import parameters_in

    found = [(abs(start - position), int(text[start + 1 : end])) for start, end in parameters_in(text)]
    open_ones = [(distance, number) for distance, number in found if tried.get(number, -1) + 1 < len(_GUESSES)]
    fresh = [one for one in open_ones if one[1] not in casts and one[0] < 60]
    return min(fresh or open_ones, default=(0, None))[1]


@contextmanager
def _statement(connection: Connection[Any], query: Prepared, mode: str, options: str = "FORMAT JSON, VERBOSE, SETTINGS") -> Iterator[Any]:
    """The query as a prepared statement, which is gone afterwards. It outlives a transaction, so a savepoint holds it."""
    import psycopg

    connection.execute(f"SET LOCAL plan_cache_mode = {mode}".encode())
    try:
        _alone(connection, f"PREPARE {_NAME} AS {query.sql}")
    except psycopg.Error as error:
        raise _refused(error) from None

    def execute(arguments: tuple[str, ...], name: str) -> Plan:
        given = f"({', '.join(arguments)})" if arguments else ""
        return _explained(connection, f"EXPLAIN ({options}) EXECUTE {_NAME}{given}", query, name)

    try:
        yield execute
    finally:
        connection.execute(f"DEALLOCATE {_NAME}; SET LOCAL plan_cache_mode = auto".encode())


def _alone(connection: Connection[Any], text: str) -> Any:
    """Runs one statement: `binary` chooses the extended protocol, which refuses a second one, whatever is in the text."""
    return connection.execute(text.encode(), binary=True)


def _explained(connection: Connection[Any], text: str, query: Prepared, name: str) -> Plan:
    """What EXPLAIN says. With GENERIC_PLAN, parameters of the extended protocol would be taken for values: it is sent as plain text, after
    the server has prepared the same text as one statement."""
    import psycopg

    try:
        with connection.transaction():
            done = connection.execute(text.encode(), prepare=False) if "GENERIC_PLAN" in text[:80] else _alone(connection, text)
            row = done.fetchone()
    except psycopg.Error as error:
        if connection.closed:
            raise ServerError(f"the server closed the connection while it planned a query: {_refused(error).reason}") from None
        raise _refused(error) from None
    found = of_json(row[0] if row is not None else None)[0]
    return found._replace(sql=query.asked or query.query.sql, name=name, postgres=connection.info.server_version // 10000)


def _refused(error: Any) -> NotPlannedError:
    advice = {
        "57014": f"; it took longer than the {PLANNING.statement:g} s that planning may take, or the {EXECUTING.statement:g} s that running may take",
        "55P03": "; another session holds a lock on one of its tables",
        "42P01": "; is the schema on the search_path, and are the migrations applied there?",
        "42501": "; this role may not read it",
    }
    lines = (error.diag.message_primary or str(error)).splitlines()
    return NotPlannedError(lines[0] if lines else "no reason was given", advice.get(error.sqlstate or "", ""))


def _literal(value: str) -> str:
    return value if value == "NULL" else text_literal(value)

"""SQLAlchemy 2: events on its classes, so every engine and session has them, sync and async.

`before_cursor_execute` and `after_cursor_execute` are the truth about what is sent. What the ORM was doing stands in the options
that a statement carries; they are what `do_orm_execute` would show, whose listener makes SQLAlchemy prepare every statement twice
(20 microseconds). Where a version of SQLAlchemy has no such options, that event is used, and the statement that it names takes its
answer along. Transactions come from events, savepoints are statements already.
"""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
from time import perf_counter
from typing import Any

from dbguard.capture import faults, frames, recorder
from dbguard.capture.hooks import Undo

_orm_now: ContextVar[tuple[Any, recorder.Load] | None] = ContextVar("dbguard_orm", default=None)
_MARK = "_dbguard_pending"


def install_engine(module: Any, undo: list[Undo]) -> None:
    event, engine = module.event, module.engine.Engine
    listeners = {
        "before_cursor_execute": _before,
        "after_cursor_execute": _after,
        "handle_error": _failed,
        "begin": _begin,
        "begin_twophase": _begin,
        "commit": _commit,
        "commit_twophase": _commit,
        "rollback": _rollback,
        "rollback_twophase": _rollback,
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
        undo.append(lambda name=name, listener=listener: event.remove(engine, name, listener))  # type: ignore[misc]
    folder = os.path.dirname(module.__file__)
    frames.watch(os.path.join(folder, "orm", "unitofwork.py"), {"execute": _flushes})
    frames.watch(os.path.join(folder, "engine", "create.py"), {"first_connect": _connects, "on_connect": _connects})
    for name in ("concurrency.py", "_concurrency_py3k.py"):
        frames.watch(os.path.join(folder, "util", name), {"greenlet_spawn": _connects})


def install_orm(module: Any, undo: list[Undo]) -> None:
    if _knows_options(module):
        return
    event = sys.modules["sqlalchemy"].event
    event.listen(module.Session, "do_orm_execute", _orm)
    undo.append(lambda: event.remove(module.Session, "do_orm_execute", _orm))


def _knows_options(module: Any) -> bool:
    """Whether options are where SQLAlchemy 1.4 to 2.1 have them."""
    context = getattr(module, "context", None)
    load = getattr(getattr(context, "QueryContext", None), "default_load_options", None)
    compiled = getattr(getattr(context, "ORMCompileState", None), "default_compile_options", None)
    wanted = ((load, ("_lazy_loaded_from", "_refresh_state")), (compiled, ("_current_path", "_for_refresh_state", "_only_load_props")))
    return all(hasattr(options, name) for options, names in wanted for name in names)


class _Carried:
    """What a statement of the ORM carries, under the names of `ORMExecuteState`."""

    is_select = True

    def __init__(self, statement: Any, compile_options: Any, load_options: Any) -> None:
        self.statement = statement
        self.load_options = load_options
        self.lazy_loaded_from = load_options._lazy_loaded_from  # noqa: SLF001 - see the docstring of this module
        self.is_column_load = compile_options._for_refresh_state  # noqa: SLF001
        self.loader_strategy_path = compile_options._current_path  # noqa: SLF001

    @property
    def is_relationship_load(self) -> bool:
        return not self.loader_strategy_path.is_root

    @property
    def bind_mapper(self) -> Any:
        return getattr(self.statement._propagate_attrs.get("plugin_subject"), "mapper", None)  # noqa: SLF001


def _carried(statement: Any, load_options: Any) -> recorder.Load | None:
    compile_options = getattr(statement, "_compile_options", None)
    if not hasattr(compile_options, "_current_path"):
        return None
    return _load(_Carried(statement, compile_options, load_options))


def _flushes(_frame: Any, walk: frames.Walk) -> None:
    walk.loads("flush", "", "", False, "sqlalchemy", final=True)


def _connects(_frame: Any, walk: frames.Walk) -> None:
    """SQLAlchemy asks a new connection about itself: what a driver sends below one of these frames, but for no statement of ours."""
    walk.skip = walk.skip or not walk.found


def _raw(connection: Any) -> Any:
    """The driver's own connection, below SQLAlchemy's pool and its adapters of asynchronous drivers."""
    adapted = connection.connection.dbapi_connection
    return getattr(adapted, "driver_connection", adapted)


_homes: dict[type, str] = {}  # by class of cursor: the attribute with its connection


def _raw_of(cursor: Any) -> Any:
    """The same, from a cursor: adapters of asynchronous drivers have the driver's connection in an attribute of their own."""
    home = _homes.get(type(cursor))
    if home is None:
        home = _homes[type(cursor)] = "_connection" if hasattr(cursor, "_connection") else "connection"
    return getattr(cursor, home)


def _link(connection: Any, raw: Any) -> recorder.Link:
    return recorder.link_of(raw, "sqlalchemy", lambda: connection.engine.url.database)


def _before(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:  # noqa: PLR0917 - SQLAlchemy's signature
    if not recorder.sinks:
        return
    try:
        raw = _raw_of(cursor)
        link = recorder.known_link(raw)
        if link is None or link.owner != "sqlalchemy":
            link = _link(connection, raw)
        pending = recorder.Pending(statement, parameters, link)
        pending.raw = raw
        pending.context = context
        if many:
            _many(pending, parameters, context)
        if context is not None:
            context.__dict__[_MARK] = pending
            options = context.execution_options.get("_sa_orm_load_options")
            if options is not None:
                pending.load = _carried(context.invoked_statement, options)
            if pending.load is None and (orm := _orm_now.get()) is not None and context.invoked_statement is orm[0]:
                pending.load = orm[1]
                _orm_now.set(None)
        if recorder.is_control(statement):
            pending.control = True
        recorder.pending_now.set(pending)
        pending.started = perf_counter()
    except Exception as error:  # noqa: BLE001 - the host must not notice
        faults.note("sqlalchemy", error)


def _many(pending: recorder.Pending, parameters: Any, context: Any) -> None:
    """An executemany, or a batch of "insertmanyvalues": one INSERT of many rows, kept as its text for one row and the number of rows."""
    if getattr(getattr(context, "execute_style", None), "name", "") != "INSERTMANYVALUES":
        pending.many = len(parameters)
        return
    if isinstance(parameters, dict):
        last = next((name.rpartition("__") for name in reversed(parameters) if name.rpartition("__")[2].isdigit()), None)
        rows = int(last[2]) + 1 if last is not None and last[1] else 1
    else:
        rows = len(parameters) // max(len(context.compiled.positiontup or ()), 1)
    if rows > 1:
        pending.many = rows
        pending.sql = context.compiled.string


def _after(_connection: Any, cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool) -> None:
    now = perf_counter()
    if context is None:
        return
    pending = context.__dict__.pop(_MARK, None)
    if pending is None:
        return
    try:
        pending.seconds = now - pending.started
        pending.rows = cursor.rowcount  # -1 where the driver does not know
        pending.shown = shown_of(cursor)
        recorder.finish(pending)
    except Exception as error:  # noqa: BLE001
        faults.note("sqlalchemy", error)


def shown_of(cursor: Any) -> Any:
    """Rows in the driver's memory; None if there are none, or if they stay on the server."""
    try:
        result = cursor.pgresult
    except AttributeError:
        result = getattr(getattr(cursor, "_cursor", None), "pgresult", None)
    if result is not None:
        return ("psycopg", result) if result.ntuples else None
    if getattr(cursor, "server_side", False):
        return None
    rows = getattr(cursor, "_rows", None)
    return ("asyncpg", rows) if rows and hasattr(rows[0], "keys") else None


def _failed(exception: Any) -> None:
    now = perf_counter()
    context = exception.execution_context
    if context is None:
        return
    pending = context.__dict__.pop(_MARK, None)
    if pending is None:
        return
    try:
        pending.seconds = now - pending.started
        pending.error = recorder.error_of(exception.original_exception)
        cause = getattr(exception.original_exception, "__cause__", None)
        if len(pending.error) != 5 and cause is not None:
            pending.error = recorder.error_of(cause)
        recorder.finish(pending)
    except Exception as error:  # noqa: BLE001
        faults.note("sqlalchemy", error)


def _begin(connection: Any, *_: Any) -> None:
    if not recorder.sinks:
        return
    try:
        raw = _raw(connection)
        if not _is_autocommit(connection, raw):
            recorder.begin(_link(connection, raw))
    except Exception as error:  # noqa: BLE001
        faults.note("sqlalchemy", error)


def _is_autocommit(connection: Any, raw: Any) -> bool:
    if getattr(raw, "autocommit", None) is True:
        return True
    return bool(getattr(connection.connection.dbapi_connection, "isolation_level", None) == "autocommit")


def _commit(connection: Any, *_: Any) -> None:
    _end(connection, "COMMIT")


def _rollback(connection: Any, *_: Any) -> None:
    _end(connection, "ROLLBACK")


def _end(connection: Any, command: str) -> None:
    if not recorder.sinks:
        return
    try:
        link = recorder.known_link(_raw(connection))
        if link is not None:
            recorder.end(link, command, place=3)
    except Exception as error:  # noqa: BLE001
        faults.note("sqlalchemy", error)


def _orm(state: Any) -> None:
    if not recorder.sinks:
        return
    try:
        _orm_now.set((state.statement, _load(state)))
    except Exception as error:  # noqa: BLE001
        faults.note("sqlalchemy.orm", error)


def _load(state: Any) -> recorder.Load:
    source = state.lazy_loaded_from if state.is_select else None
    if source is not None:
        return _once("lazy", source.mapper, state.loader_strategy_path, source.load_path)
    if not state.is_select:
        return "", _owner(state), "", False, "sqlalchemy"
    if state.is_column_load:
        return _column_load(state)
    if state.is_relationship_load:
        return _once("eager", None, state.loader_strategy_path, None) if not state.loader_strategy_path.is_root else _plain(state)
    return _plain(state)


def _plain(state: Any) -> recorder.Load:
    return "", _owner(state), "", False, "sqlalchemy"


def _owner(state: Any) -> str:
    mapper = state.bind_mapper
    return mapper.class_.__name__ if mapper is not None else ""


_loads: dict[tuple[Any, ...], recorder.Load] = {}
_MOST_LOADS = 5_000


def _once(event: str, mapper: Any, path: Any, way: Any) -> recorder.Load:
    """The load of a relationship: what its mapper and paths tell is read once, for they are the same objects each time."""
    key = (event, mapper, path, way)
    known = _loads.get(key)
    if known is None:
        if len(_loads) >= _MOST_LOADS:
            _loads.clear()
        known = _loads[key] = _relationship(event, mapper, path, way)
    return known


def _relationship(event: str, mapper: Any, path: Any, way: Any) -> recorder.Load:
    for part in reversed(tuple(getattr(path, "path", ()) or ())):
        if hasattr(part, "uselist"):
            return _about(event, part.parent, part.key, bool(part.uselist), mapper or part.parent, way)
    name = mapper.class_.__name__ if mapper is not None else ""
    return event, name, "", False, "sqlalchemy"


def _about(event: str, declared: Any, name: str, many: bool, mapper: Any, way: Any) -> recorder.Load:  # noqa: PLR0917
    """A load of an attribute that `declared` has, for an object of `mapper`, which came along `way` from what was selected."""
    classes = tuple([one.class_.__name__ for one in mapper.iterate_to_root()])
    steps = tuple(
        [(part.parent.class_.__name__, part.key, bool(part.uselist)) for part in getattr(way, "path", ()) or () if hasattr(part, "uselist")]
    )
    more = ((("path", steps),) if steps else ()) + ((("classes", classes),) if len(classes) > 1 else ())
    owner = declared.class_.__name__
    return (event, owner, name, many, "sqlalchemy", more) if more else (event, owner, name, many, "sqlalchemy")


def _column_load(state: Any) -> recorder.Load:
    """Columns of an object that is there: put off when it was loaded, in the table of a class below, or expired, which is a refresh."""
    instance = getattr(state.load_options, "_refresh_state", None)
    names = getattr(getattr(state.statement, "_compile_options", None), "_only_load_props", None) or ()
    if instance is None or not names:
        return "refresh", instance.mapper.class_.__name__ if instance is not None else _owner(state), "", False, "sqlalchemy"
    mapper, name = instance.mapper, min(names)
    expired = instance.expired or not instance.expired_attributes.isdisjoint(names)
    declared = mapper.attrs[name].parent
    if expired and (instance.expired or mapper.inherits is None or any(mapper.base_mapper.has_property(one) for one in names)):
        return "refresh", mapper.class_.__name__, "", False, "sqlalchemy"
    key = ("column", mapper, name, instance.load_path)
    known = _loads.get(key)
    if known is None:
        known = _about("column", declared, name, False, mapper, instance.load_path)
        if any(mapper.get_property_by_column(one).key in names for one in mapper.primary_key):  # `refresh` asks for keys, too
            known = "refresh", mapper.class_.__name__, "", False, "sqlalchemy"
        elif not expired and not getattr(mapper.attrs[name], "deferred", False):
            known = (*known[:5], (*(known[5] if len(known) > 5 else ()), ("narrowed", True)))
        _loads[key] = known
    return known

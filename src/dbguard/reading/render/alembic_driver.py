"""Runs in the user's own Python: `alembic upgrade heads --sql`, revision by revision, each statement with its Python call.

The user's env.py runs in offline mode, so that its own options hold. Whatever is not PostgreSQL in it becomes PostgreSQL,
values are written into the statements, and a revision that fails does not stop the others. If env.py itself fails, a plain
environment takes its place, with the metadata that env.py had found by then.
"""

# See driver.py: older Pythons, and other people's internals.
# ruff: noqa: BLE001, PTH118, PTH119, PTH120, SLF001

from __future__ import annotations

import builtins
import contextlib
import io
import os
import sys
import types
from collections.abc import Iterator
from typing import Any

_REVISION = ("revision", "down_revision", "branch_labels", "depends_on")
_DIRECTIONS = (("up", "upgrade", "heads"), ("down", "downgrade", "heads:base"))


class Recorder:
    """What the revision that runs now has sent."""

    def __init__(self, places: Any) -> None:
        self.places = places
        self.path: str | None = None
        self.blocks: list[dict[str, Any]] = []
        self.alone = 0
        self.silent = 0
        self.forced: Any = None
        self.is_forced = False  # the dialect is none of env.py's
        self.was_forced = False
        self.is_plain = False  # env.py failed
        self.done: set[tuple[str, str]] = set()

    def add(self, sql: str) -> None:
        if self.path is not None and not self.silent:
            self.blocks.append({"at": self.forced or self.place(), "sql": sql, "alone": bool(self.alone)})

    def place(self) -> Any:
        found = self.places.here(self.path)
        return found[1] if found else None


class _Batch(list):  # type: ignore[type-arg]
    """What a batch will do, with the calls that said so: the statements are sent when the batch ends."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder
        self.calls: list[Any] = []

    def append(self, item: Any) -> None:
        self.calls.append(self.recorder.place())
        super().append(item)

    def __iter__(self) -> Iterator[Any]:
        for item, call in zip(list(super().__iter__()), self.calls):  # noqa: B905 - Python 3.8
            self.recorder.forced = call
            try:
                yield item
            finally:
                self.recorder.forced = None


def run(request: dict[str, Any], tools: Any) -> None:
    root = request["root"]
    os.chdir(root)
    sys.path.append(root)  # last: `alembic` itself does not look there, unless prepend_sys_path says so
    config = _config(request, tools)
    recorder = Recorder(tools.places)
    _patch_output(recorder, tools)
    _patch_batches(recorder, tools)
    _patch_contexts(recorder, tools)
    _patch_loading(request, tools)
    sys.argv = ["alembic", "upgrade", "heads", "--sql"]
    for direction, verb, target in _DIRECTIONS:
        _patch_steps(recorder, request, tools, direction)
        failure = _with_env(tools, config, verb, target)
        if failure is not None:
            metadata = _metadata(failure)
            recorder.is_plain = True
            if direction == "up":
                known = "with the metadata it had found" if metadata is not None else "without its metadata"
                tools.journal.note("env.py fails in offline mode (" + tools.reason(failure) + "): a plain environment took its place, " + known)
            _without_env(request, tools, config, (verb, target), metadata)
    if recorder.was_forced:
        tools.journal.note("env.py names a database that is not PostgreSQL: rendered for PostgreSQL all the same")


def _config(request: dict[str, Any], tools: Any) -> Any:
    make = tools.load("alembic.config").Config
    options: dict[str, Any] = {"stdout": io.StringIO(), "output_buffer": io.StringIO()}
    if request.get("section"):
        options["ini_section"] = request["section"]
    if request.get("toml"):
        options["toml_file"] = request["toml"]
    config = make(request["ini"] or None, **options)
    config.cmd_opts = types.SimpleNamespace(x=None, sql=True, name=request.get("section") or "alembic", tag=None, revision="heads")
    if not request["ini"] and not request.get("toml"):
        config.set_main_option("script_location", request["location"].replace("%", "%%"))
    return config


def _with_env(tools: Any, config: Any, verb: str, target: str) -> BaseException | None:
    """Run the user's env.py; what it raised."""
    command = tools.load("alembic.command")
    opened = builtins.open

    def harmless(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        caller = sys._getframe(1).f_code.co_filename
        if isinstance(mode, str) and set(mode) & set("wax+") and os.path.basename(caller) == "env.py":
            return io.StringIO()  # the template for several databases writes a file of SQL for each
        return opened(file, mode, *arguments, **options)

    builtins.open = harmless
    try:
        getattr(command, verb)(config, target, sql=True)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return error
    finally:
        builtins.open = opened
    return None


def _metadata(error: BaseException) -> Any:
    """`target_metadata` of the env.py that raised."""
    trace = error.__traceback__
    found = None
    while trace is not None:
        frame = trace.tb_frame
        if os.path.basename(frame.f_code.co_filename) == "env.py" and "target_metadata" in frame.f_globals:
            found = frame.f_globals["target_metadata"]
        trace = trace.tb_next
    return found


def _without_env(request: dict[str, Any], tools: Any, config: Any, command: tuple[str, str], metadata: Any) -> None:
    verb, target = command
    script = tools.load("alembic.script").ScriptDirectory.from_config(config)
    folders = sorted({os.path.dirname(path) for path in request["files"]})
    if not {os.path.realpath(str(known)) for known in script._version_locations} & set(map(os.path.realpath, folders)):
        script = tools.load("alembic.script").ScriptDirectory(script.dir, version_locations=folders)  # env.py would have told them
    start, _, end = target.rpartition(":")

    def steps(revision: Any, _context: Any) -> Any:
        if verb == "upgrade":
            return script._upgrade_revs(end, revision)
        return script._downgrade_revs(end, revision)

    options = {"fn": steps, "as_sql": True, "starting_rev": start or None, "destination_rev": end}
    environment = tools.load("alembic.runtime.environment").EnvironmentContext(config, script, **options)
    with environment:
        environment.configure(dialect_name="postgresql", target_metadata=metadata, output_buffer=io.StringIO())
        with environment.begin_transaction():
            environment.run_migrations()


def _patch_output(recorder: Recorder, tools: Any) -> None:
    implementation = tools.load("alembic.ddl.impl").DefaultImpl
    write, begin, commit = implementation.static_output, implementation.emit_begin, implementation.emit_commit

    def static_output(self: Any, text: str) -> None:
        recorder.add(text)
        write(self, text)

    def quietly(emit: Any) -> Any:
        def emitted(self: Any) -> None:
            recorder.silent += 1
            try:
                emit(self)
            finally:
                recorder.silent -= 1

        return emitted

    implementation.static_output = static_output
    implementation.emit_begin = quietly(begin)
    implementation.emit_commit = quietly(commit)


def _patch_batches(recorder: Recorder, tools: Any) -> None:
    batches = tools.load("alembic.operations.batch").BatchOperationsImpl
    prepare = batches.__init__

    def __init__(self: Any, *arguments: Any, **options: Any) -> None:  # noqa: N807
        prepare(self, *arguments, **options)
        self.batch = _Batch(recorder)

    batches.__init__ = __init__


def _patch_contexts(recorder: Recorder, tools: Any) -> None:
    contexts = tools.load("alembic.runtime.migration").MigrationContext
    make_url = tools.load("sqlalchemy.engine.url").make_url
    block, configure = contexts.autocommit_block, contexts.configure.__func__

    @contextlib.contextmanager
    def autocommit_block(self: Any) -> Iterator[None]:
        with block(self):
            recorder.alone += 1
            try:
                yield
            finally:
                recorder.alone -= 1

    def configured(cls: Any, _connection: Any = None, url: Any = None, dialect_name: Any = None, dialect: Any = None, **options: Any) -> Any:
        options.pop("connection", None)
        options["opts"] = dict(options.get("opts") or {}, as_sql=True, literal_binds=True)
        options["dialect_opts"] = dict(options.get("dialect_opts") or {}, paramstyle="named")
        name = ""
        with contextlib.suppress(Exception):
            name = make_url(url).get_dialect().name if url else getattr(dialect, "name", "") or dialect_name or ""
        recorder.is_forced = False
        if not name.startswith("postgres"):
            recorder.is_forced = bool(name)
            recorder.was_forced = recorder.was_forced or recorder.is_forced
            url, dialect, dialect_name = None, None, "postgresql"
        return configure(cls, connection=None, url=url, dialect_name=dialect_name, dialect=dialect, **options)

    mock = tools.load("sqlalchemy.engine.mock").MockConnection
    if not hasattr(mock, "commit"):  # `op.get_bind().commit()`, which works with a database
        mock.commit = lambda _self: recorder.add("COMMIT;")
        mock.rollback = lambda _self: recorder.add("ROLLBACK;")
        mock.close = lambda _self: None
    contexts.autocommit_block = autocommit_block
    contexts.configure = classmethod(configured)  # type: ignore[arg-type]


def _patch_loading(request: dict[str, Any], tools: Any) -> None:
    """A revision that cannot be imported keeps its place in the graph, and fails when it should run."""
    util = tools.load("alembic.util")
    original = util.load_python_file

    def load_python_file(folder: Any, filename: Any) -> Any:
        path = os.path.join(str(folder), str(filename))
        if os.path.basename(path) == "env.py":
            return original(folder, filename)
        try:
            tools.refuse_skipped(tools.places.path(path) in request["skip"])
            with tools.limited(request["seconds"]):
                return original(folder, filename)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            known = tools.literals(path, _REVISION)
            if not known.get("revision"):
                raise
            return _stub(path, known, error)

    util.load_python_file = load_python_file


def _stub(path: str, known: dict[str, Any], error: BaseException) -> types.ModuleType:
    module = types.ModuleType("revision")
    module.__file__ = path
    module.__dict__.update({name: known.get(name) for name in _REVISION})

    def fail() -> None:
        raise error

    module.__dict__.update(upgrade=fail, downgrade=fail)
    return module


def _patch_steps(recorder: Recorder, request: dict[str, Any], tools: Any, direction: str) -> None:
    directory = tools.load("alembic.script").ScriptDirectory
    name = "_upgrade_revs" if direction == "up" else "_downgrade_revs"
    revisions = getattr(directory, name)

    def watched(self: Any, *arguments: Any) -> Any:
        steps = revisions(self, *arguments)
        for step in steps:
            _watch(step, recorder, request, tools, direction)
        return steps

    setattr(directory, name, watched)


def _watch(step: Any, recorder: Recorder, request: dict[str, Any], tools: Any, direction: str) -> None:
    migrate = step.migration_fn
    path = tools.places.path(step.revision.module.__file__)
    tell = tools.journal.tell

    def migration(**options: Any) -> None:
        if path is None or (recorder.is_plain and (path, direction) in recorder.done):
            with contextlib.suppress(Exception, SystemExit), tools.limited(request["seconds"]), tools.guard.strict():
                migrate(**options)
            return
        tell("start", path=path, direction=direction)
        recorder.path, recorder.blocks, recorder.alone = path, [], 0
        try:
            with tools.limited(request["seconds"]), tools.guard.strict():
                migrate(**options)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            tell("failed", path=path, direction=direction, reason=tools.reason(error))
        else:
            recorder.done.add((path, direction))
            tell("done", path=path, direction=direction, blocks=recorder.blocks, forced=recorder.is_forced)
        finally:
            recorder.path = None

    step.migration_fn = migration

"""pytest plugin: `pytest --dbguard` records what every test sends, `@pytest.mark.dbguard(queries=3)` limits it.

Without `--dbguard` and without a marked test nothing is imported. A unit of work is a test in one of its phases (setup, call,
teardown); under pytest-xdist every worker writes the file that the controller named for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dbguard.capture.session import Recording

LEVELS = ("error", "warning", "advice")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dbguard", "dbguard: what tests send to the database")
    group.addoption("--dbguard", action="store_true", default=False, help="record what tests send to the database")
    group.addoption("--dbguard-output", metavar="FOLDER", default=None, help="where capture files go (default: .dbguard)")
    group.addoption("--dbguard-with-values", action="store_true", default=False, help="write values of parameters, too; they may be secret")
    group.addoption("--dbguard-fail-on", choices=LEVELS, default=None, metavar="LEVEL", help="fail on findings of this level: error, warning, advice")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "dbguard(queries=N): fail the test if its call phase sends more than N queries")
    if config.getoption("dbguard") or config.getoption("dbguard_fail_on"):
        config.pluginmanager.register(Recorder(config), "dbguard-recorder")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    marker = item.get_closest_marker("dbguard")
    if marker is None:
        return (yield)
    queries = marker.kwargs.get("queries", marker.args[0] if marker.args else None)
    if not isinstance(queries, int):
        raise pytest.UsageError(f"{item.nodeid}: the marker `dbguard` needs a number of queries, such as dbguard(queries=3)")
    from dbguard.capture.session import limit

    with limit(queries):
        return (yield)


class Recorder:
    """Records one session, or, as the controller of pytest-xdist, names the files of its workers."""

    def __init__(self, config: pytest.Config) -> None:
        from dbguard.capture.session import FOLDER, new_name

        self.config = config
        self.recording: Recording | None = None
        self.paths: list[str] = []
        self.calls = 0
        self.lines: list[str] = []
        self.failed = False
        given = getattr(config, "workerinput", {}).get("dbguard")
        self.is_worker = given is not None
        folder = str(config.rootpath / (config.getoption("dbguard_output") or FOLDER))
        self.named: dict[str, Any] = given or {"folder": folder, "capture": new_name(), "key": os.urandom(16).hex(), "path": ""}

    @property
    def is_controller(self) -> bool:
        option = self.config.option  # `--dist` alone, as in a project's addopts, distributes nothing
        return not self.is_worker and getattr(option, "dist", "no") != "no" and bool(getattr(option, "tx", ()))

    def pytest_sessionstart(self) -> None:
        if self.is_controller:
            return
        from dbguard.capture.recorder import Unit
        from dbguard.capture.session import start

        self.recording = start(
            self.named["folder"],
            unit=Unit("outside of tests", "block"),
            path=self.named["path"],
            capture=self.named["capture"],
            key=bytes.fromhex(self.named["key"]),
            root=str(self.config.rootpath),
            with_values=self.config.getoption("dbguard_with_values"),
        )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        return (yield from self._phase(item, "setup"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        return (yield from self._phase(item, "call"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        return (yield from self._phase(item, "teardown"))

    def _phase(self, item: pytest.Item, phase: str) -> Iterator[None]:
        from dbguard.capture.recorder import Unit

        if self.recording is None:
            return (yield)
        before = self.recording.unit
        self.recording.unit = Unit(item.nodeid, "test", phase)
        try:
            return (yield)
        finally:
            self.recording.unit = before

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker of pytest-xdist is about to start: it shares the capture and its key, and gets a file."""
        path = str(Path(self.named["folder"], f"{self.named['capture']}-{node.gateway.id}.jsonl"))
        node.workerinput["dbguard"] = {**self.named, "path": path}
        self.paths.append(path)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.calls += getattr(node, "workeroutput", {}).get("dbguard_calls", 0)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.recording is not None:
            self.recording.stop()
            self.calls = self.recording.calls
            self.paths = [self.recording.path]
        if self.is_worker:
            self.config.workeroutput["dbguard_calls"] = self.calls  # type: ignore[attr-defined]  # pytest-xdist puts it there
            return
        self.paths = [path for path in self.paths if Path(path).exists()]
        level = self.config.getoption("dbguard_fail_on")
        if level:
            self._judge(level, passed=session.exitstatus == pytest.ExitCode.OK)
            if self.failed and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _judge(self, level: str, *, passed: bool) -> None:
        """Findings on what was recorded."""
        from dbguard.config import Config
        from dbguard.errors import DbguardError
        from dbguard.pipelines.workload import judge_capture
        from dbguard.report import renderer

        try:
            result = judge_capture(self.paths, Config.load(str(self.config.rootpath), {"fail-on": level}), whole=_is_whole(self.config) and passed)
        except DbguardError as error:
            self.lines.append(f"dbguard: {error}")
            self.failed = True
            return
        self.lines += renderer("full")(result).splitlines()
        self.failed = result.exit_code != 0

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.is_worker:
            return
        for line in self.lines:
            terminalreporter.write_line(line)
        if not self.paths:
            terminalreporter.write_line("dbguard: no calls were recorded")
            return
        first = os.path.relpath(self.paths[0], self.config.rootpath)
        where = first if len(self.paths) == 1 else f"{len(self.paths)} files, {first} the first"
        terminalreporter.write_line(f"dbguard: {self.calls} {'call' if self.calls == 1 else 'calls'} recorded in {where}")


def _is_whole(config: pytest.Config) -> bool:
    """Whether no test was left out on the command line: else what a baseline knows may only not have been run."""
    chosen = [config.getoption(name, default=None) for name in ("keyword", "markexpr", "lf", "stepwise", "deselect")]
    return not any(chosen) and not any("::" in argument or argument.endswith(".py") for argument in config.args)

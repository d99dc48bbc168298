"""Runs the examples of rule pages and of `tests/cases`, without files: what the page shows is what is replayed."""

from __future__ import annotations

import tempfile
import tomllib
from functools import cache
from pathlib import Path

from dbguard.config import Config
from dbguard.judgement import judge
from dbguard.model.finding import Result, Summary
from dbguard.model.source import Merged, Parsed, Script, Source
from dbguard.model.state import State, Step
from dbguard.parsing import parse
from dbguard.pipelines.check import check_history
from dbguard.pipelines.queries_inspect import check_queries
from dbguard.reading import History, read_all
from dbguard.reading.queries import read_queries
from dbguard.replay import final_state, replay
from dbguard.rulebook.page import ExampleFile
from dbguard.rulebook.select import from_config
from tests.book import BOOK
from tests.planning.written import is_plan, plan_findings
from tests.round_trips import has_down, round_trips
from tests.workload.told import inspect_totals, inspect_units
from tests.written_calls import unit_of


@cache
def config_of(text: str) -> Config:
    """The configuration in a `toml config` fence; without one, the defaults."""
    return Config.load("/", tomllib.loads(text))


def scripts_of(files: tuple[ExampleFile, ...], transaction: str = "auto") -> tuple[Script, ...]:
    if any(file.name.endswith(".py") for file in files):
        return python_scripts(files)
    return tuple(
        Script(
            Source(file.name, file.text),
            ((0, len(file.text)),),
            file.transaction if file.transaction in {"one", "none"} else transaction,
            merged=Merged("edited", file.name) if file.transaction == "edited" else None,
        )
        for file in files
    )


@cache
def python_scripts(files: tuple[ExampleFile, ...]) -> tuple[Script, ...]:
    """What the readers of Alembic and Django make of files that lie in a folder."""
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            path = Path(folder, file.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            path.write_text(file.text)
        reading = read_all(Config.load(folder))
    assert reading.unreadable == ()
    return tuple(script for history in reading.histories for script in history.scripts)


def is_queries(file: ExampleFile) -> bool:
    """Whether a file of an example holds queries of an application, not a migration."""
    return file.name.endswith("queries.sql")


def is_calls(file: ExampleFile) -> bool:
    """Whether a file of an example holds the calls of a unit of work."""
    return file.name.endswith(".jsonl")


def is_migration(file: ExampleFile) -> bool:
    return not is_queries(file) and not is_calls(file) and not is_plan(file)


def parse_files(files: tuple[ExampleFile, ...]) -> list[Parsed]:
    return list(map(parse, scripts_of(tuple(filter(is_migration, files)))))


def run(files: tuple[ExampleFile, ...], config: str = "", *, extend: tuple[str, ...] = (), asked: str = "") -> Result:
    """The result for all files, or for those whose name starts with `asked`."""
    if has_down(files):
        return round_trips(files, extend)
    settings = config_of(config)
    settings = settings._replace(extend_select=(*settings.extend_select, *extend))
    selection = from_config(settings, BOOK)
    migrations = tuple(filter(is_migration, files))
    scripts = scripts_of(migrations, settings.transaction)
    paths = frozenset(file.name for file in migrations if file.name.startswith(asked))
    part = check_history(History("", "plain", "", scripts, paths), settings, selection)
    assert part.crashed == ()
    queries = [one for file in files if is_queries(file) and file.name.startswith(asked) for one in read_queries(Source(file.name, file.text))]
    if queries:
        state = final_state(list(map(parse, scripts)), State(), settings.postgres[1])
        report = check_queries(queries, state, selection, postgres=settings.postgres, small_tables=settings.small_tables)
        assert (report.crashed, report.unread) == ((), ())
        part = part._replace(findings=(*part.findings, *report.findings))
    for file in files:
        if is_calls(file) and file.name.startswith(asked):
            found = inspect_totals(file.text, selection) if '"total":' in file.text else inspect_units([unit_of(file.text)], selection)
            part = part._replace(findings=(*part.findings, *found))
        if is_plan(file) and file.name.startswith(asked):
            part = part._replace(findings=(*part.findings, *plan_findings(file, list(scripts), selection)))
    summary = Summary(files=part.files, migrations=len(files), statements=part.statements)
    return judge(Result(part.findings, part.unread, summary, settings.postgres), part.allows, selection, settings)


def steps_of(files: tuple[ExampleFile, ...], major: int = 18) -> list[Step]:
    return list(replay(parse_files(files), State(), major))


def unread(files: tuple[ExampleFile, ...]) -> list[str]:
    return [part.reason for one in parse_files(files) for statement in one.statements for part in statement.unread]

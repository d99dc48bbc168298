"""Files of queries, checked on the schema that the migrations leave, or that `--schema` gives."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

from dbguard.cache import Cache
from dbguard.config import Config
from dbguard.errors import UsageError
from dbguard.judgement import allows
from dbguard.model.query import Written
from dbguard.model.source import Parsed, Script, Source, Statement
from dbguard.model.state import State
from dbguard.parsing.comments import comments
from dbguard.pipelines.before import state_before
from dbguard.pipelines.locks import base_state
from dbguard.pipelines.part import Part
from dbguard.pipelines.queries_inspect import QueryReport, check_queries
from dbguard.reading import History, Reading, read_all
from dbguard.reading.queries import read_queries
from dbguard.rulebook.select import Selection


def check_query_files(reading: Reading, config: Config, selection: Selection) -> Part:
    """What is wrong with the queries of the files that were asked for."""
    state = schema_state(reading, config)
    report, written = _report(reading, state, config, selection)
    return Part(
        findings=report.findings,
        unread=report.unread,
        allows=tuple(allow for source in reading.queries for allow in allows(_parsed(source, written))),
        crashed=report.crashed,
        statements=len(written),
        files=len(reading.queries),
        notes=without_schema(state),
        subjects=frozenset(["Query"]),
        query_files=tuple(source.path for source in reading.queries),
    )


def query_report(reading: Reading, config: Config, selection: Selection) -> QueryReport:
    """Each query of the files that were asked for, with what was found."""
    return _report(reading, schema_state(reading, config), config, selection)[0] if reading.queries else QueryReport()


def without_schema(state: State) -> tuple[str, ...]:
    """What the report says where no schema is known."""
    return () if state.schema.tables else ("queries are looked at without a schema: no migrations were found, and `schema` names no file",)


def _report(reading: Reading, state: State, config: Config, selection: Selection) -> tuple[QueryReport, list[Written]]:
    written = [query for source in reading.queries for query in read_queries(source)]
    report = check_queries(written, state, selection, postgres=config.postgres, small_tables=config.small_tables, large_tables=reading.large_tables)
    return report, written


def schema_state(reading: Reading, config: Config) -> State:
    """The state after all migrations, on top of `schema`.

    Of the histories of this run, else of those that are configured or found, those count that lie nearest: a repository may
    hold several databases.
    """
    histories, start = reading.histories, State()
    if not histories:
        with suppress(UsageError):  # there are none
            histories = read_all(config._replace(paths=(), queries=())).histories
    if reading.schema is not None:
        start = base_state(reading.schema, config.postgres[1])
    for history in _nearest(histories, next((source.path for source in reading.queries), next(iter(reading.workload), "")), config):
        start = _after(history, start, config)
    return start


def _nearest(histories: tuple[History, ...], path: str, config: Config) -> Iterator[History]:
    """The histories whose folder shares most with the path of what is looked at."""
    own = os.path.join(config.cwd, path).split(os.sep)  # noqa: PTH118, PTH206
    shared = [_common(own, os.path.join(config.cwd, history.root).split(os.sep)) for history in histories]  # noqa: PTH118, PTH206
    return (history for history, common in zip(histories, shared, strict=True) if common == max(shared))


def _common(one: list[str], other: list[str]) -> int:
    return next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _after(history: History, start: State, config: Config) -> State:
    if history.base is not None and not start.schema.tables:
        start = base_state(history.base, config.postgres[1])
    state = state_before(history.scripts, start._replace(settings={}), config.postgres[1], Cache.of_user(config.cache))
    return state._replace(settings={}, transaction=None)


def _parsed(source: Source, written: Iterable[Written]) -> Parsed:
    """A query file as the reader of written exceptions wants it."""
    statements = tuple([Statement(query.start, query.end, ()) for query in written if query.source.path == source.path])
    return Parsed(Script(source, ((0, len(source.text)),)), statements, tuple(comments(source.text)))

"""Files of queries, checked on the schema that the migrations leave, or that `--schema` gives."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from dbguard.cache import Cache, default_folder
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
    written = [query for source in reading.queries for query in read_queries(source)]
    state = schema_state(reading, config)
    report = report_on(written, state, config, selection)
    notes = () if state.schema.tables else ("queries are looked at without a schema: no migrations were found, and `schema` names no file",)
    return Part(
        findings=report.findings,
        unread=report.unread,
        allows=tuple(allow for source in reading.queries for allow in allows(_parsed(source, written))),
        crashed=report.crashed,
        statements=len(written),
        files=len(reading.queries),
        notes=notes,
    )


def report_on(written: Iterable[Written], state: State, config: Config, selection: Selection) -> QueryReport:
    return check_queries(written, state, selection, postgres=config.postgres, small_tables=config.small_tables)


def schema_state(reading: Reading, config: Config) -> State:
    """The state after all migrations: of the histories of this run, else of those that are configured or found, on top of `schema`."""
    histories, start = reading.histories, State()
    if not histories:
        with suppress(UsageError):  # there are none
            histories = read_all(config._replace(paths=(), queries=())).histories
    if reading.schema is not None:
        start = base_state(reading.schema, config.postgres[1])
    for history in histories:
        start = _after(history, start, config)
    return start


def _after(history: History, start: State, config: Config) -> State:
    if history.base is not None and not start.schema.tables:
        start = base_state(history.base, config.postgres[1])
    state = state_before(history.scripts, start._replace(settings={}), config.postgres[1], Cache(default_folder() if config.cache else ""))
    return state._replace(settings={}, transaction=None)


def _parsed(source: Source, written: Iterable[Written]) -> Parsed:
    """A query file as the reader of written exceptions wants it."""
    statements = tuple([Statement(query.start, query.end, ()) for query in written if query.source.path == source.path])
    return Parsed(Script(source, ((0, len(source.text)),)), statements, tuple(comments(source.text)))

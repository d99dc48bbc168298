"""Queries to findings: read each, look its names up in the schema, gather the facts, and wake the checks on queries.

In: queries as they are written in files (`reading.queries`), the state after all migrations, the rules of the run.
Out: findings at the query's own place, what could not be read, and how each query was judged, for listings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dbguard.model.finding import Finding, Flag, UnreadPart
from dbguard.model.postgres import Server
from dbguard.model.query import Growth, Query, QueryStep, Serving, Written
from dbguard.model.record import Record
from dbguard.model.source import Lines
from dbguard.model.state import State
from dbguard.parsing.query import read_query
from dbguard.parsing.query.shapes import shape_of
from dbguard.pipelines.waking import Checks
from dbguard.queries.candidates import Proposal, merged
from dbguard.queries.growth import Facts
from dbguard.queries.resolve import resolve
from dbguard.queries.scopes import TooLargeError
from dbguard.queries.serving import serving
from dbguard.rulebook import Rule
from dbguard.rulebook.select import Selection


class Judged(Record):
    """One query, its facts, and what was found."""

    written: Written
    step: QueryStep
    findings: tuple[Finding, ...] = ()


class Origin(Record):
    path: str = ""
    name: str = ""
    rows: str = ""


class QueryReport(Record):
    findings: tuple[Finding, ...] = ()
    unread: tuple[UnreadPart, ...] = ()
    crashed: tuple[str, ...] = ()
    judged: tuple[Judged, ...] = ()
    indexes: tuple[Proposal, ...] = ()  # for all shapes together


def check_queries(
    texts: Iterable[Written],
    state: State,
    selection: Selection,
    *,
    postgres: tuple[int, int] = (14, 18),
    small_tables: Iterable[str] = (),
    large_tables: Iterable[str] = (),
) -> QueryReport:
    """What is wrong with each query on the schema of `state`. Never raises because of a text."""
    inspection = QueryInspection(selection, postgres, small_tables, large_tables)
    findings: list[Finding] = []
    unread: list[UnreadPart] = []
    judged: list[Judged] = []
    lines: tuple[str, Lines] = ("", Lines(""))
    for written in texts:
        if lines[0] is not written.source.text:
            lines = (written.source.text, Lines(written.source.text))
        line = lines[1].at(written.start)[0]
        if written.unread:
            unread.append(UnreadPart(written.source.path, line, written.unread))
            continue
        step = inspection.step(written.sql, state, path=written.source.path, name=written.name, rows=written.rows)
        unread += [UnreadPart(written.source.path, line, why) for why in _reasons(step.query)]
        found = tuple(_placed(finding, written, lines[1]) for finding in inspection.findings(step))
        findings += found
        judged.append(Judged(written, step, found))
    indexes = merged([(one.step.shape, candidate) for one in judged for candidate in one.step.serving.candidates], state)
    crashed = tuple(dict.fromkeys(inspection.crashed))
    return QueryReport(tuple(with_indexes(findings, indexes)), tuple(unread), crashed, tuple(judged), indexes)


def with_indexes(findings: Iterable[Finding], indexes: tuple[Proposal, ...]) -> list[Finding]:
    """Findings whose index is the one that serves all shapes together."""
    return [_serving(finding, indexes) if finding.create_index else finding for finding in findings]


def _reasons(query: Query) -> tuple[str, ...]:
    return tuple(query.unread[:3])


class QueryInspection:
    """Runs the checks that are on over queries."""

    def __init__(
        self, selection: Selection, postgres: tuple[int, int] = (14, 18), small_tables: Iterable[str] = (), large_tables: Iterable[str] = ()
    ) -> None:
        self._rules = selection.woken().get("Query", ())
        self._checks = Checks()
        self.crashed = self._checks.crashed
        self._server = Server(postgres[0])
        self._small = frozenset(_parts(name) for name in small_tables)
        self._large = frozenset(_parts(name) for name in large_tables)

    def step(self, sql: str, state: State, *, path: str = "", name: str = "", rows: str = "") -> QueryStep:
        """A query with its facts."""
        query = resolve(read_query(sql), state)
        try:
            return self._judged(query, state, sql, Origin(path, name, rows))
        except (TooLargeError, RecursionError) as error:
            unread = query._replace(unread=(str(error) or "nested too deeply",))
            return self._judged(unread, state, sql, Origin(path, name, rows))

    def _judged(self, query: Query, state: State, sql: str, origin: Origin) -> QueryStep:
        known = bool(query.blocks) and not query.unread
        if not known:
            return QueryStep(query, state, _UNKNOWN, Serving(), self._server, (), shape_of(sql).key, self._small, *origin)
        facts = Facts(query, state, self._small)
        served = serving(query, state)
        small = self._small | {
            (table.schema or "", table.name) for one in query.sources if (table := one.table) is not None and facts.is_small(table)
        }
        served = served._replace(candidates=tuple([one for one in served.candidates if (one.table.schema or "", one.table.name) not in small]))
        growth = facts.block(0)
        locked = tuple([(block.number, facts.block(block.number)) for block in query.written if block.locks])
        return QueryStep(query, state, growth, served, self._server, locked, shape_of(sql).key, small, *origin, large=self._large)

    def findings(self, step: QueryStep) -> Iterator[Finding]:
        """Findings with offsets in the query's own text: line and column are still to be told."""
        told: set[tuple[str, str]] = set()
        for rule, flag, _ in self._checks.said(self._rules, step, step.path):
            finding = _finding(rule, flag, step)
            if (finding.rule, finding.message) not in told:
                told.add((finding.rule, finding.message))
                yield finding


def _finding(rule: Rule, flag: Flag, step: QueryStep) -> Finding:
    words = rule.wording(flag)
    severity = rule.severity if flag.severity is None else min(rule.severity, flag.severity)
    return Finding(
        rule=rule.name,
        category=rule.category,
        severity=severity,
        path=step.path,
        line=1,
        column=1,
        end_line=1,
        end_column=1,
        message=words.message,
        instead=words.instead,
        recipe=words.recipe,
        assumes=flag.assumes,
        table=flag.facts.get("table", ""),
        shape=step.shape,
        create_index=flag.facts.get("create_index", ""),
    )


def _serving(finding: Finding, indexes: tuple[Proposal, ...]) -> Finding:
    """The finding with the index that serves all shapes together, where one does."""
    for one in indexes:
        if finding.shape in one.shapes and one.statement.startswith("CREATE INDEX") and finding.rule.startswith("missing-index-"):
            same = finding.table in {str(one.table), one.table.name, str(one.create.table)}
            if same and _begins_alike(finding.create_index, one.statement):
                return finding._replace(create_index=one.statement, serves=one.shapes)
    return finding._replace(serves=(finding.shape,))


def _begins_alike(own: str, other: str) -> bool:
    """Whether two statements index the same first column."""
    return (
        own.partition(" ON ")[2].partition("(")[2].rstrip(")").split(", ")[0]
        == other.partition(" ON ")[2].partition("(")[2].rstrip(")").split(", ")[0]
    )


def _placed(finding: Finding, written: Written, lines: Lines) -> Finding:
    line, column = lines.at(written.start)
    end_line, end_column = lines.at(written.end)
    return finding._replace(line=line, column=column, end_line=end_line, end_column=end_column, start=written.start, excerpt=written.sql)


def _parts(name: str) -> tuple[str, str]:
    schema, _, table = name.replace('"', "").rpartition(".")
    return schema, table


_UNKNOWN = Growth(bounded=True, how="unknown")

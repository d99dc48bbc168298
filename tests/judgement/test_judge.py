"""Order, severity, counts and exit codes of a verdict."""

from __future__ import annotations

import pytest
from tests.book import BOOK

from dbguard.config import Config, PerPath
from dbguard.judgement import judge
from dbguard.model.finding import Finding, Result, Severity, Summary, UnreadPart
from dbguard.rulebook.select import from_config

ERROR = Finding("create-index-blocking", "locks", Severity.ERROR, "db/b.sql", 3, 1, 3, 9, "it blocks", table="orders")
WARNING = ERROR._replace(rule="lock-timeout-missing", severity=Severity.WARNING, line=1)
UNREAD = UnreadPart("db/b.sql", 4, "dynamic SQL")


def verdict(*findings: Finding, unread: tuple[UnreadPart, ...] = (), crashed: tuple[str, ...] = (), config: Config | None = None) -> Result:
    config = config or Config()
    return judge(Result(findings, unread, Summary(files=2, seconds=0.5), crashed=crashed), (), from_config(config, BOOK), config)


def test_findings_are_ordered_by_place():
    elsewhere = ERROR._replace(path="db/a.sql", line=9)
    assert [(f.path, f.line) for f in verdict(ERROR, WARNING, elsewhere).findings] == [("db/a.sql", 9), ("db/b.sql", 1), ("db/b.sql", 3)]


def test_counts_are_of_what_is_reported():
    summary = verdict(ERROR, WARNING, unread=(UNREAD,)).summary
    assert (summary.errors, summary.warnings, summary.advice, summary.unread) == (1, 1, 0, 1)
    assert (summary.files, summary.seconds) == (2, 0.5)


@pytest.mark.parametrize(
    ("expected", "result"),
    [
        (0, verdict()),
        (0, verdict(WARNING)),
        (0, verdict(unread=(UNREAD,))),
        (1, verdict(ERROR)),
        (1, verdict(WARNING, config=Config(fail_on=Severity.WARNING))),
        (1, verdict(unread=(UNREAD,), config=Config(strict=True))),
        (3, verdict(unread=(UNREAD._replace(fatal=True),))),
        (3, verdict(ERROR, crashed=("create-index-blocking at db/b.sql:3: KeyError",))),
    ],
)
def test_exit_code(expected: int, result: Result):
    assert result.exit_code == expected


def test_severity_by_path_wins():
    config = Config(per_path=(PerPath("db/*.sql", {ERROR.rule: Severity.WARNING}),))
    assert verdict(ERROR, config=config).findings[0].severity is Severity.WARNING
    assert verdict(ERROR._replace(path="other/b.sql"), config=config).findings[0].severity is Severity.ERROR


def test_a_rule_can_be_off_for_a_path():
    assert verdict(ERROR, config=Config(per_path=(PerPath("db", ignore=("locks",)),))).findings == ()


def test_a_check_that_doubts_stays_lower_than_its_path():
    doubted = ERROR._replace(severity=Severity.ADVICE)
    config = Config(per_path=(PerPath("db/*", {ERROR.rule: Severity.WARNING}),))
    assert verdict(doubted, config=config).findings[0].severity is Severity.ADVICE


@pytest.mark.parametrize("table", ["orders", "public.orders", '"orders"'])
def test_a_lock_on_a_small_table_is_advice(table: str):
    result = verdict(ERROR._replace(table=table), config=Config(small_tables=("orders",)))
    assert (result.findings[0].severity, result.summary.lowered, result.exit_code) == (Severity.ADVICE, 1, 0)


def test_losing_data_of_a_small_table_is_no_advice():
    result = verdict(ERROR._replace(category="data"), config=Config(small_tables=("orders",)))
    assert (result.findings[0].severity, result.summary.lowered) == (Severity.ERROR, 0)


def test_a_table_of_another_schema_is_not_the_small_one():
    assert verdict(ERROR._replace(table="app.orders"), config=Config(small_tables=("orders",))).summary.lowered == 0

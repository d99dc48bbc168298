"""Written exceptions: where they hold, and what is said about those that allow nothing."""

from __future__ import annotations

import re
from datetime import date

import pytest
from tests.book import BOOK

from dbguard.config import Config
from dbguard.judgement import allows, judge
from dbguard.model.finding import Finding, Result, Severity, UnreadPart
from dbguard.model.source import Comment, Lines, Parsed, Script, Source, Statement
from dbguard.rulebook.select import from_config

TODAY = date(2026, 6, 1)
SELECTION = from_config(Config(), BOOK)
RULE = "create-index-blocking"


def parsed(text: str) -> Parsed:
    """Statements are what ends with a semicolon, comments what starts with `-- dbguard:`; good enough for these texts."""
    comments = tuple(Comment(m.start(), m.end(), m[1]) for m in re.finditer(r"-- dbguard:(.*)", text))
    code = re.sub(r"--.*", lambda m: " " * len(m[0]), text)
    statements = tuple(Statement(m.start(), m.end(), ()) for m in re.finditer(r"[^\s;][^;]*;", code))
    return Parsed(Script(Source("a.sql", text), ((0, len(text)),)), statements, comments)


def finding_at(text: str, sql: str, rule: str = RULE) -> Finding:
    start = text.index(sql)
    line, column = Lines(text).at(start)
    return Finding(rule, "locks", Severity.ERROR, "a.sql", line, column, line, column + len(sql), "it blocks", start=start)


def verdict(text: str, *sqls: str, unread: tuple[UnreadPart, ...] = (), rule: str = RULE) -> list[str]:
    """Rules of what is left, when `rule` is found at each of the statements."""
    return [finding.rule for finding in result(text, *sqls, unread=unread, rule=rule).findings]


def result(text: str, *sqls: str, unread: tuple[UnreadPart, ...] = (), rule: str = RULE) -> Result:
    found = Result(tuple(finding_at(text, sql, rule) for sql in sqls), unread)
    return judge(found, allows(parsed(text)), SELECTION, Config(), today=TODAY)


ONE = "CREATE INDEX a ON t (a);"
TWO = "CREATE INDEX b ON t (b);"


@pytest.mark.parametrize(
    "text",
    [
        f"-- dbguard: allow {RULE} - nobody writes\n{ONE}\n",
        f"-- dbguard: allow {RULE} - nobody writes\n-- another comment\n\n{ONE}\n",
        f"{TWO}\n-- dbguard: allow {RULE} - nobody writes\n{ONE}\n",
        f"{ONE} -- dbguard: allow {RULE} - nobody writes\n{TWO}\n",
        f"-- dbguard: allow {RULE} -- nobody writes\n{ONE}\n",
        f"-- dbguard: allow {RULE} — nobody writes\n{ONE}\n",
        f"-- dbguard: allow {RULE}, allow-unused - nobody writes\n{ONE}\n",
        f"-- dbguard: allow {RULE} until=2026-06-01 - nobody writes\n{ONE}\n",
        f"-- dbguard: allow {RULE} - nobody writes, until=2027-01-31\n{ONE}\n",
        f"-- dbguard: allow-file {RULE} - nobody writes\n{TWO}\n{ONE}\n",
    ],
    ids=["above", "with lines between", "after another", "behind", "two dashes", "em dash", "several", "on the last day", "date behind", "file"],
)
def test_an_allowed_finding_is_gone(text: str):
    assert RULE not in verdict(text, ONE)


def test_a_comment_inside_the_statement_allows():
    text = f"CREATE INDEX a\n  -- dbguard: allow {RULE} - nobody writes\n  ON t (a);\n"
    assert verdict(text, "CREATE INDEX a") == []


def test_allowed_findings_are_counted():
    text = f"-- dbguard: allow {RULE} - nobody writes\n{ONE}\n"
    assert result(text, ONE).summary.allowed == 1
    assert result(text, ONE).exit_code == 0


def test_a_former_name_of_a_rule_still_allows():
    former = next(iter(BOOK.former.items()), None)
    if former is None:
        pytest.skip("no rule was renamed yet")
    old, new = former
    assert verdict(f"-- dbguard: allow {old} - nobody writes\n{ONE}\n", ONE, rule=new) == []


def test_the_statement_after_the_next_is_not_allowed():
    text = f"-- dbguard: allow {RULE} - nobody writes\n{ONE}\n{TWO}\n"
    assert verdict(text, ONE, TWO) == [RULE]


def test_another_rule_is_not_allowed():
    text = f"-- dbguard: allow {RULE} - nobody writes\n{ONE}\n"
    assert verdict(text, ONE, rule="table-rewrite") == ["allow-unused", "table-rewrite"]


def test_an_exception_that_nothing_needs_is_reported():
    assert verdict(f"-- dbguard: allow {RULE} - nobody writes\n{ONE}\n") == ["allow-unused"]


def test_an_exception_for_a_rule_that_is_off_is_not_reported():
    off = next(rule.name for rule in BOOK.rules.values() if not rule.header.default and not rule.header.engine)
    assert verdict(f"-- dbguard: allow {off} - we know\n{ONE}\n") == []


def test_without_a_reason_nothing_is_allowed():
    assert verdict(f"-- dbguard: allow {RULE}\n{ONE}\n", ONE) == ["allow-without-reason", RULE]
    assert verdict(f"-- dbguard: allow {RULE} -\n{ONE}\n", ONE) == ["allow-without-reason", RULE]


def test_after_its_date_an_exception_allows_nothing():
    assert verdict(f"-- dbguard: allow {RULE} until=2026-05-31 - nobody writes\n{ONE}\n", ONE) == ["allow-expired", RULE]


def test_allow_file_below_the_first_statement_allows_nothing():
    found = result(f"{ONE}\n-- dbguard: allow-file {RULE} - nobody writes\n{TWO}\n", ONE)
    assert [finding.rule for finding in found.findings] == [RULE, "allow-unused"]
    assert "below the first statement" in found.findings[1].message


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("allow create-index-blockin - x", "`create-index-blocking`"),
        ("allow require-concurrent-index-creation - x", "`create-index-blocking`"),
        ("ignore create-index-blocking", "`ignore`"),
        ("allow", "needs the name of a rule"),
        ("", "nothing follows"),
        (f"allow {RULE} until=tomorrow - x", "until=tomorrow"),
    ],
)
def test_what_cannot_be_understood_is_reported(comment: str, words: str):
    found = result(f"-- dbguard: {comment}\n{ONE}\n").findings
    assert [finding.rule for finding in found] == ["allow-unknown-rule"]
    assert words in f"{found[0].message} {found[0].instead}"


def test_comments_of_other_tools_allow_nothing():
    assert verdict(f"-- squawk-ignore {RULE}\n{ONE}\n", ONE) == [RULE]


def test_unread_parts_can_be_allowed():
    part = UnreadPart("a.sql", 2, "dynamic SQL")
    text = "-- dbguard: allow unread - the text is fixed\nDO 1;\nDO 2;\n"
    assert result(text, unread=(part,)).unread == ()
    assert result(text, unread=(part._replace(line=3),)).unread != ()
    assert "allow-unused" in verdict(text)


def test_a_file_that_cannot_be_read_cannot_be_allowed():
    part = UnreadPart("a.sql", 1, "not UTF-8", fatal=True)
    assert result("-- dbguard: allow-file unread - x\n", unread=(part,)).exit_code == 3


def test_findings_about_exceptions_stand_at_the_comment():
    found = result(f"{TWO}\n  -- dbguard: allow {RULE}\n{ONE}\n").findings[0]
    assert (found.line, found.column, found.excerpt) == (2, 3, f"-- dbguard: allow {RULE}")

"""Whatever the statements are: nothing raises, places lie inside the text, and what does not matter changes nothing."""

from __future__ import annotations

import itertools
import re
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import dbguard
from dbguard.reading import StandardInput
from tests.hostile.statements import NOISE, STATEMENTS, tokens

few = settings(max_examples=60, deadline=None, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
many = settings(few, max_examples=250)


@cache
def config() -> dbguard.Config:
    with tempfile.TemporaryDirectory() as folder:  # nothing is read there after its settings
        (Path(folder) / ".git").mkdir()
        return dbguard.Config.load(folder, {"select": ["all"]})


def check(text: str) -> dbguard.Result:
    """The result for one text; characters that no file can hold are written as they come."""
    return dbguard.check(config(), ["-"], stdin=StandardInput(text.encode("utf-8", "surrogatepass")))


def check_files(folder: Path, texts: dict[str, str], *groups: list[str]) -> list[tuple[object, ...]]:
    """The findings of several runs over the same files, one run for each group."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    at = dbguard.Config.load(folder, {"select": ["all"]})
    return sorted(place(finding) for group in groups for finding in dbguard.check(at, group).findings)


def place(finding: dbguard.Finding) -> tuple[object, ...]:
    return finding.path, finding.line, finding.column, finding.rule, finding.message


def rules(result: dbguard.Result) -> list[tuple[str, int]]:
    return sorted((finding.rule, finding.line) for finding in result.findings)


statement = st.sampled_from(STATEMENTS)


@st.composite
def spoiled(draw) -> str:
    """A statement with tokens deleted, doubled, swapped, cut off or put in."""
    found = tokens(draw(statement))
    for _ in range(draw(st.integers(1, 4))):
        at, other = draw(st.integers(0, len(found) - 1)), draw(st.integers(0, len(found) - 1))
        how = draw(st.integers(0, 6))
        if how == 0:
            found[at : at + 1] = [] if len(found) > 1 else ["x"]
        elif how == 1:
            found.insert(at, found[at])
        elif how == 2:
            found[at], found[other] = found[other], found[at]
        elif how == 3:
            found = found[: at + 1]
        elif how == 4:
            found.insert(at, f" {draw(st.sampled_from(NOISE))} ")
        elif how == 5:
            found[at] = draw(st.sampled_from(NOISE))
        else:
            found.insert(at, draw(st.text(max_size=6)))
    return "".join(found)


scripts = st.lists(st.one_of(spoiled(), statement), min_size=1, max_size=4).map(";\n".join)


@many
@given(scripts, st.integers(13, 18), st.sampled_from(["auto", "one", "none"]))
def test_predicting_spoiled_statements_never_raises(sql, postgres, transaction):
    lines = sql.split("\n")
    for effects in dbguard.predict(sql, postgres=postgres, transaction=transaction):
        assert 1 <= effects.line <= len(lines)
        assert 1 <= effects.column <= len(lines[effects.line - 1]) + 1
        assert effects.sql


@few
@given(scripts, scripts)
def test_a_spoiled_schema_never_raises(schema, sql):
    dbguard.predict(sql, schema=schema)


@many
@given(scripts)
def test_checking_spoiled_statements_never_raises_and_findings_lie_inside_the_text(sql):
    result = check(sql)
    assert result.crashed == ()
    assert result.exit_code in {0, 1, 3}
    lines = sql.split("\n")
    for finding in result.findings:
        assert (finding.line, finding.column) < (finding.end_line, finding.end_column)
        assert 1 <= finding.line <= finding.end_line <= len(lines)
        assert finding.column <= len(lines[finding.line - 1])
        assert finding.end_column <= len(lines[finding.end_line - 1]) + 1
    assert all(1 <= part.line <= len(lines) for part in result.unread)


@few
@given(st.text(max_size=200))
def test_any_text_is_an_answer(sql):
    dbguard.predict(sql)
    check(sql)


@few
@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer(raw):
    assert dbguard.check(config(), ["-"], stdin=StandardInput(raw)).exit_code in {0, 1, 3}


@few
@given(st.lists(statement, max_size=6))
def test_there_is_one_prediction_per_statement(chosen):
    assert [effects.sql for effects in dbguard.predict(";\n".join(chosen))] == chosen


@settings(few, max_examples=15)
@given(st.lists(st.lists(statement, min_size=1, max_size=3), min_size=2, max_size=4))
@pytest.mark.parametrize("name", ["migrations/{:03}_step.sql", "db/migration/V{}__step.sql", "supabase/migrations/202401010000{:02}_step.sql"])
def test_how_the_list_of_files_is_split_never_changes_findings(name, chosen):
    with tempfile.TemporaryDirectory() as folder:
        texts = {name.format(number): ";\n".join(part) + ";\n" for number, part in enumerate(chosen, 1)}
        paths = list(texts)
        whole = check_files(Path(folder), texts, paths)
        assert check_files(Path(folder), {}, paths[::-1]) == whole
        assert check_files(Path(folder), {}, *[[path] for path in paths]) == whole
        assert check_files(Path(folder), {}, paths[1:], paths[:1]) == whole
        assert check_files(Path(folder), {}, [paths[0].split("/")[0]]) == whole


RENAMED = {
    "orders": '"Orders of 2024"',
    "items": '"select"',
    "customers": "kunden_größe",
    "customer_id": '"Customer""Id"',
    "total": '"Σ"',
    "note": "NoTe2",
    "readings": "Messung",
    "sku": '"s k u"',
}
WORD = re.compile(r"E'(?:[^'\\]|\\.)*'|'[^']*'|\$\w*\$.*\$\w*\$|\b(?:" + "|".join(RENAMED) + r")\b", re.DOTALL)


def renamed(sql: str) -> str:
    return WORD.sub(lambda match: RENAMED.get(match.group(), match.group()), sql)


@few
@given(st.lists(statement.filter(lambda sql: "$" not in sql), min_size=1, max_size=5))
def test_other_names_never_change_which_rules_fire(chosen):
    sql = ";\n".join(chosen)
    assert rules(check(renamed(sql))) == rules(check(sql))


@few
@given(st.lists(statement, min_size=1, max_size=5), st.data())
def test_comments_and_space_between_statements_never_change_findings(chosen, data):
    between = st.sampled_from(["", " ", "\t", "-- a; remark's\r\n", "/* a; 'b /* c */ $$ */", "\n\n", "\f", "-- é 😀\n"])
    gaps = [data.draw(between) + data.draw(between) for _ in range(len(chosen) + 1)]
    spread = "".join(itertools.chain.from_iterable(zip(gaps, [f"\n{sql};" for sql in chosen], strict=False))) + gaps[-1]
    plain = check(";\n".join(chosen) + ";")
    assert [(f.rule, f.message, f.excerpt) for f in check(spread).findings] == [(f.rule, f.message, f.excerpt) for f in plain.findings]


@few
@given(st.lists(st.one_of(statement, spoiled()), min_size=1, max_size=4))
def test_a_transaction_written_around_a_script_is_an_answer(chosen):
    result = check("BEGIN;\n" + ";\n".join(chosen) + ";\nCOMMIT;\n")
    assert result.crashed == ()

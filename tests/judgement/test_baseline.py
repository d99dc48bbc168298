"""Baselines: what is known is silent, what is new is told, and the file survives merges, edits and hostility."""

from __future__ import annotations

import json

import pytest
from tests.book import BOOK

from dbguard.config import Config
from dbguard.errors import ConfigError, UnreadableSource
from dbguard.judgement import judge
from dbguard.judgement.baseline import Baseline, Entry, Known, Looked, compare, entries_of, parse, place_of, read
from dbguard.model.finding import Finding, Result, Severity
from dbguard.rulebook.select import from_config, select

CONFIG = Config(root="/shop", cwd="/shop")
SELECTION = select(BOOK, selected=["all"])
ALL = Looked(calls=True, files=frozenset({"queries.sql"}), subjects=frozenset({"Query", "Unit", "Totals"}))
LOOP = Finding(
    "query-per-row", "queries", Severity.WARNING, "shop/views.py", 14, 1, 14, 1, "sent once per row",
    shape="abc", calls=40, units=2, places=(("shop/views.py", 14, "list_orders"), ("shop/models.py", 3, "load")),
)  # fmt: skip
INDEX = LOOP._replace(rule="missing-index-filter")
WRITTEN = INDEX._replace(path="queries.sql", line=3, calls=0, units=0, places=())
IN_LOG = LOOP._replace(path="postgresql-2026-11-21.log", places=())
MIGRATION = Finding("create-index-blocking", "locks", Severity.ERROR, "db/1.sql", 1, 1, 1, 9, "it blocks")


def known(*entries: Entry, looked: Looked = ALL) -> Known:
    return Known(Baseline("dbguard-baseline.json", dict.fromkeys(entries, "")), looked)


def left(finding: Finding, *entries: Entry) -> int:
    return len(compare(known(*entries), [finding], SELECTION, CONFIG).findings)


def test_what_was_written_is_silent():
    for finding in (LOOP, INDEX, WRITTEN, IN_LOG):
        assert left(finding, *entries_of(finding, SELECTION, CONFIG)) == 0


def test_a_finding_moves_within_its_function_and_stays_known():
    moved = LOOP._replace(line=99, places=(("shop/views.py", 99, "list_orders"),), calls=7)
    assert left(moved, *entries_of(LOOP, SELECTION, CONFIG)) == 0


@pytest.mark.parametrize(
    "other",
    [
        LOOP._replace(rule="query-repeated"),
        LOOP._replace(shape="abd"),
        LOOP._replace(places=(("shop/views.py", 14, "show_order"), ("shop/models.py", 3, "load"))),
        LOOP._replace(places=(("shop/admin.py", 14, "list_orders"),)),
        LOOP._replace(places=(("shop/models.py", 3, "load"), ("shop/views.py", 14, "list_orders"))),
    ],
    ids=["rule", "shape", "function", "file", "a place that only led there"],
)
def test_another_rule_shape_or_place_is_new(other: Finding):
    assert left(other, *entries_of(LOOP, SELECTION, CONFIG)) == 1


def test_a_query_that_is_bad_by_itself_is_known_from_any_of_its_places():
    elsewhere = INDEX._replace(places=(("shop/admin.py", 1, "search"), ("shop/views.py", 14, "list_orders")))
    assert left(elsewhere, Entry("missing-index-filter", "abc", "shop/views.py", "list_orders")) == 0
    assert len(entries_of(elsewhere, SELECTION, CONFIG)) == 2


def test_a_log_of_another_day_is_the_same_place():
    assert left(IN_LOG._replace(path="postgresql-2026-11-22.log"), *entries_of(IN_LOG, SELECTION, CONFIG)) == 0


def test_a_file_of_queries_is_named_from_the_folder_of_the_configuration():
    below = WRITTEN._replace(path="../queries.sql")
    assert entries_of(below, SELECTION, CONFIG._replace(cwd="/shop/web")) == entries_of(WRITTEN, SELECTION, CONFIG)


def test_findings_on_migrations_are_never_known():
    assert left(MIGRATION, Entry("create-index-blocking", "", "db/1.sql")) == 1


def test_the_verdict_counts_what_is_silent_and_what_is_gone():
    config = CONFIG._replace(fail_on=Severity.WARNING)
    baseline = known(*entries_of(LOOP, SELECTION, CONFIG), Entry("query-per-row", "old", "shop/old.py", "f"))
    result = judge(Result((LOOP, MIGRATION)), (), from_config(config, BOOK), config, known=baseline)
    assert [one.rule for one in result.findings] == ["create-index-blocking"]
    assert (result.summary.known, result.summary.gone, result.summary.warnings, result.exit_code) == (1, 1, 0, 1)


@pytest.mark.parametrize(
    ("entry", "looked", "gone"),
    [
        (Entry("query-per-row", "x", "a.py", "f"), ALL, True),
        (Entry("query-per-row", "x", "a.py", "f"), ALL._replace(calls=False), False),
        (Entry("missing-index-filter", "x", "a.py", "f"), ALL._replace(subjects=frozenset({"Unit"})), False),
        (Entry("missing-index-filter", "x", "queries.sql"), ALL, True),
        (Entry("missing-index-filter", "x", "queries.sql"), ALL._replace(calls=False), True),
        (Entry("missing-index-filter", "x", "other.sql"), ALL, False),
        (Entry("a-rule-of-long-ago", "x", "a.py"), ALL, True),
    ],
)
def test_only_what_was_looked_for_can_be_gone(entry: Entry, looked: Looked, gone: bool):
    assert compare(known(entry, looked=looked), [], SELECTION, CONFIG).gone == ((entry,) if gone else ())


def test_a_rule_that_is_off_is_not_gone():
    entry = Entry("query-per-row", "x", "a.py", "f")
    assert compare(known(entry), [], select(BOOK, selected=["locks"]), CONFIG).gone == ()


BASELINE = Baseline(
    "b.json",
    {
        Entry("z-rule", "2", "b.py", "f"): "SELECT 1",
        Entry("a-rule", "1", 'odd "name"\\.py', "<module>"): "",
        Entry("a-rule"): "",
        Entry("a-rule", "1", "name-\udcff.py"): "",
    },
    {"GET /orders": 3, "GET /a": 1},
    {"2": 7, "1": 9},
)


def test_the_file_is_sorted_one_entry_a_line_and_reads_back():
    text = BASELINE.text()
    assert parse(text.encode("utf-8", "backslashreplace"), "b.json") == BASELINE
    rows = [line.strip().rstrip(",") for line in text.splitlines() if '"rule"' in line]
    assert [json.loads(row)["rule"] for row in rows] == ["a-rule", "a-rule", "a-rule", "z-rule"]
    assert text.index('"GET /a"') < text.index('"GET /orders"')


def test_the_order_in_which_findings_came_changes_nothing():
    turned = BASELINE._replace(entries=dict(reversed(list(BASELINE.entries.items()))), shapes={"1": 9, "2": 7})
    assert turned.text() == BASELINE.text()


def test_nothing_known_is_a_whole_file_too():
    empty = Baseline("b.json", {})
    assert parse(empty.text().encode(), "b.json") == empty


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not valid JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[]", "not a baseline"),
        (b'{"version": 1}', "not a baseline"),
        (b'{"dbguard": "capture", "version": 1}', "not a baseline"),
        (b'{"dbguard": "baseline", "version": 2, "findings": []}', "newer dbguard"),
        (b'{"dbguard": "baseline", "version": "1", "findings": []}', "version"),
        (b'{"dbguard": "baseline", "version": true, "findings": []}', "version"),
        (b'{"dbguard": "baseline", "version": 1}', "`findings` must be a list"),
        (b'{"dbguard": "baseline", "version": 1, "findings": [7]}', "findings[0]"),
        (b'{"dbguard": "baseline", "version": 1, "findings": [{"rule": "a"}, {"rule": 7}]}', "findings[1]"),
        (b'{"dbguard": "baseline", "version": 1, "findings": [{"shape": "a"}]}', "findings[0]"),
        (b'{"dbguard": "baseline",\n<<<<<<< HEAD\n"version": 1}', "merge conflict"),
    ],
)
def test_a_file_that_makes_no_sense_says_why(raw: bytes, said: str):
    with pytest.raises(UnreadableSource) as told:
        parse(raw, "b.json")
    assert said in str(told.value)
    assert str(told.value).startswith("b.json: ")


@pytest.mark.parametrize(
    "budgets", [None, 7, [], {"units": 7, "shapes": []}, {"units": {"a": "x", "b": -1, "c": True}, "shapes": {"a": 7, "b": {"calls": None}}}]
)
def test_budgets_that_make_no_sense_are_none(budgets: object):
    found = parse(json.dumps({"dbguard": "baseline", "version": 1, "findings": [], "budgets": budgets}).encode(), "b.json")
    assert (found.units, found.shapes) == ({}, {})


def test_unknown_keys_are_left_alone():
    found = parse(b'{"dbguard": "baseline", "version": 1, "findings": [{"rule": "a", "since": "x"}], "more": 1}', "b.json")
    assert list(found.entries) == [Entry("a")]


def test_no_file_is_an_error_that_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match="baseline write"):
        read(Config(root=str(tmp_path), cwd=str(tmp_path), baseline="b.json"))


def test_a_name_on_the_command_line_is_relative_to_the_working_directory():
    configured = Config(root="/shop", cwd="/shop/web", baseline="b.json")
    assert place_of(configured) == ("/shop/b.json", "/shop/b.json")
    assert place_of(configured._replace(given={"baseline": "the command line"})) == ("/shop/web/b.json", "b.json")


def test_costs_are_written_and_read_and_a_file_without_them_is_fine() -> None:
    known = Baseline("b.json", {}, {"test": 3}, {"a": 2, "b": 1}, {"a": 12.5, "c": 3.0})
    read = parse(known.text().encode(), "b.json")
    assert (read.units, read.shapes, read.costs) == ({"test": 3}, {"a": 2, "b": 1}, {"a": 12.5, "c": 3.0})
    odd = b'{"dbguard": "baseline", "version": 1, "findings": [], "budgets": {"shapes": {"a": {"calls": 2}, "b": {"cost": -1}, "c": {"cost": "x"}}}}'
    assert (parse(odd, "b.json").shapes, parse(odd, "b.json").costs) == ({"a": 2}, {})

"""Which values are tried, and that none of them is ever told."""

from __future__ import annotations

import pytest

from dbguard.model.plan import nodes
from dbguard.planning.plans import of_text
from dbguard.planning.sweep import MOST_CHOICES, Bound, Values, bounds, choices, sample, without_values

PLAN = """Nested Loop  (cost=0.29..100.00 rows=10 width=8)
  ->  Seq Scan on public.orders o  (cost=0.00..50.00 rows=10 width=8)
        Filter: ((o.status = $1) AND (o.placed_at >= $2) AND ((o.code)::text = ($3)::text) AND (o.kind = ANY ($4)) AND (o.name ~~ $5))
  ->  Index Scan using c_pkey on shop.customers c  (cost=0.29..5.00 rows=1 width=8)
        Index Cond: ((c.id = o.customer_id) AND ($6 < c."Tenant Id"))
        Filter: (c.note <> ('$7'::text || (now())::text))"""
STATUS = Values(("delivered", "pending", "lost"), (0.9, 0.09, 0.01))
TENANT = Values(("1", "7", "9"), (0.8, 0.01, 0.005), ("2", "55", "300"))


def test_parameters_are_found_beside_their_columns():
    found = bounds(of_text(PLAN)[0])
    assert found == {
        1: Bound(1, "public.orders", "status", "="),
        2: Bound(2, "public.orders", "placed_at", ">="),
        3: Bound(3, "public.orders", "code", "="),
        4: Bound(4, "public.orders", "kind", "=", listed=True),
        5: Bound(5, "public.orders", "name", "~~"),
        6: Bound(6, "shop.customers", "Tenant Id", ">"),
    }


def test_common_middling_rare_and_absent_values_are_tried():
    found = choices({1: Bound(1, "t", "tenant_id", "=")}, ("integer",), {("t", "tenant_id"): TENANT})
    assert [one.values for one in found] == [("1",), ("7",), ("55",), ("301",)]
    assert [one.words for one in found] == [
        ("tenant_id: the most common (80 % of rows)",),
        ("tenant_id: a middling one (1 % of rows)",),
        ("tenant_id: a rare one",),
        ("tenant_id: one that is not there",),
    ]


@pytest.mark.parametrize("kind", ["order_status", "shop.order_status", "inet", "bytea", "text_state", "daterange"])
def test_no_value_is_made_up_for_a_type_that_does_not_take_any_text(kind: str):
    found = choices({1: Bound(1, "t", "status", "=")}, (kind,), {("t", "status"): STATUS})
    assert [one.values for one in found] == [("delivered",), ("pending",), ("lost",)]


@pytest.mark.parametrize("kind", ["text", "character varying", "character", "citext", "public.citext"])
def test_an_absent_word_is_tried_where_any_text_is_taken(kind: str):
    found = choices({1: Bound(1, "t", "status", "=")}, (kind,), {("t", "status"): STATUS})
    assert [one.values for one in found][3] == ("absentabs",)


def test_a_choice_with_an_absent_value_is_known_for_one():
    found = choices({1: Bound(1, "t", "tenant_id", "=")}, ("integer",), {("t", "tenant_id"): TENANT})
    plan = of_text(PLAN)[0]
    assert [sample(one, plan).absent for one in found] == [False, False, False, True]
    assert not sample(None, plan).absent


def test_a_pattern_that_the_query_writes_itself_is_no_beginning():
    bound, known = {1: Bound(1, "t", "status", "~~"), 2: Bound(2, "t", "status", "=")}, {("t", "status"): STATUS}
    assert {one.values[0] for one in choices(bound, ("text", "text"), known)} == {"del%", "pen%"}
    assert {one.values[0] for one in choices(bound, ("text", "text"), known, 0)} == {"%absent%"}
    assert choices({1: bound[1]}, ("text",), known, 0) == ()


def test_ends_and_middle_of_a_range_are_tried():
    histogram = tuple(str(number) for number in range(101))
    found = choices({1: Bound(1, "t", "n", ">")}, ("integer",), {("t", "n"): Values((), (), histogram)})
    assert {one.values for one in found} == {("50",), ("1",), ("99",)}


def test_choices_are_few_however_many_parameters_there_are():
    bound = {number: Bound(number, "t", f"c{number}", "=") for number in range(1, 9)}
    known = {("t", f"c{number}"): STATUS for number in range(1, 9)}
    found = choices(bound, ("text",) * 8, known)
    assert len(found) == MOST_CHOICES
    assert len({one.values for one in found}) == MOST_CHOICES


def test_large_and_small_tenants_are_tried_first():
    bound = {1: Bound(1, "t", "status", "="), 2: Bound(2, "t", "tenant_id", "=")}
    found = choices(bound, ("text", "integer"), {("t", "status"): STATUS, ("t", "tenant_id"): TENANT})
    assert {one.values[1] for one in found} == {"1", "7", "55", "301"}


def test_without_statistics_there_is_nothing_to_choose():
    assert choices({}, ("integer", "text"), {}) == ()
    assert choices({1: Bound(1, "t", "c", "=")}, ("integer",), {("t", "c"): Values()}) == ()


def test_words_hold_no_value():
    found = choices({1: Bound(1, "t", "status", "="), 2: Bound(2, "t", "status", "~~")}, ("text", "text"), {("t", "status"): STATUS})
    told = " ".join(words for one in found for words in one.words)
    assert not any(value in told for value in STATUS.common)


def test_a_plan_for_values_is_told_without_them():
    text = """Index Scan using i on t  (cost=0.29..5.00 rows=1 width=8)
  Index Cond: ((t.a_1 = 42) AND (t."b 2" = 'it''s secret'::text) AND (t.c = ANY ('{x,y}'::text[])) AND (t.d > '2020-01-01 00:00:00+00'::timestamp with time zone))
  Filter: (t.e < -3.5)"""
    hidden = without_values(of_text(text)[0])
    shown = str([node.facts for node in nodes(hidden.root)])
    assert hidden.json == {}
    assert not any(value in shown for value in ("42", "secret", "x,y", "2020", "3.5"))
    assert "t.a_1 = ?" in shown
    subplan = without_values(of_text("Seq Scan on t  (cost=0.00..5.00 rows=1 width=8)\n  Filter: (NOT (ANY (t.a = (hashed SubPlan 1).col1)))")[0])
    assert "hashed SubPlan 1" in str(subplan.root.facts["Filter"])
    assert '"b 2"' in shown

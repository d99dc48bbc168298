"""What each node costs on its own."""

from __future__ import annotations

from typing import Any

import pytest

from dbguard.planning.measures import measures, shape_of
from dbguard.planning.plans import of_json, of_text

PARALLEL = """Gather  (cost=1000.00..2000.00 rows=1000 width=12) (actual time=1.000..30.000 rows=1000 loops=1)
  Workers Planned: 2
  Workers Launched: 2
  ->  Parallel Seq Scan on orders  (cost=0.00..1000.00 rows=420 width=12) (actual time=1.000..27.000 rows=333 loops=3)
        Filter: (status = 'lost'::text)
        Rows Removed by Filter: 33000"""
CTE = """CTE Scan on x  (cost=10.00..20.00 rows=100 width=4) (actual time=1.000..9.000 rows=100 loops=1)
  CTE x
    ->  Seq Scan on t  (cost=0.00..10.00 rows=100 width=4) (actual time=0.500..8.000 rows=100 loops=1)"""
LOOP = """Nested Loop  (cost=0.00..100.00 rows=10 width=4) (actual time=1.000..21.000 rows=1000 loops=1)
  ->  Seq Scan on a  (cost=0.00..10.00 rows=10 width=4) (actual time=0.010..1.000 rows=1000 loops=1)
  ->  Index Scan using b_pkey on b  (cost=0.00..8.00 rows=1 width=4) (actual time=0.010..0.018 rows=1 loops=1000)
        Index Cond: (id = a.id)"""


def test_shares_of_a_plan_are_the_whole(explained: list[Any]):
    for sql, _, _, document in explained:
        plan = of_json(document)[0]
        found = measures(plan)
        if plan.cost:
            assert sum(one.share for one in found) == pytest.approx(1.0), sql
        assert all(one.own_cost >= 0 and (one.own_seconds or 0) >= 0 for one in found)
        assert [one.number for one in found] == list(range(len(found)))


def test_time_below_gather_is_wall_time():
    gather, scan = measures(of_text(PARALLEL)[0])
    assert scan.seconds == pytest.approx(0.027)
    assert gather.own_seconds == pytest.approx(0.003)
    assert scan.removed == 99_000


def test_time_of_a_cte_is_counted_once_where_it_is_read():
    scan, inner = measures(of_text(CTE)[0])
    assert scan.own_seconds == pytest.approx(0.001)
    assert inner.own_seconds == pytest.approx(0.008)


def test_an_inner_side_counts_every_round():
    join, outer, inner = measures(of_text(LOOP)[0])
    assert inner.seconds == pytest.approx(0.018)
    assert join.own_seconds == pytest.approx(0.002)
    assert (outer.error, outer.under) == (100.0, True)
    assert inner.error == 1.0


def test_an_estimated_inner_side_runs_once_for_each_outer_row():
    text = "\n".join(line.split(" (actual")[0] for line in LOOP.splitlines())
    assert measures(of_text(text)[0])[2].times == 10.0


def test_under_a_limit_only_a_part_of_the_rows_is_asked_for():
    text = """Limit  (cost=0.00..5.00 rows=10 width=8)
  ->  Seq Scan on orders  (cost=0.00..500.00 rows=1000 width=8)"""
    limit, scan = measures(of_text(text)[0])
    assert (limit.part, scan.part) == (1.0, 0.01)
    assert scan.cost == 5.0
    assert scan.stops_early


def test_a_sort_below_a_limit_reads_everything():
    text = """Limit  (cost=600.00..600.03 rows=10 width=8)
  ->  Sort  (cost=600.00..602.50 rows=1000 width=8)
        ->  Seq Scan on orders  (cost=0.00..500.00 rows=1000 width=8)"""
    assert measures(of_text(text)[0])[2].part == 1.0
    assert not measures(of_text(text)[0])[2].stops_early


def test_a_node_that_never_ran_has_no_error():
    text = """Append  (cost=0.00..20.00 rows=200 width=8) (actual time=0.100..0.200 rows=1 loops=1)
  ->  Seq Scan on a  (cost=0.00..10.00 rows=1 width=8) (actual time=0.100..0.200 rows=1 loops=1)
  ->  Seq Scan on b  (cost=0.00..10.00 rows=199 width=8) (never executed)"""
    assert measures(of_text(text)[0])[2].error is None


def test_shapes_differ_by_index_and_by_join_and_not_by_cost():
    one = of_text(LOOP)[0]
    assert shape_of(one) == shape_of(of_text(LOOP.replace("rows=10 ", "rows=99 ").replace("100.00", "900.00"))[0])
    assert shape_of(one) != shape_of(of_text(LOOP.replace("b_pkey", "b_other"))[0])
    assert shape_of(one) != shape_of(of_text(LOOP.replace("Nested Loop", "Nested Loop Left Join"))[0])

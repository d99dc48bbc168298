"""Growth, times and sentences: numbers to words."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest

from dbguard.errors import UnreadableSource, UsageError
from dbguard.model.plan import Node, Plan, Size
from dbguard.pipelines.plans_inspect import plan_step
from dbguard.planning import growth, times
from dbguard.planning.plans import of_text
from dbguard.planning.sentence import sentence


def plan(cost: float, rows: float = 1.0, kind: str = "Seq Scan", index: str = "") -> Plan:
    return Plan(Node(kind, total_cost=cost, rows=rows, relation="public.orders", alias="orders", index=index))


def test_a_scan_grows_in_step_with_its_table():
    found = growth.growth({1.0: plan(90), 10.0: plan(900), 100.0: plan(9_500)})
    assert growth.slope(found) == pytest.approx(1.0, abs=0.02)
    assert growth.words(found, plan(90)) == ("cost grows in step with `orders`: 90 now, 900 at 10 times, 9,500 at 100 times",)


def test_a_lookup_does_not_grow():
    found = growth.growth({1.0: plan(8.3), 10.0: plan(8.5), 100.0: plan(8.6)})
    assert growth.words(found, plan(8.3))[0].startswith("cost stays as it is")


def test_another_plan_and_a_growing_result_are_said():
    found = growth.growth({1.0: plan(90, 500), 10.0: plan(2_000, 5_000), 100.0: plan(40_000, 50_000, "Index Scan", "i")})
    said = growth.words(found, plan(90))
    assert said[0].startswith("cost grows faster than `orders`")
    assert said[1:] == ("at 100 times the data the plan is another one", "the result grows, too: 500 rows now, 50,000 rows at 100 times")


def test_where_the_plan_changes_it_is_said_how():
    plans = {1.0: plan(90), 10.0: plan(900), 100.0: plan(40_000, 1, "Index Scan", "i")}
    said = growth.words(growth.growth(plans), plan(90), grown=plans)
    assert said[1] == "at 100 times the data the plan is another one: Index Scan using i on orders instead of Seq Scan on orders"
    parallel = Plan(Node("Gather", total_cost=900, rows=1, children=(plan(800).root,)))
    plans = {1.0: plan(90), 10.0: parallel}
    assert growth.words(growth.growth(plans), plan(90), grown=plans)[1] == "at 10 times the data the plan is another one: with Gather"


def test_partitions_grow_as_one_table():
    parts = "".join(f"\n  ->  Seq Scan on events_{number} events_{number - 2019}  (cost=0.00..20.00 rows=90 width=8)" for number in range(2020, 2023))
    append = f"Append  (cost=0.00..60.00 rows=270 width=8){parts}"
    joined = f"Hash Join  (cost=50.00..120.00 rows=9 width=8)\n  ->  {append.replace(chr(10), chr(10) + '      ')}"
    whole = f"{joined}\n  ->  Hash  (cost=30.00..30.00 rows=90 width=8)\n        ->  Seq Scan on users  (cost=0.00..30.00 rows=90 width=8)"
    assert growth.main_table(of_text(append)[0]) == "`events`"
    assert growth.main_table(of_text(whole)[0]) == "`events`"  # each of its partitions costs less than users
    known = {f"events_{number}": Size(90, 5, whole="log.events") for number in range(2020, 2023)}
    assert growth.main_table(of_text(append)[0], known) == "`log.events`"
    assert "all of `log.events` in 3 partitions" in sentence(plan_step(of_text(append)[0], sizes=known))
    assert growth.main_table(of_text("Seq Scan on orders o_1  (cost=0.00..20.00 rows=90 width=8)")[0]) == "`orders`"


def test_a_result_that_stays_small_is_not_said_to_grow():
    found = growth.growth({1.0: plan(90, 1), 100.0: plan(9_000, 20)})
    assert len(growth.words(found, plan(90))) == 1


def test_one_size_says_nothing_about_growth():
    assert growth.words(growth.growth({1.0: plan(90)}), plan(90)) == ()


def test_costs_become_times_when_they_are_calibrated():
    found = growth.growth({1.0: plan(100), 10.0: plan(1_000)})
    fitted = times.Times(intercept=-2.0, slope=1.0, factor=2.0, pairs=50)
    assert growth.words(found, plan(100), fitted)[0].endswith("about 1 ms now, about 10 ms at 10 times")


def test_a_line_is_found_through_noise_and_outliers():
    chance = random.Random(3)
    pairs = [(float(cost), 0.01 * cost * 10 ** chance.uniform(-0.2, 0.2)) for cost in range(10, 5_000, 7)] + [(50.0, 90_000.0)] * 5
    fitted = times.fit(pairs)
    assert fitted.slope == pytest.approx(1.0, abs=0.05)
    assert times.seconds(1_000, fitted)[0] == pytest.approx(0.0125, rel=0.5)
    assert 0.85 <= times.spread(pairs, fitted) <= 0.95


def test_few_pairs_or_pairs_of_one_cost_are_refused():
    with pytest.raises(UsageError, match="too few"):
        times.fit([(10.0, 1.0)] * 3)
    with pytest.raises(UsageError, match="the same cost"):
        times.fit([(10.0, 1.0)] * 100)


def test_a_calibration_is_kept_in_a_file(tmp_path: Path):
    fitted = times.fit([(float(cost), cost / 50) for cost in range(10, 2_000, 9)])
    path = tmp_path / "times.json"
    path.write_text(times.saved(fitted))
    assert times.load(path) == fitted


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2}', json.dumps({"version": 1, **times.Times(slope=math.inf)._asdict()}), '{"version": 1}']
)
def test_what_is_no_calibration_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "times.json"
    path.write_text(text)
    with pytest.raises(UnreadableSource):
        times.load(path)


def test_pairs_are_read_from_a_log():
    log = """2026-11-21 10:00:00 UTC [1] LOG:  duration: 12.500 ms  plan:
\tQuery Text: SELECT 1
\tSeq Scan on orders  (cost=0.00..2176.00 rows=1010 width=12)
2026-11-21 10:00:01 UTC [1] LOG:  duration: 0.021 ms  plan:
\t{"Query Text": "SELECT 2", "Plan": {"Node Type": "Result", "Total Cost": 0.01}}
2026-11-21 10:00:02 UTC [1] LOG:  duration: 3.000 ms  statement: SELECT 3
2026-11-21 10:00:03 UTC [1] LOG:  duration: 3.000 ms  plan:
\tgarbage
"""
    assert times.pairs_in(log) == [(2176.0, 12.5), (0.01, 0.021)]
    assert times.pairs_in("LOG:  duration: 3.000 ms  statement: SELECT 3\n") == []
    assert times.pairs_in("") == []
    messages = [one for one in log.split("2026-11-21 10:00:") if "plan:" in one]
    objects = "".join(json.dumps({"timestamp": "now", "message": one.split("LOG:  ")[1]}) + "\n" for one in messages)
    assert times.pairs_in(f"{{broken\n{objects}[]\n") == times.pairs_in(log)


SCAN = """Seq Scan on public.orders  (cost=0.00..2176.00 rows=1010 width=12)
  Filter: (orders.status = 'lost'::text)"""


def test_a_sentence_says_what_is_read_and_what_comes_back():
    step = plan_step(of_text(SCAN)[0], sizes={"public.orders": Size(100_000, 926)})
    assert sentence(step) == (
        "reads all of `orders` (100,000 rows, 7.2 MB) and returns about 1,010 rows, at a cost of 2,176; what it reads grows with `orders`"
    )


def test_a_scan_that_a_limit_ends_does_not_read_all():
    text = f"Limit  (cost=0.00..5.34 rows=10 width=8)\n  ->  {SCAN.replace(chr(10), chr(10) + '      ')}"
    step = plan_step(of_text(text)[0], sizes={"public.orders": Size(100_000, 926)})
    assert "all of" not in sentence(step)
    assert "grows" not in sentence(step)


def test_how_many_rows_are_read_is_said_where_it_is_known():
    scan = of_text(SCAN)[0]
    assert sentence(plan_step(scan)).startswith("reads all of `orders` and returns about 1,010 rows")
    assert "all of `orders` (7.2 MB)" in sentence(plan_step(scan, sizes={"public.orders": Size(0, 926, guessed=True)}))
    assert "all of `orders` (0 rows)" in sentence(plan_step(scan, sizes={"public.orders": Size(0, 0)}))
    assert "all of `orders` (1,010 rows)" in sentence(plan_step(of_text(SCAN.split("\n", maxsplit=1)[0])[0]))


def test_rows_are_whole():
    text = "Index Scan using i on orders  (cost=0.29..63.44 rows=5 width=10) (actual time=0.1..0.2 rows=4.60 loops=1)"
    assert sentence(plan_step(of_text(text)[0])).startswith("reads 5 rows of `orders` through `i` and returns 5 rows")


def test_what_a_cache_remembers_is_not_read_again():
    text = """Nested Loop  (cost=0.00..4640.00 rows=50000 width=8)
  ->  Seq Scan on a  (cost=0.00..1373.00 rows=50000 width=8)
  ->  Memoize  (cost=0.00..251.00 rows=1 width=8)
        Cache Key: a.tenant_id
        ->  Seq Scan on fresh  (cost=0.00..251.00 rows=9 width=8)"""
    assert "all of `fresh` (117 rows, 13 times)" in sentence(plan_step(of_text(text)[0]))
    assert "50,000 times" in sentence(plan_step(of_text(text.replace("..4640", "..12900000"))[0]))


def test_a_change_says_what_it_changes():
    text = """Update on orders  (cost=0.29..63.44 rows=0 width=0)
  ->  Index Scan using orders_pkey on orders  (cost=0.29..63.44 rows=930 width=10)
        Index Cond: (id < 1000)"""
    assert sentence(plan_step(of_text(text)[0])).startswith("reads 930 rows of `orders` through `orders_pkey` and updates about 930 rows of `orders`")


def test_partitions_are_one_table_in_a_sentence():
    parts = "".join(
        f"\n  ->  Seq Scan on events_{year} events_{number}  (cost=0.00..20.00 rows=90 width=8)" for number, year in enumerate(range(2020, 2023), 1)
    )
    assert "all of `events` in 3 partitions (270 rows)" in sentence(plan_step(of_text(f"Append  (cost=0.00..60.00 rows=270 width=8){parts}")[0]))


def test_a_query_without_tables_reads_none():
    assert sentence(plan_step(of_text("Result  (cost=0.00..0.01 rows=1 width=4)")[0])).startswith("reads no table and returns about 1 row")

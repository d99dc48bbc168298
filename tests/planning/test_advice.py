"""Choosing among indexes: the costs here are a table, so that the best choice is known."""

from __future__ import annotations

import random
from itertools import combinations

from dbguard.planning.advice import Load, Option, Set, Workload, choose, is_worth_telling, narrower


def workload(
    tables: dict[int, dict[frozenset[int], float]], sizes: dict[int, int], *, weights: dict[int, float] | None = None, upkeep: float = 0.0
) -> Workload:
    """Queries whose cost is that of the best of the listed sets that exist."""
    every = frozenset(sizes)

    def cost(query: int, chosen: Set) -> tuple[float, Set]:
        return min(((value, need) for need, value in tables[query].items() if need <= chosen), key=lambda one: one[0])

    loads = [Load(query, (weights or {}).get(query, 1.0), every) for query in tables]
    return Workload(loads, [Option(number, "t", size, upkeep) for number, size in sizes.items()], cost)


def best(work: Workload, budget: int) -> float:
    """The least that any set within the budget costs."""
    numbers = list(work.options)
    sets = [frozenset(some) for size in range(len(numbers) + 1) for some in combinations(numbers, size)]
    return min(work.total(one) for one in sets if work.size(one) <= budget)


NONE: frozenset[int] = frozenset()


def test_an_index_that_helps_is_chosen_and_one_that_does_not_is_not():
    work = workload({0: {NONE: 1000.0, frozenset([1]): 10.0, frozenset([2]): 999.0}}, {1: 100, 2: 100})
    assert choose(work) == (1,)


def test_nothing_is_chosen_where_nothing_helps():
    assert choose(workload({0: {NONE: 1000.0}}, {1: 100, 2: 100})) == ()


def test_the_budget_is_kept():
    work = workload({0: {NONE: 1000.0, frozenset([1]): 1.0, frozenset([2]): 300.0}}, {1: 500, 2: 90})
    assert choose(work, 100) == (2,)
    assert choose(work, 50) == ()


def test_queries_that_are_sent_often_count_more():
    tables = {0: {NONE: 100.0, frozenset([1]): 1.0}, 1: {NONE: 200.0, frozenset([2]): 2.0}}
    assert choose(workload(tables, {1: 60, 2: 60}, weights={0: 1000.0}), 100) == (1,)
    assert choose(workload(tables, {1: 60, 2: 60}, weights={0: 1.0}), 100) == (2,)


def test_writes_can_cost_more_than_an_index_saves():
    tables = {0: {NONE: 100.0, frozenset([1]): 40.0}}
    assert choose(workload(tables, {1: 10})) == (1,)
    assert choose(workload(tables, {1: 10}, upkeep=70.0)) == ()


def test_two_indexes_that_help_only_together_are_found():
    work = workload({0: {NONE: 1000.0, frozenset([1]): 950.0, frozenset([1, 2]): 5.0}}, {1: 10, 2: 10})
    assert set(choose(work)) == {1, 2}


def test_one_that_the_others_make_useless_is_dropped():
    tables = {0: {NONE: 1000.0, frozenset([1]): 500.0, frozenset([2]): 10.0}, 1: {NONE: 900.0, frozenset([2]): 10.0}}
    assert choose(workload(tables, {1: 1, 2: 500})) == (2,)


def test_of_two_that_save_the_same_the_smaller_is_chosen():
    work = workload({0: {NONE: 5000.0, frozenset([1]): 10.0, frozenset([2]): 12.0}}, {1: 900, 2: 300})
    assert choose(work) == (2,)


def drawn(seed: int) -> tuple[dict[int, dict[frozenset[int], float]], dict[int, int]]:
    chance = random.Random(seed)
    sizes = {number: chance.randrange(10, 200) for number in range(8)}
    tables: dict[int, dict[frozenset[int], float]] = {}
    for query in range(6):
        start = chance.uniform(500, 5000)
        tables[query] = {NONE: start}
        for _ in range(5):
            need = frozenset(chance.sample(range(8), chance.choice([1, 1, 1, 2])))
            tables[query][need] = start * chance.uniform(0.01, 0.9)
    return tables, sizes


def test_choices_are_the_best_but_for_pairs_that_a_small_budget_hides():
    ratios = []
    for seed in range(20):
        for budget in (150, 300, 600):
            work = workload(*drawn(seed))
            chosen = frozenset(choose(work, budget))
            assert work.size(chosen) <= budget
            ratios.append(work.total(chosen) / best(work, budget))
    assert sorted(ratios)[int(len(ratios) * 0.9)] <= 1.05
    assert max(ratios) <= 1.25


def test_only_clear_gains_are_told():
    assert is_worth_telling(1000.0, 10.0)
    assert not is_worth_telling(1000.0, 700.0)
    assert not is_worth_telling(8.0, 1.0)


def test_the_first_keys_of_another_are_narrower():
    assert narrower({1: ("t", "a"), 2: ("t", "a", "b"), 3: ("u", "a"), 4: ("t", "b")}) == {1: (), 2: (1,), 3: (), 4: ()}

"""Which of many indexes to create for a whole workload, under a budget of bytes. Costs come from a planner that is asked; nothing is guessed.

In: for each query a function from a set of candidates to its cost; sizes and write costs of candidates. Out: the chosen candidates, in
the order of what they save. The greedy part goes the way of Extend (Schlosser, Kossmann, Boissier, ICDE 2019): the step that saves most for
each byte, over and over; every prefix of a candidate may be one as well, so that a wide index grows out of a narrow one. What it
misses is looked for afterwards by dropping, exchanging and a second run that looks at savings alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations

from dbguard.model.record import Record

LEAST = 0.003  # part of the workload's cost that a step must save
TRIFLE = 10.0  # cost that nobody notices: a few pages
ALL_TRIED = 9  # options of which every set is tried
PAIRED = 12  # options that are tried two at a time
IMPROVED = 2  # of the greedy runs
SEEDS = 4  # single options that a run begins with
Set = frozenset[int]


class Option(Record):
    """A candidate: where it stands, how large it is, what its maintenance costs in planner's units over the period of the weights."""

    number: int
    table: str
    size: int
    upkeep: float = 0.0
    narrower: tuple[int, ...] = ()  # options whose keys are the first ones of this


class Load(Record):
    """One query: how often it is sent, and the options on its tables."""

    number: int
    weight: float
    options: Set


Cost = Callable[[int, Set], tuple[float, Set]]
"""Cost of a query, by number, when these options exist, and those of them that its plan uses."""


class Workload:
    """Costs of sets of options. Only what a query can see is asked for, and once."""

    def __init__(self, loads: Sequence[Load], options: Iterable[Option], cost: Cost) -> None:
        self.loads = loads
        self.options = {one.number: one for one in options}
        self._cost = cost
        self._matters: dict[int, Set] = {one.number: one.options for one in loads}
        self._known: dict[tuple[int, Set], tuple[float, Set]] = {}
        self._planned: dict[int, list[tuple[Set, float, Set]]] = {}
        self.asked = 0
        self.useful: list[int] | None = None

    def query(self, load: Load, chosen: Set) -> float:
        return self.planned(load, chosen)[0]

    def planned(self, load: Load, chosen: Set) -> tuple[float, Set]:
        """What the query costs, and the options that its plan uses.

        More options never make a plan dearer. So where a smaller set costs what a larger one does, the sets between cost the same and are not
        asked for; and a plan that uses `used` of a set is the best for every smaller one that has `used`.
        """
        key = load.number, chosen & self._matters[load.number]
        found = self._known.get(key)
        if found is None:
            before = self._planned.setdefault(load.number, [])
            found = _between(before, key[1])
            if found is None:
                self.asked += 1
                found = self._cost(*key)
                before.append((key[1], *found))
            self._known[key] = found
        return found

    def narrow(self, load: Load, options: Set) -> None:
        """From now on only these options are taken to matter to a query."""
        self._matters[load.number] = options

    def total(self, chosen: Set) -> float:
        """Weighted cost of all queries and of maintaining what was chosen."""
        return sum(load.weight * self.query(load, chosen) for load in self.loads) + sum(self.options[one].upkeep for one in chosen)

    def size(self, chosen: Iterable[int]) -> int:
        return sum(self.options[one].size for one in chosen)


def _between(known: Iterable[tuple[Set, float, Set]], wanted: Set) -> tuple[float, Set] | None:
    """What is known of a set by those above and below it."""
    least, best = 0.0, None
    for one, cost, used in known:
        if one >= wanted:
            if used <= wanted:
                return cost, used
            least = max(least, cost)
        elif used <= wanted and (best is None or cost < best[0]):
            best = cost, used
    return best if best is not None and best[0] <= least * 1.0001 else None


def choose(work: Workload, budget: int | None = None) -> tuple[int, ...]:
    """The options to create, the most useful first."""
    if work.useful is None:
        work.useful = _useful(work)
    useful = work.useful
    whole = work.size(useful) + 1 if budget is None else budget
    if len(useful) <= ALL_TRIED:
        sets = (frozenset(some) for size in range(len(useful) + 1) for some in combinations(useful, size))
        exact = min((one for one in sets if work.size(one) <= whole), key=work.total)
        return _ordered(work, _slimmed(work, _dropped(work, exact), useful))
    runs = [_greedy(work, useful, whole, per_byte=True), _greedy(work, useful, whole, per_byte=False)]
    alone = sorted(useful, key=lambda one: work.total(frozenset([one])))
    runs += [_greedy(work, useful, whole, per_byte=True, begin=frozenset([one])) for one in alone[:SEEDS] if work.options[one].size <= whole]
    promising = sorted(set(runs), key=work.total)[:IMPROVED]
    best = min((_slimmed(work, _improved(work, run, useful, whole), useful) for run in promising), key=work.total)
    return _ordered(work, best)


def _ordered(work: Workload, chosen: Set) -> tuple[int, ...]:
    return tuple(sorted(chosen, key=lambda one: (work.total(chosen) - work.total(chosen - {one}), one)))


ROUNDS = 4


def _useful(work: Workload) -> list[int]:
    """Options that, alone or beside others of its query, make some query cheaper."""
    every: set[int] = set()
    for load in work.loads:
        found: set[int] = set()
        before = work.query(load, frozenset())
        left = load.options
        for _ in range(ROUNDS):  # the best ones together, then the best without these
            cost, used = work.planned(load, left)
            if cost >= before * 0.99 or not used:
                break
            found |= used
            left = left - used
        found |= {one for one in load.options if work.query(load, frozenset([one])) < before * 0.99}
        work.narrow(load, frozenset(found))
        every |= found
    return sorted(every)


def _greedy(work: Workload, useful: Sequence[int], budget: int, *, per_byte: bool, begin: Set = frozenset()) -> Set:
    chosen = begin
    start, now = work.total(frozenset()), work.total(begin)
    while True:
        best: tuple[float, Set] | None = None
        used = work.size(chosen)
        for one in useful:
            if one in chosen:
                continue
            after = (chosen - set(work.options[one].narrower)) | {one}
            size = work.size(after)
            if size > budget:
                continue
            saved = now - work.total(after)
            if saved < LEAST * start:
                continue
            score = saved / max(size - used, 1) if per_byte else saved
            if best is None or score > best[0]:
                best = (score, after)
        if best is None:
            return chosen
        chosen = best[1]
        now = work.total(chosen)


def _improved(work: Workload, chosen: Set, useful: Sequence[int], budget: int) -> Set:
    """Without what saves nothing any more, and with exchanges of one for another, or for two, as long as they save."""
    best = sorted(useful, key=lambda one: work.total(frozenset([one])))[:PAIRED]
    additions = [frozenset([one]) for one in useful] + [frozenset(pair) for pair in combinations(best, 2)]
    for _ in range(20):
        chosen = _dropped(work, chosen)
        now = work.total(chosen)
        better = None
        for old in (None, *sorted(chosen)):
            rest = chosen if old is None else chosen - {old}
            for new in additions:
                if new & chosen or work.size(rest) + work.size(new) > budget:
                    continue
                total = work.total(rest | new)
                if total < now * (1 - LEAST) and (better is None or total < better[0]):
                    better = (total, rest | new)
        if better is None:
            return chosen
        chosen = better[1]
    return chosen


def _slimmed(work: Workload, chosen: Set, useful: Sequence[int]) -> Set:
    """With smaller options in the place of larger ones that save next to nothing more."""
    slack = TRIFLE * max((load.weight for load in work.loads), default=1.0)
    for old in sorted(chosen, key=lambda one: -work.options[one].size):
        rest, now = chosen - {old}, work.total(chosen)
        table = work.options[old].table
        others = [
            one for one in useful if work.options[one].table == table and work.options[one].size < work.options[old].size * 0.9 and one not in chosen
        ]
        for new in sorted(others, key=lambda one: work.options[one].size):
            if work.total(rest | {new}) <= now + max(LEAST * now, slack):
                chosen = rest | {new}
                break
    return chosen


def _dropped(work: Workload, chosen: Set) -> Set:
    while chosen:
        now = work.total(chosen)
        least = min(chosen, key=lambda one: work.total(chosen - {one}))
        if work.total(chosen - {least}) > now * (1 + LEAST / 3):
            return chosen
        chosen = chosen - {least}
    return chosen


def is_worth_telling(before: float, after: float, *, share: float = 0.5, least: float = 50.0) -> bool:
    """Whether a query gets at least twice as cheap, and was not cheap before."""
    return before >= least and after <= before * (1 - share)


def narrower(keys: Mapping[int, tuple[object, ...]]) -> dict[int, tuple[int, ...]]:
    """For each option those whose keys are the first ones of its own; keys begin with what must be equal: table, method, predicate."""
    found: dict[int, tuple[int, ...]] = {}
    for number, own in keys.items():
        found[number] = tuple(other for other, short in keys.items() if other != number and len(short) < len(own) and own[: len(short)] == short)
    return found

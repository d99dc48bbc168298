"""Calls of one unit that have one shape and one place, with what proves that they follow rows, or what else explains them.

In: a `Unit`. Out: its `Group`s in the order of their first calls. A count alone proves nothing: evidence is a relationship that an ORM
loaded lazily, parameters that stand in a column of an earlier result of several rows, or a line in a loop. Where nothing of that can be
known, in logs and traces, ten calls in a row with other parameters are a hint.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from dbguard.model.calls import Call, Load, Unit
from dbguard.model.units import Group, is_test_file, place_of
from dbguard.workload.causality import COVERED, MOST_BETWEEN, Results, holds, is_tree, is_walk, related
from dbguard.workload.shapes import asked

OF_THE_ORM = {"eager", "refresh", "flush"}
WRITES = {"insert", "update", "delete", "merge"}
MOST_LINKS = 10
MOST_GROUPS = 5_000
MOST_STEPS = 2  # from one call of a row to the next
MOST_IN_ROW = 1_000
LEAST_IN_ROW = 10
LEAST_IN_LOOP = 3  # calls in a loop whose parameters come from nowhere that is known


def is_counted(call: Call) -> bool:
    """Whether the user's code asked for this call by itself."""
    if call.error or call.many > 1 or (call.load is not None and call.load.event in OF_THE_ORM and not _is_for_one(call)):
        return False
    what = asked(call.sql)
    return (what.command == "select" and not what.catalog) or what.command in WRITES


def _is_for_one(call: Call) -> bool:
    """Whether what an ORM loads for many objects at once was loaded for one, as `prefetch_related_objects([order], "items")` does."""
    load = call.load
    return load is not None and load.event == "eager" and load.orm == "django" and len(call.parameters or ()) == 1 and call.loop is not None


def given(call: Call) -> tuple[str, ...]:
    """What tells one call of a shape from another."""
    return call.parameters or (call.sql,)


def _attribute(call: Call) -> tuple[str, str]:
    """Which attribute the ORM was loading, so that two of them on one line are told apart."""
    load = call.load
    return ("", "") if load is None or load.event not in {"lazy", "column", "eager"} else (load.owner, load.relationship)


def _is_many(call: Call) -> bool:
    """Whether a collection is loaded: it is asked for in several ways, while one object of a relationship is always asked for by its key."""
    return call.load is not None and call.load.many


def groups_of(unit: Unit) -> tuple[Group, ...]:
    if unit.phase not in {"", "call"}:
        return ()
    together: dict[tuple[object, ...], list[Call]] = {}
    for call in unit.calls:
        if is_counted(call):
            place = place_of(call)
            if place is not None and is_test_file(place.path) and unit.kind == "test":
                continue
            attribute = _attribute(call)
            what = attribute if attribute[1] and not _is_many(call) else asked(call.sql).key
            together.setdefault((place, call.column, what, attribute, call.database), []).append(call)
    results = Results(unit.calls)
    found: list[Group] = []
    for sent in together.values():
        calls = sent if place_of(sent[0]) is not None or sent[0].results else _in_a_row(sent, results, unit.kind)
        if len(calls) > 1 and len(found) < MOST_GROUPS:
            group = _group(calls, results, found)
            if group.evidence and not group.why_not and group.asked.command == "select":
                results.found(calls, len(found))
            found.append(group)
    return tuple(found)


def _in_a_row(calls: list[Call], results: Results, kind: str) -> list[Call]:
    """Logs and traces know neither lines nor results: of theirs, the longest row of calls that follow each other in one transaction or trace."""
    best, start = (0, 0), 0
    for index, call in enumerate(calls):
        last = calls[index - 1] if index > start else None
        follows = last is not None and results.at[call.number] - results.at[last.number] <= MOST_STEPS and call.transaction == last.transaction
        if not follows or (kind == "session" and not call.transaction) or index - start >= MOST_IN_ROW:
            start = index
        if index + 1 - start > best[1] - best[0]:
            best = start, index + 1
    return calls[best[0] : best[1]]


def _group(calls: list[Call], results: Results, others: list[Group]) -> Group:
    what = asked(calls[0].sql)
    different = len({(asked(call.sql).key, given(call)) for call in calls})
    group = Group(what, place_of(calls[0]), tuple(calls), calls[0].loop is not None and not calls[0].rounds, different, calls[0].load)
    if what.offset:
        texts = [asked(call.sql) for call in calls]
        group = group._replace(offsets=tuple([one.offset_at if one.offset == "constant" else -1 for one in texts]))
    if different < 2:
        return group._replace(why_not="same parameters")
    if what.command != "select":
        return group._replace(why_not=_why_no_write(group))
    group = group._replace(parent=results.parent(calls, what))
    group = group._replace(evidence=_evidence(group), why_not=_why_not(group, results))
    return _chain(group, others, results) if group.evidence and not group.why_not else group


def _evidence(group: Group) -> tuple[str, ...]:
    found = []
    if group.load is not None and group.load.event in {"lazy", "column"}:
        found.append("lazy")
    if group.load is not None and group.load.event == "eager":
        return ("parent",) if group.in_loop and group.parent is not None and group.parent.group < 0 and _is_sure(group) else ()
    if group.parent is not None and (found or group.in_loop or _is_no_accident(group)):
        found.append("parent")
    if group.in_loop and (found or group.different >= LEAST_IN_LOOP):
        found.append("loop")
    if not found and group.place is None and group.different >= LEAST_IN_ROW:
        found.append("row")
    return tuple(found)


def _is_no_accident(group: Group) -> bool:
    """Without a loop or a relationship, small numbers meet other small numbers: names must match, or the order of many rows."""
    parent = group.parent
    if parent is None:
        return False
    if related(parent.column, parent.asked, group.asked):
        return True
    values = next((result.values for result in parent.call.results if result.column == parent.column), ())
    at = {value: index for index, value in reversed(list(enumerate(values)))}
    order = [at[value] for call in group.calls for value in (call.parameters or ()) if value in at]
    return group.different > LEAST_IN_LOOP and order == sorted(order) and len(set(order)) >= group.different


def _why_not(group: Group, results: Results) -> str:
    what = group.asked
    evidence = _evidence(group)
    lazy = "lazy" in evidence
    if evidence == ("loop",) and has_transactions_of_their_own(group.calls):
        return "a transaction each"
    if group.load is not None and group.load.owner == "ContentType":
        return "kept by Django"
    if what.offset or what.keyset or what.window:
        return "paging"
    if _has_several_keys(group):
        return "several keys"
    if what.locks:
        return "locks"
    if not lazy and (why := _beside_writes(group, results)):
        return why
    if group.parent is None and is_tree(group.calls, what):
        return "tree"
    if group.parent is None and not lazy and is_walk(group.calls):
        return "walk"
    is_explained = not _is_sure(group) and results.from_single_rows(group.calls, surely=group.parent is not None)
    return "one row" if is_explained else ""


def _is_sure(group: Group) -> bool:
    """Whether the parent is one by more than its numbers, which others may have, too."""
    parent = group.parent
    if parent is None:
        return False
    return parent.group >= 0 or holds(parent.call, group.load) or related(parent.column, parent.asked, group.asked) > 0


def _why_no_write(group: Group) -> str:
    if _has_several_keys(group):
        return "several keys"
    return "a transaction each" if has_transactions_of_their_own(group.calls) else "fed by itself" if _feeds_itself(group.calls) else ""


def has_transactions_of_their_own(calls: Sequence[Call]) -> bool:
    """Whether each call is in another transaction, as in a worker whose loop takes one job after the other."""
    return all(call.transaction for call in calls) and len({call.transaction for call in calls}) == len(calls)


def _has_several_keys(group: Group) -> bool:
    """Whether one call asks for many rows by their keys already. A list of one is hashed as `[1]...`, of three as `[3]...`."""
    if any(asked(sql).many_keys for sql in {call.sql for call in group.calls}):
        return True
    lists = [value for call in group.calls for value in call.parameters or () if value.startswith("[")]
    return group.asked.listed and (not lists or any(not value.startswith("[1]") for value in lists))


def _beside_writes(group: Group, results: Results) -> str:
    """Rows that are read back after they were written, or read to be written."""
    table = set(group.asked.tables[:1])
    back = ahead = 0
    for call, before, after in _windows(group.calls, results):
        keys = {value for value in call.parameters or () if value not in {"", "?"}}
        back += any(_touches(one, table, keys) for one in before)
        ahead += any(_touches(one, table, keys) for one in after)
    enough = max(2, 0.5 * len(group.calls))
    return "read back" if back >= enough and back > ahead else "read then written" if ahead >= enough else "read back" if back >= enough else ""


def _touches(write: Call, tables: set[str], keys: set[str]) -> bool:
    what = asked(write.sql)
    if what.command not in WRITES or not tables & set(what.tables[:1]):
        return False
    known = {*(write.parameters or ()), *(value for result in write.results for value in result.values)}
    return not keys or not known or bool(keys & known)


def _windows(calls: Sequence[Call], results: Results) -> Iterator[tuple[Call, list[Call], list[Call]]]:
    """Each call with the writes between it and its neighbours in the group."""
    edges = [-1, *(results.at[call.number] for call in calls), len(results.calls)]
    between = [
        [call for call in results.calls[max(start + 1, end - MOST_BETWEEN) : end] if not call.error and asked(call.sql).command in WRITES]
        for start, end in itertools.pairwise(edges)
    ]
    for index, call in enumerate(calls):
        yield call, between[index], between[index + 1]


def _feeds_itself(calls: Sequence[Call]) -> bool:
    """Whether each write needs what the one before it returned."""
    fed = 0
    for before, call in itertools.pairwise(calls):
        fed += bool({value for result in before.results for value in result.values} & set(call.parameters or ()) - {"", "?"})
    return fed >= 0.5 * (len(calls) - 1)


def _chain(group: Group, others: list[Group], results: Results) -> Group:
    """The group with the relationships from the first query to its calls, as far as each belongs to what the one before it loads."""
    load, parent = group.load, group.parent
    if load is None or not load.relationship:
        return group
    chain = [load]
    while parent is not None and 0 <= parent.group < len(others) and len(chain) < MOST_LINKS:
        above = others[parent.group]
        if above.load is None or above.load.event not in {"lazy", "column"} or not above.load.relationship:
            break
        if above.load.event == "lazy":
            chain.insert(0, above.load)
        parent = above.parent
    call = parent.call if parent is not None else results.of_class(load.path[0][0] if load.path else load.owner, load, group.calls[0])
    while call is not None and call.load is not None and call.load.event == "eager" and call.load.relationship and len(chain) < MOST_LINKS:
        if not holds(call, chain[0]):
            break
        chain.insert(0, call.load)
        call = _source_of(call, results)
    if load.path:  # the ORM knows the way itself
        chain = [*(Load("lazy", owner, name, many, load.orm) for owner, name, many in load.path), load]
    root = call if call is not None else None
    whole = root is None or root.load is None or not root.load.owner or root.load.owner in {chain[0].owner, *chain[0].classes}
    return group._replace(chain=tuple(chain), whole=whole, root=root, loaded=(load.owner, load.relationship) in results.eager)


def _source_of(eager: Call, results: Results) -> Call | None:
    """The latest query of the same line whose result has the keys of an eager load."""
    keys = {value for value in eager.parameters or () if value not in {"", "?"}}
    at = results.at[eager.number]
    before = [call for call in results.calls[max(at - MOST_BETWEEN, 0) : at] if call.results and call.frames[:1] == eager.frames[:1]]
    if not keys:
        return None
    return next((call for call in reversed(before) if any(len(keys & set(one.values)) >= COVERED * len(keys) for one in call.results)), None)

"""Revisions as their files name them in, the order in which Alembic runs them out, and what keeps them from hanging together.

The order is that of `alembic upgrade heads` (`RevisionMap._topological_sort` of alembic/script/revision.py): from the heads down,
one branch as far as no other head needs it, then reversed. It is found here without Alembic, which takes a third of a second to
import, and for graphs that Alembic refuses: there, what does not hang together is cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dbguard.model.operations import HistoryProblem
from dbguard.model.record import Record


class Node(Record):
    """One revision file. Parents and dependencies by id; `depends` and `labels` may name branches."""

    id: str
    parents: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    path: str = ""


class Graph(Record):
    """`order` holds the positions of the nodes in the order in which they run, those that never run after their twins."""

    order: tuple[int, ...]
    problems: dict[int, tuple[HistoryProblem, ...]]
    shadowed: frozenset[int] = frozenset()  # another file with the same id runs instead


def arrange(nodes: Sequence[Node]) -> Graph:
    """Nodes in the order in which Alembic lists their files."""
    problems: dict[int, list[HistoryProblem]] = {}
    chosen, shadowed = _one_per_id(nodes, problems)
    labels = {label: node.id for node in nodes for label in node.labels if label not in chosen}
    down = {name: _present(nodes[place].parents, chosen, {}, place, name, problems) for name, place in chosen.items()}
    depends = {name: _present(nodes[place].depends, chosen, labels, place, name, problems) for name, place in chosen.items()}
    _cut_cycles(chosen, down, depends, problems)
    _several_heads(nodes, chosen, down, problems)
    order = [chosen[name] for name in reversed(_sorted(list(chosen), down, _needed(down, depends)))]
    for place in sorted(shadowed):
        order.insert(order.index(chosen[nodes[place].id]) + 1, place)
    return Graph(tuple(order), {place: tuple(found) for place, found in problems.items()}, frozenset(shadowed))


def _one_per_id(nodes: Sequence[Node], problems: dict[int, list[HistoryProblem]]) -> tuple[dict[str, int], set[int]]:
    """Of two files with one id Alembic takes the last, at the place of the first."""
    places: dict[str, list[int]] = {}
    for place, node in enumerate(nodes):
        places.setdefault(node.id, []).append(place)
    for name, found in places.items():
        if len(found) > 1:
            for place in found:
                others = tuple(nodes[other].path for other in found if other != place)
                problems.setdefault(place, []).append(HistoryProblem("duplicate", name, others))
    return {name: found[-1] for name, found in places.items()}, {place for found in places.values() for place in found[:-1]}


def _present(  # noqa: PLR0917
    names: Iterable[str], chosen: dict[str, int], labels: dict[str, str], place: int, name: str, problems: dict[int, list[HistoryProblem]]
) -> tuple[str, ...]:
    found = []
    for parent in dict.fromkeys(names):
        target = labels.get(parent, parent)
        if target in chosen:
            found.append(target)
        else:
            problems.setdefault(place, []).append(HistoryProblem("missing parent", name, (parent,)))
    return tuple(found)


def _cut_cycles(
    chosen: dict[str, int], down: dict[str, tuple[str, ...]], depends: dict[str, tuple[str, ...]], problems: dict[int, list[HistoryProblem]]
) -> None:
    edges = {name: (*down[name], *depends[name]) for name in chosen}
    for cycle in _cycles(edges):
        members = set(cycle)
        ring = tuple(name for name in chosen if name in members)
        for name in ring:
            problems.setdefault(chosen[name], []).append(HistoryProblem("cycle", name, ring))
            down[name] = tuple(parent for parent in down[name] if parent not in members)
            depends[name] = tuple(parent for parent in depends[name] if parent not in members)


def _cycles(edges: dict[str, tuple[str, ...]]) -> list[list[str]]:
    """Strongly connected components with more than one member, or with an edge to themselves (Tarjan, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found = []
    for root, first in edges.items():
        if root in index:
            continue
        work = [(root, iter(first))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            name, rest = work[-1]
            for below in rest:
                if below not in index:
                    index[below] = low[below] = len(index)
                    stack.append(below)
                    on_stack.add(below)
                    work.append((below, iter(edges[below])))
                    break
                if below in on_stack:
                    low[name] = min(low[name], index[below])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    at = stack.index(name)
                    component, stack[at:] = stack[at:], []
                    on_stack.difference_update(component)
                    if len(component) > 1 or name in edges[name]:
                        found.append(component)
    return found


def _several_heads(
    nodes: Sequence[Node], chosen: dict[str, int], down: dict[str, tuple[str, ...]], problems: dict[int, list[HistoryProblem]]
) -> None:
    """Heads that `alembic upgrade head` cannot choose between. Branches that all carry a label of their own are meant so."""
    has_next = {parent for parents in down.values() for parent in parents}
    heads = [name for name in chosen if name not in has_next]
    if len(heads) < 2 or any(chosen[name] in problems for name in heads):
        return
    labels = [frozenset(label for name in _ancestors([head], down) for label in nodes[chosen[name]].labels) for head in heads]
    if all(labels) and len(set(labels)) == len(heads):
        return
    for head in heads:
        problems.setdefault(chosen[head], []).append(HistoryProblem("heads", head, tuple(other for other in heads if other != head)))


def _ancestors(names: Iterable[str], edges: dict[str, tuple[str, ...]]) -> set[str]:
    """The names themselves and all that they come after."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(edges[name])
    return found


def _needed(down: dict[str, tuple[str, ...]], depends: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Dependencies that no ancestor has already."""
    with_any = {name for name, found in depends.items() if found}
    needed: dict[str, tuple[str, ...]] = dict.fromkeys(depends, ())
    for name in with_any:
        taken = {one for other in _ancestors([name], down) if other != name and other in with_any for one in depends[other]}
        needed[name] = tuple(one for one in depends[name] if one not in taken)
    return needed


def _sorted(names: list[str], down: dict[str, tuple[str, ...]], needed: dict[str, tuple[str, ...]]) -> list[str]:
    """From the heads to the bases, as Alembic walks."""
    edges = {name: tuple(dict.fromkeys((*down[name], *needed[name]))) for name in names}
    has_next = {parent for parents in edges.values() for parent in parents}
    heads = [name for name in names if name not in has_next]
    ancestors = [_ancestors([head], edges) for head in heads]
    todo = set(names)
    output = []
    at = 0
    while heads:
        candidate = heads[at]
        blocking = next((other for other, below in enumerate(ancestors) if other != at and candidate in below), None)
        if blocking is not None:
            at = blocking
            continue
        if candidate in todo:
            output.append(candidate)
            todo.remove(candidate)
        following = [name for name in edges[candidate] if name in todo and name not in heads]
        if not following:
            del heads[at], ancestors[at]
            at = max(at - 1, 0)
        else:
            heads[at] = following[0]
            if not needed[candidate] and len(down[candidate]) == 1:
                ancestors[at].discard(candidate)
            else:
                heads += following[1:]
                ancestors[at] = _ancestors(following[:1], edges)
                ancestors += [_ancestors([name], edges) for name in following[1:]]
    return output

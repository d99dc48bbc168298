"""Headers of migrations in, their order out: what `migrate` runs on an empty database, as django.db.migrations.loader and graph say.

A squashed migration stands in place of those that it replaces, as long as nothing is applied; `kept` names those of them whose replaced
ones are wanted instead. Of apps outside of the project we know the migrations that others name, and take them to follow one another by
name. What does not hang together becomes a `Problem`, and the order is made without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from dbguard.model.record import Record

Key = tuple[str, str]
_FIRST, _LAST = "", "\uffff"  # `__first__` and `__latest__` of an app outside of the project


class Header(Record):
    """What a migration says about others: (app label, name)."""

    key: Key
    dependencies: tuple[Key, ...] = ()
    run_before: tuple[Key, ...] = ()
    replaces: tuple[Key, ...] = ()


class Problem(Record):
    """`kind` as in HistoryProblem. It is told at the migration `at`; `about` is the dependency that is meant, if one is."""

    kind: str
    at: Key
    others: tuple[Key, ...] = ()
    about: Key | None = None


class Order(Record):
    keys: tuple[Key, ...]
    problems: tuple[Problem, ...]
    replaced: dict[Key, Key] = {}  # a migration that does not run -> the squashed one that stands for it  # noqa: RUF012


class _Graph:
    def __init__(self, keys: Iterable[Key]) -> None:
        self.parents: dict[Key, set[Key]] = {key: set() for key in keys}
        self.children: dict[Key, set[Key]] = {key: set() for key in self.parents}
        self.missing: dict[Key, list[Key]] = {}  # what is not there -> by whom it is wanted

    def add(self, key: Key) -> None:
        self.parents.setdefault(key, set())
        self.children.setdefault(key, set())

    def link(self, child: Key, parent: Key, wanted_by: Key) -> None:
        for key in (child, parent):
            if key not in self.parents:
                self.parents[key], self.children[key] = set(), set()
                self.missing[key] = []
            if key in self.missing:
                self.missing[key].append(wanted_by)
        self.parents[child].add(parent)
        self.children[parent].add(child)

    def remove(self, key: Key) -> tuple[set[Key], set[Key]]:
        parents, children = self.parents.pop(key, set()), self.children.pop(key, set())
        self.missing.pop(key, None)
        for parent in parents:
            self.children[parent].discard(key)
        for child in children:
            self.parents[child].discard(key)
        return parents, children

    def roots(self, label: str) -> list[Key]:
        return sorted(
            key for key in self.parents if key[0] == label and key not in self.missing and all(one[0] != label for one in self.parents[key])
        )

    def leaves(self, label: str) -> list[Key]:
        return sorted(
            key for key in self.parents if key[0] == label and key not in self.missing and all(one[0] != label for one in self.children[key])
        )


def order(headers: Mapping[Key, Header], externals: Mapping[str, tuple[str, ...]] = {}, kept: frozenset[Key] = frozenset()) -> Order:
    """The order in which migrations run. `externals`: apps outside of the project, with the labels whose first migration they need."""
    labels = {label for label, _ in headers}
    graph = _Graph(sorted(headers))
    for header in headers.values():
        for parent in header.dependencies:
            if parent[0] == header.key[0] and parent[1] != "__first__":
                graph.link(header.key, parent, header.key)
    outside = {label: {_FIRST} for label in externals}
    for header in headers.values():
        _link_others(graph, header, labels, outside)
    for label, names in outside.items():
        ordered = [(label, name) for name in sorted(names)]
        for key in ordered:
            graph.add(key)
        for before, after in pairwise(ordered):
            graph.link(after, before, after)
        for other in externals.get(label, ()):
            for key in graph.roots(other)[:1] if other in labels else []:
                graph.link(ordered[0], key, key)
    replaced = _replace(graph, headers, kept)
    problems = _missing(graph)
    problems += _cycles(graph, headers)
    for label in sorted(labels):
        leaves = graph.leaves(label)
        if len(leaves) > 1:
            problems.append(Problem("heads", leaves[-1], tuple(leaves[:-1])))
    return Order(tuple(key for key in _plan(graph) if key in headers), tuple(problems), replaced)


def _link_others(graph: _Graph, header: Header, labels: set[str], outside: dict[str, set[str]]) -> None:
    for parent in header.dependencies:
        if parent[0] != header.key[0] and (key := _checked(graph, parent, labels, outside)):
            graph.link(header.key, key, header.key)
    for child in header.run_before:
        if key := _checked(graph, child, labels, outside):
            graph.link(key, header.key, header.key)


def _checked(graph: _Graph, key: Key, labels: set[str], outside: dict[str, set[str]]) -> Key | None:
    """A dependency on another app, `__first__` and `__latest__` resolved."""
    label, name = key
    if label not in labels:
        name = _FIRST if name == "__first__" else _LAST if name == "__latest__" else name
        outside.setdefault(label, set()).add(name)
        graph.add((label, name))
        return label, name
    if name == "__first__":
        return next(iter(graph.roots(label)), None)
    if name == "__latest__":
        return next(iter(graph.leaves(label)), None)
    return key


def _replace(graph: _Graph, headers: Mapping[Key, Header], kept: frozenset[Key]) -> dict[Key, Key]:
    """Put squashed migrations in place of those that they replace, or take out those of `kept`."""
    replaced: dict[Key, Key] = {}
    for key, header in sorted(headers.items()):
        if not header.replaces or key not in graph.parents:
            continue
        targets = _replaced_by(header, headers)
        if key in kept:
            _take_out(graph, key, targets)
            replaced[key] = key
            continue
        for target in targets:
            if target == key or target not in graph.parents:
                continue
            parents, children = graph.remove(target)
            if target in headers:
                replaced[target] = key
            for parent in parents - targets - {key}:
                graph.link(key, parent, key)
            for child in children - targets - {key}:
                graph.link(child, key, key)
    return replaced


def _replaced_by(header: Header, headers: Mapping[Key, Header]) -> set[Key]:
    """With what those replace that are squashed themselves."""
    found: set[Key] = set()
    waiting = list(header.replaces)
    while waiting:
        key = waiting.pop()
        if key not in found and key != header.key:
            found.add(key)
            waiting += headers[key].replaces if key in headers else ()
    return found


def _take_out(graph: _Graph, key: Key, targets: set[Key]) -> None:
    present = {target for target in targets if target in graph.parents and target not in graph.missing}
    last = present - {parent for target in present for parent in graph.parents[target]}
    _, children = graph.remove(key)
    for child in children:
        for target in last:
            graph.link(child, target, child)
    for target in [one for one in targets if one in graph.missing]:
        graph.remove(target)


def _missing(graph: _Graph) -> list[Problem]:
    problems = []
    for key, wanted in sorted(graph.missing.items()):
        problems += [Problem("missing parent", by, (key,), key) for by in dict.fromkeys(wanted) if by in graph.parents]
    for key in list(graph.missing):
        graph.remove(key)
    return problems


def _cycles(graph: _Graph, headers: Mapping[Key, Header]) -> list[Problem]:
    """Groups of migrations that need each other. Within a group the order is that of the names.

    Nothing is said about a group with migrations that are not in the project: how those hang together is assumed.
    """
    problems = []
    for group in _components(graph):
        members = set(group)
        if len(group) == 1 and group[0] not in graph.parents[group[0]]:
            continue
        ordered = sorted(group)
        if all(key in headers for key in ordered):
            problems.append(Problem("cycle", ordered[-1], tuple(ordered[:-1])))
        for key in group:
            for parent in [one for one in graph.parents[key] if one in members and one >= key]:
                graph.parents[key].discard(parent)
                graph.children[parent].discard(key)
    return problems


def _components(graph: _Graph) -> list[list[Key]]:
    """Strongly connected components, by Kosaraju's two passes without recursion."""
    finished = _postorder(graph.parents, sorted(graph.parents))
    seen: set[Key] = set()
    found = []
    for start in reversed(finished):
        if start in seen:
            continue
        group, waiting = [], [start]
        seen.add(start)
        while waiting:
            key = waiting.pop()
            group.append(key)
            for child in graph.children[key]:
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)
        found.append(group)
    return found


def _postorder(edges: Mapping[Key, set[Key]], starts: Iterable[Key]) -> list[Key]:
    """Depth first, as MigrationGraph.iterative_dfs: parents in the reverse order of their names."""
    found: list[Key] = []
    entered: set[Key] = set()
    done: set[Key] = set()
    for start in starts:
        stack = [(start, False)]
        while stack:
            key, processed = stack.pop()
            if key in done:
                continue
            if processed:
                done.add(key)
                found.append(key)
            elif key not in entered:
                entered.add(key)
                stack.append((key, True))
                stack += [(one, False) for one in sorted(edges[key])]
    return found


def _plan(graph: _Graph) -> list[Key]:
    """The ends of every app in the order of their names, each after what it needs (MigrationExecutor.migration_plan)."""
    leaves = sorted(key for key in graph.parents if all(child[0] != key[0] for child in graph.children[key]))
    return _postorder(graph.parents, leaves)

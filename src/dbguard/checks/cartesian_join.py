"""Tables side by side without a condition between them."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.expression import Tree, walk
from dbguard.model.names import Name
from dbguard.model.query import Block, Query, QueryStep


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    for block in query.written:
        if len(block.sources) < 2:
            continue
        groups = [group for group in _groups(query, block) if not _is_single(step, group)]
        if len(groups) > 1:
            names = [step.display(name) for group in groups if (name := _name(query, group)) is not None]
            if len(names) > 1:
                yield flag(table=names[0], other=names[1])


def _groups(query: Query, block: Block) -> list[set[object]]:
    """Sources that conditions connect; two that are compared with the same parameter are connected as well."""
    groups: list[set[object]] = [{number} for number in block.sources]
    for condition in block.conditions:
        together: set[object] = {node[1] for node in walk(condition.tree) if node[0] in {"at", "row of"}}
        together |= {node for node in walk(condition.tree) if node[0] in {"param", "const", "number"}} if condition.tree[0] == "op" else set()
        together |= {number for number in condition.side if len(together) > 0}
        together |= _correlated(query, block, condition.tree)
        _join(groups, together)
    for number in block.sources:
        source = query.sources[number]
        if source.lateral or source.kind in {"function", "values"}:
            _join(groups, set(block.sources))
    return groups


def _correlated(query: Query, block: Block, tree: Tree) -> set[object]:
    """Sources of this level that a sub-query in the condition mentions."""
    found: set[object] = set()
    for node in walk(tree):
        if node[0] == "query":
            inner = [node[4]]
            while inner:
                one = query.blocks[inner.pop()]
                trees = [part for condition in one.conditions for part in walk(condition.tree)]
                trees += [part for output in one.outputs for part in walk(output.tree)]
                found |= {part[1] for part in trees if part[0] == "at" and part[1] in block.sources}
                inner += [part[4] for part in trees if part[0] == "query"]
                inner += [other for number in one.sources if (other := query.sources[number].inner) is not None and other > one.number]
    return found


def _join(groups: list[set[object]], together: set[object]) -> None:
    touched = [group for group in groups if group & together]
    if touched:
        merged = together.union(*touched)
        groups[:] = [group for group in groups if group not in touched] + [merged]


def _is_single(step: QueryStep, group: set[object]) -> bool:
    """Whether a group has one row, or few: a sub-query, a row found by its key, a small table."""
    for number in group:
        if not isinstance(number, int) or isinstance(number, bool):
            continue
        source = step.query.sources[number]
        if source.kind != "table" or source.table is None or step.table(number) is None or step.is_small(source.table):
            return True
        access = step.access(number)
        if access is not None and access.use is not None and access.use.through.unique and access.use.equal == len(access.use.through.keys):
            return True
    return False


def _name(query: Query, group: set[object]) -> Name | None:
    return next((query.sources[number].table for number in group if isinstance(number, int) and not isinstance(number, bool)), None)

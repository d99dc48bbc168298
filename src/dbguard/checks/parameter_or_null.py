"""A condition that a parameter switches off: one plan must do for both."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.expression import Tree
from dbguard.model.names import quote
from dbguard.model.query import Query, QueryStep
from dbguard.model.query_questions import conditions, has_parameter, numbers_in, open_accesses
from dbguard.model.schema import Table


def check(query: Query, step: QueryStep) -> Iterator[Flag]:
    proposed = {candidate.source for candidate in step.serving.candidates}
    found = {access.source: access for access, _ in open_accesses(step) if access.source not in proposed}
    seen: list[tuple[bool, Flag]] = []
    for _, condition in conditions(query):
        for number, name in _switched(condition.tree):
            if number not in found or (condition.side and number not in condition.side) or _has_few_values(step, number, name):
                continue
            column = query.sources[number].renamed.get(name, name)
            variant = "case" if condition.tree[0] == "case" else ""
            said = flag(variant=variant, table=step.display(found[number].table), column=quote(column))
            seen.append((_is_key(step.table(number), column), said))
    if seen:
        yield max(seen, key=lambda one: one[0])[1]


def _is_key(table: Table | None, column: str) -> bool:
    return table is not None and any(index.unique and index.columns == (column,) for index in table.indexes.values())


def _has_few_values(step: QueryStep, number: int, name: str) -> bool:
    kind = step.query.sources[number].columns.get(name)
    if kind is None or kind.builtin == "bool":
        return kind is not None
    found = step.state.schema.types.get(step.state.resolve_type(kind.name)) if kind.builtin is None else None
    return found is not None and found.kind == "enum"


def _switched(tree: Tree) -> Iterator[tuple[int, str]]:
    """The columns of comparisons that another part of the condition, on parameters alone, can switch off."""
    if tree[0] == "or" and any(has_parameter(arm) and not numbers_in(arm) for arm in tree[1:]):
        for arm in tree[1:]:
            yield from _compared(arm)
    if tree[0] == "case":
        whens = [branch for branch in tree[2:] if branch[0] == "when"]
        if any(has_parameter(when[1]) and not numbers_in(when[1]) for when in whens):
            for branch in tree[2:]:
                yield from _compared(branch[-1])


def _compared(tree: Tree) -> Iterator[tuple[int, str]]:
    match tree:
        case ("op", "=" | "= ANY", ("at", int(number), str(name)), value) | ("op", "=", value, ("at", int(number), str(name))):
            if has_parameter(value):
                yield number, name
        case ("in", ("at", int(number), str(name)), *values) if any(map(has_parameter, values)):
            yield number, name
        case ("and", *parts):
            for part in parts:
                yield from _compared(part)

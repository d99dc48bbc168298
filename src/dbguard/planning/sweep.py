"""Choices of parameters that may lead to different plans: common, middling, rare and absent values, the ends and the middle of a range.

In: a generic plan, in whose conditions each `$n` stands beside its column, and what pg_stats knows of these columns. Out: at most
`MOST_CHOICES` choices. Each says in words which rank its values have; the values themselves are for the server alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dbguard.model.plan import Node, Plan, Sample, nodes
from dbguard.model.record import Record
from dbguard.planning.measures import shape_of

MOST_CHOICES = 8
ABSENT = "one that is not there"
TENANTS = frozenset({"tenant_id", "tenant", "org_id", "organization_id", "organisation_id", "account_id", "company_id", "workspace_id", "shop_id"})

_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)'
_BOUND = re.compile(
    rf"(?P<alias>{_NAME})\.(?P<column>{_NAME})\)?(?:::[\w ]+(?:\[\])?)?\s(?P<operator>=|<>|<=|>=|<|>|~~\*?)\s(?P<any>ANY \()?\(*\$(?P<number>\d+)\b"
)
_TURNED = re.compile(rf"\$(?P<number>\d+)\)?(?:::[\w ]+)?\s(?P<operator>=|<=|>=|<|>)\s\(*(?P<alias>{_NAME})\.(?P<column>{_NAME})(?![\w$])")
_MIRROR = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "="}
_DEFAULTS = (
    (re.compile(r"bigint|integer|smallint|numeric|real|double"), "10"),
    (re.compile(r"boolean"), "true"),
    (re.compile(r"timestamp|date"), "now"),
    (re.compile(r"interval"), "1 day"),
    (re.compile(r"json"), "{}"),
    (re.compile(r"uuid"), "00000000-0000-0000-0000-000000000000"),
)


_TEXTUAL = re.compile(r"(?:[\w$]+\.)?(?:text|character varying|character|citext|name)(?:\[\])?\Z")


class Bound(Record):
    """The column that a parameter is compared with."""

    number: int
    relation: str  # as EXPLAIN names it
    column: str
    operator: str
    listed: bool = False  # = ANY


class Values(Record):
    """What pg_stats says of a column, as text."""

    common: tuple[str, ...] = ()
    frequencies: tuple[float, ...] = ()
    histogram: tuple[str, ...] = ()
    distinct: float = 0.0  # as n_distinct: below zero a part of the rows


class Choice(Record):
    """Values for all parameters, and their ranks in words."""

    values: tuple[str, ...]
    words: tuple[str, ...]


def bounds(plan: Plan) -> dict[int, Bound]:
    """The column of each parameter, as far as a condition of the plan shows it."""
    aliases = {node.alias: node.relation for node in nodes(plan.root) if node.relation and node.alias}
    found: dict[int, Bound] = {}
    for node in nodes(plan.root):
        for text in node.facts.values():
            if not isinstance(text, str) or "$" not in text:
                continue
            for match in [*_BOUND.finditer(text), *_TURNED.finditer(text)]:
                said = match.groupdict()
                relation = aliases.get(_bare(said["alias"]))
                number = int(said["number"])
                if relation and number not in found:
                    operator = said["operator"] if match.re is _BOUND else _MIRROR[said["operator"]]
                    found[number] = Bound(number, relation, _bare(said["column"]), operator, bool(said.get("any")))
    return found


def choices(bound: Mapping[int, Bound], types: Sequence[str], values: Mapping[tuple[str, str], Values], written: int = 1000) -> tuple[Choice, ...]:
    """Choices to plan with, the most telling first; none if no parameter has statistics.

    Parameters above `written` stand for literals: a pattern among them has no fixed beginning, or it would have been left as it is.
    """
    ranked = [_ranked(bound.get(number), kind, values, is_written=number <= written) for number, kind in enumerate(types, 1)]
    if not any(words for one in ranked for _, words in one):
        return ()
    first = [min(len(one) - 1, 0) for one in ranked]
    picks: dict[tuple[int, ...], None] = {tuple(first): None}
    for rank in range(1, 4):
        picks[tuple(min(rank, len(one) - 1) for one in ranked)] = None
    order = sorted(range(len(ranked)), key=lambda place: not _is_tenant(bound.get(place + 1)))
    for place in order:
        for rank in range(1, len(ranked[place])):
            picks[tuple(rank if other == place else at for other, at in enumerate(first))] = None
    chosen = [[ranked[place][rank] for place, rank in enumerate(pick)] for pick in list(picks)[:MOST_CHOICES]]
    return tuple([Choice(tuple(value for value, _ in one), tuple(words for _, words in one if words)) for one in chosen])


def default_values(types: Iterable[str]) -> tuple[str, ...]:
    """Something of each type."""
    return tuple(_default(kind) for kind in types)


def sample(choice: Choice | None, plan: Plan) -> Sample:
    """What a plan for a choice of values says; without a choice it is the generic one."""
    words = ("any value",) if choice is None else choice.words
    absent = any(one.endswith(ABSENT) for one in words)
    return Sample(words, plan.cost, plan.rows, shape_of(plan), generic=choice is None, absent=absent)


_LITERAL = re.compile(r"'(?:[^']|'')*'(?:::(?:[\w ]+|\"[^\"]+\")(?:\[\])?)?|(?<!Plan )(?<![\w$.\"])-?\d+(?:\.\d+)?(?![\w\"])")
# `SubPlan 1` and `InitPlan 1` in a condition are names


def without_values(plan: Plan) -> Plan:
    """The plan with `?` for every literal in its conditions: those of statistics are nobody's to see."""
    return plan._replace(root=_hidden(plan.root), json={})


def _hidden(node: Node) -> Node:
    facts = {key: _without(value) if key not in _NO_CONDITIONS else value for key, value in node.facts.items()}
    return node._replace(facts=facts, children=tuple([_hidden(child) for child in node.children]))


def _without(value: Any) -> Any:
    if isinstance(value, str):
        return _LITERAL.sub("?", value)
    return [_without(one) for one in value] if isinstance(value, list) else value


_NO_CONDITIONS = frozenset({"Subplan Name", "CTE Name", "Function Name", "Strategy", "Join Type", "Operation", "Storage", "Sort Method"})


def _ranked(bound: Bound | None, kind: str, values: Mapping[tuple[str, str], Values], *, is_written: bool) -> list[tuple[str, str]]:
    """Values of one parameter with words for each, the most common first."""
    if bound is not None and bound.operator.startswith("~~") and not is_written:
        return [("%absent%", "")]
    known = None if bound is None else values.get((bound.relation, bound.column))
    if bound is None or known is None or not (known.common or known.histogram):
        return [(_default(kind), "")]
    name = bound.column
    if bound.operator in {"<", ">", "<=", ">="}:
        found = _of_range(known, name)
    elif bound.operator.startswith("~~"):
        found = [(f"{value[:3]}%", f"{name}: begins as {words}") for value, words in _of_value(known, kind)[:2]]
    else:
        found = [(value, f"{name}: {words}") for value, words in _of_value(known, kind)]
    if bound.listed:
        found = [(_array([value]), words) for value, words in found]
    return found or [(_default(kind), "")]


def _of_value(known: Values, kind: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    common = known.common
    if common:
        found[common[0]] = f"the most common ({_percent(known.frequencies[:1])})"
        if len(common) > 2:
            middle = len(common) // 2
            found.setdefault(common[middle], f"a middling one ({_percent(known.frequencies[middle : middle + 1])})")
    if known.histogram:
        found.setdefault(known.histogram[len(known.histogram) // 2], "a rare one" if common else "any one")
    elif len(common) > 1:
        found.setdefault(common[-1], f"the rarest ({_percent(known.frequencies[-1:])})")
    absent = _absent(known, kind)
    if absent is not None:
        found.setdefault(absent, ABSENT)
    return list(found.items())


def _of_range(known: Values, name: str) -> list[tuple[str, str]]:
    points = known.histogram or known.common
    last = len(points) - 1
    found: dict[str, str] = {}
    for place, words in ((last // 2, "in the middle"), (last // 100, "near the lowest"), (last - last // 100, "near the highest")):
        found.setdefault(points[place], f"{name}: {words}")
    return list(found.items())


def _absent(known: Values, kind: str) -> str | None:
    """A value that the column does not have, as far as can be told from those that it has; None for a type whose values are not any text."""
    seen = (*known.common, *known.histogram)
    if all(re.fullmatch(r"-?\d{1,17}", one) for one in seen):
        return str(max(map(int, seen)) + 1)
    if all(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}", one) for one in seen):
        return "00000000-0000-0000-0000-000000000000"
    if _TEXTUAL.match(kind) and any(re.search(r"[^\d\s:.+-]", one) for one in seen):
        longest = min(max(map(len, seen)), 20)
        return ("absent" * 4)[:longest] if longest > 3 else None
    return None


def _percent(frequencies: Sequence[float]) -> str:
    value = frequencies[0] if frequencies else 0.0
    return f"{value:.0%} of rows".replace("%", " %") if value >= 0.01 else f"{value:.2%} of rows".replace("%", " %")


def _array(values: Iterable[str]) -> str:
    inside = ",".join('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return f"{{{inside}}}"


def _default(kind: str) -> str:
    if kind.endswith("[]"):
        return _array([_default(kind[:-2])])
    return next((value for pattern, value in _DEFAULTS if pattern.search(kind)), "x" if "text" in kind or "char" in kind else "NULL")


def _is_tenant(bound: Bound | None) -> bool:
    return bound is not None and bound.column in TENANTS


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name

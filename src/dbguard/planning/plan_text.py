"""EXPLAIN's text format to `Plan`: the lines of src/backend/commands/explain.c, PostgreSQL 13 to 18, with the names that its JSON has.

In: text without psql's decoration. Out: plans. Lines that were wrapped on their way are put together again; a tree whose indentation was
lost cannot be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dbguard.errors import UnreadableSource
from dbguard.model.plan import Node, Plan
from dbguard.planning.node_names import parsed_title
from dbguard.planning.plan_lines import fact_lines, is_property, top_level
from dbguard.planning.plans import MOST_DEPTH, MOST_NODES, number

_NUMBERS = (
    r"(?:\s+\(cost=(?P<startup>[\d.]+)\.\.(?P<total>[\d.]+)\s+rows=(?P<rows>[\d.]+)\s+width=(?P<width>\d+)\))?"
    r"(?:\s+\(actual\s+(?:time=(?P<first>[\d.]+)\.\.(?P<last>[\d.]+)\s+)?rows=(?P<actual>[\d.]+)\s+loops=(?P<loops>[\d.]+)\)"
    r"|\s+\((?P<never>never\s+executed)\))?\s*$"
)
_ENDING = re.compile(_NUMBERS)
_HAS_COST = re.compile(r"\(cost=[\d.]+\.\.[\d.]+|\((?:actual|never executed)\b")
_ARROW = re.compile(r"(\s*)->\s*(.*)", re.DOTALL)
_GROUP = re.compile(r"\s*(CTE .+|(?:InitPlan|SubPlan|AlternativeSubPlan)s? [\w.]+(?: \(returns .*\))?)\s*$", re.DOTALL)
_SECTION = re.compile(
    r"(Planning Time|Execution Time|Total runtime|Planning|Settings|JIT|Serialization|Query Identifier|Trigger .*?"
    r"|Query Text|Query Parameters|Planner Memory|Memory):\s*(.*)",
    re.DOTALL,
)
_LOG = re.compile(r"^.*?\bduration: [\d.]+ ms\s+plan:\s*$")
_LONGEST = 100_000  # characters of a literal with line ends
_MOST_WRAPPED = 200  # lines that one line of a plan was wrapped into
_ENDS = 500  # characters that costs and times take at most
_INDENT = re.compile(r"\s*")


class _Building:
    """A node that is being read. `column` is that of its text, of children below a heading that of the heading."""

    def __init__(self, column: int, node: Node, role: str) -> None:
        self.column, self.node, self.role = column, node, role
        self.facts: dict[str, Any] = {}
        self.children: list[_Building] = []
        self.has_outer = False  # whether one of its children is its first input
        self.heading: tuple[int, str] | None = None  # CTE or SubPlan that stands before its tree


def plans_in(text: str) -> tuple[Plan, ...]:
    """The plans in a text, in order; text between them is skipped. Raises UnreadableSource for a tree without its indentation."""
    lines = list(_logical(text.split("\n")))
    found: list[Plan] = []
    start = 0
    while start < len(lines):
        if not _begins(lines, start):
            start += 1
            continue
        end = start + 1
        while end < len(lines) and not _begins(lines, end):
            end += 1
        found.append(_Reader(lines[start:end]).plan(_sql_before(lines, start)))
        start = end
    return tuple(found)


def _begins(lines: list[str], at: int) -> bool:
    """Whether a root stands there: a node with costs and no arrow, or one without costs that the next line belongs to."""
    line = lines[at]
    if _ARROW.match(line) or is_property(line) or _SECTION.match(line.strip()):
        return False
    ending = _ENDING.search(line)
    name = line.strip() if ending is None else line[: ending.start()].strip()
    known = parsed_title(name) is not None
    if _HAS_COST.search(line):
        return known
    after = lines[at + 1] if at + 1 < len(lines) else ""
    alone = len(lines) == 1
    inner = is_property(after) or _GROUP.match(after) is not None
    return known and (alone or bool(_ARROW.match(after)) or (inner and _indent(after) > _indent(line)))


def _sql_before(lines: list[str], at: int) -> str:
    """The statement that auto_explain writes before the plan."""
    for back in range(at - 1, max(-1, at - 200), -1):
        head = re.match(r"\s*Query Text: (.*)", lines[back], re.DOTALL)
        if head is not None:
            body = [head[1], *[line for line in lines[back + 1 : at] if not line.strip().startswith("Query Parameters:")]]
            return "\n".join(line.strip() for line in body).strip()
        if _HAS_COST.search(lines[back]):
            break
    return ""


def _logical(lines: list[str]) -> Iterator[str]:
    """Lines with their continuations: what a mail program wrapped, and literals that hold line ends."""
    held, wrapped, quote = "", 0, ""
    for line in lines:
        if not line.strip():
            held += "\n" if quote else ""
        elif quote and len(held) < _LONGEST:
            held += f"\n{line}"
            quote = _quote_after(line, quote)
        elif held and wrapped < _MOST_WRAPPED and _continues(held, line):
            held += f" {line.strip()}"
            wrapped += 1
            quote = _quote_after(line, quote) if is_property(held) else ""
        else:
            if held:
                yield held
            held, wrapped, quote = line, 0, _quote_after(line, "") if is_property(line) else ""
    if held:
        yield held


def _quote_after(line: str, quote: str) -> str:
    """The quote of the literal or name that is open at the end of a line, which begins inside of `quote`; "" outside of both."""
    if "'" not in line and '"' not in line:
        return quote
    for character in line:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
    return quote


def _continues(held: str, line: str) -> bool:
    stripped = line.strip()
    if _ARROW.match(line) or is_property(line) or _GROUP.match(line) or _SECTION.match(stripped) or _LOG.match(line):
        return False
    if re.match(r"(?:\(?(?:cost|actual|time|rows|width|loops|never)\b[= ]|\(actual|\(never|\(cost)", stripped):
        return True
    ending = _ENDING.search(held[-_ENDS:])
    if ending is not None and ending.group().strip():
        return False
    return _ARROW.match(held) is not None or is_property(held) or (_HAS_COST.search(held) is not None)


def _indent(line: str) -> int:
    match = _INDENT.match(line)
    return match.end() if match is not None else 0


class _Reader:
    """The lines of one plan, from its root on."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._facts: dict[str, Any] = {}
        self._count = 0

    def plan(self, sql: str) -> Plan:
        first, rest = self._lines[0], self._lines[1:]
        left = _indent(first)
        root = _Building(left, self._node(first.strip(), ""), "")
        stack = [root]
        section = ""
        for line in rest:
            match = _SECTION.match(line.strip())
            if match is not None and _indent(line) <= left:
                section = self._top(match[1].strip(), match[2].strip())
            elif section and _indent(line) > left:
                self._inside(section, line.strip())
            elif _indent(line) <= left and not _ARROW.match(line) and not is_property(line) and not _GROUP.match(line):
                break  # what follows the plan in the mail
            else:
                section = ""
                self._line(stack, line)
        return Plan(
            root=_built(root),
            sql=sql,
            planning_seconds=_seconds(self._facts.pop("Planning Time", None)),
            execution_seconds=_seconds(self._facts.pop("Execution Time", None) or self._facts.pop("Total runtime", None)),
            facts=self._facts,
        )

    def _line(self, stack: list[_Building], line: str) -> None:
        arrow = _ARROW.match(line)
        if arrow is not None:
            self._child(stack, len(arrow[1]), arrow[2])
            return
        column = _indent(line)
        while len(stack) > 1 and stack[-1].column >= column:
            stack.pop()
        owner = stack[-1]
        heading = _GROUP.match(line)
        if heading is not None:
            owner.heading = (column, heading[1].strip())
            return
        if is_property(line):
            for key, value in fact_lines(line.strip(), owner.node):
                if key == "Workers":
                    owner.facts.setdefault("Workers", []).append(value)
                elif key in {"Group Key", "Hash Key"} and key in owner.facts:
                    owner.facts[key] = [*owner.facts[key], *value]
                else:
                    owner.facts.setdefault(key, value)

    def _child(self, stack: list[_Building], column: int, text: str) -> None:
        self._count += 1
        if len(stack) > MOST_DEPTH or self._count > MOST_NODES:
            raise UnreadableSource(f"this plan is too large to read: more than {MOST_NODES:,} nodes, or nested more than {MOST_DEPTH} deep")
        while len(stack) > 1 and stack[-1].column >= column:
            stack.pop()
        owner = stack[-1]
        role, label = ("Inner" if owner.has_outer else "Outer"), ""
        if owner.heading is not None and column > owner.heading[0]:
            label = owner.heading[1]
            role = "SubPlan" if label.startswith("SubPlan") else "InitPlan"
        elif owner.node.kind in {"Append", "Merge Append", "BitmapAnd", "BitmapOr", "Recursive Union"}:
            role = "Member" if owner.node.kind != "Recursive Union" else role
        owner.heading = None if label else owner.heading
        child = _Building(column, self._node(text.strip(), label), role)
        if owner.node.kind == "Subquery Scan":
            child.role = "Subquery" if not label else role
        owner.has_outer |= child.role in {"Outer", "Inner"}
        owner.children.append(child)
        stack.append(child)

    def _node(self, text: str, label: str) -> Node:
        ending = _ENDING.search(text)
        assert ending is not None  # every part of it is optional
        title = " ".join(text[: ending.start()].split())
        parsed = parsed_title(title)
        if parsed is None:
            where = "this plan breaks off in the middle of a line" if "(" in text and not text.endswith(")") else "this line is no node of a plan"
            raise UnreadableSource(f"{where}: {text[:120]!r}")
        kind, own, facts = parsed
        if label:
            facts["Subplan Name"] = label
        never = ending["never"] is not None
        actual = 0.0 if never else None if ending["actual"] is None else number(ending["actual"])
        if ending["first"] is not None:
            facts["Actual Startup Time"] = number(ending["first"])
        return Node(
            kind=kind,
            startup_cost=number(ending["startup"]),
            total_cost=number(ending["total"]),
            rows=number(ending["rows"]),
            width=int(min(number(ending["width"]), 2**31)),
            actual_rows=actual,
            loops=0.0 if never else None if ending["loops"] is None else number(ending["loops"]),
            seconds=None if ending["last"] is None else number(ending["last"]) / 1000,
            relation=own.get("relation", ""),
            alias=own.get("alias", ""),
            index=own.get("index", ""),
            facts=facts,
        )

    def _top(self, name: str, value: str) -> str:
        if name.startswith("Trigger"):
            self._facts.setdefault("Triggers", []).append(_trigger(name, value))
            return ""
        if name == "Settings":
            pairs = [part.partition(" = ") for part in top_level(value)]
            self._facts[name] = {key.strip(): setting.strip().strip("'") for key, _, setting in pairs}
            return ""
        if name in {"Planning", "JIT", "Serialization"}:
            self._facts.setdefault(name, {})
            if value:
                self._inside(name, value)
            return name
        self._facts[name] = number(value.split(None, 1)[0]) if name.endswith(("Time", "runtime")) and value else value
        return ""

    def _inside(self, section: str, line: str) -> None:
        owner = self._facts.setdefault(section, {})
        if section == "JIT" and line.startswith("Timing:"):
            parts = re.findall(r"(\w+)(?: \([^)]*\))? ([\d.]+) ms", line)
            owner["Timing"] = {name: number(value) for name, value in parts}
            return
        if section == "JIT" and line.startswith("Functions:"):
            owner["Functions"] = number(line.partition(":")[2].strip())
            return
        for key, value in fact_lines(line, Node("Planning")):
            owner[key] = value


def _trigger(name: str, value: str) -> dict[str, Any]:
    match = re.match(r"Trigger\s*(?P<name>.*?)(?:\s*for constraint (?P<constraint>.*?))?(?: on (?P<relation>\S+))?$", name)
    found: dict[str, Any] = {}
    if match is not None:
        named = {"Trigger Name": match["name"], "Constraint Name": match["constraint"], "Relation": match["relation"]}
        found = {key: text.strip() for key, text in named.items() if text}
    found |= {{"time": "Time", "calls": "Calls"}[key]: number(text) for key, text in re.findall(r"(time|calls)=([\d.]+)", value)}
    return found


def _seconds(value: object) -> float | None:
    return None if value is None else number(value) / 1000


def _built(building: _Building) -> Node:
    children = tuple([_built(child) for child in building.children])
    if building.node.kind in {"Hash Join", "Merge Join", "Nested Loop"} and sum(child.role in {"Outer", "Inner"} for child in children) > 2:
        raise UnreadableSource("the indentation of this plan was lost, so its tree cannot be read: paste it again, or use EXPLAIN (FORMAT JSON)")
    return building.node._replace(role=building.role, children=children, facts={**building.node.facts, **building.facts})

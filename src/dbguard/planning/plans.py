"""Plans as users have them, to `Plan`: EXPLAIN (FORMAT JSON), auto_explain's JSON, and text from psql, a log, a ticket or a mail.

In: text, or JSON that was parsed already. Out: one `Plan` per statement. What is no plan is an `UnreadableSource` that says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from dbguard.errors import UnreadableSource
from dbguard.model.plan import Node, Plan, nodes

MOST_CHARACTERS = 64_000_000
MOST_NODES = 50_000  # of one text
MOST_DEPTH = 300
MOST_FAILURES = 1_000  # beginnings of what looks like JSON and is none, before the first that is

_OWN = frozenset(
    """Node Type|Startup Cost|Total Cost|Plan Rows|Plan Width|Actual Rows|Actual Loops|Actual Total Time|Relation Name|Schema|Alias|Index Name
Parent Relationship|Plans""".replace("\n", "|").split("|")
)
_DECORATION = re.compile(r"\s*(?:QUERY PLAN|[-+=─┌┐└┘├┤┬┴┼]+|-\[ RECORD \d+ \][-+]*|\(\d+ rows?\))\s*[|│]?\s*")
_DOCUMENT = re.compile(r'[\[{](?=\s*["{])')
_FRAME = ("|", "│")
_HEAD = re.compile(r"^(?:QUERY PLAN *\| ?(?=\S| )|\w{3} [ \d]\d [\d:]{8} \S+ [\w.\-/]+\[\d+\]: \[\d+-\d+\] ?(?:#011)?)")
_OTHER_FORMAT = re.compile(r"\s*(?:- Plan:|<explain\b|<\?xml)")


def read_plans(text: str) -> tuple[Plan, ...]:
    """The plans in a text of either format. Raises UnreadableSource."""
    if len(text) > MOST_CHARACTERS:
        raise UnreadableSource(f"a plan of {len(text):,} characters is too large to read: the limit is {MOST_CHARACTERS:,}")
    text = text.lstrip("\ufeff")
    if _OTHER_FORMAT.match(text):
        raise UnreadableSource("plans in YAML and XML are not read: run EXPLAIN (FORMAT JSON), or plain EXPLAIN")
    if re.search(r'"(?:Plan|Node Type)"\s*:', text):
        return of_json(text)
    return of_text(text)


def of_json(given: str | object) -> tuple[Plan, ...]:
    """Plans in PostgreSQL's JSON: an array, one document, several one after the other, or a bare node; psql's decoration may stand around.

    Raises UnreadableSource if there is no plan in it, or one is not what PostgreSQL writes.
    """
    documents = _documents(given) if isinstance(given, str) else [given]
    found: list[Plan] = []
    count = _Count()
    for document in documents:
        for one in document if isinstance(document, list) else [document]:
            if isinstance(one, Mapping) and isinstance(one.get("Plan"), Mapping):
                found.append(_plan(one, count))
            elif isinstance(one, Mapping) and isinstance(one.get("Node Type"), str):
                found.append(_plan({"Plan": one}, count))
    if not found:
        raise UnreadableSource('no plan is in this JSON: it has no "Plan" with a "Node Type"; run EXPLAIN (FORMAT JSON)')
    return tuple(found)


def of_text(text: str) -> tuple[Plan, ...]:
    """Plans in PostgreSQL's text format, as pasted: with psql's decoration, quoted in mails, wrapped. Raises UnreadableSource."""
    from dbguard.planning.plan_text import plans_in

    found = plans_in(undecorated(text))
    if not found:
        raise UnreadableSource("no plan is in this text: expected what EXPLAIN prints, beginning with a line such as `Seq Scan on orders  (cost=...`")
    return found


class _Count:
    """Nodes that were read so far."""

    def __init__(self) -> None:
        self.nodes = 0


def _documents(text: str) -> Iterator[Any]:
    """Every JSON array or object in a text; what stands between, as in a log, is skipped."""
    text = _joined_rows(text)
    decoder = json.JSONDecoder()
    position, failed, failures = 0, "", 0
    found = False
    while match := _DOCUMENT.search(text, position):
        try:
            document, position = decoder.raw_decode(text, match.start())
        except RecursionError:
            raise UnreadableSource("this JSON is nested too deeply to be a plan") from None
        except ValueError as error:
            failed, failures = failed or str(error), failures + 1
            if found or position > 1_000_000 or failures > MOST_FAILURES:
                break
            position = match.start() + 1
            continue
        if failed and not found and not _has_plan(document):
            break  # a part of what was cut off
        found = True
        yield document
    if not found and re.search(r'"Node Type"\s*:', text) and failed:
        raise UnreadableSource(f"this JSON ends or breaks off in the middle of a plan, so its tree cannot be read: paste all of it ({failed})")
    if not found:
        raise UnreadableSource(f"this is not JSON that can be read: {failed or 'it has no array and no object'}")


def _has_plan(document: Any) -> bool:
    return any(isinstance(one, Mapping) and "Plan" in one for one in (document if isinstance(document, list) else [document]))


def _joined_rows(text: str) -> str:
    """JSON that psql printed over several lines: each ends with `+`, and the frame may stand around."""
    lines = text.splitlines()
    continued = sum(line.rstrip().rstrip("|").rstrip().endswith("+") for line in lines)
    if continued * 2 < len(lines) or continued < 2:
        return text
    return "\n".join(undecorated_lines(lines))


def undecorated(text: str) -> str:
    """The text without what psql, mail programs and terminals put around its lines."""
    return "\n".join(undecorated_lines(text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ").expandtabs(8).split("\n")))


def undecorated_lines(lines: list[str]) -> list[str]:
    """Lines without what stands around a plan: `> ` of mails, frames, quotes of pgAdmin, heads of syslog and of psql's expanded display,
    `QUERY PLAN`, `(5 rows)`, and psql's `+`, which says that a cell goes on."""
    lines = [line.rstrip() for line in lines]
    while any(line.lstrip().startswith(">") for line in lines):
        lines = [line.lstrip()[1:].removeprefix(" ") if line.lstrip().startswith(">") else line for line in lines]
    lines = _unquoted(_unframed([_HEAD.sub("", line) for line in lines]))
    found = []
    for line in lines:
        if _DECORATION.fullmatch(line):
            continue
        bare = line.rstrip()
        if bare.endswith("+") and (bare[:-1].endswith((" ", "\t", ")", ",", "{", "[", "}", "]")) or '"' in bare):
            bare = bare[:-1].rstrip()
        found.append(bare)
    return found


def _unframed(lines: list[str]) -> list[str]:
    """Without `|` at both ends, or at the right end alone, as DBeaver prints it."""
    filled = [line for line in lines if line.strip() and not _DECORATION.fullmatch(line)]
    framed = sum(map(_is_framed, filled))
    if framed > 1 or (framed and framed == len(filled)):
        return [line[1:-1].rstrip() if _is_framed(line) else line for line in lines]
    if filled and all(line.endswith(_FRAME) for line in filled):
        return [line[:-1].rstrip() if line.endswith(_FRAME) else line for line in lines]
    return lines


def _is_framed(line: str) -> bool:
    return line.startswith(_FRAME) and line.endswith(_FRAME)


def _unquoted(lines: list[str]) -> list[str]:
    """Without the quotes around each line, as pgAdmin copies rows."""
    filled = [line for line in lines if line.strip()]
    quoted = sum(map(_is_quoted, filled))
    if not quoted or quoted * 2 <= len(filled):
        return lines
    return [line.strip()[1:-1].replace('""', '"') if _is_quoted(line) else line for line in lines]


def _is_quoted(line: str) -> bool:
    bare = line.strip()
    return len(bare) > 1 and bare.startswith('"') and bare.endswith('"')


def _plan(document: Mapping[str, Any], count: _Count) -> Plan:
    raw = document["Plan"]
    root = _node(raw, count, 0)
    return Plan(
        root=root,
        sql=text_of(document.get("Query Text")),
        planning_seconds=_milliseconds(document.get("Planning Time")),
        execution_seconds=_milliseconds(document.get("Execution Time")),
        facts={key: value for key, value in document.items() if key not in {"Plan", "Planning Time", "Execution Time", "Query Text"}},
        json=raw,
    )


def _node(raw: Mapping[str, Any], count: _Count, depth: int) -> Node:
    count.nodes += 1
    if depth > MOST_DEPTH or count.nodes > MOST_NODES:
        raise UnreadableSource(f"this plan is too large to read: more than {MOST_NODES:,} nodes, or nested more than {MOST_DEPTH} deep")
    kind = raw.get("Node Type")
    if not isinstance(kind, str) or not kind:
        raise UnreadableSource('this is no plan of PostgreSQL: a node has no "Node Type"')
    below = raw.get("Plans")
    children = tuple([_node(child, count, depth + 1) for child in below if isinstance(child, Mapping)]) if isinstance(below, list) else ()
    schema, relation = text_of(raw.get("Schema")), text_of(raw.get("Relation Name"))
    executed = "Actual Rows" in raw or "Actual Loops" in raw
    return Node(
        kind=kind,
        startup_cost=number(raw.get("Startup Cost")),
        total_cost=number(raw.get("Total Cost")),
        rows=number(raw.get("Plan Rows")),
        width=int(min(number(raw.get("Plan Width")), 2**31)),
        actual_rows=number(raw.get("Actual Rows")) if executed else None,
        loops=number(raw.get("Actual Loops")) if executed else None,
        seconds=_milliseconds(raw.get("Actual Total Time")),
        relation=f"{schema}.{relation}" if schema and relation else relation,
        alias=text_of(raw.get("Alias")),
        index=text_of(raw.get("Index Name")),
        role=text_of(raw.get("Parent Relationship")),
        children=children,
        facts={key: value for key, value in raw.items() if key not in _OWN},
    )


def json_of(plan: Plan) -> dict[str, Any]:
    """The root node in PostgreSQL's JSON: its own, or made from the text that was read."""
    return dict(plan.json) if plan.json else _as_json(plan.root)


def _as_json(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = {"Node Type": node.kind}
    if node.role:
        found["Parent Relationship"] = node.role
    schema, _, relation = node.relation.rpartition(".")
    named = {"Schema": schema, "Relation Name": relation, "Alias": node.alias, "Index Name": node.index}
    found |= {key: value for key, value in named.items() if value}
    found |= {"Startup Cost": node.startup_cost, "Total Cost": node.total_cost, "Plan Rows": node.rows, "Plan Width": node.width}
    if node.actual_rows is not None:
        found |= {"Actual Rows": node.actual_rows, "Actual Loops": node.loops}
    if node.seconds is not None:
        found["Actual Total Time"] = round(node.seconds * 1000, 6)
    found |= node.facts
    if node.children:
        found["Plans"] = [_as_json(child) for child in node.children]
    return found


_TWO_INPUTS = frozenset({"Nested Loop", "Hash Join", "Merge Join"})
_ONE_INPUT = frozenset({"Bitmap Heap Scan", "Sort", "Incremental Sort", "Hash", "Aggregate", "Limit", "Unique", "Materialize", "Memoize"}) | {
    "Gather",
    "Gather Merge",
    "WindowAgg",
    "LockRows",
}


def cut_off(plan: Plan) -> str:
    """The node whose input is missing, because the text was not pasted to its end; "" for a whole tree."""
    for node in nodes(plan.root):
        needed = 2 if node.kind in _TWO_INPUTS else 1 if node.kind in _ONE_INPUT else 0
        if sum(child.role not in {"InitPlan", "SubPlan"} for child in node.children) < needed:
            return node.kind
    return ""


def number(value: object) -> float:
    """A number that JSON or text gives; 0.0 for anything else, and for what is no finite one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0.0
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return 0.0
    return found if abs(found) <= 1e300 else 0.0


def text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def _milliseconds(value: object) -> float | None:
    return None if value is None else number(value) / 1000

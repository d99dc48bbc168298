"""Titles of nodes in EXPLAIN's text to the names of its JSON, and back (ExplainNode in src/backend/commands/explain.c)."""

from __future__ import annotations

import re
from typing import Any

from dbguard.model.names import quote
from dbguard.model.plan import Node

_JOINS = {"Left", "Full", "Right", "Semi", "Anti", "Right Anti", "Right Semi"}
_PLAIN = frozenset(
    """Result|ProjectSet|Append|Merge Append|Recursive Union|BitmapAnd|BitmapOr|Nested Loop|Gather|Gather Merge|Subquery Scan|Materialize
Memoize|Result Cache|Sort|Incremental Sort|Group|WindowAgg|Unique|LockRows|Limit|Hash|Values Scan|Seq Scan|Sample Scan|Index Scan
Index Only Scan|Bitmap Index Scan|Bitmap Heap Scan|Tid Scan|Tid Range Scan|Function Scan|Table Function Scan|CTE Scan|Named Tuplestore Scan
WorkTable Scan|Foreign Scan""".replace("\n", "|").split("|")
)
_AGGREGATES = {"Aggregate": "Plain", "GroupAggregate": "Sorted", "HashAggregate": "Hashed", "MixedAggregate": "Mixed"}
_OPERATIONS = ("Insert", "Update", "Delete", "Merge")
_JOIN = re.compile(r"(Hash|Merge|Nested Loop)(?: (Left|Full|Right Anti|Right Semi|Right|Semi|Anti))?(?: Join)?")
_SETOP = re.compile(r"(?P<hash>Hash)?SetOp (?P<command>Intersect All|Intersect|Except All|Except)")
_IDENTIFIER = r'(?:"(?:[^"]|"")+"|\*?[^\s".]+)'
_RELATION = rf"(?P<relation>{_IDENTIFIER}(?:\.{_IDENTIFIER})?)(?: (?P<alias>{_IDENTIFIER}))?"
_SCAN = re.compile(
    rf"(?P<kind>(?:[A-Z][A-Za-z]+ )*?Scan)(?P<custom> \([^)]*\))?(?P<backward> Backward)?(?: using (?P<index>{_IDENTIFIER}))?(?: on {_RELATION})?$"
)
_CHANGE = re.compile(rf"(?P<foreign>Foreign )?(?P<operation>Insert|Update|Delete|Merge) on {_RELATION}$")


def parsed_title(title: str) -> tuple[str, dict[str, str], dict[str, Any]] | None:
    """The node type, what it works on (relation, alias, index), and facts that the title holds; None if this is no title."""
    facts: dict[str, Any] = {}
    for word, key in (("Async ", "Async Capable"), ("Parallel ", "Parallel Aware")):
        if title.startswith(word):
            title, facts[key] = title.removeprefix(word), True
    for mode in ("Partial", "Finalize"):
        if title.startswith(f"{mode} "):
            title, facts["Partial Mode"] = title.removeprefix(f"{mode} "), mode
    if title in _AGGREGATES:
        return "Aggregate", {}, {"Strategy": _AGGREGATES[title], "Partial Mode": "Simple", **facts}
    if change := _CHANGE.match(title):
        return "ModifyTable", _target(change), {**facts, "Operation": change["operation"]}
    if title in _PLAIN and " Scan" not in title and title != "Nested Loop":
        return title, {}, facts
    if (join := _JOIN.fullmatch(title)) and (join[1] == "Nested Loop" or title.endswith("Join")):
        return join[1] if join[1] == "Nested Loop" else f"{join[1]} Join", {}, {**facts, "Join Type": join[2] or "Inner"}
    if setop := _SETOP.fullmatch(title):
        return "SetOp", {}, {**facts, "Strategy": "Hashed" if setop["hash"] else "Sorted", "Command": setop["command"]}
    if scan := _SCAN.match(title):
        return _scan(scan, facts)
    return None


def _scan(scan: re.Match[str], facts: dict[str, Any]) -> tuple[str, dict[str, str], dict[str, Any]] | None:
    kind = scan["kind"]
    if kind == "Custom Scan" or (scan["custom"] and kind == "Custom Scan"):
        facts["Custom Plan Provider"] = (scan["custom"] or "").strip(" ()")
    elif kind not in _PLAIN:
        return None
    own = _target(scan)
    if scan["backward"]:
        facts["Scan Direction"] = "Backward"
    if kind == "Bitmap Index Scan":
        return kind, {"index": own.get("relation", "")}, facts
    named = {"CTE Scan": "CTE Name", "WorkTable Scan": "CTE Name", "Function Scan": "Function Name", "Named Tuplestore Scan": "Tuplestore Name"}
    if kind in named:
        facts[named[kind]] = own.pop("relation", "").rpartition(".")[2]
    elif kind in {"Subquery Scan", "Values Scan", "Table Function Scan"}:
        own["alias"] = own.pop("relation", "")
    return kind, own, facts


def _target(match: re.Match[str]) -> dict[str, str]:
    found = match.groupdict()
    relation = ".".join(_bare(part) for part in re.findall(_IDENTIFIER, found.get("relation") or ""))
    alias = _bare(found.get("alias") or "") or relation.rpartition(".")[2]
    index = _bare(found.get("index") or "")
    return {key: value for key, value in (("relation", relation), ("alias", alias), ("index", index)) if value}


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') and name.endswith('"') and len(name) > 1 else name


def title(node: Node) -> str:
    """The node as EXPLAIN's text has it: `Index Scan Backward using orders_pkey on orders o`."""
    facts = node.facts
    words = ["Parallel" if facts.get("Parallel Aware") else "", _kind(node)]
    if facts.get("Scan Direction") == "Backward":
        words.append("Backward")
    if node.kind == "Bitmap Index Scan":
        return " ".join([*filter(None, words), "on", quote(node.index)])
    if node.index:
        words += ["using", quote(node.index)]
    words += _on(node)
    return " ".join(filter(None, words))


def _kind(node: Node) -> str:
    facts = node.facts
    if node.kind == "Aggregate":
        name = {value: key for key, value in _AGGREGATES.items()}.get(str(facts.get("Strategy", "Plain")), "Aggregate")
        mode = facts.get("Partial Mode")
        return f"{mode} {name}" if mode in {"Partial", "Finalize"} else name
    if node.kind == "ModifyTable":
        operation = facts.get("Operation")
        return operation if operation in _OPERATIONS else "Modify"
    if node.kind in {"Hash Join", "Merge Join", "Nested Loop"}:
        join = facts.get("Join Type", "Inner")
        return node.kind if join == "Inner" or join not in _JOINS else f"{node.kind.removesuffix(' Join')} {join} Join"
    if node.kind == "SetOp":
        return f"{'Hash' if facts.get('Strategy') == 'Hashed' else ''}SetOp {facts.get('Command', '')}".strip()
    if node.kind == "Custom Scan":
        return f"Custom Scan ({facts.get('Custom Plan Provider', '')})"
    return node.kind


def _on(node: Node) -> list[str]:
    schema, _, relation = node.relation.rpartition(".")
    name = relation or str(node.facts.get("CTE Name") or node.facts.get("Function Name") or "")
    if not name:
        return ["on", quote(node.alias)] if node.alias else []
    shown = quote(name) if not schema or schema == "public" else f"{quote(schema)}.{quote(name)}"
    return ["on", shown, *([quote(node.alias)] if node.alias and node.alias != name else [])]

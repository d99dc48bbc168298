"""Plans as text and as JSON are the same plans, however they were pasted; what is no plan is said to be none."""

from __future__ import annotations

import json
import random
import textwrap
import time
from contextlib import suppress
from typing import Any

import pytest

from dbguard.errors import UnreadableSource
from dbguard.model.plan import Node, Plan, nodes
from dbguard.pipelines.plans_inspect import plan_step
from dbguard.planning.node_names import title
from dbguard.planning.plans import cut_off, json_of, of_json, of_text, read_plans
from dbguard.planning.sentence import sentence

SIMPLE = """Limit  (cost=0.29..1.02 rows=10 width=16) (actual time=0.027..0.030 rows=10.00 loops=1)
  ->  Index Scan using orders_placed_at_idx on orders  (cost=0.29..783.29 rows=9491 width=16) (actual time=0.026..0.028 rows=10.00 loops=1)
        Filter: (status = 'delivered'::text)
Planning Time: 0.142 ms
Execution Time: 0.042 ms
"""


def outline(plan: Plan, *, costs: bool = True, executed: bool = True) -> list[tuple[object, ...]]:
    def of(node: Node) -> tuple[object, ...]:
        numbers = (node.startup_cost, node.total_cost, node.rows, node.width) if costs else ()
        came = (node.actual_rows, node.loops) if executed else ()
        return (node.kind, node.relation, node.alias, node.index, node.role, len(node.children), *numbers, *came)

    return [of(node) for node in nodes(plan.root)]


def test_text_and_json_of_a_statement_are_the_same_plan(explained: list[Any]):
    different = []
    for sql, options, text, document in explained:
        (from_text,), (from_json,) = of_text(text), of_json(document)
        changes = "ANALYZE" in options and sql.startswith(("UPDATE", "DELETE", "INSERT"))  # executed twice, on different rows
        how = {"costs": options != "COSTS OFF" and not changes, "executed": not changes}
        if outline(from_text, **how) != outline(from_json, **how):
            different.append((sql, options))
    assert different == []


FACTS = ("Filter", "Index Cond", "Hash Cond", "Join Filter", "Sort Key", "Group Key", "Rows Removed by Filter", "Join Type", "Strategy", "CTE Name",
         "Subplan Name", "Operation", "Hash Batches", "Shared Hit Blocks", "Exact Heap Blocks", "Sort Method")  # fmt: skip


def test_text_has_the_facts_of_json(explained: list[Any]):
    missing = []
    for sql, options, text, document in explained:
        if "ANALYZE" in options and sql.startswith(("UPDATE", "DELETE", "INSERT")):
            continue
        pairs = zip(nodes(of_text(text)[0].root), nodes(of_json(document)[0].root), strict=True)
        for ours, theirs in pairs:
            for key in FACTS:
                value = theirs.facts.get(key)
                given = ours.facts.get(key)
                if value and key == "Group Key" and "Grouping Sets" in theirs.facts:
                    continue
                if value and key == "Subplan Name":
                    given = str(given).split(" (")[0]
                if value and given != value and key != "Shared Hit Blocks":
                    missing.append((sql, options, key, value, given))
    assert missing == []


def test_titles_are_those_of_explain(explained: list[Any]):
    for sql, options, text, document in explained:
        if options:
            continue
        printed = [line.split("  (cost=")[0].split("->")[-1].strip() for line in text.splitlines() if "(cost=" in line and "'" not in line]
        made = [title(node) for node in nodes(of_json(document)[0].root)]
        assert [one for one in printed if one not in made] == [], sql


@pytest.mark.parametrize("how", ["psql", "border", "mail", "ticket", "wrapped", "windows"])
def test_a_pasted_plan_is_the_plan(explained: list[Any], how: str):
    for _, options, text, _ in explained:
        if options == "COSTS OFF" or "evil" in text:
            continue
        assert outline(read_plans(pasted(text, how))[0]) == outline(of_text(text)[0])


def pasted(text: str, how: str) -> str:
    lines = text.split("\n")
    width = max(map(len, lines))
    match how:
        case "psql":
            return "  QUERY PLAN   \n-------------\n" + "".join(f" {line}\n" for line in lines) + f"({len(lines)} rows)\n\nTime: 3.2 ms\n"
        case "border":
            bar = f"+{'-' * (width + 2)}+\n"
            return f"{bar}| {'QUERY PLAN'.center(width)} |\n{bar}" + "".join(f"| {line:<{width}} |\n" for line in lines) + f"{bar}(3 rows)\n"
        case "mail":
            return "".join(f"> {line}\n" for line in lines)
        case "ticket":
            return "Hello,\nthis query is slow: why?\n\n" + "".join(f"    {line}\n" for line in lines) + "\nThanks\n"
        case "windows":
            return "\ufeff" + "\r\n".join(lines)
    return "\n".join(part for line in lines for part in fold(line))


def fold(line: str) -> list[str]:
    """As a mail program does it: at spaces, what follows without indentation."""
    if len(line) <= 100:
        return [line]
    indent = len(line) - len(line.lstrip())
    parts = textwrap.wrap(line.strip(), 100 - min(indent, 40), break_long_words=False, break_on_hyphens=False)
    return [" " * indent + parts[0], *parts[1:]]


def test_json_that_psql_printed_over_lines_is_read(explained: list[Any]):
    for _, _, _, document in explained[:20]:
        lines = json.dumps(document, indent=2).split("\n")
        width = max(map(len, lines))
        text = "QUERY PLAN\n-----\n" + "".join(f" {line:<{width}}+\n" for line in lines[:-1]) + f" {lines[-1]}\n(1 row)\n"
        assert outline(read_plans(text)[0]) == outline(of_json(document)[0])


def copied(how: str, lines: list[str]) -> str:
    """Lines of a plan as a tool prints or copies them."""
    wide = max(map(len, lines))
    match how:
        case "pgAdmin":
            return '"QUERY PLAN"\n' + "".join('"' + line.replace('"', '""') + '"\n' for line in lines)
        case "DBeaver":
            return f"{'QUERY PLAN':<{wide}}|\n{'-' * wide}+\n" + "".join(f"{line:<{wide}}|\n" for line in lines)
        case "expanded":
            return "".join(f"-[ RECORD {number} ]{'-' * wide}\nQUERY PLAN | {line}\n" for number, line in enumerate(lines, 1))
        case "syslog":
            head = "Jan  1 10:00:00 db postgres[123]: [5-{}] "
            first = f"{head.format(1)}2026-01-01 10:00:00 UTC [123] LOG:  duration: 5.1 ms  plan:\n"
            return first + "".join(f"{head.format(number)}#011{line}\n" for number, line in enumerate(lines, 2))
    return "Hi,\n\nthis is slow:\n\n" + "".join(f"> {line}\n" for line in lines) + "\nAny idea?\n"


@pytest.mark.parametrize("how", ["pgAdmin", "DBeaver", "expanded", "syslog", "answer in a mail"])
def test_a_plan_that_a_tool_copied_is_the_plan(explained: list[Any], how: str):
    for _, options, text, _ in explained:
        if options == "COSTS OFF" or "evil" in text:
            continue
        lines = text.rstrip("\n").split("\n")
        assert [outline(plan) for plan in read_plans(copied(how, lines))] == [outline(plan) for plan in of_text(text)], text


def test_a_part_of_a_json_plan_is_not_taken_for_the_plan(explained: list[Any]):
    for _, options, _, document in explained:
        text = json.dumps(document, indent=2)
        if options or len(text) < 1_000:
            continue
        for end in range(200, len(text) - 2, len(text) // 5):
            with pytest.raises(UnreadableSource, match=r"breaks off in the middle of a plan|no plan is in this|not JSON"):
                read_plans(text[:end])


def test_a_text_that_ends_before_its_plan_is_seen_to_be_cut_off(explained: list[Any]):
    for _, options, text, _ in explained:
        if options == "COSTS OFF" or "evil" in text:
            continue
        (whole,) = of_text(text)
        assert cut_off(whole) == ""
        first = text.split("\n  ->")[0].split("\n")[0]
        if whole.root.kind in {"Limit", "Sort", "Hash Join", "Nested Loop"}:
            assert cut_off(of_text(first)[0]) == whole.root.kind
    with pytest.raises(UnreadableSource, match="breaks off in the middle of a line"):
        read_plans("Sort  (cost=1.00..2.00 rows=1 width=4)\n  ->  Seq Scan on a  (cost=0.00..1.0")


def test_a_literal_that_looks_like_a_node_is_none(explained: list[Any]):
    for _, _, text, _ in explained:
        if "evil" in text:
            assert [node.kind for node in nodes(of_text(text)[0].root)] == ["Seq Scan"]


def test_several_plans_in_one_text_are_several():
    assert [plan.root.kind for plan in of_text(f"first\n\n{SIMPLE}\n\nsecond\n\n{SIMPLE}")] == ["Limit", "Limit"]
    document = {"Plan": {"Node Type": "Result", "Total Cost": 1.0}}
    assert len(of_json([document, document])) == 2
    assert len(read_plans(f"{json.dumps([document])}\n{json.dumps([document])}")) == 2


def test_a_plan_of_auto_explain_has_its_statement():
    log = f"2026-11-21 10:00:00 UTC LOG:  duration: 1.2 ms  plan:\n\tQuery Text: SELECT id\n\t  FROM orders\n{textwrap.indent(SIMPLE, chr(9))}"
    (plan,) = of_text(log)
    assert plan.sql == "SELECT id\nFROM orders"
    document = {"Query Text": "SELECT 1", "Plan": {"Node Type": "Result", "Total Cost": 0.01, "Plan Rows": 1}}
    assert read_plans(f"LOG:  duration: 0.1 ms  plan:\n{json.dumps(document)}")[0].sql == "SELECT 1"


def test_times_and_rows_of_older_versions_are_read():
    old = """Sort  (cost=66.83..69.33 rows=1000 width=8) (actual time=0.5..0.6 rows=1000 loops=1)
  Sort Key: b, a DESC NULLS LAST
  Sort Method: external merge  Disk: 102kB
  Buffers: shared hit=7 read=2, temp read=5 written=6
  I/O Timings: read=0.145 write=0.010
  ->  Seq Scan on t  (cost=0.00..17.00 rows=1000 width=8) (actual time=0.1..0.2 rows=1000 loops=1)
Planning time: 0.1 ms
Total runtime: 0.9 ms
"""
    root = of_text(old)[0].root
    assert root.facts["Sort Key"] == ["b", "a DESC NULLS LAST"]
    assert (root.facts["Sort Space Used"], root.facts["Sort Space Type"]) == (102, "Disk")
    assert (root.facts["Shared Read Blocks"], root.facts["Temp Written Blocks"], root.facts["Shared I/O Read Time"]) == (2, 6, 0.145)
    assert root.seconds == pytest.approx(0.0006)


def test_what_stands_below_the_plan_is_read():
    text = SIMPLE + (
        "Settings: work_mem = '64MB', search_path = 'a, b'\n"
        "Trigger RI_ConstraintTrigger_a_16423 for constraint items_order_id_fkey: time=234.890 calls=19\n"
        "JIT:\n  Functions: 4\n  Timing: Generation 0.5 ms, Inlining 0.0 ms, Total 12.5 ms\n"
    )
    facts = of_text(text)[0].facts
    assert facts["Settings"] == {"work_mem": "64MB", "search_path": "a, b"}
    trigger = {"Trigger Name": "RI_ConstraintTrigger_a_16423", "Constraint Name": "items_order_id_fkey", "Time": 234.89, "Calls": 19}
    assert facts["Triggers"] == [trigger]
    assert facts["JIT"]["Timing"]["Total"] == 12.5


def test_a_plan_from_text_has_the_keys_of_json(explained: list[Any]):
    for sql, options, text, document in explained:
        if not options:
            again = of_json(json_of(of_text(text)[0]))[0]
            assert outline(again) == outline(of_json(document)[0]), sql


def test_what_is_no_plan_is_said_to_be_none():
    nothing = [
        "",
        " \n\n",
        "SELECT 1",
        "a -> b\n  -> c",
        "{}",
        "[]",
        "null",
        '{"Plan": 3}',
        '[{"Plan": {}}]',
        '{"Node Type": 7}',
        "x" * 100_000,
        "-> " * 9999,
    ]
    for text in nothing:
        with pytest.raises(UnreadableSource):
            read_plans(text)


def test_other_formats_say_what_to_do():
    for text in ("- Plan: \n    Node Type: Result\n", '<explain xmlns="http://www.postgresql.org/2009/explain">'):
        with pytest.raises(UnreadableSource, match="FORMAT JSON"):
            read_plans(text)


def test_a_tree_without_its_indentation_is_not_guessed():
    flat = "\n".join(
        line.strip()
        for line in [
            "Hash Join  (cost=1.00..2.00 rows=1 width=4)",
            "  ->  Seq Scan on a  (cost=0.00..1.00 rows=1 width=4)",
            "  ->  Hash  (cost=1.00..1.00 rows=1 width=4)",
            "        ->  Seq Scan on b  (cost=0.00..1.00 rows=1 width=4)",
        ]
    )
    with pytest.raises(UnreadableSource, match="indentation"):
        read_plans(flat)


def test_depth_and_size_are_limited():
    deep: dict[str, Any] = {"Node Type": "Result"}
    for _ in range(5_000):
        deep = {"Node Type": "Limit", "Plans": [deep]}
    with pytest.raises(UnreadableSource):
        of_json({"Plan": deep})
    with pytest.raises(UnreadableSource):
        of_json('{"Plan":' * 100_000)
    steps = "\n".join(f"{'  ' * depth}->  Limit  (cost=0..1 rows=1 width=1)" for depth in range(1, 2_000))
    with pytest.raises(UnreadableSource):
        of_text(f"Limit  (cost=0..1 rows=1 width=1)\n{steps}")


@pytest.mark.parametrize(
    "text",
    [
        "Append  (cost=0.00..1.00 rows=1 width=1)\n" + "  ->  Seq Scan on t  (cost=0.00..1.00 rows=1 width=1)\n" * 20_000,
        ('"' * 100 + "\n") * 20_000 + SIMPLE,
        SIMPLE.split("\n", maxsplit=1)[0] + "\n  Filter: (a = 'x\n" + "abcdefgh\n" * 20_000,
        SIMPLE.split("\n", maxsplit=1)[0] + "\n  Filter: (a = x\n" + "abcdefgh\n" * 20_000,
        (">" * 3_000 + " x\n") * 100 + SIMPLE,
        '"Plan": ' + '[{"' * 100_000,
    ],
    ids=["wide", "quotes", "open literal", "wrapped", "answers", "braces"],
)
def test_no_text_takes_long(text: str):
    began = time.perf_counter()
    with suppress(UnreadableSource):
        for plan in read_plans(text):
            sentence(plan_step(plan))
    assert time.perf_counter() - began < 10


def test_numbers_that_are_none_do_no_harm():
    odd = {
        "Node Type": "Seq Scan",
        "Total Cost": "NaN",
        "Plan Rows": "1e999",
        "Plan Width": None,
        "Actual Rows": True,
        "Actual Loops": [],
        "Plans": "x",
    }
    root = of_json({"Plan": odd, "Planning Time": "soon"})[0].root
    assert (root.total_cost, root.rows, root.width, root.actual_rows, root.loops, root.children) == (0.0, 0.0, 0, 0.0, 0.0, ())


def test_damaged_plans_are_read_or_refused(explained: list[Any]):
    chance = random.Random(7)
    for _, _, text, document in explained[::4]:
        for whole in (text, json.dumps(document)):
            for _ in range(6):
                at, size = chance.randrange(len(whole)), chance.randrange(1, 40)
                damaged = whole[:at] + "".join(chance.choices("()[]{}'\"->:,.0 \n\x00é%", k=chance.randrange(8))) + whole[at + size :]
                try:
                    plans = read_plans(damaged)
                except UnreadableSource:
                    continue
                assert all(list(nodes(plan.root)) for plan in plans)

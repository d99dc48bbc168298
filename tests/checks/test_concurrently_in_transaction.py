"""The advice names the tool that opens the transaction, which pages cannot show: their examples have no tool."""

from __future__ import annotations

import pytest

from dbguard.config import TOOLS
from dbguard.model.source import Script, Source
from dbguard.model.state import State
from dbguard.parsing import parse
from dbguard.pipelines.inspect import Inspection
from dbguard.replay import replay
from dbguard.rulebook import Rulebook
from dbguard.rulebook.select import select

SQL = "CREATE INDEX CONCURRENTLY orders_idx ON orders (customer_id);\nANALYZE orders;\n"


def advice(tool: str, transaction: str) -> list[str]:
    book = Rulebook.load()
    script = Script(Source("001.sql", SQL), ((0, len(SQL)),), transaction, tool=tool)
    inspection = Inspection(select(book, selected=("concurrently-in-transaction",)), (14, 18))
    return [str(finding.instead) for finding in inspection.findings(replay([parse(script)], State(), 18))]


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("goose", "-- +goose NO TRANSACTION"),
        ("sqlx", "-- no-transaction"),
        ("dbmate", "transaction:false"),
        ("flyway", "executeInTransaction=false"),
        ("diesel", "run_in_transaction = false"),
        ("atlas", "-- atlas:txmode none"),
        ("tern", "---- tern: disable-tx ----"),
    ],
)
def test_advice_names_the_switch_of_the_tool(tool: str, words: str):
    assert [words in text for text in advice(tool, "one")] == [True]


def test_several_statements_in_one_query_are_a_transaction():
    assert advice("golang-migrate", "single") == ["move it to a file of its own, with no other statement in it"]


def test_nothing_is_wrong_where_each_statement_runs_by_itself():
    assert advice("goose", "none") == []


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_has_advice(tool: str):
    assert len(advice(tool, "one")) == 1

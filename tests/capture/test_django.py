"""Django, in a process of its own: lazy loads of every kind named, templates, transactions, aliases, requests, threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dbguard.model.calls import Call, Load, Unit
from tests.book import ROOT
from tests.capture.helpers import CONTROL, line_with, units_in

APP = Path(__file__).parent / "django_app"
MAIN = str(APP / "main.py")
SHOWN = Path(os.path.relpath(MAIN, ROOT)).as_posix()


@pytest.fixture(scope="module")
def units(server: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Unit]:
    file = tmp_path_factory.mktemp("django") / "capture.jsonl"
    name = server.create_database()
    done = subprocess.run([sys.executable, MAIN, str(server.folder), name, str(file)], cwd=APP, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return {unit.name: unit for unit in units_in(file)}


def calls(unit: Unit) -> list[Call]:
    return [call for call in unit.calls if not call.sql.startswith(CONTROL)]


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("forward", Load("lazy", "Order", "customer", False, "django")),
        ("reverse", Load("lazy", "Order", "items", True, "django")),
        ("many to many", Load("lazy", "Order", "labels", True, "django")),
        ("reverse many to many", Load("lazy", "Label", "order_set", True, "django")),
        ("one to one", Load("lazy", "Customer", "profile", False, "django")),
        ("generic relation", Load("lazy", "Order", "notes", True, "django")),
        ("deferred", Load("column", "Order", "memo", False, "django")),
        ("property", Load("lazy", "Order", "items", True, "django")),
    ],
)
def test_what_is_loaded_lazily_is_named(units: dict[str, Unit], name: str, load: Load):
    parent, *others = calls(units[name])

    assert parent.load is not None
    assert (parent.load.event, parent.loop) == ("", None)
    assert [call.load for call in others] == [load] * 3
    assert all(call.loop is not None for call in others)
    assert [call.driver for call in others] == ["django"] * 3


def test_a_generic_foreign_key_is_named_and_its_content_type_is_not_the_relation(units: dict[str, Unit]):
    parent, content_type, *others = calls(units["generic foreign key"])

    assert parent.load is not None
    assert parent.load._replace(built=None) == Load("", "Note", "", False, "django")
    assert content_type.load == Load("", "ContentType", "", False, "django")
    assert [call.load for call in others] == [Load("lazy", "Note", "target", False, "django", generic=True)] * 3


def test_parameters_come_from_the_parent(units: dict[str, Unit]):
    parent, *others = calls(units["forward"])

    column = next(result for result in parent.results if result.column == "customer_id")
    assert [call.parameters[0] for call in others if call.parameters] == list(column.values)


def test_lines_are_those_of_the_user(units: dict[str, Unit]):
    forward, inside = calls(units["forward"])[1], calls(units["property"])[1]

    assert (forward.frames[0].path, forward.frames[0].line) == (SHOWN, line_with("forward", MAIN))
    assert [(frame.line, frame.function) for frame in inside.frames] == [
        (line_with("property of the model", str(APP / "shop" / "models.py")), "Order.total"),
        (line_with("uses the property", MAIN), "<module>"),
    ]
    assert inside.loop == inside.frames[1]


def test_where_a_query_was_put_together_is_known_and_what_it_joins(units: dict[str, Unit]):
    parent, lazy = calls(units["built elsewhere"])[:2]

    assert parent.load is not None
    assert parent.load.built is not None
    assert (parent.load.built.line, parent.frames[0].line) == (line_with("puts together", MAIN), line_with("sends", MAIN))
    assert parent.load.related == (("order", "Order"), ("order__customer", "Customer"))
    assert lazy.load == Load("lazy", "Customer", "profile", False, "django")


def test_what_is_awaited_has_the_lines_of_who_waits(units: dict[str, Unit]):
    parent, *counts = calls(units["awaited"])

    assert parent.frames[0].line == line_with("rows are awaited", MAIN)
    assert [(call.load.relationship if call.load else "", call.frames[0].line, call.loop is not None) for call in counts] == [
        ("items", line_with("counts are awaited", MAIN), True)
    ] * 3


def test_eager_loads_are_not_lazy(units: dict[str, Unit]):
    assert [(call.load.event, call.load.relationship) for call in calls(units["eager"]) if call.load] == [
        ("", ""),
        ("eager", "items"),
        ("eager", "labels"),
        ("eager", "notes"),
    ]


def test_a_refresh_is_named(units: dict[str, Unit]):
    assert [call.load for call in units["refresh"].calls] == [Load("refresh", "Order", "", False, "django")]


def test_a_template_is_a_place_with_its_own_line_and_loop(units: dict[str, Unit]):
    seen = [(call.frames[0].path.rpartition("/")[2], call.frames[0].line, call.loop is not None) for call in units["template"].calls]

    assert seen[0] == ("main.py", line_with("renders", MAIN), False)
    assert seen[1] == ("orders.html", 2, False)
    assert seen[2:8] == [("orders.html", 3, True), ("orders.html", 4, True)] * 3
    assert seen[8] == ("orders.html", 8, False)
    assert units["template"].calls[2].frames[1].path == SHOWN


def test_transactions_and_savepoints(units: dict[str, Unit]):
    found = units["transactions"].calls

    assert [call.sql.split()[0] for call in found] == ["BEGIN", "UPDATE", "SAVEPOINT", "UPDATE", "RELEASE", "COMMIT"]
    assert len({call.transaction for call in found}) == 1
    assert found[0].transaction
    assert {call.transaction for call in units["raw"].calls} == {""}


def test_raw_cursors_and_chunks(units: dict[str, Unit]):
    select, update = units["raw"].calls

    assert (select.rows, select.many, update.rows, update.many) == (3, 1, 2, 2)
    assert len(units["chunks"].calls) == 1


def test_every_alias_is_seen(units: dict[str, Unit]):
    assert [call.database for call in units["alias"].calls] == ["reports"]
    assert units["forward"].calls[0].database == "default"


def test_errors_are_named(units: dict[str, Unit]):
    assert [call.error for call in units["error"].calls] == ["42P01"]


def test_wrappers_of_the_host_come_and_go_as_ever(units: dict[str, Unit]):
    assert [call.sql.split()[0] for call in calls(units["wrapper of the host"])].count("SELECT") == 2


def test_a_request_is_a_unit_named_by_its_route(units: dict[str, Unit]):
    assert units["GET orders/<int:pk>/"].kind == "request"
    assert len(calls(units["GET orders/<int:pk>/"])) == 1


def test_threads_fall_back_on_the_recording(units: dict[str, Unit]):
    assert [call.sql for call in calls(units["record"]) if "shop_label" in call.sql] != []

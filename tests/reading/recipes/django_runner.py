"""Applies recipes with the real Django, in a process of its own.

In: JSON on standard input with the folder and name of a database and the tasks. Out: JSON, what each task reached.
A task starts from SQL (`start`) or from operations (`initial`), and applies the migrations in `text`, or the SQL in `sql`.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from textwrap import indent
from typing import Any

import django
import psycopg
from django.conf import settings

from tests.reading.recipes.pages import Start, clear, execute, set_up, state

HEAD = "from django.contrib.postgres.indexes import *\nfrom django.db import migrations, models\nimport django.db.models.deletion\n"


def migrations_of(text: str) -> list[Any]:
    """The migrations whose class bodies stand in the text one after the other."""
    from django.db.migrations import Migration

    imports = "\n".join(re.findall(r"^from .*$", text, re.MULTILINE))
    bodies = re.split(r"(?<=^\])$", re.sub(r"^from .*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)
    made = []
    for number, body in enumerate(bodies, start=2):
        names: dict[str, Any] = {}
        exec(f"{HEAD}{imports}\nclass Migration(migrations.Migration):\n{indent(body, '    ')}\n    pass\n", names)
        assert issubclass(names["Migration"], Migration)
        made.append(names["Migration"](f"{number:04}", "shop"))
    return made


def apply(text: str, before: Any) -> Any:
    """As the executor of `migrate` does it."""
    from django.db import connection

    for migration in migrations_of(text):
        with connection.schema_editor(atomic=migration.atomic) as editor:
            before = migration.apply(before, editor)
    return before


def take_back(text: str, starting: Any) -> None:
    """As `migrate shop 0001` does it."""
    from django.db import connection

    states = [starting]
    found = migrations_of(text)
    for migration in found:
        states.append(migration.mutate_state(states[-1]))
    for migration, before in zip(reversed(found), reversed(states[:-1]), strict=True):
        with connection.schema_editor(atomic=migration.atomic) as editor:
            migration.unapply(before, editor)


def perform(task: dict[str, Any], admin: Any) -> dict[str, Any]:
    from django.db.migrations.exceptions import IrreversibleError
    from django.db.migrations.state import ProjectState

    starting = ProjectState()
    if "initial" in task:
        clear(admin)
        starting = apply(task["initial"], starting)
    else:
        set_up(admin, Start(*task["start"]))
    if "sql" in task:
        execute(admin, task["sql"])
        return {"state": state(admin)}
    after = apply(task["text"], starting.clone())
    result: dict[str, Any] = {"state": state(admin)}
    if "own" in task:
        wanted = apply_state(task["own"], starting.clone())
        result["models"] = shown(after), shown(wanted)
    if task.get("back"):
        try:
            take_back(task["text"], starting.clone())
            result["back"] = state(admin)
        except IrreversibleError:
            result["back"] = "irreversible"
    return result


def apply_state(own: str, before: Any) -> Any:
    for migration in migrations_of(f"operations = [{own}]"):
        before = migration.mutate_state(before)
    return before


def shown(project: Any) -> list[str]:
    """What a state says of its models."""
    return sorted(
        f"{model.app_label}.{model.name} {name} {field.deconstruct()[1:]}"
        for model in project.models.values()
        for name, field in model.fields.items()
    ) + sorted(f"{model.name} {key} {value}" for model in project.models.values() for key, value in model.options.items())


def main() -> None:
    given = json.load(sys.stdin)
    database = {"ENGINE": "django.db.backends.postgresql", "HOST": given["host"], "PORT": "5432", "USER": "postgres", "NAME": given["name"]}
    settings.configure(
        DATABASES={"default": database}, INSTALLED_APPS=["django.contrib.postgres"], USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField"
    )
    django.setup()
    results: dict[str, Any] = {}
    with psycopg.connect(host=given["host"], port=5432, user="postgres", dbname=given["name"], autocommit=True) as admin:
        for name, task in given["tasks"].items():
            try:
                results[name] = perform(task, admin)
            except Exception:  # noqa: BLE001 - it is the result, and fails the test
                results[name] = {"error": traceback.format_exc()}
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()

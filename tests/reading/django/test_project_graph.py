from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixture_projects import FIXTURES
from tests.reading.django.projects import migration, problems, project, read_one, read_project, unread, versions

_PLAN = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=json.loads(sys.argv[2]), DATABASES={}, USE_TZ=True, AUTH_USER_MODEL=sys.argv[3])
django.setup()
from django.db.migrations.loader import MigrationLoader
graph = MigrationLoader(None).graph
print(json.dumps([".".join(key) for key in graph._generate_plan(graph.leaf_nodes(), True)]))
"""


def django_plan(folder: Path, apps: list[str], user: str = "auth.User") -> list[str]:
    """The order that Django's own loader gives, of the project's apps."""
    run = subprocess.run(
        [sys.executable, "-B", "-c", _PLAN, str(folder), json.dumps(apps), user], capture_output=True, text=True, check=False, cwd=folder
    )
    assert not run.returncode, run.stderr
    return [
        key for key in json.loads(run.stdout) if key.partition(".")[0] in {app.rpartition(".")[2] for app in apps if not app.startswith("django.")}
    ]


def test_dependencies_decide_not_names(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "shop/migrations/0001_initial.py": migration(),
            "shop/migrations/0002_late.py": migration(("shop", "0003_early")),
            "shop/migrations/0003_early.py": migration(("shop", "0001_initial"), ("billing", "0002_rates")),
            "billing/migrations/0001_initial.py": migration(("shop", "0001_initial")),
            "billing/migrations/0002_rates.py": migration(("billing", "0001_initial")),
        },
    )
    assert versions(read_one(folder)) == django_plan(folder, ["shop", "billing"])
    assert versions(read_one(folder))[-2:] == ["shop.0003_early", "shop.0002_late"]


def test_run_before_first_and_latest_order_as_django_does(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "zoo/migrations/0001_initial.py": migration(),
            "zoo/migrations/0002_cages.py": migration(("zoo", "0001_initial"), body='run_before = [("shop", "0002_orders")]'),
            "shop/migrations/0001_initial.py": migration(("news", "__latest__")),
            "shop/migrations/0002_orders.py": migration(("shop", "0001_initial")),
            "news/migrations/0001_initial.py": migration(("zoo", "__first__"), ("news", "__first__")),
            "news/migrations/0002_titles.py": migration(("news", "0001_initial")),
        },
    )
    assert versions(read_one(folder)) == django_plan(folder, ["zoo", "shop", "news"])


def test_the_user_model_comes_first_where_it_is_needed_even_by_an_app_of_django(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "config/__init__.py": "",
            "config/settings.py": 'AUTH_USER_MODEL = "people.User"\nINSTALLED_APPS = ["django.contrib.admin", "django.contrib.auth", "bills", "people"]\n',
            "bills/migrations/0001_initial.py": migration(),
            "people/migrations/0001_initial.py": migration(("zones", "0001_initial")),
            "people/models.py": "from django.contrib.auth.models import AbstractUser\nclass User(AbstractUser): pass\n",
            "zones/migrations/0001_initial.py": migration(),
            "bills/migrations/0002_owner.py": migration(("bills", "0001_initial"), "migrations.swappable_dependency(settings.AUTH_USER_MODEL)"),
        },
    )
    apps = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.admin", "bills", "people", "zones"]
    assert versions(read_one(folder)) == django_plan(folder, apps, "people.User")
    assert versions(read_one(folder))[:2] == ["zones.0001_initial", "people.0001_initial"]


def test_the_fixture_runs_in_the_order_that_django_gives() -> None:
    folder = FIXTURES / "django-shop"
    expected = django_plan(folder, ["django.contrib.contenttypes", "django.contrib.auth", "accounts", "shop"], "accounts.User")
    assert versions(read_one(folder)) == expected
    assert len(expected) == 12


def squashed(folder: Path) -> Path:
    return project(
        folder,
        {
            "shop/migrations/0001_initial.py": migration(),
            "shop/migrations/0002_a.py": migration(("shop", "0001_initial"), ("news", "0001_initial")),
            "shop/migrations/0002_squashed.py": migration(("news", "0001_initial"), body='replaces = [("shop", "0001_initial"), ("shop", "0002_a")]'),
            "shop/migrations/0003_b.py": migration(("shop", "0002_a")),
            "news/migrations/0001_initial.py": migration(),
            "news/migrations/0002_c.py": migration(("news", "0001_initial"), ("shop", "0002_a")),
        },
    )


def test_a_squashed_migration_stands_for_those_that_it_replaces(tmp_path: Path) -> None:
    folder = squashed(tmp_path)
    new = ["shop/migrations/0002_squashed.py", "shop/migrations/0003_b.py", "news/migrations/0002_c.py"]
    assert versions(read_one(folder, *new)) == django_plan(folder, ["shop", "news"])
    assert "shop.0001_initial" not in versions(read_one(folder, *new))


def test_replaced_migrations_that_are_asked_for_run_in_a_history_of_their_own(tmp_path: Path) -> None:
    folder = squashed(tmp_path)
    usual, replaced = read_project(folder)[0]
    assert versions(replaced) == ["shop.0001_initial", "news.0001_initial", "shop.0002_a", "news.0002_c", "shop.0003_b"]
    assert sorted(replaced.asked) == ["shop/migrations/0001_initial.py", "shop/migrations/0002_a.py"]
    assert not usual.asked & replaced.asked
    assert len(usual.asked | replaced.asked) == 6
    assert [history.asked for history in read_project(folder, "shop/migrations/0002_a.py")[0]] == [frozenset(["shop/migrations/0002_a.py"])]


def test_a_squashed_migration_whose_originals_are_gone_is_a_usual_one(tmp_path: Path) -> None:
    folder = squashed(tmp_path)
    for name in ("0001_initial", "0002_a"):
        (folder / f"shop/migrations/{name}.py").unlink()
    assert versions(read_one(folder)) == ["news.0001_initial", "shop.0002_squashed", "news.0002_c", "shop.0003_b"]
    assert problems(read_one(folder)) == []


def test_a_squashed_one_of_squashed_ones_replaces_all_of_them(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "shop/migrations/0001_a.py": migration(),
            "shop/migrations/0002_b.py": migration(("shop", "0001_a")),
            "shop/migrations/0003_c.py": migration(("shop", "0002_b")),
            "shop/migrations/0010_one.py": migration(body='replaces = [("shop", "0001_a"), ("shop", "0002_b")]'),
            "shop/migrations/0011_two.py": migration(body='replaces = [("shop", "0010_one"), ("shop", "0003_c")]'),
            "shop/migrations/0012_d.py": migration(("shop", "0003_c")),
        },
    )
    history = read_one(folder, "shop/migrations/0012_d.py")
    assert versions(history) == ["shop.0011_two", "shop.0012_d"]
    assert problems(history) == []


def test_dependencies_on_apps_of_others_are_normal(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "shop/migrations/0001_initial.py": migration(
                ("auth", "0012_alter_user_first_name_max_length"),
                ("taggit", "__first__"),
                "migrations.swappable_dependency(settings.AUTH_USER_MODEL)",
            ),
            "shop/migrations/0002_app.py": migration(
                ("shop", "0001_initial"),
                "migrations.swappable_dependency(oauth2_settings.APPLICATION_MODEL)",
                body='run_before = [("oauth2_provider", "0001_initial")]',
                top="from oauth2_provider.settings import oauth2_settings",
            ),
        },
    )
    history = read_one(folder)
    assert versions(history) == ["shop.0001_initial", "shop.0002_app"]
    assert problems(history) == []
    assert unread(history) == []


def test_a_missing_parent_is_told_where_it_is_named(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "shop/migrations/0001_initial.py": migration(),
            "shop/migrations/0003_c.py": migration(("shop", "0001_initial"), ("shop", "0002_b")),
        },
    )
    history = read_one(folder)
    assert problems(history) == [("missing parent", "shop.0003_c", ("shop.0002_b",), "('shop', '0002_b')")]
    assert versions(history) == ["shop.0001_initial", "shop.0003_c"]


def test_two_ends_in_one_app_are_told_once_at_one_that_was_asked_for(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "shop/migrations/0001_initial.py": migration(),
            "shop/migrations/0002_a.py": migration(("shop", "0001_initial")),
            "shop/migrations/0002_b.py": migration(("shop", "0001_initial")),
            "news/migrations/0001_initial.py": migration(("shop", "0002_a")),
        },
    )
    assert problems(read_one(folder)) == [("heads", "shop.0002_b", ("shop.0002_a",), "[('shop', '0001_initial')]")]
    assert problems(read_one(folder, "shop/migrations/0002_a.py")) == [("heads", "shop.0002_a", ("shop.0002_b",), "[('shop', '0001_initial')]")]


def test_two_migrations_with_one_number_that_follow_each_other_are_no_problem(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "shop/migrations/0001_initial.py": migration(),
            "shop/migrations/0002_a.py": migration(("shop", "0001_initial")),
            "shop/migrations/0002_b.py": migration(("shop", "0001_initial")),
            "shop/migrations/0003_merge.py": migration(("shop", "0002_a"), ("shop", "0002_b")),
        },
    )
    assert problems(read_one(folder)) == []
    assert versions(read_one(folder)) == ["shop.0001_initial", "shop.0002_b", "shop.0002_a", "shop.0003_merge"]


@pytest.mark.parametrize("asked", [(), ("shop/migrations/0002_b.py",), ("news/migrations/0001_initial.py",)])
def test_a_cycle_is_told_and_every_migration_is_still_read(tmp_path: Path, asked: tuple[str, ...]) -> None:
    folder = project(
        tmp_path,
        {
            "shop/migrations/0001_initial.py": migration(("news", "0001_initial")),
            "shop/migrations/0002_b.py": migration(("shop", "0001_initial")),
            "news/migrations/0001_initial.py": migration(("shop", "0002_b")),
            "zoo/migrations/0001_initial.py": migration(("zoo", "0001_initial")),
        },
    )
    history = read_one(folder, *asked)
    assert sorted(versions(history)) == ["news.0001_initial", "shop.0001_initial", "shop.0002_b", "zoo.0001_initial"]
    found = {(kind, told): set(others) for kind, told, others, _ in problems(history)}
    told = {"news/migrations/0001_initial.py": "news.0001_initial"}.get("".join(asked), "shop.0002_b")
    assert found[("cycle", told)] == {"news.0001_initial", "shop.0001_initial", "shop.0002_b"} - {told}
    assert ("cycle", "zoo.0001_initial") in found


def test_atomic_false_runs_without_a_transaction(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {"shop/migrations/0001_initial.py": migration(), "shop/migrations/0002_a.py": migration(("shop", "0001_initial"), body="atomic = False")},
    )
    history = read_one(folder)
    assert [script.transaction for script in history.scripts] == ["one", "none"]
    assert history.description == "2 Django migrations of 1 app in ., each in its own transaction (atomic = False for 1)"
    assert {(script.tool, script.way, script.direction) for script in history.scripts} == {("django", "read", "up")}


def test_migrations_of_a_long_history_come_in_order_at_once(tmp_path: Path) -> None:
    names = [f"{number:04}_step" for number in range(600)]
    files: dict[str, str | bytes] = {
        f"shop/migrations/{name}.py": migration(*([("shop", names[index - 1])] if index else [])) for index, name in enumerate(names)
    }
    assert versions(read_one(project(tmp_path, files))) == [f"shop.{name}" for name in names]

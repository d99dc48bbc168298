from __future__ import annotations

from pathlib import Path

import pytest

from dbguard.errors import UsageError
from dbguard.reading.django import discover, fields_in_project, settings
from dbguard.reading.django import versions as django_versions
from dbguard.reading.django.modules import Modules
from dbguard.reading.django.settings import Found
from dbguard.reading.folders import Disk
from tests.reading.django.projects import MANAGE, migration, problems, project, read_one, read_project, unread, versions
from tests.reading.trees import write

INITIAL = migration()


def found(folder: Path) -> Found:
    disk = Disk(lambda _: False)
    layout = discover.layout(disk, str(folder), [])
    return settings.read(disk, str(folder), Modules(disk, layout.bases))


def modules(folder: Path) -> Modules:
    disk = Disk(lambda _: False)
    return Modules(disk, discover.layout(disk, str(folder), []).bases)


# Where a project is, and what its apps are called.


def test_a_project_is_what_lies_below_manage_py(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "pyproject.toml": "",
            "one/manage.py": MANAGE,
            "one/shop/migrations/__init__.py": "",
            "one/shop/migrations/0001_initial.py": INITIAL,
            "two/manage.py": MANAGE,
            "two/shop/migrations/__init__.py": "",
            "two/shop/migrations/0001_initial.py": INITIAL,
        },
    )
    assert [(history.root, versions(history)) for history in read_project(folder)[0]] == [
        ("one", ["shop.0001_initial"]),
        ("two", ["shop.0001_initial"]),
    ]


def test_one_file_brings_the_whole_project(tmp_path: Path) -> None:
    folder = project(tmp_path, {"shop/migrations/0001_initial.py": INITIAL, "news/migrations/0001_initial.py": INITIAL})
    history = read_one(folder, "shop/migrations/0001_initial.py")
    assert versions(history) == ["news.0001_initial", "shop.0001_initial"]
    assert history.asked == {"shop/migrations/0001_initial.py"}


@pytest.mark.parametrize("marker", ["pyproject.toml", "setup.py", ".git/HEAD"])
def test_a_package_without_manage_py_is_a_project(tmp_path: Path, marker: str) -> None:
    folder = (
        write(
            tmp_path / "repo",
            {marker: "", "src/pay/__init__.py": "", "src/pay/migrations/__init__.py": "", "src/pay/migrations/0001_initial.py": INITIAL},
        )
        if (tmp_path / "repo").mkdir() is None
        else tmp_path
    )
    assert versions(read_one(folder)) == ["pay.0001_initial"]


def test_other_peoples_migrations_are_not_looked_at(tmp_path: Path) -> None:
    elsewhere = [".venv/lib/x", "venv/lib/x", "node_modules/x", "lib/site-packages/x"]
    files = {f"{name}/migrations/0001_initial.py": INITIAL for name in elsewhere} | {"shop/migrations/0001_initial.py": INITIAL}
    assert versions(read_one(project(tmp_path, dict(files)), "shop/migrations/0001_initial.py")) == ["shop.0001_initial"]


@pytest.mark.parametrize(
    ("apps", "label"),
    [
        ("", "orders"),
        ("from django.apps import AppConfig\nclass C(AppConfig):\n    name = 'company.orders'\n", "orders"),
        ("from django.apps import AppConfig\nclass C(AppConfig):\n    name = 'company.orders'\n    label = 'sales'\n", "sales"),
        ("from company.base import Base\nclass C(Base):\n    name = 'company.orders'\n    label = 'sales'\n", "sales"),
        ("import django.apps as a\nclass B(a.AppConfig):\n    default = False\n    name='x'\nclass C(a.AppConfig):\n    name = 'company.orders'\n    label = 'sales'\n", "sales"),
        ("from django.apps import AppConfig\nclass C(AppConfig):\n    name = compute()\n    label = 'sales'\n", "orders"),
        ("class AppConfig(: broken", "orders"),
        ("raise SystemExit", "orders"),
    ],
)  # fmt: skip
def test_the_label_is_that_of_the_app_config_where_it_is_literal(tmp_path: Path, apps: str, label: str) -> None:
    files = {
        "company/__init__.py": "",
        "company/orders/migrations/0001_initial.py": INITIAL,
        "company/base.py": "from django.apps import AppConfig as Base",
    }
    if apps:
        files["company/orders/apps.py"] = apps
    assert versions(read_one(project(tmp_path, dict(files)))) == [f"{label}.0001_initial"]


def test_the_app_config_that_settings_name_decides(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "config/settings.py": 'INSTALLED_APPS = ["company.orders.config.OrdersConfig"]',
            "company/__init__.py": "",
            "company/orders/config.py": "from django.apps import AppConfig\nclass OrdersConfig(AppConfig):\n    name = 'company.orders'\n    label = 'sales'\n"
            "    default_auto_field = 'django.db.models.AutoField'\n",
            "company/orders/migrations/0001_initial.py": INITIAL,
        },
    )
    assert versions(read_one(folder)) == ["sales.0001_initial"]


def test_migration_modules_move_an_apps_migrations(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "config/settings.py": 'MIGRATION_MODULES = {"sites": "shop.contrib.sites.migrations", "shop": "shop.db_steps"}\nINSTALLED_APPS = ["shop"]',
            "shop/contrib/sites/migrations/0001_initial.py": INITIAL,
            "shop/db_steps/__init__.py": "",
            "shop/db_steps/0001_initial.py": INITIAL,
            "shop/migrations/0001_old.py": INITIAL,
        },
    )
    history = read_one(folder, "shop/contrib/sites/migrations/0001_initial.py", "shop/db_steps/0001_initial.py")
    assert versions(history) == ["shop.0001_initial", "sites.0001_initial"]


def test_a_test_app_of_the_same_label_is_another_database(tmp_path: Path) -> None:
    folder = project(tmp_path, {"shop/migrations/0001_initial.py": INITIAL, "tests/shop/migrations/0001_test.py": INITIAL})
    assert versions(read_one(folder, "shop/migrations/0001_initial.py")) == ["shop.0001_initial"]
    assert [versions(history) for history in read_project(folder)[0]] == [["shop.0001_initial"], ["shop.0001_test"]]


def test_files_that_django_does_not_load_are_named(tmp_path: Path) -> None:
    folder = project(
        tmp_path, {"shop/migrations/0001_initial.py": INITIAL, "shop/migrations/_draft.py": INITIAL, "shop/parked.py": INITIAL, "shop/models.py": ""}
    )
    histories, desk = read_project(folder, "shop/migrations/0001_initial.py", "shop/migrations/_draft.py", "shop/parked.py")
    assert [versions(history) for history in histories] == [["shop.0001_initial"]]
    assert desk.notes == [f"shop/{name}: not in a place where Django looks for migrations" for name in ("migrations/_draft.py", "parked.py")]


def test_a_folder_of_helpers_that_is_called_migrations_is_no_app(tmp_path: Path) -> None:
    folder = project(tmp_path, {"shop/migrations/0001_initial.py": INITIAL, "common/migrations/remove_field.py": "class RemoveSafely: pass"})
    assert versions(read_one(folder, "shop/migrations/0001_initial.py")) == ["shop.0001_initial"]


def test_helpers_beside_migrations_are_none(tmp_path: Path) -> None:
    files = {"shop/migrations/0001_initial.py": INITIAL, "shop/migrations/backfill.py": "def run(apps): pass", "shop/migrations/a_helper.py": "x = 1"}
    history = read_one(project(tmp_path, dict(files)), "shop/migrations/0001_initial.py")
    assert versions(history) == ["shop.0001_initial"]
    assert problems(history) == []


def test_a_folder_without_init_is_read_and_named(tmp_path: Path) -> None:
    folder = write(tmp_path, {"manage.py": MANAGE, "shop/migrations/0001_initial.py": INITIAL})
    histories, desk = read_project(folder)
    assert versions(histories[0]) == ["shop.0001_initial"]
    assert desk.notes == ["shop/migrations has no __init__.py: Django does not see its migrations"]


# Settings.


def test_settings_are_followed_through_import_star(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "manage.py": MANAGE.replace("config.settings", "config.settings.prod"),
            "config/settings/__init__.py": "",
            "config/settings/base.py": 'AUTH_USER_MODEL = "people.User"\nDEFAULT_AUTO_FIELD = "django.db.models.AutoField"\nINSTALLED_APPS = ["a", "b.apps.B"]\n'
            'TABLE_PREFIX = "x_"\nOAUTH2_PROVIDER_APPLICATION_MODEL = "main.App"\nDATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}\n',
            "config/settings/prod.py": 'import os\nfrom .base import *\nINSTALLED_APPS += ["c"]\nSECRET = os.environ["S"]\n'
            'DATABASES["default"] = {"ENGINE": "psqlextra.backend", "OPTIONS": {"options": "-c statement_timeout=9s -c lock_timeout=5s"}}\n'
            'DATABASES["logs"] = {"ENGINE": "django.db.backends.mysql"}\nDATABASE_ROUTERS = ["config.routers.Logs"]\n',
        },
    )
    read = found(folder)
    assert read.module == "config.settings.prod"
    assert read.installed == ("a", "b.apps.B", "c")
    assert (read.settings.auth_user_model, read.settings.default_auto_field) == ("people.User", "django.db.models.AutoField")
    assert read.settings.values["TABLE_PREFIX"] == "x_"
    assert read.settings.swappable == {"OAUTH2_PROVIDER_APPLICATION_MODEL": "main.App"}
    assert (read.engine("default"), read.engine("logs"), read.engine("other")) == ("postgresql", "MySQL", "postgresql")
    assert (read.routers, read.lock_timeout) == (("config.routers.Logs",), "5s")


@pytest.mark.parametrize(
    ("text", "engine"),
    [
        ("DATABASES = {'default': {'ENGINE': 'django.db.backends.mysql'}}", "MySQL"),
        ("DATABASES = {'default': {'ENGINE': 'django.db.backends.mysql'}}\nif DB == 'pg':\n    DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql'}}", "postgresql"),
        ("DATABASES = {'default': {'ENGINE': os.environ['ENGINE']}}", "postgresql"),
        ("DATABASES = {'default': {'ENGINE': 'django.contrib.gis.db.backends.postgis'}}", "postgresql"),
        ("DATABASES = {'default': {'ENGINE': 'django_tenants.postgresql_backend'}}", "postgresql"),
        ("DATABASES = {'default': {'ENGINE': 'shop.backend'}}", "postgresql"),
        ("DATABASES = {'default': dj_database_url.config(default='mysql://localhost/x')}", "MySQL"),
        ("DATABASES = {'default': dj_database_url.config(default='sqlite:///x')}", "postgresql"),
        ("DATABASES = {'default': env.db()}", "postgresql"),
        ("DATABASES = load()", "postgresql"),
        ("", "postgresql"),
    ],
)  # fmt: skip
def test_an_engine_that_may_be_postgresql_is(tmp_path: Path, text: str, engine: str) -> None:
    folder = project(tmp_path, {"config/settings.py": "INSTALLED_APPS = []\n" + text})
    assert found(folder).engine("default") == engine


def test_a_lock_timeout_that_is_computed_is_one(tmp_path: Path) -> None:
    text = "INSTALLED_APPS = []\n# -c lock_timeout=1s\nDATABASES = {'default': {'OPTIONS': {'options': f'-c lock_timeout={LIMIT}'}}}"
    assert found(project(tmp_path, {"config/settings.py": text})).lock_timeout == "runner"
    assert found(project(tmp_path, {"config/settings.py": "INSTALLED_APPS = []\n# -c lock_timeout=1s\n"})).lock_timeout == ""


@pytest.mark.parametrize(("options", "is_set"), [("-c lock_timeout=5s", True), ("-c lock_timeout=0", False), ("-c statement_timeout=5s", False)])
def test_a_history_knows_of_the_lock_timeout_that_connections_have(tmp_path: Path, options: str, is_set: bool) -> None:
    text = f"INSTALLED_APPS = []\nDATABASES = {{'default': {{'OPTIONS': {{'options': '{options}'}}}}}}"
    assert read_one(project(tmp_path, {"config/settings.py": text, "shop/migrations/0001_initial.py": INITIAL})).runner_lock_timeout is is_set


ROUTER = """
class Logs:
    route_app_labels = {"logs"}

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        if app_label in self.route_app_labels:
            return db == "logs"
        return None
"""


def test_apps_that_a_router_sends_to_another_database_are_left_alone(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "config/__init__.py": "",
            "config/routers.py": ROUTER,
            "config/settings.py": "INSTALLED_APPS = ['logs', 'shop']\nDATABASE_ROUTERS = ['config.routers.Logs']\nDATABASES = {"
            "'default': {'ENGINE': 'django.db.backends.postgresql'}, 'logs': {'ENGINE': 'django.db.backends.mysql'}}",
            "logs/migrations/0001_initial.py": INITIAL,
            "shop/migrations/0001_initial.py": migration(("logs", "0001_initial")),
        },
    )
    histories, desk = read_project(folder)
    assert [versions(history) for history in histories] == [["shop.0001_initial"]]
    assert problems(histories[0]) == []
    assert desk.notes == [".: the migrations of logs run on MySQL, and are left alone"]


@pytest.mark.parametrize(
    "body", ["return allowed(db, app_label)", "raise ValueError", "return None", "if unknown():\n            return False\n        return True"]
)
def test_apps_stay_where_a_router_is_not_understood(tmp_path: Path, body: str) -> None:
    router = f"class R:\n    def allow_migrate(self, db, app_label, **hints):\n        {body}\n"
    folder = project(
        tmp_path,
        {
            "config/__init__.py": "",
            "config/routers.py": router,
            "config/settings.py": "INSTALLED_APPS = ['shop']\nDATABASE_ROUTERS = ['config.routers.R', 'elsewhere.Router']",
            "shop/migrations/0001_initial.py": INITIAL,
        },
    )
    assert versions(read_one(folder)) == ["shop.0001_initial"]


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"requirements.txt": "# Django==3.2\nDjango==4.2.11\n"}, (4, 2)),
        ({"requirements/base.txt": "djangorestframework==3.15\ndjango[argon2]~=5.1.0\n"}, (5, 1)),
        ({"pyproject.toml": '[project]\ndependencies = [\n  "django>=4.2,<5.0",\n]\n'}, (4, 2)),
        ({"pyproject.toml": '[project]\ndependencies = ["django-filter>=23.1"]\n'}, (5, 2)),
        ({"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.12"\nDjango = "^4.2.3"\n'}, (4, 2)),
        ({"pyproject.toml": '[project]\ndependencies = [\n  "django>=4.2",\n]\n'}, (5, 2)),
        ({"uv.lock": '[[package]]\nname = "django"\nversion = "6.0.1"\n', "pyproject.toml": 'dependencies = [\n  "django>=4.2,<7",\n]'}, (6, 0)),
        ({"Pipfile.lock": '{"default": {"django": {"hashes": [], "version": "==5.0.2"}}}'}, (5, 0)),
        ({"requirements.txt": "Django\n"}, (5, 2)),
        ({}, (5, 2)),
    ],
)  # fmt: skip
def test_the_version_of_django_is_the_one_that_is_stated(tmp_path: Path, files: dict[str, str], version: tuple[int, int]) -> None:
    write(tmp_path, dict(files))
    assert django_versions.stated(Disk(lambda _: False), str(tmp_path)) == version


# Names of the project.


def test_field_classes_of_the_project_are_found_through_reexports(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "shop/migrations/0001_initial.py": INITIAL,
            "shop/fields/__init__.py": "from .money import *\nfrom django.db.models import JSONField",
            "shop/fields/money.py": "from django.db import models\nfrom ..constants import DIGITS\nclass MoneyField(models.DecimalField):\n    digits = DIGITS\n",
            "shop/constants.py": "DIGITS = 4 + 8\nKINDS = {'a': 1}\nNOW = compute()\n",
        },
    )
    names = modules(folder)
    money = fields_in_project.resolve_class(names, "shop.fields.MoneyField")
    assert money is not None
    assert (money.path, [base.path for base in money.bases]) == ("shop.fields.money.MoneyField", ["django.db.models.DecimalField"])
    alias = fields_in_project.resolve_class(names, "shop.fields.JSONField")
    assert alias is not None
    assert [base.path for base in alias.bases] == ["django.db.models.JSONField"]
    assert fields_in_project.resolve_class(names, "shop.fields.Missing") is None
    assert fields_in_project.resolve_class(names, "taggit.fields.TagField") is None
    assert fields_in_project.resolve_value(names, "shop.constants.DIGITS") == 12
    assert fields_in_project.resolve_value(names, "shop.constants.NOW") is None


def test_modules_that_import_each_other_come_to_an_end(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "shop/migrations/0001_initial.py": INITIAL,
            "shop/a.py": "from shop.b import x\nfrom shop.b import *",
            "shop/b.py": "from shop.a import x\nfrom shop.a import *\nfrom . import b",
        },
    )
    assert modules(folder).find("shop.a.x") is None
    assert modules(folder).find("shop.a.nothing") is None


def test_operations_of_a_helper_in_another_file_are_followed_and_stand_where_it_is_called(tmp_path: Path) -> None:
    helper = (
        "from django.db import migrations, models\nfrom .names import TABLES\n\ndef columns(field, tables=TABLES):\n"
        "    return [migrations.AddField(table, field, models.IntegerField(null=True)) for table in tables]\n"
    )
    folder = project(
        tmp_path,
        {
            "shop/migrations/0001_initial.py": migration(operations="[migrations.CreateModel('A', [('id', models.BigAutoField(primary_key=True))])]"),
            "shop/migrations/0002_more.py": migration(
                ("shop", "0001_initial"), top="from shop.steps import columns", operations="[] + columns('size')"
            ),
            "shop/steps.py": helper,
            "shop/names.py": "TABLES = ['A']",
        },
    )
    (block,) = read_one(folder).scripts[1].blocks
    assert 'ADD COLUMN "size" integer NULL' in block.sql
    assert read_one(folder).scripts[1].source.text[block.start : block.end] == "columns('size')"


# What is configured.


def test_start_after_and_deployed_name_a_migration_of_an_app(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "news/migrations/0001_initial.py": INITIAL,
            "shop/migrations/0001_initial.py": INITIAL,
            "shop/migrations/0002_a.py": migration(("shop", "0001_initial")),
            "shop/migrations/0003_b.py": migration(("shop", "0002_a")),
        },
    )
    assert read_one(folder, **{"start-after": "shop.0002"}).asked == {"shop/migrations/0003_b.py"}
    assert read_one(folder, **{"start-after": "0002_a"}).asked == {"shop/migrations/0003_b.py"}
    assert read_one(folder, deployed="shop.0002_a").undeployed_from == 3
    with pytest.raises(UsageError, match=r"has no migration of that name: write it as `app\.0003`"):
        read_one(folder, **{"start-after": "0002"})
    with pytest.raises(UsageError, match=r"has no migration of that name$"):
        read_one(folder, **{"start-after": "shop.0009"})


def test_unread_parts_are_only_those_that_are_unknown(tmp_path: Path) -> None:
    folder = project(tmp_path, {"shop/migrations/0001_initial.py": migration(top="import logging\nlogger = logging.getLogger(__name__)")})
    assert unread(read_one(folder)) == []


@pytest.mark.parametrize(
    "order", [("django.db.models", "django.db.migrations", "payments.helpers"), ("payments.helpers", "django.db.migrations", "django.db.models")]
)
def test_of_several_stars_the_one_that_is_known_to_have_the_name_gives_it(tmp_path: Path, order: tuple[str, ...]) -> None:
    stars = "\n".join(f"from {name} import *" for name in order)
    text = (
        f"{stars}\nfrom django.db import migrations\n\nclass Migration(migrations.Migration):\n"
        "    operations = [CreateModel('Order', [('id', BigAutoField(primary_key=True)), ('note', TextField(null=True))])]\n"
    )
    history = read_one(project(tmp_path, {"shop/migrations/0001_initial.py": text}))
    assert unread(history) == []
    assert [block.sql for block in history.scripts[0].blocks] == [
        'CREATE TABLE "shop_order" ("id" bigint NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, "note" text NULL)'
    ]

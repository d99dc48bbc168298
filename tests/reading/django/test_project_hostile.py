from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.reading.django.projects import MANAGE, migration, project, read_one, read_project, unread, versions
from tests.reading.trees import write

TOUCH = "__import__('pathlib').Path({path!r}).touch()"


def test_reading_runs_nothing_of_the_project(tmp_path: Path) -> None:
    """At import, in decorators, class bodies, defaults, f-strings, comprehensions, settings, routers, app configs, fields, helpers."""
    mark = tmp_path / "ran"
    touch = TOUCH.format(path=str(mark))
    top = f"""
import os, subprocess
from shop.helpers import build, Field
{touch}
open({str(mark)!r}, "w").write("x")
os.system("touch {mark}")
subprocess.run(["touch", {str(mark)!r}])
eval({touch!r})
exec({touch!r})
from pathlib import Path
Path({str(mark)!r}).touch()
TEXT = f"{{{touch}}}"
LIST = [{touch} for _ in range(3)]

def decorated(function):
    {touch}
    return function

@decorated
@(lambda f: {touch})
def forwards(apps, editor, default={touch}):
    {touch}

class Meta(type):
    def __new__(cls, *args):
        {touch}

class Base(metaclass=Meta):
    {touch}
    def __init_subclass__(cls):
        {touch}

@decorated
class Other(Base):
    x = {touch}
"""
    folder = project(
        tmp_path,
        {
            "manage.py": MANAGE + touch,
            "config/__init__.py": touch,
            "config/settings.py": f"{touch}\nINSTALLED_APPS = ['shop', {touch}]\nDATABASES = {{'default': {touch}}}\nDATABASE_ROUTERS = ['config.routers.R']\n",
            "config/routers.py": f"class R:\n    {touch}\n    def allow_migrate(self, db, app_label, **hints):\n        {touch}\n        return True\n",
            "shop/apps.py": f"from django.apps import AppConfig\n{touch}\nclass C(AppConfig):\n    name = 'shop'\n    x = {touch}\n",
            "shop/helpers.py": f"from django.db import models\n{touch}\n\nclass Field(models.IntegerField):\n    {touch}\n    def __init__(self, *a, **k):\n"
            f"        {touch}\n        super().__init__(*a, **k)\n    def db_type(self, connection):\n        {touch}\n        return 'integer'\n\n"
            f"def build(x={touch}):\n    {touch}\n    return []\n",
            "shop/models.py": touch,
            "shop/migrations/__init__.py": touch,
            "shop/migrations/0001_initial.py": migration(
                top=top,
                body=f"{touch}\n    atomic = bool({touch})\n    def __init__(self, *args):\n        {touch}\n",
                operations=f"[migrations.RunPython(forwards), migrations.CreateModel('A', [('id', Field(default={touch}, primary_key=True))]), migrations.RunSQL({touch})] + build()",
            ),
        },
    )
    assert versions(read_one(folder)) == ["shop.0001_initial"]
    assert not mark.exists()


DEEP = "x = " + "(" * 3000 + ")" * 3000
WIDE = "x = " + "[" * 50 + "]" * 50 + "\n" + "y = " + " + ".join(["1"] * 6000)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"class Migration(", "not Python that"),
        (b"from django.db import migrations\nprint 'x'\nclass Migration(migrations.Migration): pass", "Python 2, or not Python"),
        (b"", "no `Migration` class in this file"),
        (b"x = 1", "no `Migration` class in this file"),
        (b"from other import Migration", "its `Migration` is not a class of this file"),
        (b"Migration = make()", "its `Migration` is not a class of this file"),
        (b"def Migration(): pass", "its `Migration` is not a class of this file"),
        (DEEP.encode(), ""),
        (b"\xff\xfe\x00", ""),
        (b"class Migration:\n    operations = 5", ""),
        (b"class Migration:\n    dependencies = compute()", "an entry of `dependencies` is not known"),
        (b"class Migration:\n    dependencies = [('shop',), 5, None]", "an entry of `dependencies` is not known"),
        (b"class Migration:\n    dependencies = 5\n    replaces = {}\n    run_before = lambda: 1", "an entry of `dependencies` is not known"),
        (b"class Migration:\n    def apply(self, state, editor): pass", "the migration defines `apply`: what it does depends on Python"),
        (b"import sys\nif sys.argv:\n    exec('x')\nclass Migration: pass", "is not known before it runs"),
        (b"exec('class Migration: pass')", "no `Migration` class in this file"),
        (b"class Migration(Migration): pass", ""),
        (b"class A(B): pass\nclass B(A): pass\nclass Migration(A): pass", ""),
        (b"while True: pass\nclass Migration: pass", ""),
        (b"def f():\n    return f()\nx = f()\nclass Migration: pass", ""),
        (b"def f():\n    return [f(), f()]\nx = f()\nclass Migration: pass", ""),
        (b"x = [0]\nfor i in range(100):\n    x = x + x\nclass Migration:\n    operations = x", ""),
        (b"x = 'a' * 10 ** 9\ny = 9 ** 9 ** 9\nclass Migration: pass", ""),
        (b"match 1:\n    case 1: pass\nclass Migration: pass", "a `match` statement is not followed"),
        (b"# -*- coding: latin-1 -*-\nname = '\xe9'\nclass Migration: pass", ""),
        (b"\xef\xbb\xbfclass Migration: pass", ""),
        (b"from shop.migrations import *\nfrom nowhere import *\nclass Migration(Base):\n    operations = [AddField('a', 'b')]", ""),
        (b"class Migration:\n    operations = [migrations.RunSQL()]", ""),
    ],
)  # fmt: skip
def test_whatever_a_file_holds_it_is_read_or_named(tmp_path: Path, text: bytes, reason: str) -> None:
    folder = project(
        tmp_path,
        {
            "shop/migrations/0001_initial.py": migration(),
            "shop/migrations/0002_odd.py": text,
            "shop/migrations/0003_after.py": migration(("shop", "0002_odd")),
        },
    )
    histories, desk = read_project(folder)
    assert [set(versions(history)) for history in histories] == [{"shop.0001_initial", "shop.0002_odd", "shop.0003_after"}]
    if reason:
        said = [*unread(histories[0]), *(part.reason for part in desk.unreadable if part.path == "shop/migrations/0002_odd.py" and part.fatal)]
        assert any(reason in one for one in said), said
    assert versions(histories[0])[-1] == "shop.0003_after"
    for script in histories[0].scripts:
        assert all(0 <= block.start <= block.end <= len(script.source.text) for block in script.blocks)
    assert len(desk.unreadable) + len(unread(histories[0])) > 0 or not reason


def test_a_file_that_cannot_be_parsed_keeps_its_place(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        {
            "shop/migrations/0001_initial.py": migration(),
            "shop/migrations/0002_broken.py": "x = 1\nclass Migration(",
            "shop/migrations/0003_after.py": migration(("shop", "0002_broken")),
        },
    )
    histories, desk = read_project(folder, "shop/migrations/0003_after.py")
    assert versions(histories[0]) == ["shop.0001_initial", "shop.0002_broken", "shop.0003_after"]
    assert [(part.path, part.line, part.fatal) for part in desk.unreadable] == [("shop/migrations/0002_broken.py", 2, False)]
    assert [part.fatal for part in read_project(folder)[1].unreadable] == [True]


@pytest.mark.parametrize(
    "files",
    [
        {"config/settings.py": "INSTALLED_APPS = ["},
        {"config/settings.py": DEEP},
        {"config/settings.py": "from .settings import *\nfrom config.settings import *\nINSTALLED_APPS = [INSTALLED_APPS]\nDATABASES = DATABASES\n"},
        {"config/settings.py": "INSTALLED_APPS = 5\nDATABASES = [1]\nMIGRATION_MODULES = 'x'\nDATABASE_ROUTERS = {1: 2}\nAUTH_USER_MODEL = 3\nDEFAULT_AUTO_FIELD = None"},
        {"config/settings.py": "INSTALLED_APPS = ['', '.', '..', 'shop.', 'a' * 5000, 5]\nMIGRATION_MODULES = {5: 'x', 'shop': None, 'y': '../..', 'z': ''}"},
        {"config/settings.py": "AUTH_USER_MODEL = 'no dot'\nINSTALLED_APPS = []\nDATABASES = {'default': {'ENGINE': {}}, 5: {}}\nDATABASES[x]['y'] = 1"},
        {"manage.py": b"\xff\xfe\x00\x00", "pyproject.toml": b"\x00", "requirements.txt": b"\xff\xff"},
        {"manage.py": "DJANGO_SETTINGS_MODULE = '../../etc/passwd'"},
        {"shop/apps.py": DEEP},
        {"shop/apps.py": "class C(C):\n    name = 'shop'\n"},
        {"shop/apps.py": "class A(B): pass\nclass B(A): pass\n"},
    ],
)  # fmt: skip
def test_broken_surroundings_do_not_end_the_reading(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    folder = project(tmp_path, {"config/__init__.py": "", "shop/migrations/0001_initial.py": migration(), **files})
    assert versions(read_one(folder)) == ["shop.0001_initial"]


def test_a_folder_in_the_place_of_a_file_is_no_migration(tmp_path: Path) -> None:
    folder = project(tmp_path, {"shop/migrations/0001_initial.py": migration(), "shop/migrations/0002_x.py/readme": ""})
    assert versions(read_one(folder, "shop/migrations/0001_initial.py")) == ["shop.0001_initial"]


def test_a_huge_migration_takes_a_moment(tmp_path: Path) -> None:
    rows = ",\n".join(f"        migrations.RunSQL('SELECT {number}')" for number in range(10_000))
    folder = project(tmp_path, {"shop/migrations/0001_initial.py": migration(operations=f"[\n{rows}\n]")})
    began = time.perf_counter()
    assert len(read_one(folder).scripts[0].blocks) == 10_000
    assert time.perf_counter() - began < 5


def test_without_any_mark_of_a_project_nothing_above_the_package_is_walked(tmp_path: Path) -> None:
    inner = tmp_path / "some" / "where"
    inner.mkdir(parents=True)
    write(inner, {"shop/__init__.py": "", "shop/migrations/__init__.py": "", "shop/migrations/0001_initial.py": migration()})
    (inner / ".git").rmdir()
    write(tmp_path, {"other/migrations/0001_initial.py": migration()})
    (tmp_path / ".git").rmdir()
    assert versions(read_one(inner)) == ["shop.0001_initial"]

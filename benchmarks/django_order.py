"""Is the order of a project's migrations that of Django's own loader? Usage: python benchmarks/django_order.py PROJECT ...

Each project is loaded twice: read by dbguard, and in a subprocess by Django with stubs in place of everything that cannot be imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

_LOADER = r"""
import importlib.abc, importlib.machinery, importlib.util, json, sys, types

given = json.load(sys.stdin)


class Meta(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Anything,), {})
    def __iter__(cls):
        return iter(())
    def __or__(cls, other):
        return cls
    __ror__ = __add__ = __radd__ = __mod__ = __or__


class Anything(metaclass=Meta):
    def __init__(self, *args, **kwargs): pass
    def __init_subclass__(cls, **kwargs): pass
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything
    def __call__(self, *args, **kwargs): return self
    def __iter__(self): return iter(())
    def __mro_entries__(self, bases): return (Anything,)
    def __or__(self, other): return self
    def __len__(self): return 0
    def __enter__(self): return self
    def __exit__(self, *args): return None
    __ror__ = __add__ = __radd__ = __mod__ = __or__


class Stub(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (Anything,), {})


class Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        real = name.startswith(("django.", "psycopg", "_", "asgiref", "sqlite3"))
        return None if real else importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec): return Stub(spec.name)
    def exec_module(self, module): pass


from django.conf import settings
settings.configure(**given["swappable"], AUTH_USER_MODEL=given["user"], INSTALLED_APPS=list(given["contrib"].values()), DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}, DEFAULT_AUTO_FIELD="django.db.models.AutoField", USE_TZ=True)
import django
import django.contrib.auth, django.contrib.auth.apps
django.contrib.auth.get_user_model = django.contrib.auth.apps.get_user_model = lambda: Anything
django.setup()
from django.apps import apps as registry
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
registry.get_model = lambda *a, **k: Anything
gis = django.contrib.gis = Stub("django.contrib.gis")
sys.modules.update({name: gis for name in ("django.contrib.gis", "django.contrib.gis.db", "django.contrib.gis.db.models", "django.contrib.gis.db.models.fields")})
sys.meta_path.append(Stubs())

disk = {}
for app in given["apps"]:
    spec = importlib.util.spec_from_file_location(app["module"], f"{app['folder']}/__init__.py", submodule_search_locations=[app["folder"]])
    sys.modules[app["module"]] = package = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    for name in app["names"]:
        spec = importlib.util.spec_from_file_location(f"{app['module']}.{name}", f"{app['folder']}/{name}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        if hasattr(module, "Migration") and type(module.Migration) is type:
            disk[app["label"], name] = module.Migration(name, app["label"])
labels = {label for label, _ in disk}
for label, package in given["contrib"].items():
    if label in labels:
        continue
    import pkgutil
    root = importlib.import_module(f"{package}.migrations")
    for _, name, _ in pkgutil.iter_modules(root.__path__):
        disk[label, name] = importlib.import_module(f"{package}.migrations.{name}").Migration(name, label)
known = {label for label, _ in disk}
for key, migration in list(disk.items()):
    for label, name in [*migration.dependencies, *migration.run_before]:
        if label not in known:
            name = "0001_initial" if name.startswith("__") else name
            disk[label, name] = type("Migration", (Migration,), {"dependencies": []})(name, label)


class Loader(MigrationLoader):
    def load_disk(self):
        self.disk_migrations, self.unmigrated_apps, self.migrated_apps = disk, set(), {label for label, _ in disk}


loader = Loader(None)
plan = loader.graph._generate_plan(loader.graph.leaf_nodes(), at_end=True)
print(json.dumps([".".join(key) for key in plan if key[0] in labels]))
"""


def main() -> int:
    """Compare the projects named on the command line; 1 if one differs."""
    from dbguard.config import Config
    from dbguard.reading.django import _of_root, discover, settings
    from dbguard.reading.django.modules import Modules
    from dbguard.reading.folders import Disk
    from dbguard.reading.history import Desk
    from dbguard.reading.python import kind

    failed = False
    contrib = {name: f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "sites")}
    for project in sys.argv[1:]:
        asked = {str(path): None for path in sorted(Path(project).resolve().rglob("migrations/*.py")) if kind(path.read_bytes()) == "django"}
        disk = Disk(lambda _: False)
        for root, members in discover.roots(disk, asked).items():
            began = time.perf_counter()
            histories = _of_root(Desk(Config(cwd=root, root=root), True), disk, root, members)
            seconds = time.perf_counter() - began
            layout = discover.layout(disk, root, members)
            modules = Modules(disk, layout.bases)
            found = settings.read(disk, root, modules)
            apps, _ = discover.apps(disk, modules, layout, found.installed, found.migration_modules)
            given = {
                "swappable": found.settings.swappable,
                "user": found.settings.auth_user_model,
                "apps": [{"label": app.label, "module": app.module, "folder": app.folder, "names": app.names} for app in apps],
                "contrib": {label: package for label, package in contrib.items() if label != "admin" or package in found.installed},
            }
            run = subprocess.run(
                [sys.executable, "-c", _LOADER],
                input=json.dumps(given),
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                env={**os.environ, "PYTHONPATH": ""},
            )
            if run.returncode:
                print(f"{project}: Django cannot load it: {run.stderr.strip().splitlines()[-1]}")
                failed = True
                continue
            expected = json.loads(run.stdout.strip().splitlines()[-1])
            ours = [script.version for script in histories[0].scripts]
            same = ours == expected
            failed |= not same
            print(
                f"{project}: {'the same' if same else 'DIFFERENT'} order of {len(expected)} migrations (read in {seconds:.2f} s), {len(histories)} histories"
            )
            if not same:
                first = next(
                    (index for index, pair in enumerate(zip(ours, expected, strict=False)) if pair[0] != pair[1]), min(len(ours), len(expected))
                )
                print(f"  {len(ours)} here; from {first}: {ours[first : first + 4]} instead of {expected[first : first + 4]}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

"""Runs Django's own migrations on a server and writes down every statement that its schema editor sends.

    python benchmarks/django_judge.py CONFIG.json OUT.json

Runs in an environment that has Django, without dbguard. CONFIG says which apps, or which folders of migrations whose imports are
stubbed. `RunPython` is left out. A statement that the server refuses is undone, and the migration goes on.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
import traceback
import types
from contextlib import nullcontext

DJANGO_ASKS_FOR = {
    "resolve_expression", "as_sql", "_meta", "deconstruct", "prepare_database_save", "get_source_expressions", "conditional", "model", "copy",
    "_prepare", "contribute_to_class",
}  # fmt: skip


class Anything(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Stub()


class Stub(str, metaclass=Anything):
    """Stands for anything that a project defines."""

    __slots__ = ()

    def __new__(cls, *_args, **_kwargs):
        return super().__new__(cls, "stub")

    def __init__(self, *_args, **_kwargs):
        pass

    def __call__(self, *_args, **_kwargs):
        return Stub()

    def __getattr__(self, name):
        if name.startswith("__") or name in DJANGO_ASKS_FOR:
            raise AttributeError(name)
        return Stub()

    def __iter__(self):
        return iter(())


class StubModule(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = self.made.get(f"{self.__name__}.{name}") if hasattr(self, "made") else None
        if found is None:
            found = type(name, (Stub,), {"__module__": self.__name__}) if name[:1].isupper() else Stub()
        setattr(self, name, found)
        return found


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Migrations from their files, everything else of the project as stubs."""

    def __init__(self, config):
        self.tops = set(config.get("tops", ()))
        self.packages = {one["module"]: one["folder"] for one in config.get("folders", ())}
        self.real = config.get("real", {})
        self.made = {}

    def find_spec(self, fullname, _path=None, _target=None):
        if fullname in self.packages:
            folder = self.packages[fullname]
            path = os.path.join(folder, "__init__.py")
            return importlib.util.spec_from_file_location(fullname, path if os.path.exists(path) else os.devnull, submodule_search_locations=[folder])
        if fullname in self.real:
            return importlib.util.spec_from_file_location(fullname, self.real[fullname])
        parent, _, name = fullname.rpartition(".")
        if parent in self.packages:
            path = os.path.join(self.packages[parent], f"{name}.py")
            if os.path.exists(path):
                return importlib.util.spec_from_file_location(fullname, path)
        if fullname.partition(".")[0] in self.tops:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        module = StubModule(spec.name)
        module.made = self.made
        return module

    def exec_module(self, module):
        module.__path__ = []


class Last(Finder):
    def find_spec(self, fullname, _path=None, _target=None):
        if fullname.partition(".")[0] in sys.stdlib_module_names or fullname.startswith(("django.", "psycopg")):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)


def configure(config, apps):
    from django.conf import settings

    values = {
        "DATABASES": {
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "HOST": config["host"],
                "USER": "postgres",
                "NAME": config["database"],
                "PORT": "5432",
            }
        },
        "INSTALLED_APPS": apps,
        "USE_TZ": True,
        "SECRET_KEY": "x" * 40,
        "DEFAULT_AUTO_FIELD": config.get("default_auto_field", "django.db.models.AutoField"),
        "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        "MIGRATION_MODULES": config.get("migration_modules", {}),
        "SITE_ID": 1,
        "MIDDLEWARE": ["allauth.account.middleware.AccountMiddleware"],
        "ROOT_URLCONF": __name__,
        "SILENCED_SYSTEM_CHECKS": [],
        **config.get("settings", {}),
    }
    settings.configure(**values)


def usable(config, candidates):
    """The apps that can be set up together: packages as a whole, else one app after the other, each tried in a process of its own."""
    accepted = []
    groups = {}
    for app in candidates:
        groups.setdefault(app.partition(".")[0], []).append(app)
    for group in groups.values():
        for members in [group, *([one] for one in group)]:
            if not set(members) & set(accepted) and works(config, [*accepted, *members]):
                accepted += members
    return accepted


def works(config, apps):
    pid = os.fork()
    if pid == 0:
        try:
            if not config.get("loud"):
                sys.stderr = open(os.devnull, "w")
            configure(config, apps)
            import django

            django.setup()
            from django.db.migrations.loader import MigrationLoader

            MigrationLoader(None).project_state()
            os._exit(0)
        except BaseException:  # noqa: BLE001
            if config.get("loud"):
                traceback.print_exc(limit=-2)
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def stub_apps(config):
    from django.apps import AppConfig

    class Config(AppConfig):
        pass

    apps = []
    for one in config["folders"]:
        module = types.ModuleType(one["module"].rpartition(".")[0])
        made = Config.__new__(Config)
        made.path = os.path.dirname(one["folder"])
        made.label = one["app"]
        AppConfig.__init__(made, one["app"], module)
        apps.append(made)
    return apps


def record(config):
    """Patches Django: statements are written down, and one that fails does not end the migration."""
    from django.db import migrations, transaction
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.backends.postgresql.schema import DatabaseSchemaEditor

    sent = []

    def execute(self, sql, params=()):
        sql = str(sql)
        if params is not None:
            sql = self.connection.ops.compose_sql(sql, params)
        sent.append(sql)
        try:
            with transaction.atomic() if self.connection.in_atomic_block else nullcontext(), self.connection.cursor() as cursor:
                cursor.execute(sql, None)
        except Exception as error:  # noqa: BLE001
            config["failed"].append(f"{sql[:200]}: {str(error)[:200]}")

    DatabaseSchemaEditor.execute = execute
    BaseDatabaseSchemaEditor.execute = execute
    migrations.RunPython.database_forwards = lambda *_args, **_kwargs: None
    made = migrations.CreateModel.__init__

    def without_stubs(self, name, fields, options=None, bases=None, managers=None):
        bases = tuple(one for one in bases or () if not isinstance(one, Stub) and not (isinstance(one, type) and issubclass(one, Stub)))
        managers = [(one, manager) for one, manager in managers or () if not isinstance(manager, Stub)]
        made(self, name, fields, options, bases or None, managers)

    migrations.CreateModel.__init__ = without_stubs
    return sent


def main():
    with open(sys.argv[1]) as file:
        config = json.load(file)
    config["failed"] = []
    finder = Finder(config)
    if config.get("folders"):
        sys.meta_path.insert(0, finder)
        configure(config, [*stub_apps(config), *config.get("apps", [])])
    else:
        apps = usable(config, config["apps"])
        print("apps:", " ".join(apps), "-- left out:", " ".join(set(config["apps"]) - set(apps)), file=sys.stderr)
        configure(config, apps)
    import django

    if config.get("folders"):
        from django.contrib.auth.apps import AuthConfig

        AuthConfig.ready = lambda _self: None
    django.setup()
    importlib.import_module("django.contrib.postgres.operations")
    without_gdal()
    if config.get("folders"):
        last = Last(config)
        last.made = finder.made
        sys.meta_path.append(last)
    make_fields(config, finder)
    run(config)


def without_gdal():
    """Geometry fields where the libraries of GeoDjango are not installed: columns of that type, without their indexes."""
    from django.db import models

    class Geometry(models.Field):
        def __init__(self, *args, srid=4326, **kwargs):
            self.srid = srid
            super().__init__(*args, **kwargs)

        def db_type(self, connection):
            return f"geometry({type(self).__name__.removesuffix('Field').upper()},{self.srid})"

    names = ("django.contrib.gis", "django.contrib.gis.db", "django.contrib.gis.db.models", "django.contrib.gis.db.models.fields")
    for name in names:
        module = types.ModuleType(name)
        module.__path__ = []
        for shape in ("Point", "MultiPolygon", "Polygon"):
            setattr(module, f"{shape}Field", type(f"{shape}Field", (Geometry,), {}))
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        setattr(sys.modules[parent], child, module)


def make_fields(config, finder):
    """Field classes of the project as plain subclasses of what they are based on."""
    from django.db import models

    def initialiser(parent, defaults):
        def initialised(self, *args, **kwargs):
            known = {name: value for name, value in kwargs.items() if name not in config.get("unknown_options", ())}
            if "on_delete" not in known and issubclass(parent, models.ForeignKey):
                known["on_delete"] = models.CASCADE
            parent.__init__(self, *args, **{**defaults, **known})

        return initialised

    for path, (kind, type_, defaults) in config.get("fields", {}).items():
        parent = getattr(models, kind, models.TextField)
        body = {"__module__": path.rpartition(".")[0], "__init__": initialiser(parent, defaults)}
        if type_:
            body["db_type"] = lambda _self, connection, type_=type_: type_
        finder.made[path] = type(path.rpartition(".")[2], (parent,), body)

    made = models.FileField.__init__

    def without_storage(self, *args, storage=None, **kwargs):
        made(self, *args, storage=None if isinstance(storage, Stub) else storage, **kwargs)

    models.FileField.__init__ = without_storage


def run(config):
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.loader import MigrationLoader

    sent = record(config)
    if config.get("folders"):
        forgive(config, MigrationLoader)
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    plan = executor.migration_plan(graph.leaf_nodes())
    state = executor._create_project_state(with_applied_migrations=True)
    out = []
    for migration, _ in plan:
        sent.clear()
        config["failed"].clear()
        error = ""
        before = state.clone()
        try:
            with connection.schema_editor(atomic=migration.atomic) as editor:
                state = migration.apply(state, editor)
        except Exception:  # noqa: BLE001
            error = traceback.format_exc(limit=-3)
            state = before
            try:
                connection.rollback()
            except Exception:  # noqa: BLE001
                pass
            connection.close()
            for operation in migration.operations:
                try:
                    operation.state_forwards(migration.app_label, state)
                except Exception:  # noqa: BLE001
                    pass
        module = sys.modules.get(type(migration).__module__)
        path = getattr(module, "__file__", "")
        out.append(
            {"app": migration.app_label, "name": migration.name, "path": path, "sql": list(sent), "error": error, "failed": list(config["failed"])}
        )
    import django
    from django.conf import settings

    result = {
        "version": django.VERSION[:2],
        "auth_user_model": settings.AUTH_USER_MODEL,
        "default_auto_field": settings.DEFAULT_AUTO_FIELD,
        "migrations": out,
    }
    with open(sys.argv[2], "w") as file:
        json.dump(result, file)


def forgive(config, loader_class):
    """Dependencies on apps that are not here are left out."""
    load = loader_class.load_disk

    def load_disk(self):
        load(self)
        known = {app for app, _ in self.disk_migrations}
        for migration in self.disk_migrations.values():
            migration.dependencies = [one for one in migration.dependencies if one[0] in known]
            migration.run_before = [one for one in migration.run_before if one[0] in known]

    loader_class.load_disk = load_disk


urlpatterns = []

if __name__ == "__main__":
    main()

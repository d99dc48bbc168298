"""Runs in a process of its own: applies migrations with Django itself and prints every statement that its schema editor sends.

Standard input: {"host", "database", "apps": {label: [text of migration, ...]}}. Standard output: {label: [[statement, ...], ...]}.
"""

import json
import sys
import tempfile
from pathlib import Path

import django
from django.conf import settings


def main():
    asked = json.load(sys.stdin)
    apps = {label: [older(text) for text in texts] for label, texts in asked["apps"].items()}
    with tempfile.TemporaryDirectory() as folder:
        for label, texts in apps.items():
            migrations = Path(folder, label, "migrations")
            migrations.mkdir(parents=True)
            (migrations / "__init__.py").touch()
            (migrations.parent / "__init__.py").touch()
            for number, text in enumerate(texts, start=1):
                (migrations / f"{number:04}_m.py").write_text(text)
        sys.path.insert(0, folder)
        installed = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.postgres"]
        settings.configure(
            INSTALLED_APPS=installed,
            DATABASES={
                "default": {
                    "ENGINE": "django.db.backends.postgresql",
                    "HOST": asked["host"],
                    "PORT": "5432",
                    "USER": "postgres",
                    "NAME": asked["database"],
                }
            },
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            USE_TZ=True,
        )
        known = [label for label, texts in apps.items() if all(map(loads, texts))]
        installed += known
        django.setup()
        json.dump({"version": django.VERSION[:2], "apps": applied(known)}, sys.stdout)


def older(text):
    """A migration as versions before 5.1 write it."""
    return text if django.VERSION >= (5, 1) else text.replace("CheckConstraint(condition=", "CheckConstraint(check=")


def loads(text):
    """Whether this version of Django knows all that a migration names."""
    try:
        exec(text, {"__name__": "migration"})
    except (AttributeError, ImportError, TypeError):
        return False
    return True


def applied(apps):
    from django.db import connection
    from django.db.backends.postgresql.schema import DatabaseSchemaEditor
    from django.db.migrations.executor import MigrationExecutor

    sent = []
    execute = DatabaseSchemaEditor.execute

    def recorded(self, sql, params=()):
        text = str(sql)
        sent.append(text if params is None else self.connection.ops.compose_sql(text, params))
        return execute(self, sql, params)

    executor = MigrationExecutor(connection)
    state = executor.migrate([("auth", "0012_alter_user_first_name_max_length"), ("contenttypes", "0002_remove_content_type_name")])
    DatabaseSchemaEditor.execute = recorded
    executor.loader.build_graph()
    found = {label: [] for label in apps}
    for label in apps:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {label}; SET search_path = {label}, public")
        targets = list(executor.loader.graph.leaf_nodes(label))
        for migration, _ in executor.migration_plan(targets):
            sent.clear()
            try:
                with connection.schema_editor(atomic=migration.atomic) as editor:
                    state = migration.apply(state, editor)
            except Exception as error:  # noqa: BLE001
                sent.append(f"Django fails: {error!r}")
                connection.close()
            found[label].append(list(sent))
    return found


if __name__ == "__main__":
    main()

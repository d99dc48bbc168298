"""Recipes as Django operations: they do what the SQL does when Django applies them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, NamedTuple

import pytest

from dbguard.reading.recipes import Model, in_django
from tests.book import ROOT
from tests.reading.recipes.pages import Reached, unlike


def performed(server: Any, tasks: dict[str, Any]) -> dict[str, Any]:
    """What Django reaches with each task."""
    name = server.create_database()
    given = {"host": str(server.folder), "name": name, "tasks": tasks}
    command = [sys.executable, "-m", "tests.reading.recipes.django_runner"]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, cwd=ROOT, check=False)
    server.drop_database(name)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def applied(server: Any, results: dict[str, Reached]) -> dict[str, Any]:
    tasks = {name: {"start": one.start, "text": in_django(one.recipe.sql), "back": True} for name, one in results.items()}
    return performed(server, tasks)


@pytest.mark.parametrize("name", unlike())
def test_migrations_reach_what_the_sql_reaches(name: str, applied: dict[str, Any], results: dict[str, Reached]):
    if name not in results:
        pytest.skip("the example has no table for it")
    assert "error" not in applied[name], applied[name]["error"]
    assert applied[name]["state"] == json.loads(json.dumps(results[name].state))


INITIAL = """\
operations = [
    migrations.CreateModel("customer", [("id", models.BigAutoField(primary_key=True))]),
    migrations.CreateModel(
        "order",
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("email", models.TextField()),
            ("amount", models.IntegerField()),
            ("state", models.TextField(null=True)),
            ("notes", models.CharField(max_length=20, db_column="remark")),
            ("payload", models.JSONField(default=dict)),
            ("customer", models.ForeignKey("shop.customer", models.CASCADE, db_index=False)),
        ],
        options={"indexes": [models.Index(fields=["amount"], name="old_idx")]},
    ),
    migrations.AddConstraint("order", models.CheckConstraint(condition=models.Q(amount__gte=0), name="old_check")),
]
"""


class Own(NamedTuple):
    """The author's operation, the recipe that a rule has for it, and what must stand in its translation."""

    call: str
    sql: str
    expected: tuple[str, ...]
    same_models: bool = True  # the models end up as the author's operation would have left them


OWN = {
    "index": Own(
        'migrations.AddIndex(model_name="order", index=models.Index(fields=["customer", "-amount"], name="i"))',
        "-- outside a transaction\nCREATE INDEX CONCURRENTLY i ON shop_order (customer_id, amount DESC);",
        ("atomic = False", 'AddIndexConcurrently(model_name="order", index=models.Index(fields=["customer", "-amount"], name="i"))'),
    ),
    "partial index": Own(
        "migrations.AddIndex('order', models.Index(fields=['email'], condition=models.Q(state='new'), name='i'))",
        "-- outside a transaction\nCREATE INDEX CONCURRENTLY i ON shop_order (email) WHERE state = 'new';",
        ("AddIndexConcurrently(",),
    ),
    "another kind of index": Own(
        'migrations.AddIndex(\n            model_name="order",\n            index=HashIndex(fields=["email"], name="i"),\n        )',
        "-- outside a transaction\nCREATE INDEX CONCURRENTLY i ON shop_order (email);",
        ('index=models.Index(fields=["email"], name="i")',),
        same_models=False,
    ),
    "gin index": Own(
        'migrations.AddIndex(model_name="order", index=models.Index(fields=["payload"], name="i"))',
        "-- outside a transaction\nCREATE INDEX CONCURRENTLY i ON shop_order USING gin (payload);",
        ("from django.contrib.postgres.indexes import GinIndex", 'GinIndex(fields=["payload"], name="i")'),
        same_models=False,
    ),
    "index removed": Own(
        'migrations.RemoveIndex(model_name="order", name="old_idx")',
        "-- outside a transaction\nDROP INDEX CONCURRENTLY old_idx;",
        ('RemoveIndexConcurrently(model_name="order", name="old_idx")',),
    ),
    "check": Own(
        'migrations.AddConstraint(model_name="order", constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="c"))',
        "ALTER TABLE shop_order ADD CONSTRAINT c CHECK (amount > 0) NOT VALID;\n-- next migration\nALTER TABLE shop_order VALIDATE CONSTRAINT c;",
        ("AddConstraintNotValid(", 'ValidateConstraint(model_name="order", name="c")'),
    ),
    "unique constraint": Own(
        'migrations.AddConstraint(model_name="order", constraint=models.UniqueConstraint(fields=("email",), name="u"))',
        "-- outside a transaction\nCREATE UNIQUE INDEX CONCURRENTLY u ON shop_order (email);\n"
        "-- next migration\nALTER TABLE shop_order ADD CONSTRAINT u UNIQUE USING INDEX u;",
        ("state_operations=[", 'models.UniqueConstraint(fields=("email",), name="u")'),
    ),
    "unique index": Own(
        'migrations.AddConstraint(model_name="order", constraint=models.UniqueConstraint(fields=["email"], condition=models.Q(amount=1), name="u"))',
        "-- outside a transaction\nCREATE UNIQUE INDEX CONCURRENTLY u ON shop_order (email) WHERE amount = 1;",
        ("state_operations=[",),
    ),
    "unique together": Own(
        'migrations.AlterUniqueTogether(name="order", unique_together={("email", "amount")})',
        "-- outside a transaction\nCREATE UNIQUE INDEX CONCURRENTLY u ON shop_order (email, amount);\n"
        "-- next migration\nALTER TABLE shop_order ADD CONSTRAINT u UNIQUE USING INDEX u;",
        ("state_operations=[",),
    ),
    "unique field": Own(
        'migrations.AlterField(model_name="order", name="email", field=models.TextField(unique=True))',
        "-- outside a transaction\nCREATE UNIQUE INDEX CONCURRENTLY u ON shop_order (email);\n"
        "-- next migration\nALTER TABLE shop_order ADD CONSTRAINT u UNIQUE USING INDEX u;",
        ("state_operations=[",),
    ),
    "constraint removed": Own(
        'migrations.RemoveConstraint(model_name="order", name="old_check")',
        "SET LOCAL lock_timeout = '2s';\nALTER TABLE shop_order DROP CONSTRAINT old_check;",
        ("migrations.RunSQL(\"SET LOCAL lock_timeout = '2s'\"", 'migrations.RemoveConstraint(model_name="order", name="old_check")'),
    ),
    "default": Own(
        'migrations.AddField(model_name="order", name="kind", field=models.CharField(default="new", max_length=10))',
        "ALTER TABLE shop_order ADD COLUMN kind character varying(10) DEFAULT 'new' NOT NULL;",
        ('field=models.CharField(default="new", max_length=10, db_default="new")',),
        same_models=False,
    ),
    "default of another type": Own(
        'migrations.AddField(model_name="order", name="kind", field=models.SlugField(default="new"))',
        "ALTER TABLE shop_order ADD COLUMN kind character varying(50) DEFAULT 'new' NOT NULL;",
        ("migrations.RunSQL(", "state_operations=["),
    ),
    "foreign key": Own(
        'migrations.AddField(model_name="order", name="payer", field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE,'
        ' related_name="paid", to="shop.customer"))',
        "ALTER TABLE shop_order ADD COLUMN payer_id bigint;\n"
        "-- outside a transaction\nCREATE INDEX CONCURRENTLY shop_order_payer_id_idx ON shop_order (payer_id);\n"
        "-- next migration\nALTER TABLE shop_order ADD CONSTRAINT f FOREIGN KEY (payer_id) REFERENCES shop_customer (id) NOT VALID;\n"
        "-- next migration\nALTER TABLE shop_order VALIDATE CONSTRAINT f;",
        ("# next migration, outside a transaction", "state_operations=["),
    ),
    "not null": Own(
        'migrations.AlterField(model_name="order", name="state", field=models.TextField())',
        "ALTER TABLE shop_order ADD CONSTRAINT c CHECK (state IS NOT NULL) NOT VALID;\n"
        "-- next migration, outside a transaction\nALTER TABLE shop_order VALIDATE CONSTRAINT c;\n"
        "ALTER TABLE shop_order ALTER COLUMN state SET NOT NULL;\nALTER TABLE shop_order DROP CONSTRAINT c;",
        ('state_operations=[migrations.AlterField(model_name="order", name="state", field=models.TextField())]',),
    ),
    "type with a helper column": Own(
        'migrations.AlterField(model_name="order", name="amount", field=models.BigIntegerField())',
        "ALTER TABLE shop_order ADD COLUMN amount_new bigint DEFAULT 1 NOT NULL;\n-- next migration\nBEGIN;\n"
        "ALTER TABLE shop_order DROP COLUMN amount CASCADE;\nALTER TABLE shop_order RENAME COLUMN amount_new TO amount;\nCOMMIT;",
        ("state_operations=[",),
    ),
    "field with a column of its own name": Own(
        'migrations.AlterField(model_name="order", name="notes", field=models.TextField(db_column="remark"))',
        "ALTER TABLE shop_order ALTER COLUMN remark TYPE text;",
        ("state_operations=[",),
    ),
    "field renamed": Own(
        'migrations.RenameField(model_name="order", old_name="state", new_name="status")',
        "ALTER TABLE shop_order ADD COLUMN status text;\n-- next migration\nALTER TABLE shop_order DROP COLUMN state;",
        ("state_operations=[",),
    ),
    "field removed": Own(
        'migrations.RemoveField(model_name="order", name="customer")',
        "ALTER TABLE shop_order DROP COLUMN customer_id;",
        ("state_operations=[",),
    ),
    "model renamed": Own(
        'migrations.RenameModel(old_name="Order", new_name="Purchase")',
        "ALTER TABLE shop_order RENAME TO shop_purchase;\nCREATE VIEW shop_order AS SELECT * FROM shop_purchase;",
        ("state_operations=[",),
    ),
    "model deleted": Own(
        'migrations.DeleteModel(name="Order")',
        "ALTER TABLE shop_order RENAME TO shop_order_deprecated;\n-- release N + 2: drop it",
        ("state_operations=[", "]\n# release N + 2: drop it"),
    ),
}


@pytest.fixture(scope="module")
def own_applied(server: Any) -> dict[str, Any]:
    tasks: dict[str, Any] = {"nothing": {"initial": INITIAL, "sql": ""}}
    for name, one in OWN.items():
        tasks[name] = {"initial": INITIAL, "text": in_django(one.sql, one.call), "own": one.call, "back": True}
        tasks[f"{name} as SQL"] = {"initial": INITIAL, "sql": one.sql}
    return performed(server, tasks)


@pytest.mark.parametrize("name", OWN)
def test_the_authors_operation_is_kept(name: str, own_applied: dict[str, Any]):
    done, wanted, own = own_applied[name], own_applied[f"{name} as SQL"], OWN[name]
    assert "error" not in done, done["error"]
    assert "error" not in wanted, wanted["error"]
    for expected in own.expected:
        assert expected in in_django(own.sql, own.call)
    assert done["state"] == wanted["state"]
    after, author = done["models"]
    assert (after == author) == own.same_models


@pytest.mark.parametrize("name", ["index", "partial index", "check", "unique constraint", "unique index", "foreign key", "not null", "default"])
def test_it_can_be_taken_back(name: str, own_applied: dict[str, Any]):
    assert own_applied[name]["back"] == own_applied["nothing"]["state"]


def test_a_dropped_column_has_no_way_back(own_applied: dict[str, Any]):
    assert own_applied["field removed"]["back"] == "irreversible"


SHOP = {"shop_order": Model("order", {"id": "id", "customer_id": "customer", "at": "placed_at"})}


def test_an_index_on_known_fields_is_one_of_the_model():
    sql = "-- outside a transaction\nCREATE INDEX CONCURRENTLY i ON shop_order (customer_id, at DESC);"
    assert 'AddIndexConcurrently(model_name="order", index=models.Index(fields=["customer", "-placed_at"], name="i"))' in in_django(sql, models=SHOP)


@pytest.mark.parametrize(
    "index",
    [
        "INDEX CONCURRENTLY i ON shop_order (total)",
        "INDEX CONCURRENTLY i ON other (customer_id)",
        "INDEX CONCURRENTLY i ON shop_order (lower(at))",
        "INDEX CONCURRENTLY i ON shop_order (at) WHERE at IS NULL",
        "INDEX CONCURRENTLY i ON shop_order USING gin (at)",
        "UNIQUE INDEX CONCURRENTLY i ON shop_order (at)",
        "INDEX CONCURRENTLY i ON shop_order (at NULLS FIRST)",
        "INDEX CONCURRENTLY a_name_of_more_than_thirty_characters ON shop_order (at)",
    ],
)
def test_any_other_index_stays_sql(index: str):
    text = in_django(f"-- outside a transaction\nCREATE {index};", models=SHOP)
    assert f'migrations.RunSQL(\n        "CREATE {index}"' in text
    assert "atomic = False" in text


def test_a_column_beside_another_is_a_field():
    own = 'migrations.AddField(model_name="visit", name="counter", field=models.IntegerField())'
    assert in_django("ALTER TABLE visits ADD COLUMN counter_new bigint;", own) == (
        'operations = [\n    migrations.AddField(model_name="visit", name="counter_new", field=models.BigIntegerField(null=True)),\n]'
    )


@pytest.mark.parametrize(
    "own",
    [
        "",
        "CREATE INDEX i ON t (a)",
        "migrations.AddField(",
        "migrations.AddField(**fields)",
        "migrations.AddField(*fields)",
        'migrations.RunSQL("CREATE INDEX i ON shop_order (a)")',
        'migrations.AddIndex(model_name="order", index=models.Index(fields=["a"], name="another"))',
        'migrations.AddField(model_name="order", name="b", field=models.TextField())',
        'migrations.CreateModel(name="Order", fields=[])',
        "(" * 5000,
        "a." * 30000,
    ],
)
def test_what_does_something_else_is_not_taken_over(own: str):
    text = in_django("CREATE INDEX CONCURRENTLY i ON shop_order (a);", own)
    assert text == in_django("CREATE INDEX CONCURRENTLY i ON shop_order (a);")
    assert "state_operations" not in text


def test_a_key_of_the_helper_check_is_not_the_authors():
    own = OWN["not null"]
    assert in_django(own.sql, own.call).count("state_operations") == 1


def test_what_cannot_be_in_a_transaction_is_in_a_migration_of_its_own():
    text = in_django("ALTER TABLE t ADD COLUMN a int;\n-- outside a transaction\nCREATE INDEX CONCURRENTLY i ON t (a);")
    assert text.count("operations = [") == 2
    assert "\n\n# next migration, outside a transaction\natomic = False\noperations = [" in text

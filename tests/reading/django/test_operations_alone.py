"""What dbguard says of Django operations where Django itself would not get far: places, unknown parts, hostile input."""

from __future__ import annotations

import pytest

from dbguard.model.operations.programs import PythonDefault, RunProgram
from dbguard.model.source import Block, Script, Source
from dbguard.parsing.blocks import parse_blocks
from dbguard.reading.django.migration import MigrationModule, ProjectClass, Settings
from dbguard.reading.django.names import hashed, of_index, truncated
from dbguard.reading.django.operations import Project
from dbguard.reading.python.interpret import Interpreter
from tests.reading.django.cases import HEAD

ITEM = 'migrations.CreateModel("Item", [("name", models.CharField(max_length=20)), ("n", models.IntegerField(null=True))])'


def migration(*operations: str, before: str = "") -> str:
    head = HEAD.replace("{atomic}", "True").replace("{dependencies}", "[]").replace("class Migration", f"{before}\n\nclass Migration")
    return head + "".join(f"        {one},\n" for one in operations) + "    ]\n"


def apply(text: str, project: Project | None = None) -> tuple[Block, ...]:
    interpreter = Interpreter(text)
    members = interpreter.members(interpreter.names["Migration"])
    return (project or Project()).apply(MigrationModule("shop", "0001_m", Source("m.py", text), interpreter, members))


def sql(*operations: str, before: str = "", settings: Settings | None = None) -> list[str]:
    """The statements of the operations, after those of a model that is there."""
    blocks = apply(migration(ITEM, *operations, before=before), Project(settings or Settings()))
    return [line for block in blocks[1:] for line in block.sql.split(";\n") if line]


def unread(*operations: str, before: str = "", settings: Settings | None = None) -> list[str]:
    return [block.unread for block in apply(migration(ITEM, *operations, before=before), Project(settings or Settings())) if block.unread]


def test_blocks_point_at_the_calls():
    text = migration(ITEM, 'migrations.AddField("item", "x", models.IntegerField(null=True, db_index=True))')
    blocks = apply(text)
    assert [text[block.start : block.end][:22] for block in blocks] == ["migrations.CreateModel", 'migrations.AddField("i', 'migrations.AddField("i']
    assert blocks[-1].sql.startswith("CREATE INDEX")


def test_sql_in_a_plain_string_is_found_at_its_own_place():
    text = migration('migrations.RunSQL("""UPDATE x SET y = 1""", reverse_sql="")', 'migrations.RunSQL(sql=["SELECT 1", ("SELECT 2", None)])')
    blocks = apply(text)
    assert [text[block.place : block.place + len(block.sql)] == block.sql for block in blocks if block.place is not None] == [True] * 3


def test_sql_with_parameters_is_filled_in_and_stands_nowhere():
    (block,) = apply(migration('migrations.RunSQL([("UPDATE x SET y = %s, z = %s", [1, "it\'s"])])'))
    assert (block.sql, block.place) == ("UPDATE x SET y = 1, z = 'it''s'", None)


@pytest.mark.parametrize("noop", ["migrations.RunSQL.noop", "''", "[]"])
def test_sql_that_is_nothing_sends_nothing(noop):
    assert apply(migration(f"migrations.RunSQL({noop})")) == ()


def test_sql_made_by_a_program_is_unread():
    (block,) = apply(migration("migrations.RunSQL(open('x.sql').read())"))
    assert block.unread.startswith("RunSQL: ")


def test_all_that_is_sent_is_sql_that_postgresql_reads():
    text = migration(ITEM, 'migrations.AddField("item", "x", models.ForeignKey("Item", CASCADE, null=True))', 'migrations.RemoveField("item", "n")')
    blocks = apply(text)
    parsed = parse_blocks(Script(Source("m.py", text), (), blocks=blocks))
    assert len(parsed.statements) > 4
    assert [one for statement in parsed.statements for one in statement.unread] == []


@pytest.mark.parametrize(
    "field",
    [
        "shop.fields.MoneyField(max_length=3)",
        "models.FieldThatIsNotThere()",
        "unknown(3)",
        "3",
        "models.CharField(**options)",
        "models.CharField(max_length=LENGTH)",
    ],
)
def test_a_field_that_is_not_known_is_said_and_its_column_is_there(field):
    operation = f'migrations.AddField("item", "x", {field})'
    assert len(unread(operation, before="import shop.fields\n")) == 1
    assert sql(operation, before="import shop.fields\n")[0].startswith('ALTER TABLE "shop_item" ADD COLUMN "x" ')


def project_class(text: str, name: str) -> Settings:
    interpreter = Interpreter(text)

    def resolve(path: str) -> ProjectClass | None:
        local = interpreter.names.get(path.rpartition(".")[2])
        return None if local is None else ProjectClass(path, tuple(interpreter.bases(local)), interpreter.members(local), interpreter)

    return Settings(resolve_class=resolve)


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        ("class X(models.CharField):\n    pass", "varchar(3)"),
        (
            "class X(models.CharField):\n    def __init__(self, *args, **kwargs):\n        kwargs['max_length'] = 7\n        super().__init__(*args, **kwargs)",
            "varchar(7)",
        ),
        (
            "class X(models.CharField):\n    def __init__(self, *args, **kwargs):\n        super().__init__(*args, **kwargs)\n        self.max_length = 8",
            "varchar(8)",
        ),
        ("class X(models.Field):\n    def db_type(self, connection):\n        return 'ltree'", "ltree"),
        ("class X(models.Field):\n    def get_internal_type(self):\n        return 'TextField'", "text"),
        ("class Y(models.TextField):\n    pass\nclass X(Y):\n    def to_python(self, value):\n        return value", "text"),
    ],
)
def test_a_field_of_the_project_is_what_it_is_based_on(body, type_):
    settings = project_class(f"from django.db import models\n{body}\n", "X")
    assert sql('migrations.AddField("item", "x", shop.fields.X(max_length=3, null=True))', before="import shop.fields\n", settings=settings) == [
        f'ALTER TABLE "shop_item" ADD COLUMN "x" {type_} NULL'
    ]


def test_a_callable_default_of_a_unique_column_is_told():
    blocks = apply(migration(ITEM, 'migrations.AddField("item", "x", models.UUIDField(default=uuid.uuid4, unique=True))'))
    facts = [one for block in blocks for one in block.operations]
    assert [(one.column, one.default, one.unique, one.not_null) for one in facts if isinstance(one, PythonDefault)] == [
        ("x", "uuid.uuid4", True, True)
    ]


@pytest.mark.parametrize(
    "field", ["models.UUIDField(default=uuid.uuid4)", "models.IntegerField(default=1, unique=True)", "models.UUIDField(unique=True, null=True)"]
)
def test_other_defaults_are_not_told(field):
    assert not [one for block in apply(migration(ITEM, f'migrations.AddField("item", "x", {field})')) for one in block.operations]


def test_a_program_is_named():
    blocks = apply(
        migration("migrations.RunPython(forwards)", before="def forwards(apps, schema_editor):\n    apps.get_model('a', 'B').objects.all()\n")
    )
    assert [one.name for block in blocks for one in block.operations if isinstance(one, RunProgram)] == ["forwards"]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("class Own(migrations.RemoveField):\n    def describe(self):\n        return ''", ['ALTER TABLE "shop_item" DROP COLUMN "n" CASCADE']),
        ("class Own(migrations.RemoveField):\n    def database_forwards(self, app_label, schema_editor, from_state, to_state):\n        pass", []),
        (
            "class Own(migrations.RemoveField):\n    def database_forwards(self, a, schema_editor, b, c):\n        schema_editor.execute('SELECT 1')",
            ["SELECT 1"],
        ),
    ],
)
def test_an_operation_of_the_project_is_its_base_without_what_it_leaves_out(before, expected):
    assert sql('Own("item", "n")', before=before) == expected


def test_a_field_that_left_the_state_earlier_can_leave_the_database_later():
    before = """
class FromState(migrations.RemoveField):
    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        pass

class FromDatabase(migrations.RemoveField):
    def __init__(self, model_name, name, since):
        super().__init__(model_name, name)

    def state_forwards(self, app_label, state):
        pass

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        super().database_forwards(app_label, schema_editor, self.earlier, to_state)
"""
    assert sql('FromState("item", "n")', 'FromDatabase("item", "n", since=("shop", "0001"))', before=before) == [
        'ALTER TABLE "shop_item" DROP COLUMN "n" CASCADE'
    ]


@pytest.mark.parametrize(
    "operation",
    [
        'migrations.AlterField("item", "nothing", models.IntegerField())', 'migrations.RemoveField("item", "nothing")',
        'migrations.RenameField("item", "nothing", "x")', 'migrations.RemoveField("ghost", "x")', 'migrations.AlterUniqueTogether("item", {("a", "b")})',
        'migrations.AddIndex("item", models.Index(fields=["nothing"], name="i"))', 'migrations.AddIndex("item", 3)', "migrations.AddField()", "3", "None", "[]",
        "migrations.CreateModel()", 'migrations.CreateModel("X", 5)', 'migrations.AddField("item", "x")', "migrations.Nothing()", "somewhere.Operation()",
        'migrations.AddField("item", **given)',
        'migrations.AddConstraint("item", models.CheckConstraint(condition=Q(n__has_key=1), name="c"))', "migrations.RunSQL([('a', 1, 2)])",
        'migrations.AddConstraint("item", models.CheckConstraint(condition=Q(nothing=1), name="c"))', "migrations.SeparateDatabaseAndState(5, 6)",
        'migrations.AddIndex("item", models.Index(Unheard("n"), name="i"))', 'migrations.AlterUniqueTogether("item", computed())',
        'migrations.AddField("item", "x", models.ForeignKey(to=computed(), on_delete=CASCADE))', 'migrations.RenameModel("item", 4)',
    ],
)  # fmt: skip
def test_what_is_not_known_is_said_at_its_place(operation):
    text = migration(ITEM, operation)
    blocks = [block for block in apply(text) if block.unread]
    assert blocks
    assert all(text[block.start : block.end] in {operation, ""} for block in blocks)
    assert "could not be followed" not in blocks[0].unread


def test_a_condition_that_is_not_followed_leaves_the_index_there():
    operation = 'migrations.AddIndex("item", models.Index(fields=["n"], name="i", condition=Q(n__has_key="a")))'
    assert sql(operation) == ['CREATE INDEX "i" ON "shop_item" ("n") WHERE true']
    assert len(unread(operation)) == 1


def test_operations_that_are_no_list_are_unread():
    text = migration().replace("    operations = [\n    ]", "    operations = computed()")
    assert [bool(block.unread) for block in apply(text)] == [True]


def test_operations_on_a_model_that_nothing_makes_reach_its_table():
    blocks = apply(migration('migrations.AddField("ghost", "x", models.IntegerField(null=True))'))
    assert [block.sql for block in blocks] == ['ALTER TABLE "shop_ghost" ADD COLUMN "x" integer NULL']


@pytest.mark.parametrize(
    ("version", "expected"),
    [((5, 2), 'ALTER TABLE "shop_item" DROP COLUMN "n" CASCADE'), ((6, 0), 'ALTER TABLE "shop_item" DROP COLUMN "n"')],
)
def test_dropped_columns_take_others_with_them_before_django_6(version, expected):
    assert sql('migrations.RemoveField("item", "n")', settings=Settings(version=version)) == [expected]


def test_keys_were_serial_before_django_4_1():
    blocks = apply(migration('migrations.CreateModel("X", [("id", models.AutoField(primary_key=True))])'), Project(Settings(version=(3, 2))))
    assert blocks[0].sql == 'CREATE TABLE "shop_x" ("id" serial NOT NULL PRIMARY KEY)'


def test_case_insensitive_columns_became_plain_ones_in_django_5_1():
    field = 'migrations.AddField("item", "x", django.contrib.postgres.fields.CICharField(max_length=4, null=True))'
    assert sql(field, settings=Settings(version=(5, 0))) == ['ALTER TABLE "shop_item" ADD COLUMN "x" citext NULL']
    assert sql(field, settings=Settings(version=(5, 1))) == ['ALTER TABLE "shop_item" ADD COLUMN "x" varchar(4) NULL']


def test_foreign_keys_to_models_of_other_apps_have_the_type_of_their_keys():
    fields = [
        "models.ForeignKey('auth.User', CASCADE)",
        "models.ForeignKey(settings.AUTH_USER_MODEL, CASCADE)",
        "models.ForeignKey('sessions.Session', CASCADE)",
    ]
    found = [
        sql(f'migrations.AddField("item", "x", {field})')[0].split(" CONSTRAINT")[0].removeprefix('ALTER TABLE "shop_item" ADD COLUMN ')
        for field in fields
    ]
    assert found == ['"x_id" integer NOT NULL', '"x_id" integer NOT NULL', '"x_id" varchar(40) NOT NULL']


def test_what_is_assumed_of_a_model_elsewhere_is_noted():
    project = Project()
    apply(migration(ITEM, 'migrations.AddField("item", "x", models.ForeignKey("billing.Plan", CASCADE))'), project)
    assert list(project.notes) == ["`billing.plan` is made by migrations that are not here: its key is taken to be `id`, BigAutoField"]


def test_a_swapped_model_has_no_table():
    text = migration('migrations.CreateModel("User", [("x", models.IntegerField())], options={"swappable": "AUTH_USER_MODEL"})')
    assert apply(text, Project(Settings(auth_user_model="people.User"))) == ()
    assert len(apply(text, Project(Settings(auth_user_model="shop.User")))) == 1


def test_extensions_are_made_once():
    assert len(apply(migration("pg.TrigramExtension()", "pg.TrigramExtension()", 'pg.CreateExtension("pg_trgm")'))) == 1


def test_deep_conditions_and_circles_end():
    deep = "Q(n=1)"
    for _ in range(80):
        deep = f"~({deep} & Q(n=2))"
    assert unread(f'migrations.AddConstraint("item", models.CheckConstraint(condition={deep}, name="c"))')
    circle = migration(
        'migrations.CreateModel("A", [("b", models.OneToOneField("B", CASCADE, primary_key=True))])',
        'migrations.CreateModel("B", [("a", models.OneToOneField("A", CASCADE, primary_key=True))])',
        'migrations.CreateModel("P", [], options={"proxy": True}, bases=("shop.q",))',
        'migrations.CreateModel("Q", [], options={"proxy": True}, bases=("shop.p",))',
        'migrations.AddField("a", "p", models.ForeignKey("P", CASCADE, null=True))',
    )
    assert apply(circle)


def test_names_are_those_of_django():
    assert hashed("shop_item", ["name"], "_like") == "shop_item_name_4b4d43d9_like" or len(hashed("shop_item", ["name"], "_like")) == 28
    assert len(hashed("t" * 60, ["c" * 60], "_fk_other_table_with_a_name_id")) <= 63
    assert hashed("1table", ["x" * 70]).startswith("D1table")
    assert len(truncated("x" * 80)) == 63
    assert of_index("shop_item", [("name", True)], "idx").startswith("shop_item_name_")

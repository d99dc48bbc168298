"""Migrations that Django and dbguard are both asked about. Each case is a list of migrations: lists of operations, as text."""

from __future__ import annotations

HEAD = """
import datetime, decimal, uuid
import django.contrib.postgres.constraints, django.contrib.postgres.fields, django.contrib.postgres.indexes, django.contrib.postgres.search
import django.db.models.deletion, django.db.models.functions.text, django.utils.timezone
from django.conf import settings
from django.contrib.postgres import operations as pg
from django.db import migrations, models
from django.db.models import CASCADE, F, Q, Value
from django.db.models.functions import Cast, Coalesce, Collate, Concat, Length, Lower, Now, Upper

def number():
    return 7

class Migration(migrations.Migration):
    atomic = {atomic}
    initial = True
    dependencies = {dependencies}
    operations = [
"""
ITEM = 'migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=20)), ("n", models.IntegerField(null=True))])'
SHOP = 'migrations.CreateModel("Shop", [("id", models.BigAutoField(primary_key=True)), ("code", models.CharField(max_length=9, unique=True))])'


def fields(*written: str) -> str:
    rows = ", ".join(f'("f{number}", {field})' for number, field in enumerate(written))
    return f'migrations.CreateModel("Many", [{rows}])'


def adds(*written: str) -> list[str]:
    return [f'migrations.AddField("item", "f{number}", {field})' for number, field in enumerate(written)]


def alters(*written: str) -> list[list[str]]:
    """A field that changes from the first form to the second and so on, one migration each."""
    rest = [[f'migrations.AlterField("item", "x", {field})'] for field in written[1:]]
    return [[ITEM, SHOP, f'migrations.AddField("item", "x", {written[0]})'], *rest]


M = "models."
COLUMNS = (
    "BigIntegerField()", "BinaryField(null=True)", "BooleanField()", "CharField()", "CharField(max_length=3, db_index=True)", "DateField()",
    "DateTimeField()", "DecimalField(max_digits=5, decimal_places=2)", "DurationField()", "EmailField()", "FileField(upload_to='x')",
    "FilePathField()", "FloatField()", "GenericIPAddressField()", "ImageField(upload_to='x')", "IntegerField(db_column='order')", "JSONField()",
    "PositiveBigIntegerField()", "PositiveIntegerField(unique=True)", "PositiveSmallIntegerField()", "SlugField()", "SlugField(unique=True)",
    "SmallIntegerField(db_index=True)", "TextField(db_index=True)", "TextField(unique=True, null=True)", "TimeField()", "URLField()", "UUIDField()",
    "CharField(max_length=4, db_collation='C')", "IntegerField(db_comment=\"it's\")",
)  # fmt: skip
POSTGRES = (
    "django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=5), size=3)",
    "django.contrib.postgres.fields.ArrayField(models.IntegerField(), db_index=True)",
    "django.contrib.postgres.fields.ArrayField(base_field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField()))",
    "django.contrib.postgres.fields.IntegerRangeField()", "django.contrib.postgres.fields.BigIntegerRangeField()",
    "django.contrib.postgres.fields.ranges.DateTimeRangeField()", "django.contrib.postgres.fields.DateRangeField()",
    "django.contrib.postgres.fields.DecimalRangeField()", "django.contrib.postgres.search.SearchVectorField(null=True)",
)  # fmt: skip
DEFAULTS = (
    "models.CharField(max_length=9, default='')", "models.CharField(max_length=9, default=\"it's\")", "models.CharField(max_length=9, blank=True)",
    "models.CharField(max_length=9, null=True, blank=True)", "models.IntegerField(default=number)", "models.IntegerField(default=-5)",
    "models.BooleanField(default=True)", "models.FloatField(default=1.5)", "models.DecimalField(max_digits=5, decimal_places=2, default=0)",
    "models.DecimalField(max_digits=5, decimal_places=2, default=decimal.Decimal('1.50'))", "models.JSONField(default=dict)",
    "models.JSONField(default={'a': [1, None]})", "models.JSONField(default=list, null=True)", "models.DateField(default=datetime.date(2020, 2, 3))",
    "models.DateTimeField(default=datetime.datetime(2020, 2, 3, 4, 5, tzinfo=datetime.timezone.utc))", "models.DateTimeField(auto_now_add=True)",
    "models.DateTimeField(default=django.utils.timezone.now)", "models.TimeField(default=datetime.time(1, 2))",
    "models.DurationField(default=datetime.timedelta(days=1, hours=2))", "models.UUIDField(default=uuid.uuid4)",
    "models.UUIDField(default=uuid.UUID('12345678123456781234567812345678'), unique=True)", "models.BinaryField(default=b'ab')",
    "models.GenericIPAddressField(default='10.0.0.1')", "django.contrib.postgres.fields.ArrayField(models.TextField(), default=list)",
    "django.contrib.postgres.fields.ArrayField(models.IntegerField(), default=[1, 2])", "models.TextField(default='back\\\\slash %s %')",
    "models.IntegerField(default=None, null=True)", "models.IntegerField(db_default=5)", "models.DateTimeField(db_default=Now())",
    "models.CharField(max_length=5, db_default=Value('x'))", "models.IntegerField(db_default=Value(3) + Value(4))",
    "models.GeneratedField(expression=F('n') * Value(2), output_field=models.IntegerField(), db_persist=True)",
    "models.GeneratedField(expression=Lower('name'), output_field=models.CharField(max_length=20), db_persist=True)",
)  # fmt: skip
KEYS = (
    "models.ForeignKey('Shop', CASCADE)", "models.ForeignKey('Shop', CASCADE, null=True, db_index=False)", "models.OneToOneField('Shop', CASCADE, null=True)",
    "models.ForeignKey('Shop', CASCADE, null=True, to_field='code')", "models.ForeignKey('self', CASCADE, null=True, db_column='parent')",
    "models.ForeignKey(settings.AUTH_USER_MODEL, CASCADE, null=True, db_constraint=False)", "models.ForeignKey(to='auth.Group', on_delete=CASCADE, null=True)",
    "models.ManyToManyField('Shop')", "models.ManyToManyField('self', db_table='pairs')", "models.ManyToManyField(to=settings.AUTH_USER_MODEL, related_name='+')",
    "models.ForeignKey('Shop', CASCADE, default=1)",
)  # fmt: skip
INDEXES = (
    "models.Index(fields=['name'], name='i0')", "models.Index(fields=['-name', 'n'], name='i1')", "models.Index(Lower('name').desc(), 'n', name='i2')",
    "models.Index(fields=['n'], name='i3', condition=Q(n__gt=5), include=['name'])", "models.Index(F('n').asc(nulls_first=True), name='i4')",
    "models.Index(fields=['name'], name='i5', opclasses=['varchar_pattern_ops'])", "django.contrib.postgres.indexes.HashIndex(fields=['name'], name='i6')",
    "django.contrib.postgres.indexes.BrinIndex(fields=['n'], name='i7', pages_per_range=8, autosummarize=True)",
    "django.contrib.postgres.indexes.BTreeIndex(fields=['n'], name='i8', fillfactor=70)",
    "django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector('name', config='english'), name='i9', fastupdate=False)",
    "django.contrib.postgres.indexes.SpGistIndex(fields=['name'], name='i10')", "models.Index(Coalesce('name', Value('none')), name='i11')",
    "models.Index(django.contrib.postgres.indexes.OpClass(Upper('name'), name='text_pattern_ops'), name='i12')",
    "models.Index(Collate('name', 'C'), name='i13')", "models.Index(Length('name'), name='i14')",
    "models.Index(Cast('n', models.BigIntegerField()), name='i15')", "models.Index(F('n') + 1, name='i16')",
)  # fmt: skip
CONDITIONS = (
    "Q(n=1)", "Q(n__gte=1, name='x')", "Q(n=1) | Q(n=2, name='y')", "~Q(n=1)", "~Q(name='x')", "Q(n__isnull=True)", "~Q(n__isnull=True)",
    "Q(('n__in', [1, 2, None, 2]))", "Q(name__startswith='a%_')", "Q(name__icontains='a')", "Q(name__regex='^a')", "Q(name__iexact='A')",
    "Q(n__range=(1, 5))", "Q(n__lt=F('id'))", "Q(n__gt=F('id') * 2)", "Q(n=None)", "Q(Q(n=1), Q(name='a') & ~Q(n=3))", "Q(n=1) ^ Q(name='x')",
    "Q(('n', 1), ('name', 'x'), _connector='OR')", "Q(('n', 1), ('name', 'x'), _negated=True)", "Q(name__in=('b', 'a'))", "~(Q(n=1) | Q(n=2))",
    "Q(id__gt=0)", "Q(name__endswith=\"'\")", "models.lookups.GreaterThan(F('n'), 3)",
    "~Q(n=F('id'))", "Q(flag=True)", "Q(flag=False)", "~Q(flag=True)", "Q(at__gt=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc))",
    "Q(price__gte=decimal.Decimal('0.5'))", "Q(shop=1)", "Q(shop__isnull=False)", "Q(shop_id__gt=3)", "Q(n__gt=1) & (Q(n__lt=5) & Q(name='x'))",
    "Q(n__gt=1) | (Q(n__lt=5) & Q(name='x'))", "(Q(n__gt=1) | Q(n__lt=5)) & Q(name='x')",
)  # fmt: skip
_WIDE = [
    ITEM, SHOP, 'migrations.AddField("item", "flag", models.BooleanField(default=False))', 'migrations.AddField("item", "at", models.DateTimeField(null=True))',
    'migrations.AddField("item", "price", models.DecimalField(max_digits=9, decimal_places=2, default=0))',
    'migrations.AddField("item", "shop", models.ForeignKey("Shop", CASCADE, null=True))',
]  # fmt: skip
UNIQUES = (
    "models.UniqueConstraint(fields=['name', 'n'], name='u0')", "models.UniqueConstraint(fields=['name'], name='u1', condition=Q(n=1))",
    "models.UniqueConstraint(fields=['name'], name='u2', deferrable=models.Deferrable.DEFERRED)", "models.UniqueConstraint(Lower('name'), 'n', name='u3')",
    "models.UniqueConstraint(fields=['name'], name='u4', include=['n'])", "models.UniqueConstraint(fields=['n'], name='u5', nulls_distinct=False)",
    "models.UniqueConstraint(fields=['name'], name='u6', opclasses=['varchar_pattern_ops'])", "models.CheckConstraint(condition=Q(n__gt=0), name='u7')",
    "django.contrib.postgres.constraints.ExclusionConstraint(name='u8', expressions=[('n', '=')], condition=Q(n__gt=1))",
)  # fmt: skip

CASES: dict[str, list[list[str]]] = {
    "columns": [[fields(*(f"{M}{one}" for one in COLUMNS))]],
    "postgres_columns": [["pg.BtreeGistExtension()", fields(*POSTGRES)]],
    "identities": [
        ['migrations.CreateModel("A", [("id", models.AutoField(primary_key=True))])', 'migrations.CreateModel("B", [("key", models.SmallAutoField(primary_key=True))])'],
        ['migrations.CreateModel("C", [])', 'migrations.CreateModel("D", [("code", models.CharField(max_length=9, primary_key=True))])'],
        ['migrations.CreateModel("E", [("d", models.OneToOneField("D", CASCADE, primary_key=True))])', 'migrations.CreateModel("F", [("e", models.ForeignKey("E", CASCADE))])'],
    ],
    "defaults": [[ITEM], adds(*DEFAULTS)],
    "keys": [[ITEM, SHOP], adds(*KEYS), [f'migrations.RemoveField("item", "f{number}")' for number in range(len(KEYS))]],
    "keys_in_new_tables": [[SHOP, fields(*KEYS).replace("'self'", "'Many'")]],
    "indexes": [[ITEM], [f'migrations.AddIndex("item", {one})' for one in INDEXES], [f'migrations.RemoveIndex("item", "i{number}")' for number in range(len(INDEXES))]],
    "indexes_of_new_tables": [[f'{ITEM[:-1]}, options={{"indexes": [{", ".join(INDEXES)}]}})']],
    "conditions": [_WIDE, [f'migrations.AddConstraint("item", models.CheckConstraint(condition={one}, name="c{number}"))' for number, one in enumerate(CONDITIONS)]],
    "constraints": [
        [ITEM],
        [f'migrations.AddConstraint("item", {one})' for one in UNIQUES],
        [f'migrations.RemoveConstraint("item", "u{number}")' for number in range(len(UNIQUES))],
    ],
    "constraints_of_new_tables": [[f'{ITEM[:-1]}, options={{"constraints": [{", ".join(UNIQUES)}]}})']],
    "constraints_beside_db_defaults": [
        [f'{ITEM[:-2]}, ("d", models.IntegerField(db_default=1))], options={{"constraints": [{UNIQUES[0]}, {UNIQUES[7]}], "unique_together": {{("n", "name")}}}})']
    ],
    "together": [
        [f'{ITEM[:-1]}, options={{"unique_together": {{("n", "name")}}}})'],
        ['migrations.AlterUniqueTogether("item", {("name", "n")})'],
        ['migrations.AlterUniqueTogether(name="item", unique_together=set())'],
        ['migrations.AlterIndexTogether("item", {("name", "n")})'],
        ['migrations.RenameIndex("item", new_name="better", old_fields=("name", "n"))'],
        ['migrations.RenameIndex("item", new_name="best", old_name="better")'],
    ],
    "altered_sizes": alters("models.CharField(max_length=5)", "models.CharField(max_length=9)", "models.CharField(max_length=9, help_text='?')", "models.TextField()"),
    "altered_types": alters("models.IntegerField()", "models.BigIntegerField()", "models.TextField()", "models.CharField(max_length=4)", "models.SlugField()"),
    "altered_indexes": alters(
        "models.CharField(max_length=5)", "models.CharField(max_length=5, db_index=True)", "models.CharField(max_length=5, unique=True)",
        "models.CharField(max_length=5, db_index=True, unique=True)", "models.CharField(max_length=5, db_index=True)", "models.IntegerField()",
    ),
    "altered_indexed_text": alters("models.TextField(db_index=True)", "models.IntegerField(db_index=True)", "models.CharField(max_length=9, unique=True)", "models.UUIDField(unique=True)"),
    "altered_nulls": alters(
        "models.IntegerField(null=True)", "models.IntegerField(default=5)", "models.IntegerField(null=True, default=5)", "models.IntegerField()",
        "models.IntegerField(null=True)", "models.IntegerField(db_default=4)", "models.IntegerField(null=True)", "models.BigIntegerField(default=3)",
    ),
    "altered_nulls_of_texts": alters("models.CharField(max_length=5, null=True)", "models.CharField(max_length=5, blank=True)", "models.CharField(max_length=5, blank=True, default='')"),
    "altered_checks": alters("models.IntegerField()", "models.PositiveIntegerField()", "models.PositiveBigIntegerField()", "models.PositiveSmallIntegerField()", "models.IntegerField()"),
    "altered_keys": alters(
        "models.IntegerField(null=True)", "models.ForeignKey('Shop', CASCADE, null=True, db_column='x')", "models.ForeignKey('Shop', CASCADE, null=True, db_column='x', default=1)",
        "models.ForeignKey('Shop', models.SET_NULL, null=True, db_column='x', related_name='xs', default=1)", "models.OneToOneField('Shop', CASCADE, null=True, db_column='x')",
        "models.ForeignKey('Shop', CASCADE, null=True, db_column='x', db_constraint=False)", "models.ForeignKey('Shop', CASCADE, null=True, db_column='x', db_index=False)",
        "models.ForeignKey('Shop', CASCADE, null=True)",
    ),
    "altered_comments": alters("models.IntegerField(db_comment='a')", "models.IntegerField(db_comment='b')", "models.IntegerField()"),
    "altered_collations": alters("models.CharField(max_length=5)", "models.CharField(max_length=5, db_collation='C')", "models.CharField(max_length=5)"),
    "altered_database_defaults": alters("models.IntegerField()", "models.IntegerField(db_default=1)", "models.IntegerField(db_default=2)", "models.IntegerField()"),
    "altered_primary_keys": [
        ['migrations.CreateModel("A", [("id", models.AutoField(primary_key=True)), ("others", models.ManyToManyField("self"))])'],
        ['migrations.CreateModel("B", [("a", models.ForeignKey("A", CASCADE)), ("x", models.OneToOneField("A", CASCADE, related_name="+"))])'],
        ['migrations.CreateModel("C", [("a_ptr", models.OneToOneField("A", CASCADE, parent_link=True, auto_created=True, primary_key=True))], bases=("altered_primary_keys.a",))'],
        ['migrations.CreateModel("D", [("c", models.ForeignKey("C", CASCADE))])'],
        ['migrations.AlterField("a", "id", models.BigAutoField(primary_key=True))'],
        ['migrations.AlterField("a", "id", models.BigIntegerField(primary_key=True))'],
        ['migrations.AlterField("a", "id", models.BigAutoField(primary_key=True))'],
    ],
    "altered_target": [
        [SHOP, 'migrations.CreateModel("A", [("shop", models.ForeignKey("Shop", CASCADE, to_field="code"))])'],
        ['migrations.AlterField("shop", "code", models.CharField(max_length=30, unique=True))'], ['migrations.RenameField("shop", "code", "sign")'],
    ],
    "defaults_not_kept": [
        [ITEM, 'migrations.AddField("item", "x", models.IntegerField(default=1), preserve_default=False)'],
        ['migrations.AlterField("item", "n", models.IntegerField(default=2), preserve_default=False)'],
    ],
    "renamed_fields": [
        [SHOP, 'migrations.CreateModel("A", [("x", models.IntegerField(db_index=True)), ("s", models.ForeignKey("Shop", CASCADE)), ("m", models.ManyToManyField("Shop", related_name="+"))], options={"unique_together": {("x", "s")}})'],
        ['migrations.RenameField("a", "x", "y")', 'migrations.RenameField("a", "s", "shop")', 'migrations.RenameField("a", "m", "shops")'],
        ['migrations.AlterField("a", "y", models.IntegerField())', 'migrations.AlterUniqueTogether("a", set())'],
    ],
    "renamed_in_the_migration_that_makes_them": [
        [SHOP, ITEM, 'migrations.AddField("item", "shop", models.ForeignKey("Shop", CASCADE, null=True))', 'migrations.RenameField("item", "shop", "store")', 'migrations.RenameModel("Shop", "Store")'],
    ],
    "dropped_in_the_migration_that_makes_them": [
        [SHOP, ITEM, 'migrations.AddField("item", "shop", models.ForeignKey("Shop", CASCADE, null=True))', 'migrations.AddField("item", "x", models.SlugField(null=True))',
         'migrations.RemoveField("item", "x")', 'migrations.DeleteModel("Shop")'],
    ],
    "renamed_models": [
        [SHOP, 'migrations.CreateModel("A", [("shop", models.ForeignKey("Shop", CASCADE)), ("shops", models.ManyToManyField("Shop", related_name="+")), ("me", models.ForeignKey("self", CASCADE, null=True))])'],
        ['migrations.RenameModel("Shop", "Store")'], ['migrations.RenameModel("A", "B")'], ['migrations.AlterModelTable("store", "stores")'], ['migrations.AlterModelTable("b", "bees")'],
        ['migrations.DeleteModel("B")'],
    ],
    "renamed_models_with_their_own_table": [
        [SHOP[:-1] + ', options={"db_table": "shops"})', 'migrations.CreateModel("A", [("shop", models.ForeignKey("Shop", CASCADE))])'], ['migrations.RenameModel("Shop", "Store")'],
    ],
    "long_names": [
        [SHOP, ('migrations.CreateModel("AnExtraordinarilyLongNameOfAModelThatNobodyWouldEverWriteInEarnest", [("shop", models.ForeignKey("Shop", CASCADE)), '
         '("a_field_with_a_name_that_is_long_enough_to_be_cut_somewhere", models.SlugField()), ("m", models.ManyToManyField("Shop", related_name="+"))], '
         'options={"unique_together": {("shop", "a_field_with_a_name_that_is_long_enough_to_be_cut_somewhere")}})')],
    ],
    "no_tables": [
        ['migrations.CreateModel("U", [("id", models.AutoField(primary_key=True))], options={"managed": False})', SHOP, 'migrations.CreateModel("P", [], options={"proxy": True}, bases=("no_tables.shop",))',
         'migrations.AddField("u", "x", models.IntegerField())', 'migrations.AlterModelOptions("shop", {"ordering": ["code"]})', 'migrations.AlterModelManagers("shop", [])',
         'migrations.CreateModel("A", [("p", models.ForeignKey("P", CASCADE))])', 'migrations.DeleteModel("P")'],
    ],
    "comments": [
        [ITEM[:-1] + ', options={"db_table_comment": "things", "db_table": "thing"})'], ['migrations.AlterModelTableComment("item", "stuff")'],
    ],
    "ordered": [[SHOP, 'migrations.CreateModel("A", [("shop", models.ForeignKey("Shop", CASCADE))])'], ['migrations.AlterOrderWithRespectTo("a", "shop")'], ['migrations.AlterOrderWithRespectTo("a", None)']],
    "state_apart": [
        [ITEM, 'migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL("CREATE INDEX own ON state_apart_item (n)")], state_operations=[migrations.AddIndex("item", models.Index(fields=["n"], name="own"))])'],
        ['migrations.SeparateDatabaseAndState([migrations.AddField("item", "x", models.IntegerField(null=True)), migrations.AlterField("item", "x", models.BigIntegerField(null=True))], [migrations.AddField("item", "x", models.BigIntegerField(null=True))])'],
        ['migrations.RunSQL([("UPDATE state_apart_item SET n = %s WHERE name = %s", [1, "a"]), "SELECT 1"], migrations.RunSQL.noop)', "migrations.RunSQL(migrations.RunSQL.noop)", 'migrations.RemoveIndex("item", "own")'],
    ],
    "not_validated": [[ITEM], ['pg.AddConstraintNotValid("item", models.CheckConstraint(condition=Q(n__gt=0), name="positive"))'], ['pg.ValidateConstraint("item", "positive")']],
    "collations": [['pg.CreateCollation("sorted", "C")'], ['pg.RemoveCollation("sorted", "C")']],
    "composite_keys": [['migrations.CreateModel("A", [("pk", models.CompositePrimaryKey("x", "y")), ("x", models.IntegerField()), ("y", models.SlugField())])']],
    "inherited": [
        [SHOP, 'migrations.CreateModel("Big", [("shop_ptr", models.OneToOneField(auto_created=True, on_delete=CASCADE, parent_link=True, primary_key=True, serialize=False, to="inherited.shop")), ("size", models.IntegerField())], bases=("inherited.shop",))'],
        ['migrations.CreateModel("Link", [("big", models.ForeignKey("Big", CASCADE))])'],
    ],
    "through": [
        [SHOP, 'migrations.CreateModel("A", [("x", models.IntegerField())])', 'migrations.CreateModel("Row", [("a", models.ForeignKey("A", CASCADE)), ("shop", models.ForeignKey("Shop", CASCADE))])'],
        ['migrations.AddField("a", "shops", models.ManyToManyField("Shop", through="through.Row"))'], ['migrations.AlterField("a", "shops", models.ManyToManyField("Shop", through="through.Row", blank=True))'],
    ],
    "many_to_many_repointed": [
        [SHOP, ITEM, 'migrations.CreateModel("A", [("m", models.ManyToManyField("Shop"))])'], ['migrations.AlterField("a", "m", models.ManyToManyField("Item"))'],
        ['migrations.AlterField("a", "m", models.ManyToManyField("Item", db_table="pairs_of_a"))'], ['migrations.AlterField("a", "m", models.ManyToManyField("Item", db_table="pairs_of_a", related_name="as"))'],
    ],
}  # fmt: skip
NOT_ATOMIC = {
    "built_concurrently": [[ITEM], ['pg.AddIndexConcurrently("item", models.Index(fields=["n"], name="cn"))', 'pg.RemoveIndexConcurrently("item", "cn")', 'migrations.AddField("item", "x", models.SlugField(default=""))']],
}  # fmt: skip


def texts() -> dict[str, list[str]]:
    """The migration files of each case."""
    found = {}
    for name, migrations in {**CASES, **NOT_ATOMIC}.items():
        found[name] = []
        for number, operations in enumerate(migrations):
            dependencies = [(name, f"{number:04}_m")] if number else [("auth", "0012_alter_user_first_name_max_length")]
            head = HEAD.replace("{atomic}", str(name not in NOT_ATOMIC)).replace("{dependencies}", repr(dependencies))
            found[name].append(head + "".join(f"        {one},\n" for one in operations) + "    ]\n")
    return found

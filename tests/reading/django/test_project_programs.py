from __future__ import annotations

from pathlib import Path

import pytest

from dbguard.model.operations import RunProgram
from tests.reading.django.projects import migration, programs, project, read_one, unread

MODELS = "from django.db import models\n\nclass Order(models.Model):\n    pass\n\nclass Kind:\n    NEW = 1\n\nNAMES = ('a',)\n"


def program(
    folder: Path, function: str, call: str = "migrations.RunPython(forwards)", top: str = "", body: str = "", **files: str
) -> tuple[RunProgram, list[str]]:
    folder = project(
        folder,
        {
            "shop/models.py": MODELS,
            "shop/migrations/0001_initial.py": migration(top=f"{top}\n{function}\n", operations=f"[{call}]", body=body),
            **{f"shop/{name}.py": text for name, text in files.items()},
        },
    )
    history = read_one(folder)
    (one,) = programs(history)
    return one, unread(history)


def forwards(*lines: str) -> str:
    return "def forwards(apps, schema_editor):\n    Order = apps.get_model('shop', 'Order')\n" + "".join(f"    {line}\n" for line in lines)


def test_a_program_is_named_and_its_queries_are_not_guessed(tmp_path: Path) -> None:
    one, reasons = program(tmp_path, forwards("Order.objects.filter(pk=1).delete()"))
    assert one == RunProgram("forwards", reversible=False)
    assert reasons == ["shop.0001_initial: RunPython `forwards`: its queries depend on Python"]


@pytest.mark.parametrize(
    ("call", "reversible"),
    [
        ("migrations.RunPython(forwards)", False),
        ("migrations.RunPython(forwards, None)", False),
        ("migrations.RunPython(forwards, migrations.RunPython.noop)", True),
        ("migrations.RunPython(forwards, reverse_code=forwards)", True),
        ("migrations.RunPython(code=forwards, reverse_code=lambda apps, editor: None, elidable=True)", True),
    ],
)
def test_a_program_can_be_reversed_if_it_has_reverse_code(tmp_path: Path, call: str, reversible: bool) -> None:
    assert program(tmp_path, forwards("pass"), call)[0].reversible is reversible


@pytest.mark.parametrize(
    "function", ["def forwards(apps, schema_editor):\n    pass", "def forwards(*args):\n    '''Was needed once.'''", "forwards = lambda a, b: None"]
)
def test_a_program_that_does_nothing_leaves_nothing_unread(tmp_path: Path, function: str) -> None:
    assert program(tmp_path, function)[1] == []
    assert program(tmp_path, function, "migrations.RunPython(migrations.RunPython.noop)")[1] == []


@pytest.mark.parametrize(
    ("body", "call", "in_transaction"),
    [
        ("", "migrations.RunPython(forwards)", True),
        ("", "migrations.RunPython(forwards, atomic=False)", True),
        ("atomic = False", "migrations.RunPython(forwards)", False),
        ("atomic = False", "migrations.RunPython(forwards, atomic=True)", True),
    ],
)
def test_the_transaction_is_that_of_the_migration_unless_the_program_has_its_own(tmp_path: Path, body: str, call: str, in_transaction: bool) -> None:
    assert program(tmp_path, forwards("pass"), call, body=body)[0].in_transaction is in_transaction


@pytest.mark.parametrize(
    ("top", "line", "imports"),
    [
        ("from shop.models import Order as Ordered", "Ordered.objects.count()", ("Ordered",)),
        ("from shop import models as m", "m.Order.objects.count()", ("m.Order",)),
        ("import shop.models", "shop.models.Order(pk=1).save()", ("shop.models.Order",)),
        ("from ..models import Order as Ordered", "Ordered._default_manager.count()", ("Ordered",)),
        ("", "from shop.models import Order as Ordered; Ordered.objects.count()", ("Ordered",)),
        ("from shop.models import Order", "Order.objects.count()", ()),  # hidden by the one of `apps`
        ("from shop.models import Kind", "Order.objects.filter(kind=Kind.NEW); Kind()", ()),
        ("from shop.models import NAMES", "print(NAMES, NAMES.index('a'))", ()),
        ("from shop.models import Order as Ordered", "apps.get_model('shop', Ordered._meta.model_name)", ()),
        ("from django.db.models import F, Value", "Order.objects.filter(pk=1).update(a=F('b') + Value(1))", ()),
        ("from shop.services import models", "models.Thing.run()", ()),
        ("from shop.models import Order as Ordered", "helper()\n\ndef helper():\n    Ordered.objects.count()", ("Ordered",)),
    ],
)
def test_models_of_the_application_are_told_from_those_of_the_migration(tmp_path: Path, top: str, line: str, imports: tuple[str, ...]) -> None:
    assert program(tmp_path, forwards(line), top=top)[0].imports == imports


@pytest.mark.parametrize(
    ("lines", "expressions"),
    [
        (["for o in Order.objects.all():", "    o.save()"], ("Order.objects.all()",)),
        (["for o in Order.objects.all():", "    print(o)"], ("Order.objects.all()",)),
        (["for o in Order.objects.using('x').all().order_by('pk'):", "    pass"], ("Order.objects.using('x').all().order_by('pk')",)),
        (["rows = Order.objects.all()", "for o in rows:", "    pass"], ("Order.objects.all()",)),
        (["names = [o.name for o in Order.objects.all()]"], ("Order.objects.all()",)),
        (["rows = list(Order.objects.all())"], ("Order.objects.all()",)),
        (["for o in Order.objects.iterator():", "    o.save()"], ("Order.objects.iterator()",)),
        (["for o in Order.objects.filter(a=None):", "    o.a = 1", "    o.save(update_fields=['a'])"], ("Order.objects.filter(a=None)",)),
        (["Order.objects.update(a=1)"], ("Order.objects.update(a=1)",)),
        (["Order.objects.all().update(a=1)"], ("Order.objects.all().update(a=1)",)),
        (["Order.objects.all().delete()"], ("Order.objects.all().delete()",)),
        (["Order.objects.filter(a=None).update(a=1)"], ()),
        (["for o in Order.objects.all().iterator():", "    print(o)"], ()),
        (["for o in Order.objects.all()[:1000]:", "    o.save()"], ()),
        (["for o in Order.objects.filter(a=1):", "    print(o)"], ()),
        (["for o in Order.objects.filter(a=1):", "    other.save()"], ()),
        (["for c in chunks():", "    for o in Order.objects.filter(chunk=c):", "        o.save()"], ()),
        (["for p in Paginator(Order.objects.all(), 1000):", "    Order.objects.bulk_update(p, ['a'])"], ()),
        (["while Order.objects.filter(a=None)[:1000].update(a=1):", "    pass"], ()),
        (["Order.objects.all().count()", "Order.objects.all().exists()"], ()),
        (["settings.update(a=1)", "{}.update(b=1)", "for x in cache.all():", "    x.save()"], ()),
    ],
)
def test_work_on_whole_tables_is_told_from_work_in_batches(tmp_path: Path, lines: list[str], expressions: tuple[str, ...]) -> None:
    assert program(tmp_path, forwards(*lines))[0].unbatched == expressions


def test_a_program_in_another_file_of_the_project_is_looked_at_there(tmp_path: Path) -> None:
    one, _ = program(
        tmp_path,
        "",
        "migrations.RunPython(backfill.run)",
        "from shop import backfill",
        backfill="from shop.models import Order\ndef run(apps, editor):\n    Order.objects.update(a=1)\n",
    )
    assert one == RunProgram("run", reversible=False, imports=("Order",), unbatched=("Order.objects.update(a=1)",))


@pytest.mark.parametrize(
    "code",
    [
        "forwards",
        "make_forwards()",
        "getattr(x, 'y')",
        "functools.partial(run, 1)",
        "lambda apps, editor: run(apps)",
        "Class().run",
        "[]",
        "None",
        "",
    ],
)
def test_programs_that_cannot_be_found_are_programs_all_the_same(tmp_path: Path, code: str) -> None:
    one, reasons = program(tmp_path, "import functools\nfrom elsewhere import forwards, run, make_forwards", f"migrations.RunPython({code})")
    assert one.imports == one.unbatched == ()
    assert len(reasons) == 1


def test_functions_that_call_each_other_come_to_an_end(tmp_path: Path) -> None:
    function = "def forwards(apps, editor):\n    back()\n\ndef back():\n    forwards(None, None)\n"
    assert program(tmp_path, function)[0].name == "forwards"

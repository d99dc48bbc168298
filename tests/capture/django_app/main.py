# ruff: noqa: B018, E402
"""Run by test_django.py: python main.py HOST DATABASE FILE. Every unit is named after what it does."""

from __future__ import annotations

import asyncio
import sys
import threading

import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

import dbguard.capture
from dbguard.capture import unit


def view(request, pk):
    return HttpResponse(shop.Order.objects.get(pk=pk).memo)


urlpatterns = [path("orders/<int:pk>/", view)]
host, name, file = sys.argv[1:]
database = {"ENGINE": "django.db.backends.postgresql", "NAME": name, "USER": "postgres", "HOST": host, "PORT": "5432"}
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "shop"],
    DATABASES={"default": database, "reports": dict(database)},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
)
django.setup()

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.template.loader import render_to_string
from django.test import Client
from shop import models as shop

call_command("migrate", "contenttypes", verbosity=0)
call_command("migrate", verbosity=0, run_syncdb=True)
labels = shop.Label.objects.bulk_create([shop.Label(name=f"label {number}") for number in range(3)])
for number in range(3):
    customer = shop.Customer.objects.create(name=f"customer {number}")
    shop.Profile.objects.create(customer=customer)
    order = shop.Order.objects.create(customer=customer)
    order.labels.set(labels)
    shop.Note.objects.create(target=order)
    for price in range(2):
        shop.Item.objects.create(order=order, price=price)


def seen(*_):
    calls.append(1)
    return _[0](*_[1:])


calls: list[int] = []
with dbguard.capture.record(file) as recording:
    with unit("forward"):
        for order in shop.Order.objects.all():
            order.customer.name  # forward
    with unit("reverse"):
        for order in shop.Order.objects.all():
            list(order.items.all())  # reverse
    with unit("many to many"):
        [order.labels.count() for order in shop.Order.objects.all()]  # many to many
    with unit("reverse many to many"):
        for label in shop.Label.objects.all():
            list(label.order_set.all())
    with unit("one to one"):
        for customer in shop.Customer.objects.all():
            customer.profile
    with unit("generic foreign key"):
        ContentType.objects.clear_cache()
        for note in shop.Note.objects.all():
            note.target
    with unit("generic relation"):
        for order in shop.Order.objects.all():
            list(order.notes.all())
    with unit("deferred"):
        for order in shop.Order.objects.defer("memo"):
            order.memo
    with unit("property"):
        for order in shop.Order.objects.all():
            order.total  # uses the property
    with unit("built elsewhere"):
        items = shop.Item.objects.select_related("order__customer")  # puts together
        items = items.filter(price__gte=0)
        [item.order.customer.profile for item in items]  # sends
    with unit("awaited"):

        async def awaited():
            async for order in shop.Order.objects.all():  # rows are awaited
                await order.items.acount()  # counts are awaited

        asyncio.run(awaited())
    with unit("eager"):
        list(shop.Order.objects.prefetch_related("items", "labels", "notes").select_related("customer"))
    with unit("refresh"):
        order.refresh_from_db()
    with unit("transactions"), transaction.atomic():
        order.save()
        with transaction.atomic():
            order.save()
    with unit("template"):
        render_to_string("orders.html", {"orders": shop.Order.objects.all(), "first": shop.Order.objects.first()})  # renders
    with unit("raw"), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM shop_order WHERE memo = %s ORDER BY id", [""])
        assert len(cursor.fetchall()) == 3
        cursor.executemany("UPDATE shop_order SET memo = %s WHERE id = %s", [("a", 1), ("b", 2)])
    with unit("chunks"):
        assert len(list(shop.Order.objects.iterator(chunk_size=1))) == 3
    with unit("alias"):
        shop.Order.objects.using("reports").count()
    with unit("error"):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT * FROM nowhere")
        except django.db.utils.ProgrammingError:
            pass
    with unit("wrapper of the host"):
        connections["default"].close()
        with connection.execute_wrapper(seen):
            shop.Order.objects.count()
        shop.Order.objects.count()
        assert calls == [1]
    Client().get("/orders/2/")

    def in_a_thread():
        shop.Label.objects.count()
        connection.close()

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
assert recording.errors == {}, recording.errors
with connection.cursor() as cursor:
    cursor.execute("SELECT 'after'")
assert connection.execute_wrappers == []

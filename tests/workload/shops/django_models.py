# ruff: noqa: DJ008
"""Models of the shop, and its rows."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models


class Country(models.Model):
    name = models.TextField()

    class Meta:
        app_label = "shop"


class Customer(models.Model):
    name = models.TextField()
    country = models.ForeignKey(Country, models.CASCADE)

    class Meta:
        app_label = "shop"


class Profile(models.Model):
    customer = models.OneToOneField(Customer, models.CASCADE)
    bio = models.TextField()

    class Meta:
        app_label = "shop"


class Note(models.Model):
    text = models.TextField()
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.BigIntegerField()
    target = GenericForeignKey()

    class Meta:
        app_label = "shop"


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    memo = models.TextField()
    paid = models.BooleanField(default=False)
    notes = GenericRelation(Note)

    class Meta:
        app_label = "shop"

    @property
    def customer_name(self) -> str:
        return self.customer.name

    def total(self) -> int:
        return sum(item.quantity for item in self.items.all())

    def as_json(self) -> dict[str, Any]:
        return {"id": self.pk, "customer": self.customer_name}


class Tag(models.Model):
    name = models.TextField()

    class Meta:
        app_label = "shop"


class Product(models.Model):
    name = models.TextField()
    stock = models.IntegerField(default=9)
    tags = models.ManyToManyField(Tag, related_name="products")

    class Meta:
        app_label = "shop"


class Item(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, models.CASCADE)
    quantity = models.IntegerField()

    class Meta:
        app_label = "shop"


class Category(models.Model):
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")

    class Meta:
        app_label = "shop"


def fill() -> None:
    with connection.schema_editor() as editor:
        for model in (ContentType, Country, Customer, Profile, Note, Order, Tag, Product, Item, Category):
            editor.create_model(model)
    Country.objects.bulk_create([Country(id=n, name="c") for n in range(501, 506)])
    Customer.objects.bulk_create([Customer(id=n, name="n", country_id=501 + n % 5) for n in range(101, 113)])
    Profile.objects.bulk_create([Profile(id=n, customer_id=100 + n, bio="b") for n in range(1, 13)])
    Order.objects.bulk_create([Order(id=n, customer_id=101 + n % 12, memo="m") for n in range(1, 13)])
    Product.objects.bulk_create([Product(id=n, name="p") for n in range(301, 311)])
    Tag.objects.bulk_create([Tag(id=n, name="t") for n in range(401, 405)])
    Product.tags.through.objects.bulk_create([Product.tags.through(product_id=n, tag_id=401 + n % 4) for n in range(301, 311)])
    Item.objects.bulk_create([Item(id=n * 10 + k, order_id=n, product_id=301 + (n + k) % 10, quantity=k) for n in range(1, 13) for k in (1, 2)])
    Category.objects.bulk_create([Category(id=n, parent_id=n // 2 or None) for n in range(1, 16)])
    of_order, of_customer = ContentType.objects.get_for_model(Order), ContentType.objects.get_for_model(Customer)
    Note.objects.bulk_create([Note(id=900 + n, text="t", content_type=of_order, object_id=n) for n in range(1, 13)])
    Note.objects.bulk_create([Note(id=950 + n, text="t", content_type=of_customer, object_id=100 + n) for n in range(1, 5)])
    with connection.cursor() as cursor:
        for model in (Country, Order, Tag):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'), 1000)")

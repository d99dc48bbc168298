# ruff: noqa: B018 - an attribute that is looked at is a query
"""Ways to read the shop that send a query per row, and honest ones that look alike."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db import connection, transaction
from django.db.models import Count, F, Prefetch, prefetch_related_objects
from django.template.loader import render_to_string

from tests.workload.shops.django_models import Category, Country, Customer, Item, Note, Order, Product, Profile, Tag
from tests.workload.shops.django_shop import HONEST, PLANTED, honest, planted

__all__ = ["HONEST", "PLANTED"]


@planted
def foreign_key() -> None:
    for order in Order.objects.all():
        order.customer.name  # found: select_related("customer")


@planted
def reverse_foreign_key() -> None:
    for order in Order.objects.all():
        list(order.items.all())  # found: prefetch_related("items")


@planted
def many_to_many() -> None:
    for product in Product.objects.all():
        [tag.name for tag in product.tags.all()]  # found: prefetch_related("tags")


@planted
def reverse_many_to_many() -> None:
    for tag in Tag.objects.all():
        list(tag.products.all())  # found: prefetch_related("products")


@planted
def one_to_one() -> None:
    for profile in Profile.objects.all():
        profile.customer.name  # found: select_related("customer")


@planted
def reverse_one_to_one() -> None:
    for customer in Customer.objects.all():
        customer.profile.bio  # found: select_related("profile")


@planted
def generic_foreign_key() -> None:
    for note in Note.objects.filter(id__lt=950):
        note.target.pk  # found: prefetch_related("target")


@planted
def generic_relation() -> None:
    for order in Order.objects.all():
        list(order.notes.all())  # found: prefetch_related("notes")


@planted
def in_a_comprehension() -> list[str]:
    return [order.customer.name for order in Order.objects.all()]  # found: select_related("customer")


@planted
def through_a_property() -> None:
    for order in Order.objects.all():
        order.customer_name  # found: select_related("customer")


@planted
def through_a_method() -> None:
    for order in Order.objects.all():
        order.total()  # found: prefetch_related("items")


@planted
def through_a_serializer() -> list[Any]:
    return [order.as_json() for order in Order.objects.all()]  # found: select_related("customer")


@planted
def nested() -> None:
    for order in Order.objects.prefetch_related("items"):
        for item in order.items.all():
            item.product.name  # found: prefetch_related("items__product")


@planted
def chain_of_two() -> None:
    for order in Order.objects.select_related("customer"):
        order.customer.country.name  # found: add "country" to the path that loads Customer


@planted
def a_deferred_column() -> None:
    for order in Order.objects.defer("memo"):
        order.memo  # found: defer()


@planted
def get_in_a_loop() -> None:
    for key in (101, 102, 103, 104):
        Customer.objects.get(pk=key)  # found: Customer.objects.filter(id__in=...)


@planted
def filter_in_a_loop() -> None:
    for order in Order.objects.all():
        list(Item.objects.filter(order_id=order.pk))  # found: Item.objects.filter(order_id__in=...)


@planted
def count_in_a_loop() -> None:
    for order in Order.objects.all():
        order.items.count()  # found: annotate(Count("items"))


@planted
def exists_in_a_loop() -> None:
    for order in Order.objects.all():
        order.items.exists()  # found: annotate(Exists(...))


@planted
def filtered_relation() -> None:
    for order in Order.objects.prefetch_related("items"):
        list(order.items.filter(quantity=1))  # found: Prefetch("items", queryset=...)


@planted
def first_of_each() -> None:
    for order in Order.objects.all():
        order.items.first()  # found: Prefetch("items", queryset=...)


@planted
def raw_sql() -> None:
    with connection.cursor() as cursor:
        for order in Order.objects.all():
            cursor.execute("SELECT id FROM shop_item WHERE order_id = %s", [order.pk])  # found: WHERE order_id = ANY($1)


@planted
def from_an_iterator() -> None:
    for order in Order.objects.iterator(chunk_size=5):
        order.customer.name  # found: select_related("customer")


@planted
def in_a_template() -> None:
    render_to_string("orders.html", {"orders": Order.objects.all()})


@planted
async def awaited() -> None:
    async for order in Order.objects.all():
        await order.items.acount()  # found: annotate(Count("items"))


@honest
def selected() -> None:
    for order in Order.objects.select_related("customer__country"):
        order.customer.country.name


@honest
def prefetched() -> None:
    for order in Order.objects.prefetch_related("items__product"):
        [item.product.name for item in order.items.all()]


@honest
def prefetched_many_to_many() -> None:
    for product in Product.objects.prefetch_related("tags"):
        list(product.tags.all())


@honest
def prefetched_filter() -> None:
    for order in Order.objects.prefetch_related(Prefetch("items", queryset=Item.objects.filter(quantity=1), to_attr="single")):
        list(order.single)


@honest
def prefetched_generic() -> None:
    for note in Note.objects.prefetch_related("target"):
        note.target


@honest
def prefetched_objects() -> None:
    orders = list(Order.objects.all())
    prefetch_related_objects(orders, "items")
    for order in orders:
        len(order.items.all())


@honest
def annotated() -> None:
    for order in Order.objects.annotate(n=Count("items")):
        order.n


@honest
def one_parent() -> None:
    order = Order.objects.get(pk=1)
    order.customer.name
    list(order.items.all())


@honest
def two_parents_by_a_helper() -> None:
    _show(1)
    _show(2)


def _show(key: int) -> str:
    return Order.objects.get(pk=key).customer.name


@honest
def pages() -> None:
    paginator = Paginator(Order.objects.order_by("pk"), 5)
    list(paginator.page(1))


@honest
def pages_by_key() -> None:
    last = 0
    while page := list(Order.objects.filter(pk__gt=last).order_by("pk")[:3]):
        last = page[-1].pk


@honest
def chunks_of_keys() -> None:
    keys = list(Order.objects.values_list("pk", flat=True))
    for start in range(0, len(keys), 4):
        list(Item.objects.filter(order__in=keys[start : start + 4]))


@honest
def in_bulk() -> None:
    Customer.objects.in_bulk([order.customer_id for order in Order.objects.all()])


@honest
def refresh_after_write() -> None:
    for key in (1, 2, 3):
        order = Order.objects.create(customer_id=100 + key, memo="new")
        order.refresh_from_db()
        order.delete()


@honest
def bulk_create() -> None:
    Country.objects.bulk_create([Country(name="n") for _ in range(30)], batch_size=10)


@honest
def bulk_update() -> None:
    products = list(Product.objects.all())
    for product in products:
        product.stock = 8
    Product.objects.bulk_update(products, ["stock"], batch_size=5)


@honest
def one_update() -> None:
    Product.objects.update(stock=F("stock") + 1)


@honest
def get_or_create() -> None:
    for name in ("a", "b", "a"):
        Tag.objects.get_or_create(name=name)


@honest
def tree_downwards() -> None:
    todo = list(Category.objects.filter(pk=1))
    while todo:
        todo += todo.pop().children.all()


@honest
def tree_upwards() -> None:
    node: Category | None = Category.objects.get(pk=15)
    while node is not None:
        node = node.parent


@honest
def polling() -> None:
    for _ in range(5):
        list(Order.objects.filter(memo="nothing"))


@honest
def retry() -> None:
    for _ in range(3):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT id / 0 FROM shop_order WHERE id = 1")
        except Exception:  # noqa: BLE001
            pass


@honest
def queue_worker() -> None:
    for _ in range(4):
        with transaction.atomic():
            order = Order.objects.select_for_update(skip_locked=True).filter(paid=False).first()
            if order is None:
                break
            order.customer.name
            order.paid = True
            order.save(update_fields=["paid"])


@honest
def two_questions() -> None:
    for paid in (True, False):
        Order.objects.filter(paid=paid).count()


@honest
def keys_without_objects() -> None:
    for order in Order.objects.all():
        order.customer_id


@honest
def atomic_in_a_loop() -> None:
    for _ in range(12):
        with transaction.atomic():
            pass


@honest
async def awaited_eagerly() -> None:
    async for order in Order.objects.select_related("customer"):
        order.customer.name

# ruff: noqa: B018 - an attribute that is looked at is a query
"""A shop on SQLAlchemy: ways to read it that send a query per row, and honest ones that look alike.

A function marked `planted` has one line with `# found: what the fix says`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, ForeignKey, Table, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncAttrs, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, defer, joinedload, mapped_column, relationship, selectinload, subqueryload

PLANTED: dict[str, Callable[..., Any]] = {}
HONEST: dict[str, Callable[..., Any]] = {}


def planted(function: Callable[..., Any]) -> Callable[..., Any]:
    PLANTED[function.__name__] = function
    return function


def honest(function: Callable[..., Any]) -> Callable[..., Any]:
    HONEST[function.__name__] = function
    return function


class Base(AsyncAttrs, DeclarativeBase):
    pass


product_tag = Table(
    "product_tag",
    Base.metadata,
    Column("product_id", ForeignKey("products.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Country(Base):
    __tablename__ = "countries"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    country_id: Mapped[int] = mapped_column(ForeignKey("countries.id"))
    country: Mapped[Country] = relationship()
    profile: Mapped[Profile] = relationship(back_populates="customer", uselist=False)
    orders: Mapped[list[Order]] = relationship(back_populates="customer")


class Profile(Base):
    __tablename__ = "profiles"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), unique=True)
    customer: Mapped[Customer] = relationship(back_populates="profile")
    bio: Mapped[str]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    note: Mapped[str]
    paid: Mapped[bool]
    customer: Mapped[Customer] = relationship(back_populates="orders")
    items: Mapped[list[Item]] = relationship(back_populates="order")

    @property
    def customer_name(self) -> str:
        return self.customer.name

    def total(self) -> int:
        return sum(item.quantity for item in self.items)

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "customer": self.customer_name}


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    quantity: Mapped[int]
    order: Mapped[Order] = relationship(back_populates="items")
    product: Mapped[Product] = relationship()


class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    stock: Mapped[int]
    tags: Mapped[list[Tag]] = relationship(secondary=product_tag, back_populates="products")


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    products: Mapped[list[Product]] = relationship(secondary=product_tag, back_populates="tags")


class Category(Base):
    __tablename__ = "categories"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    children: Mapped[list[Category]] = relationship(back_populates="parent")
    parent: Mapped[Category | None] = relationship(back_populates="children", remote_side=[id])  # noqa: A003


def fill(engine: Any) -> None:
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        countries = [Country(id=n, name=f"c{n}") for n in range(501, 506)]
        customers = [Customer(id=n, name=f"n{n}", country_id=500 + n % 5 + 1) for n in range(101, 113)]
        session.add_all(
            [
                *countries,
                *customers,
                *[Product(id=n, name=f"p{n}", stock=9) for n in range(301, 311)],
                *[Tag(id=n, name=f"t{n}") for n in range(401, 405)],
            ]
        )
        session.flush()
        session.add_all([Profile(id=n, customer_id=n + 100, bio="b") for n in range(1, 13)])
        session.add_all([Order(id=n, customer_id=101 + n % 12, note="x", paid=False) for n in range(1, 13)])
        session.flush()
        session.add_all([Item(id=n * 10 + k, order_id=n, product_id=301 + (n + k) % 10, quantity=k) for n in range(1, 13) for k in (1, 2)])
        session.execute(insert(product_tag), [{"product_id": n, "tag_id": 401 + n % 4} for n in range(301, 311)])
        session.add_all([Category(id=n, parent_id=n // 2 or None) for n in range(1, 16)])
        session.commit()


# Planted


@planted
def many_to_one(session: Session) -> None:
    for order in session.scalars(select(Order)):
        order.customer.name  # found: joinedload(Order.customer)


@planted
def one_to_many(session: Session) -> None:
    orders = session.scalars(select(Order)).all()
    for order in orders:
        len(order.items)  # found: selectinload(Order.items)


@planted
def many_to_many(session: Session) -> None:
    for product in session.scalars(select(Product)).all():
        [tag.name for tag in product.tags]  # found: selectinload(Product.tags)


@planted
def many_to_many_from_the_other_side(session: Session) -> None:
    for tag in session.scalars(select(Tag)).all():
        len(tag.products)  # found: selectinload(Tag.products)


@planted
def one_to_one(session: Session) -> None:
    for customer in session.scalars(select(Customer)).all():
        customer.profile.bio  # found: joinedload(Customer.profile)


@planted
def in_a_comprehension(session: Session) -> list[str]:
    orders = session.scalars(select(Order)).all()
    return [order.customer.name for order in orders]  # found: joinedload(Order.customer)


@planted
def in_a_generator(session: Session) -> str:
    orders = session.scalars(select(Order)).all()
    return ", ".join(order.customer.name for order in orders)  # found: joinedload(Order.customer)


@planted
def in_a_lambda(session: Session) -> None:
    orders = session.scalars(select(Order)).all()
    sorted(orders, key=lambda order: order.customer.name)  # found: joinedload(Order.customer)


@planted
def through_a_property(session: Session) -> None:
    for order in session.scalars(select(Order)).all():
        order.customer_name  # found: joinedload(Order.customer)


@planted
def through_a_method(session: Session) -> None:
    for order in session.scalars(select(Order)).all():
        order.total()  # found: selectinload(Order.items)


@planted
def through_a_serializer(session: Session) -> list[Any]:
    return [order.as_json() for order in session.scalars(select(Order)).all()]  # found: joinedload(Order.customer)


@planted
def through_map(session: Session) -> list[Any]:
    return list(map(_name, session.scalars(select(Order)).all()))  # found: joinedload(Order.customer)


def _name(order: Order) -> str:
    return order.customer.name


@planted
def nested_below_an_eager_load(session: Session) -> None:
    for order in session.scalars(select(Order).options(selectinload(Order.items))).all():
        for item in order.items:
            item.product.name  # found: selectinload(Order.items).joinedload(Item.product)


@planted
def chain_of_two(session: Session) -> None:
    for order in session.scalars(select(Order).options(joinedload(Order.customer))).all():
        order.customer.country.name  # found: add .joinedload(Customer.country) to the option that loads Customer


@planted
def a_deferred_column(session: Session) -> None:
    for order in session.scalars(select(Order).options(defer(Order.note))).all():
        order.note  # found: undefer(Order.note)


@planted
def get_in_a_loop(session: Session) -> None:
    for key in (101, 102, 103, 104):
        session.get(Customer, key)  # found: select(Customer).where(Customer.id.in_(...))


@planted
def select_in_a_loop(session: Session) -> None:
    for order in session.scalars(select(Order)).all():
        session.scalars(select(Item).where(Item.order_id == order.id)).all()  # found: select(Item).where(Item.order_id.in_(...))


@planted
def count_in_a_loop(session: Session) -> None:
    for order in session.scalars(select(Order)).all():
        session.scalar(select(func.count()).select_from(Item).where(Item.order_id == order.id))  # found: GROUP BY order_id


@planted
def raw_sql_in_a_loop(session: Session) -> None:
    for (key,) in session.execute(text("SELECT id FROM orders")).all():
        session.execute(text("SELECT id FROM items WHERE order_id = :key"), {"key": key}).all()  # found: WHERE order_id = ANY($1)


@planted
def raw_sql_with_literals_in_a_loop(session: Session) -> None:
    for (key,) in session.execute(text("SELECT id FROM orders")).all():
        session.execute(text(f"SELECT id FROM items WHERE order_id = {key}")).all()  # found: WHERE order_id = ANY($1)


@planted
def core_in_a_loop(session: Session) -> None:
    connection = session.connection()
    for row in connection.execute(select(Order.__table__)).all():
        connection.execute(select(Customer.__table__).where(Customer.__table__.c.id == row.customer_id)).first()  # found: WHERE id = ANY($1)


def _customer_of(session: Session, order: Order) -> Customer | None:
    return session.get(Customer, order.customer_id)


@planted
def through_a_repository(session: Session) -> None:
    for order in session.scalars(select(Order)).all():
        _customer_of(session, order)  # found: select(Customer).where(Customer.id.in_(...))


@planted
def while_there_are_rows(session: Session) -> None:
    orders = list(session.scalars(select(Order)))
    while orders:
        orders.pop().customer.name  # found: joinedload(Order.customer)


@planted
def from_pages(session: Session) -> None:
    last = 0
    while page := session.scalars(select(Order).where(Order.id > last).order_by(Order.id).limit(5)).all():
        last = page[-1].id
        for order in page:
            order.customer.name  # found: joinedload(Order.customer)


@planted
async def awaited(session: AsyncSession) -> None:
    for order in (await session.scalars(select(Order))).all():
        await order.awaitable_attrs.items  # found: selectinload(Order.items)


@planted
async def run_sync(session: AsyncSession) -> None:
    await session.run_sync(many_to_one_again)


def many_to_one_again(session: Session) -> None:
    for order in session.scalars(select(Order)):
        order.customer.name  # found: joinedload(Order.customer)


run_sync.marked = many_to_one_again  # type: ignore[attr-defined]


# Honest


@honest
def joined(session: Session) -> None:
    for order in session.scalars(select(Order).options(joinedload(Order.customer))):
        order.customer.name


@honest
def selected_in(session: Session) -> None:
    for order in session.scalars(select(Order).options(selectinload(Order.items).joinedload(Item.product))):
        [item.product.name for item in order.items]


@honest
def subqueries(session: Session) -> None:
    for order in session.scalars(select(Order).options(subqueryload(Order.items))):
        len(order.items)


@honest
def one_parent(session: Session) -> None:
    order = session.get_one(Order, 1)
    [item.quantity for item in order.items]
    order.customer.name


@honest
def two_parents_by_a_helper(session: Session) -> None:
    _show(session, 1)
    _show(session, 2)


def _show(session: Session, key: int) -> str:
    return session.get_one(Order, key).customer.name


@honest
def from_the_identity_map(session: Session) -> None:
    session.scalars(select(Customer)).all()
    for order in session.scalars(select(Order)):
        order.customer_id


@honest
def pages_by_key(session: Session) -> None:
    last = 0
    while page := session.scalars(select(Order).where(Order.id > last).order_by(Order.id).limit(3)).all():
        last = page[-1].id


@honest
def chunks_of_keys(session: Session) -> None:
    keys = list(session.scalars(select(Order.id)))
    for start in range(0, len(keys), 4):
        session.scalars(select(Item).where(Item.order_id.in_(keys[start : start + 4]))).all()


@honest
def refresh_after_write(session: Session) -> None:
    order = session.get_one(Order, 1)
    order.note = "y"
    session.commit()
    order.note
    session.refresh(order)


@honest
def refresh_each_after_commit(session: Session) -> None:
    orders = session.scalars(select(Order)).all()
    session.commit()
    for order in orders:
        order.note


@honest
def one_flush_of_many(session: Session) -> None:
    session.add_all([Country(id=600 + n, name="n") for n in range(20)])
    session.flush()
    session.rollback()


@honest
def dirty_rows_in_one_flush(session: Session) -> None:
    for order in session.scalars(select(Order)):
        order.paid = not order.paid
    session.flush()
    session.rollback()


@honest
def executemany(session: Session) -> None:
    session.execute(insert(Country), [{"id": 700 + n, "name": "n"} for n in range(20)])
    session.rollback()


@honest
def one_update(session: Session) -> None:
    session.execute(update(Product).values(stock=Product.stock - 1))
    session.rollback()


@honest
def savepoints_of_a_loop(session: Session) -> None:
    for _ in range(6):
        with session.begin_nested():
            session.execute(text("SELECT 1"))


@honest
def tree_downwards(session: Session) -> None:
    todo = [session.get_one(Category, 1)]
    while todo:
        todo += todo.pop().children


@honest
def tree_upwards(session: Session) -> None:
    node: Category | None = session.get_one(Category, 15)
    while node is not None:
        node = node.parent


@honest
def polling(session: Session) -> None:
    for _ in range(5):
        session.scalars(select(Order).where(Order.note == "nothing")).all()


@honest
def retry(session: Session) -> None:
    for _ in range(3):
        try:
            session.execute(text("SELECT id / 0 FROM orders WHERE id = 1"))
        except Exception:  # noqa: BLE001
            session.rollback()


@honest
def ping(session: Session) -> None:
    for _ in range(5):
        session.execute(text("SELECT 1"))


@honest
def queue_worker(session: Session) -> None:
    for _ in range(4):
        order = session.scalars(select(Order).where(Order.paid.is_(False)).limit(1).with_for_update(skip_locked=True)).first()
        if order is None:
            break
        order.customer.name
        order.paid = True
        session.flush()
    session.rollback()


@honest
def two_questions(session: Session) -> None:
    for state in (True, False):
        session.scalar(select(func.count()).select_from(Order).where(Order.paid == state))


@honest
def grouped(session: Session) -> None:
    counts = dict(session.execute(select(Item.order_id, func.count()).group_by(Item.order_id)).all())
    for order in session.scalars(select(Order)):
        counts.get(order.id)


@honest
def insert_and_read_back(session: Session) -> None:
    for n in range(4):
        session.execute(text("INSERT INTO countries VALUES (:id, 'x')"), {"id": 800 + n})
        session.execute(text("SELECT name FROM countries WHERE id = :id"), {"id": 800 + n}).all()
    session.rollback()


@honest
def delete_at_once(session: Session) -> None:
    session.execute(delete(Profile).where(Profile.id > 10_000))
    session.rollback()


@honest
async def awaited_eagerly(session: AsyncSession) -> None:
    for order in (await session.scalars(select(Order).options(selectinload(Order.items)))).all():
        len(order.items)

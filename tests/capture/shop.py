"""Models of a small shop, in SQLAlchemy."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, mapped_column, relationship


class Base(AsyncAttrs, DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id = mapped_column(sa.Integer, primary_key=True)
    name = mapped_column(sa.Text)
    story = mapped_column(sa.Text, deferred=True)
    orders = relationship("Order", back_populates="customer")


class Order(Base):
    __tablename__ = "orders"
    id = mapped_column(sa.Integer, primary_key=True)
    customer_id = mapped_column(sa.ForeignKey("customers.id"))
    note = mapped_column(sa.Text)
    customer = relationship("Customer", back_populates="orders")

# ruff: noqa: DJ008
from __future__ import annotations

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models


class Customer(models.Model):
    name = models.TextField()


class Profile(models.Model):
    customer = models.OneToOneField(Customer, models.CASCADE)


class Label(models.Model):
    name = models.TextField()


class Note(models.Model):
    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.IntegerField()
    target = GenericForeignKey()


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    labels = models.ManyToManyField(Label)
    notes = GenericRelation(Note)
    memo = models.TextField(default="")

    @property
    def total(self) -> int:
        return sum(item.price for item in self.items.all())  # property of the model


class Item(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="items")
    price = models.IntegerField()

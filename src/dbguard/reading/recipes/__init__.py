"""A recipe's SQL in the language of the migration it is shown for: `op` calls of Alembic, operations of Django.

In: the SQL of a recipe, names filled in, comments between its steps. Out: Python text, formatted. Neither framework is
imported. What a framework has no call for stays SQL inside `op.execute` or `migrations.RunSQL`, and so does whatever is not understood.
"""

from __future__ import annotations

from dbguard.reading.recipes.alembic import in_alembic
from dbguard.reading.recipes.django import Model, in_django

__all__ = ["Model", "in_alembic", "in_django"]

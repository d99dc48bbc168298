"""A shop on Django, run as a program: `python -m tests.workload.shops.django_shop DSN FOLDER` records every function as a unit of work.

A function marked `planted` has one line with `# found: what the fix says`; a template has `{# found: ... #}` in front of its variable.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings

PLANTED: dict[str, Callable[..., Any]] = {}
HONEST: dict[str, Callable[..., Any]] = {}
TEMPLATES = Path(__file__).parent / "templates"


def planted(function: Callable[..., Any]) -> Callable[..., Any]:
    PLANTED[function.__name__] = function
    return function


def honest(function: Callable[..., Any]) -> Callable[..., Any]:
    HONEST[function.__name__] = function
    return function


class Shop(AppConfig):
    name = "tests.workload.shops"
    label = "shop"
    default_auto_field = "django.db.models.BigAutoField"


def set_up(dsn: str) -> None:
    import django
    import psycopg

    given = psycopg.conninfo.conninfo_to_dict(dsn)
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "tests.workload.shops.django_shop.Shop"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": given["dbname"],
                "USER": given.get("user", ""),
                "PASSWORD": given.get("password", ""),
                "HOST": given.get("host", ""),
                "PORT": str(given.get("port", "")),
            }
        },
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [TEMPLATES]}],
        USE_TZ=True,
    )
    django.setup()


def main(dsn: str, folder: str) -> None:
    import dbguard.capture

    set_up(dsn)
    from tests.workload.shops import django_ways as ways
    from tests.workload.shops.django_models import fill

    fill()
    with dbguard.capture.record(folder):
        for one in (*ways.PLANTED.values(), *ways.HONEST.values()):
            with dbguard.capture.unit(one.__name__):
                asyncio.run(one()) if inspect.iscoroutinefunction(one) else one()


if __name__ == "__main__":
    main(*sys.argv[1:])

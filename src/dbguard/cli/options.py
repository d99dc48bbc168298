"""Options that several verbs share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dbguard.config import Config
from dbguard.errors import UsageError

if TYPE_CHECKING:
    from dbguard.reading import StandardInput

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def words(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...] | None:
    """`--select a,b --select c` as (a, b, c); None where the option was not given."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip()) or None


def settings(command: Decorated) -> Decorated:
    """Options that replace keys of the configuration file."""
    for option in reversed(
        (
            click.option("--postgres", metavar="N|N..M", help="Versions that production runs (default 14..18)."),
            click.option("--transaction", type=click.Choice(["auto", "one", "none"]), help="How scripts run where the tool does not tell."),
            click.option("--schema", metavar="FILE", help="SQL of the schema on which the first migration runs."),
            click.option("--cache/--no-cache", default=None, help="Remember the schema of earlier migrations between runs (default: yes)."),
            click.option("--config", "config_file", metavar="FILE", help="Configuration file, instead of the nearest one."),
        )
    ):
        command = option(command)
    return command


def comparison(command: Decorated) -> Decorated:
    """Options that ask only for what changed."""
    since = click.option("--since", metavar="REF", help="Only migrations that changed since HEAD and REF went apart.")
    staged = click.option("--staged", is_flag=True, help="Only migrations that are staged, as they are in git's index.")
    return since(staged(command))


def rendering(command: Decorated) -> Decorated:
    """Options that have the project's own environment print its SQL."""
    for option in reversed(
        (
            click.option("--render", is_flag=True, help="Have the project's own Alembic or Django print the SQL. This runs its code."),
            click.option("--python", metavar="PATH", help="Interpreter of the project's environment, for --render."),
            click.option("--settings", "django_settings", metavar="MODULE", help="Django's settings, for --render."),
            click.option("--alembic-config", metavar="FILE", help="Alembic's configuration file, for --render."),
        )
    ):
        command = option(command)
    return command


def load(config_file: str | None, **overrides: Any) -> Config:
    """The configuration with the given options on top; an option that is None was not given."""
    return Config.load(".", overrides, file=config_file or "")


def standard_input(paths: tuple[str, ...], filename: str | None) -> StandardInput | None:
    """What comes through `-`, if that is among the paths."""
    if "-" not in paths:
        if filename is not None:
            raise UsageError("--stdin-filename needs `-` among the paths")
        return None
    from dbguard.reading import StandardInput

    return StandardInput(sys.stdin.buffer.read(), filename or "")

"""Errors for users. Each knows the exit code of `dbguard` and says what, where, and what to do next.

DbguardError
├── UsageError          2  wrong arguments
│   └── ConfigError     2  wrong configuration
└── CouldNotLook        3  a file or server that was asked for could not be looked at
    ├── UnreadableSource
    └── ServerError
"""

from __future__ import annotations

from typing import ClassVar


class DbguardError(Exception):
    """Base of every error that dbguard raises on purpose; its text is for the user."""

    exit_code: ClassVar[int] = 3


class UsageError(DbguardError):
    """Arguments that make no sense."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file that makes no sense; the text names file and key."""


class CouldNotLook(DbguardError):  # noqa: N818
    """Something that was asked for could not be looked at."""


class UnreadableSource(CouldNotLook):
    """A file that cannot be read or decoded."""


class ServerError(CouldNotLook):
    """A PostgreSQL server that was asked for did not start or answer."""

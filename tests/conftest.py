"""Options and servers that several rooms share."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_MEMORY = Path("/dev/shm")
_ROOM = 2 * 1024**3  # bytes


def _use_memory_for_temporary_files() -> None:
    """Where it has room: a server is a thousand files, a database three hundred, and a disk takes minutes to make them all."""
    if "TMPDIR" in os.environ or not _MEMORY.is_dir():
        return
    about = os.statvfs(_MEMORY)
    if about.f_bavail * about.f_frsize >= _ROOM and not about.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


def _compile_once() -> None:
    """Hundreds of commands are started: none should compile dbguard again, whatever a container image has set."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


_use_memory_for_temporary_files()
_compile_once()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", default=False, help="rewrite golden files and the outputs on rule pages")


@pytest.fixture(scope="session")
def server() -> Iterator[Any]:
    """A throw-away PostgreSQL, started once."""
    from dbguard.postgres.embedded import start

    with start() as running:
        yield running


@pytest.fixture
def database(server: Any) -> Iterator[str]:
    """The connection string of an empty database of its own."""
    name = server.create_database()
    yield server.dsn(name)
    server.drop_database(name)

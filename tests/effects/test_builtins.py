"""Lists that come from PostgreSQL's catalog are compared with it."""

from __future__ import annotations

from tests.effects.builtins import FILE, generated


def test_builtin_functions_and_casts_are_those_of_the_catalog():
    assert FILE.read_text() == generated()

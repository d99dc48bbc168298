"""Placeholder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dbguard.model.postgres import Server
from dbguard.model.state import Effects, State

EFFECTS: Mapping[type, Callable[[Any, State, Server], Effects]] = {}

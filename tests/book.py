"""Where the checkout is, and the rulebook in it."""

from __future__ import annotations

from pathlib import Path

from dbguard.rulebook import Rulebook

ROOT = Path(__file__).parent.parent
BOOK = Rulebook.load()

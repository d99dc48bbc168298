"""dbguard tells what a change will do to a PostgreSQL database before it gets there.

import dbguard
dbguard.predict("ALTER TABLE orders ADD COLUMN note text")      # what PostgreSQL does: locks, rewrites, scans
dbguard.check(dbguard.Config.load("."), ["db/migrations"])      # what we think of it: findings
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbguard.version import __version__

if TYPE_CHECKING:
    from dbguard.config import Config
    from dbguard.errors import ConfigError, CouldNotLook, DbguardError, UsageError
    from dbguard.model.explained import Explanation
    from dbguard.model.finding import Finding, Result, Severity
    from dbguard.pipelines.check import check
    from dbguard.pipelines.explain import explain
    from dbguard.pipelines.locks import StatementEffects, predict

_HOMES = {
    "Config": "dbguard.config",
    "ConfigError": "dbguard.errors",
    "CouldNotLook": "dbguard.errors",
    "DbguardError": "dbguard.errors",
    "Explanation": "dbguard.model.explained",
    "Finding": "dbguard.model.finding",
    "Result": "dbguard.model.finding",
    "Severity": "dbguard.model.finding",
    "StatementEffects": "dbguard.pipelines.locks",
    "UsageError": "dbguard.errors",
    "check": "dbguard.pipelines.check",
    "explain": "dbguard.pipelines.explain",
    "predict": "dbguard.pipelines.locks",
}

__all__ = [
    "Config",
    "ConfigError",
    "CouldNotLook",
    "DbguardError",
    "Explanation",
    "Finding",
    "Result",
    "Severity",
    "StatementEffects",
    "UsageError",
    "__version__",
    "check",
    "explain",
    "predict",
]


def __getattr__(name: str) -> Any:
    """Public names are imported when first used: `import dbguard` costs next to nothing."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'dbguard' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)

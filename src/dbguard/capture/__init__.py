"""Records what an application really sends to its database, from inside its process.

This folder is under the MIT licence in its LICENSE file, unlike the rest of dbguard, so that any program may run it. It needs the
standard library only, changes nothing about what the host does, and never lets an error of its own reach it.

with dbguard.capture.record():                      # writes .dbguard/<capture>-<pid>-<n>.jsonl, see docs/capture.md
    ...
with dbguard.capture.unit("import", "task"):        # names a unit of work
    ...
with dbguard.capture.limit(queries=3):              # AssertionError if more are sent
    ...
"""

from __future__ import annotations

from dbguard.capture.middleware import ASGIMiddleware, WSGIMiddleware
from dbguard.capture.session import Recording, limit, record, unit

__all__ = ["ASGIMiddleware", "Recording", "WSGIMiddleware", "limit", "record", "unit"]

"""The workload of an application: calls in their units of work, and totals per statement, from any source that has them.

In: paths, or "-" for a stream; PostgreSQL logs, exports of pg_stat_statements, traces, debug logs, gzip or not, recognised by content.
Out: a `Workload`, read while it is iterated over, in bounded memory.
"""

from __future__ import annotations

from dbguard.workload.read import Workload, read_workload

__all__ = ["Workload", "read_workload"]

"""Whether a ghost plans as its source does: TPC-H and the benchmark schema, per mode of values and per major.

    python -m benchmarks.ghost_fidelity [--scale 0.1] [--values full masked none] [--majors 18] [--ghost-major N] [--literally] [--parameters] [--show]

For every query both servers are asked for EXPLAIN (FORMAT JSON). "Shape": the same tree of nodes, with the same relations, indexes, join
types and numbers of workers. "Cost": root cost within 0.1 %. Prints a table; `--show` adds each query that differs. The ghost is asked as
`dbguard explain` does, with parameters for literals on columns whose values the snapshot does not hold; `--literally` leaves them, with
`--parameters` the real server gets them, too.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from benchmarks import ghost_schema, kept, tpch

from dbguard.errors import UsageError
from dbguard.model.record import Record
from dbguard.model.snapshot import Snapshot
from dbguard.parsing.explainable import explainable
from dbguard.pipelines.explain import schema_of
from dbguard.planning.hidden_columns import hidden_in
from dbguard.planning.hidden_values import opened
from dbguard.postgres.explain import plan, planning, prepared_on_ghost
from dbguard.postgres.ghost import open_ghost
from dbguard.postgres.session import open_read_only
from dbguard.postgres.snapshot import Wishes, take

DATABASES: dict[str, ModuleType] = {"tpch": tpch, "shop": ghost_schema}
SHAPE = (
    "Node Type", "Parent Relationship", "Relation Name", "Index Name", "Join Type", "Strategy", "Partial Mode", "Scan Direction", "Operation",
    "Parallel Aware", "Workers Planned", "Subplan Name", "Command", "Subplans Removed",
)  # fmt: skip
CLOSE = 0.001


class Compared(Record):
    name: str
    same_shape: bool
    ratio: float  # root cost of the other over that of the first
    first: Any
    other: Any


def texts(database: str) -> dict[str, str]:
    return tpch.QUERIES if database == "tpch" else ghost_schema.queries()


def plans(dsn: str, queries: dict[str, str]) -> dict[str, Any]:
    import psycopg

    found: dict[str, Any] = {}
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, text in queries.items():
            try:
                found[name] = connection.execute("EXPLAIN (FORMAT JSON) " + text).fetchone()[0][0]["Plan"]
            except psycopg.Error as error:
                found[name] = {"Node Type": f"error: {error}", "Total Cost": 0.0}
    return found


def as_explained(dsn: str, queries: dict[str, str], snapshot: Snapshot) -> dict[str, Any]:
    """Plans as `dbguard explain` and `dbguard gate` ask a ghost for them: literals of which the snapshot holds nothing as parameters."""
    hidden = hidden_in(snapshot, schema_of(snapshot))
    found: dict[str, Any] = {}
    with open_read_only(dsn) as connection, planning(connection):
        for name, text in queries.items():
            try:
                found[name] = plan(connection, prepared_on_ghost(connection, text, hidden)).json
            except UsageError as error:
                found[name] = {"Node Type": f"error: {error}", "Total Cost": 0.0}
    return found


def as_parameters(database: str, snapshot: Snapshot, scale: float, major: int) -> tuple[dict[str, Any], dict[str, str]]:
    """Plans of the real database, for the queries with the parameters that they have on a ghost of `snapshot`; and these queries."""
    hidden = hidden_in(snapshot, schema_of(snapshot))
    queries = {name: opened(explainable(text), hidden).query.sql if hidden is not None else text for name, text in texts(database).items()}
    with DATABASES[database].loaded(scale, major=major) as dsn:
        return as_explained(dsn, queries, snapshot._replace(values="full", columns=())), queries


def shape(plan: Any) -> Any:
    return tuple(plan.get(key) for key in SHAPE), tuple(shape(child) for child in plan.get("Plans", ()))


def compare(first: dict[str, Any], other: dict[str, Any]) -> list[Compared]:
    return [
        Compared(name, shape(plan) == shape(other[name]), other[name]["Total Cost"] / max(plan["Total Cost"], 1e-9), plan, other[name])
        for name, plan in first.items()
    ]


@contextmanager
def source(database: str, scale: float, major: int, modes: list[str]) -> Iterator[tuple[dict[str, Any], dict[str, Snapshot]]]:
    """Plans of the real database, and a snapshot of it per mode of values."""
    with DATABASES[database].loaded(scale, major=major) as dsn:
        real = plans(dsn, texts(database))
        snapshots = {}
        for mode in modes:
            with open_read_only(dsn) as connection:
                snapshots[mode] = take(connection, Wishes(values=mode))
        yield real, snapshots


def line(label: str, compared: list[Compared]) -> str:
    shapes = sum(one.same_shape for one in compared)
    close = sum(abs(one.ratio - 1) <= CLOSE for one in compared)
    ratios = sorted(one.ratio for one in compared)
    return (
        f"{label:44} shape {shapes:3} of {len(compared):3} ({shapes / len(compared):4.0%})  cost within 0.1 % {close:3} ({close / len(compared):4.0%})"
        f"  ratio {ratios[0]:.3f} / {ratios[len(ratios) // 2]:.4f} / {ratios[-1]:.3f}"
    )


def outline(plan: Any, depth: int = 0) -> str:
    what = " ".join(str(plan[key]) for key in ("Node Type", "Relation Name", "Index Name") if key in plan)
    text = f"{'  ' * depth}{what} rows={plan.get('Plan Rows')} cost={plan['Total Cost']}\n"
    return text + "".join(outline(child, depth + 1) for child in plan.get("Plans", ()))


def show(compared: list[Compared], queries: dict[str, str], limit: int = 12) -> None:
    different = [one for one in compared if not one.same_shape or abs(one.ratio - 1) > CLOSE]
    for one in sorted(different, key=lambda one: one.same_shape)[:limit]:
        print(f"\n{one.name} {'same shape' if one.same_shape else 'OTHER SHAPE'} ratio {one.ratio:.4f}\n{queries[one.name]}")
        print(outline(one.first) + "-- ghost\n" + outline(one.other))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--values", nargs="+", default=["full", "masked", "none"])
    parser.add_argument("--majors", nargs="+", type=int, default=[18])
    parser.add_argument("--ghost-major", type=int)
    parser.add_argument("--databases", nargs="+", default=list(DATABASES))
    parser.add_argument("--literally", action="store_true", help="plan the queries as they are written")
    parser.add_argument("--parameters", action="store_true", help="both servers plan parameters where the snapshot holds no values")
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()
    for major in arguments.majors:
        ghost_major = arguments.ghost_major or major
        for database in arguments.databases:
            with source(database, arguments.scale, major, arguments.values) as (real, snapshots):
                for mode, snapshot in snapshots.items():
                    started = time.monotonic()
                    with open_ghost(snapshot, bin_dir=kept.binaries(ghost_major), cache=False) as ghost:
                        seconds = time.monotonic() - started
                        wanted, queries = real, texts(database)
                        if arguments.parameters:
                            wanted, queries = as_parameters(database, snapshot, arguments.scale, major)
                        asked = plans(ghost.dsn(), queries) if arguments.literally else as_explained(ghost.dsn(), queries, snapshot)
                        compared = compare(wanted, asked)
                        lost = ghost.lost
                    print(
                        line(f"{database} {arguments.scale:g}, {major} planned by {ghost_major}, values {mode}", compared),
                        f" ready in {seconds:.1f} s",
                    )
                    if arguments.show:
                        print("\n".join(lost))
                        show(compared, texts(database))


if __name__ == "__main__":
    main()

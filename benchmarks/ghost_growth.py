"""Whether a snapshot grown tenfold plans as the tenfold database does: snapshots at scale 0.1, real plans at scale 1.

    python -m benchmarks.ghost_growth [--show]

Compared: the ghost as taken (nothing grown), grown tenfold, and the real database at scale 1. Of the benchmark schema's queries, those held
out are counted apart: `--show` prints no plan of theirs, so that rules are not made after them.
"""

from __future__ import annotations

import argparse

from benchmarks import ghost_schema
from benchmarks.ghost_fidelity import compare, line, plans, show, source, texts

from dbguard.postgres.ghost import open_ghost


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--databases", nargs="+", default=["tpch", "shop"])
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()
    for database in arguments.databases:
        queries = texts(database)
        with source(database, 1, 18, []) as (real, _):
            pass
        with source(database, 0.1, 18, ["full"]) as (_, snapshots):
            for factor in (1, 10):
                with open_ghost(snapshots["full"], scale=factor, cache=False) as ghost:
                    compared = compare(real, plans(ghost.dsn(), queries))
                if database == "tpch":
                    print(line(f"tpch, 0.1 grown by {factor}", compared))
                for half in ("seen", "held-out") if database == "shop" else ():
                    print(line(f"shop, {half}, 0.1 grown by {factor}", [one for one in compared if ghost_schema.half(one.name) == half]))
            if arguments.show:
                visible = [one for one in compared if database == "tpch" or ghost_schema.half(one.name) == "seen"]
                show([one for one in visible if not one.same_shape], queries, 40)


if __name__ == "__main__":
    main()

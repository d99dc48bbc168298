"""Traces the migrations of real projects: how often is a prediction what the server does?

    PYTHONPATH=src python benchmarks/trace_corpus.py CORPUS [CORPUS ...] [--only WORD] [--alone] [--verbose]

CORPUS holds one folder per project, whatever tool or framework its migrations are for. Each history of a project runs from an
empty database until a statement fails. With --alone every statement runs in a transaction of its own where it can, so that
locks show that a transaction would hold already. The last lines count the steps, all and those that are DDL alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from dbguard.config import Config
from dbguard.errors import DbguardError
from dbguard.pipelines.trace import trace
from dbguard.pipelines.traced import Options, Trace, Traced

NOT_DDL = ("insert", "update", "delete", "merge", "select", "with", "copy", "do", "call", "set", "begin", "commit", "start", "show", "lock")


class Outcome(NamedTuple):
    name: str
    applies: bool
    why_not: str = ""
    scripts: int = 0
    compared: int = 0
    same: int = 0
    ddl: int = 0
    ddl_same: int = 0
    seconds: float = 0.0


def is_ddl(one: Traced) -> bool:
    words = one.predicted.sql.split(maxsplit=1)
    return bool(words) and words[0].lower().strip("(;") not in NOT_DDL


def run(project: Path, *, alone: bool, verbose: bool, programs: str) -> Outcome:
    began = time.perf_counter()
    config = Config.load(project, {"transaction": "none"} if alone else {})
    try:
        found = trace(config, (), Options(programs=programs, time_limit=120))
    except DbguardError as error:
        return Outcome(project.name, False, str(error).splitlines()[0], seconds=time.perf_counter() - began)
    return told(project.name, found, time.perf_counter() - began, verbose=verbose)


def told(name: str, found: Trace, seconds: float, *, verbose: bool) -> Outcome:
    compared = [one for one in found.statements if one.observed is not None and one.error is None]
    errors = [one for one in found.statements if one.error is not None]
    for one in compared:
        if one.differences or (verbose and one.notes):
            sql = " ".join(one.predicted.sql.split())[:150]
            print(f"  {name}: {one.predicted.path}:{one.predicted.line}  {sql}")
            for line in (*one.differences, *(f"note: {note}" for note in one.notes if verbose)):
                print(f"      {line}")
    why = "; ".join(f"{one.predicted.path}:{one.predicted.line} {one.error.message}" for one in errors if one.error)
    ddl = [one for one in compared if is_ddl(one)]
    return Outcome(
        name,
        not errors,
        why[:400],
        len({one.predicted.path for one in found.statements}),
        len(compared),
        sum(not one.differences for one in compared),
        len(ddl),
        sum(not one.differences for one in ddl),
        seconds,
    )


def table(outcomes: list[Outcome]) -> Iterable[str]:
    yield f"{'project':44} {'scripts':>7} {'watched':>8} {'differ':>7} {'DDL':>6} {'differ':>7} {'seconds':>8}  applies"
    for one in outcomes:
        end = "yes" if one.applies else f"no: {one.why_not}"
        yield (
            f"{one.name:44} {one.scripts:7} {one.compared:8} {one.compared - one.same:7} {one.ddl:6} {one.ddl - one.ddl_same:7} {one.seconds:8.1f}  {end}"
        )
    compared, same = sum(one.compared for one in outcomes), sum(one.same for one in outcomes)
    ddl, ddl_same = sum(one.ddl for one in outcomes), sum(one.ddl_same for one in outcomes)
    yield f"{sum(one.applies for one in outcomes)} of {len(outcomes)} projects apply"
    yield f"all statements: {same} of {compared} as predicted ({same / max(compared, 1):.2%})"
    yield f"DDL:            {ddl_same} of {ddl} as predicted ({ddl_same / max(ddl, 1):.2%})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", nargs="+", type=Path)
    parser.add_argument("--only", action="append", default=[], help="projects whose name holds this")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--postgres-bin", default="")
    options = parser.parse_args()
    outcomes = []
    for corpus in options.corpus:
        for project in sorted(path for path in corpus.iterdir() if path.is_dir()):
            if not options.only or any(word in project.name for word in options.only):
                print(project.name, flush=True)
                outcomes.append(run(project, alone=options.alone, verbose=options.verbose, programs=options.postgres_bin))
    print("\n".join(table(outcomes)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
